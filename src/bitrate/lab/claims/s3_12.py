"""Denser stand-ins for the final reward: a value function, by bits and FLOPs, and a label of the first wrong step."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.signals.pass_rates import CostToPass
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.lab.worlds.truncated import K, Story, train_truncated
from bitrate.theory import binary_entropy, first_error_information
from bitrate.types import Prediction

WORLDS, AUDITED_WORLDS, LEARNERS = 70_000, 150_000, 150
UNIT, AUDITED = "bits/rollout", LedgerLine("ledger.outcome_bits")
ANSWERS = 8
#: What the value function expects after each prefix, known before the rollout is scored.
VALUES = np.linspace(0.05, 0.4, ANSWERS)
#: Tokens until the right choice has a chance of one half; each costs the same FLOPs in either network.
TOKENS = CostToPass(cost="tokens")


def predict(case: Case) -> Prediction:
    """The outcome's bits with a value function or without; the entropy of the place of the first error."""
    s = case.settings
    if "steps" not in s:
        return Prediction(
            float(binary_entropy(1 / ANSWERS)),
            "exact",
            UNIT,
            "docs/theory.md#tokens, S3.12, and docs/theory.md#updates, S1.14",
        )
    bits = float(first_error_information(s["accuracy"], s["steps"]))
    return Prediction(bits, "exact", UNIT, "docs/theory.md#tokens, S3.12", ("steps are right independently",))


def stated(case: Case) -> Prediction | None:
    """At most the logarithm of the labels that there are: T places of an error, or none."""
    s = case.settings
    if "steps" not in s:
        return None
    return Prediction(float(np.log2(s["steps"] + 1)), "upper", UNIT, "log2 of the number of labels")


def rival(case: Case) -> Prediction:
    """One more number, so many more bits: log2 of the values; h(c) for every step."""
    s = case.settings
    if "steps" not in s:
        extra = np.log2(ANSWERS) if s["value"] else 0.0
        return Prediction(float(binary_entropy(1 / ANSWERS) + extra), "exact", UNIT, "h(p) + log2 of the values")
    return Prediction(float(s["steps"] * binary_entropy(s["accuracy"])), "exact", UNIT, "T h(c)")


def saved(early: bool) -> Case:
    """Doublings of FLOPs that rollouts cut short save, at the same pass rate; one of eight is played to its end.

    A step costs (32 + 2) + 7 x 2 tokens in place of 8 x 32: a factor of 5.3, from which comes what the value function
    takes to learn. Where the last token decides, only whole rollouts teach, at 48 tokens each in place of 32.
    """
    story, reference = Story(early=early), "docs/theory.md#tokens, S3.12"
    most = np.log2(K * story.tokens / (story.tokens + 2 + 2 * (K - 1)))
    why = f"at most {most:.2f} for a value function that is known from the start; pilots with seeds 900 and 901"
    return Case(
        f"rollouts cut short by a value function, the {'first' if early else 'last'} of {story.tokens} tokens decides",
        {"story": story}, assumed=early, signal=Lead("none", TOKENS, "value function", TOKENS),
        predict=Prediction(1.0, "lower", "doublings", f"{reference}: {why}", ("one table for each token",))
        if early
        else Prediction(-0.2, "upper", "doublings", f"{reference}: log2(32/48) = -.58; pilots with seeds 900 and 901"),
        stated=Prediction(0.0, "lower", "doublings", "Dwarkesh: saving you the compute of unrolling the trajectory"),
        rival=Prediction(0.0, "exact", "doublings", "without a bit more there is nothing to save"),
    )  # fmt: skip


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A rollout in each world, scored at its end, beside a value function, or by a reader who stops at an error.

    For FLOPs, learners with a value function that cuts rollouts short, and without.
    """
    s = case.settings
    if "story" in s:
        for name, whole in (("none", K), ("value function", 1)):
            (folder / name).mkdir()
            train_truncated(s["story"], folder / name, rng=rng, worlds=LEARNERS, whole=whole, rate=2.0)
        return
    with SimulatedRun(folder, rng) as run:
        if "steps" in s:
            right = rng.random((WORLDS, s["steps"])) < s["accuracy"]
            solved = right.all(axis=1, keepdims=True)
            error = np.where(solved, -1, right.argmin(axis=1)[:, None])
            run.step(0, answers=np.zeros((WORLDS, 1), int), rewards=solved, components={"first_error": error})
            return
        task = SingleAnswer.uniform(ANSWERS)
        k = s.get("k", 1)
        worlds = AUDITED_WORLDS // k if k > 1 else WORLDS
        targets, answers = task.draw(worlds, rng), rng.integers(ANSWERS, size=(worlds, k))
        rewards, value = task.score(targets, answers, rng), VALUES[answers]
        parts = {"value": value} if s["value"] else None
        run.step(0, answers=answers, rewards=rewards, targets=targets, components=parts, advantages=rewards - value)


CLAIM = Claim(
    id="S3.12",
    statement="A value function saves samples' FLOPs, a process reward adds bits to a sample, at most log2(T+1) for "
    "the first wrong one of T steps.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on proxies, samples/FLOP and "
    "bits/sample",
    cases=(
        Case("the outcome alone", {"value": False}),
        Case("the outcome and a value function", {"value": True}),
        *[
            Case(f"first error of {t} steps, accuracy {c:g}", {"steps": t, "accuracy": c}, x=t if c == 0.9 else None)
            for t, c in ((2, 0.6), (2, 0.9), (8, 0.9), (24, 0.9))
        ],
        Case("the outcome and a value function, audited", {"value": True, "k": 8}, signal=AUDITED),
        *map(saved, (True, False)),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="a bit count for every number that is reported",
    tolerance=0.03,
    budget=WORLDS,
    condition="what the value function reads tells how the rollout ends; where the end decides, it costs FLOPs",
    remark="What a value function says follows from the rollouts so far: it adds no bit about the target. It can save "
    "FLOPs all the same: a learner whose rollouts stop after the token that decides, and take its value for their "
    "return, needs about a third of the tokens, its own counted, though one rollout of eight must be played to the "
    "end to teach it. Where the last token decides it sees nothing, and costs half as much again. A label of the first "
    "wrong step is new, and less than a label of every step: what comes after the error is not judged.",
    against=("S1.14",),
    axis="steps T",
    grid=range(1, 33),
    curves={
        "first error, steps right with chance .9": lambda steps: first_error_information(0.9, steps),
        "log2(T+1)": lambda steps: np.log2(steps + 1),
    },
)
