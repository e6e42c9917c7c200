"""Bits per FLOP: bits of a sample times samples a FLOP buys, as the audit prices them."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import binary_entropy
from bitrate.types import Prediction

PROMPTS, ROLLOUTS = 4000, 16
PARAMS, PFLOP = 1e9, 1e15
#: FLOPs for each parameter and token: 2 to generate, 6 to train (Kaplan et al. 2020, section 2.1).
WORK = 8.0


def kinds(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Bits and PFLOPs of a rollout on each kind of prompt; the kinds are equally frequent."""
    rates, tokens = np.array(case.settings["rates"]), np.array(case.settings["tokens"], float)
    return binary_entropy(rates), WORK * PARAMS * tokens / PFLOP


def predict(case: Case) -> Prediction:
    """Mean bits of a sample, times samples per PFLOP: one over the mean work of a sample."""
    bits, work = kinds(case)
    price = float(bits.mean() / work.mean())
    return Prediction(price, "exact", "bits/PFLOP", "docs/theory.md#cost, S3.1", ("calibrated pass rates",))


def rival(case: Case) -> Prediction:
    """The mean over prompts of each prompt's own bits per PFLOP."""
    bits, work = kinds(case)
    return Prediction(float((bits / work).mean()), "exact", "bits/PFLOP", "mean of ratios")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Groups of rollouts on each kind of prompt, one kind a step; proofs have no final answer."""
    settings = case.settings
    with SimulatedRun(folder, rng) as run:
        for step, (rate, tokens) in enumerate(zip(settings["rates"], settings["tokens"], strict=True)):
            proved = rng.random((PROMPTS, ROLLOUTS)) < rate
            answers = np.full(proved.shape, None, dtype=object)
            prompts = step * PROMPTS + np.arange(PROMPTS)
            run.step(step, answers=answers, rewards=proved, prompts=prompts, tokens=tokens)


CLAIM = Claim(
    id="S3.1",
    statement="The bits that a FLOP buys are the samples it buys times the bits of a sample.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, the first equation",
    cases=(
        Case("pass rate .5, 1000 tokens", {"rates": (0.5,), "tokens": (1000,)}, x=1000),
        Case("pass rate .5, 16000 tokens", {"rates": (0.5,), "tokens": (16_000,)}, x=16_000),
        Case("pass rate .05, 1000 tokens", {"rates": (0.05,), "tokens": (1000,)}, x=1000),
        Case("easy prompts short, hard prompts long", {"rates": (0.5, 0.05), "tokens": (500, 8000)}, x=4250),
        Case("easy prompts long, hard prompts short", {"rates": (0.5, 0.05), "tokens": (8000, 500)}, x=4250),
    ),
    predict=predict,
    simulate=simulate,
    signal=LedgerLine("cost.bits_per_pflop", model_params=PARAMS),
    rival=rival,
    rival_name="mean of the bits per FLOP of each prompt",
    tolerance=3.0,
    budget=PROMPTS * ROLLOUTS,
    remark="An identity, once both factors are means over the same samples: mean bits of a sample over mean FLOPs of a "
    "sample. The mean of each prompt's own ratio is another number where hard prompts take longer. What the identity "
    "leaves open is the bits of a sample, and that is what the other claims are about.",
    axis="mean tokens of a rollout",
    log_axis=True,
    grid=np.geomspace(500, 20_000, 60),
    curves={
        "pass rate 1/2, 1 bit a rollout": lambda tokens: PFLOP / (WORK * PARAMS * tokens),
    },
)
