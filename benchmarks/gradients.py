"""Bits in a transformer's real gradients, a backward pass per outcome: ``python benchmarks/gradients.py [--write]``.

Needs the extra ``bitrate[train]``; makes docs/gradients.md.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from bitrate.lab.claims.t1 import NETWORK, RATE, ROUNDINGS
from bitrate.lab.networks.gradients import GradientInformation, Projection, adam_step, gradient_information
from bitrate.lab.networks.one_token import ROUNDING, build, policy, policy_gradient, weights_after
from bitrate.lab.worlds.learners import Baseline
from bitrate.theory import group_information, update_information
from bitrate.types import Floats

PAGE = Path(__file__).resolve().parents[1] / "docs" / "gradients.md"
SETTINGS: tuple[tuple[int, int, Baseline], ...] = (
    (16, 1, 0.3), (16, 1, 0.0), (16, 1, 1.0), (8, 2, "rloo"), (8, 4, 0.3), (8, 4, "grpo"),
)  # fmt: skip
DIRECTIONS = 16


def measured(answers: int, k: int, baseline: Baseline, dtype: str, kept: str) -> tuple[Floats, GradientInformation]:
    """The network's policy, and the bits of what is kept of its gradient."""
    model = build(answers, rng=np.random.default_rng(NETWORK), dtype=dtype, sharpness=0.5)
    see = Projection(DIRECTIONS, rng=np.random.default_rng(1))
    keeps = {
        "gradient": lambda g: g,
        "Adam's first step": adam_step,
        "weights after it": lambda g: weights_after(model, RATE * adam_step(g)),
        f"{DIRECTIONS} random directions": see,
    }
    exact = kept in {"Adam's first step", "weights after it"}
    resolution = 0.0 if exact else ROUNDINGS * ROUNDING[dtype]
    prior, pi = np.full(answers, 1 / answers), policy(model)

    def gradient(said: np.ndarray, weight: Floats) -> np.ndarray:
        return np.asarray(keeps[kept](policy_gradient(model, said, weight)))

    return pi, gradient_information(gradient, prior, pi, k, baseline, resolution=resolution)


def rows() -> list[str]:
    """One line a setting, precision, and part of the gradient."""
    lines = []
    for answers, k, baseline in SETTINGS:
        for dtype in ("float32", "bfloat16"):
            for kept in ("gradient", f"{DIRECTIONS} random directions", "Adam's first step", "weights after it"):
                if k > 1 and kept != "gradient":
                    continue
                pi, found = measured(answers, k, baseline, dtype, kept)
                prior = np.full(answers, 1 / answers)
                theory = float(update_information(prior, pi, k, baseline))
                received = float(group_information(prior, pi, k))
                name = baseline if isinstance(baseline, str) else f"{baseline:g}"
                lines.append(
                    f"| {answers} | {k} | {name} | {dtype} | {kept} | {found.outcomes} | {found.updates} "
                    f"| {received:.6f} | {found.update:.6f} | {found.update - theory:+.1e} "
                    f"| {received - found.update:.6f} |"
                )
                print(lines[-1], flush=True)
    return lines


def page(lines: list[str]) -> str:
    """The page."""
    head = (
        "# Bits in real gradients\n\n"
        "A transformer of one layer answers one prompt; every group that can be told apart gets its own backward pass, "
        "equal\ngradients are merged, and `I(gradient; right answer)` is summed exactly. Theory is that of a table of "
        "logits with the\nnetwork's probabilities (`bitrate.theory.update_information`). Made by "
        "`python benchmarks/gradients.py --write`.\n\n"
        "| V | K | baseline | precision | what is kept | outcomes | updates | received | in the update | less theory "
        "| erased |\n|---|---|---|---|---|---|---|---|---|---|---|\n"
    )
    note = (
        "\n\nBits a group. A baseline between 0 and 1 keeps all of the feedback; 0, 1, RLOO and GRPO erase what their "
        "advantages\nmerge: of a group without a success GRPO keeps nothing. Adam's first step and the weights after "
        "it are compared bit by\nbit, the gradients within four roundings of their precision.\n"
    )
    return head + "\n".join(lines) + note


def main() -> None:
    """Measure, print, and write the page if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    made = page(rows())
    if asked.write:
        PAGE.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
