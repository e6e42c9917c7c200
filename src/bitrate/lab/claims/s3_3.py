"""What "right" or "wrong" tells: the entropy of the outcome once the guess is known."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, sampled_guess_information
from bitrate.types import Prediction

#: Rollouts: counted, and as the audit sees them, in groups.
WORLDS, AUDITED_WORLDS = 80_000, 200_000
AUDITED = LedgerLine("ledger.outcome_bits")


def belief(p: float, others: int) -> tuple[float, ...]:
    """p on answer 0, the rest evenly; right answers are drawn from it, so it is calibrated."""
    return (p, *((1 - p) / others,) * others)


def policy(case: Case) -> tuple[float, ...]:
    """Guesses are sampled from the belief, or are its top answer."""
    p, others = case.settings["p"], case.settings["others"]
    return belief(p, others) if case.settings["sampled"] else (1.0, *(0.0,) * others)


def pass_rate(case: Case) -> float:
    """How often the guess is right."""
    return float(np.dot(policy(case), belief(case.settings["p"], case.settings["others"])))


def predict(case: Case) -> Prediction:
    """The mean over guesses of h of the guess's own chance to be right."""
    p, others = case.settings["p"], case.settings["others"]
    bits = float(sampled_guess_information(p, others) if case.settings["sampled"] else binary_entropy(p))
    return Prediction(
        bits,
        "exact",
        "bits/rollout",
        "docs/theory.md#outcome, S3.3, and docs/theory.md#labels, S4.2",
        ("one right answer",),
    )


def stated(case: Case) -> Prediction:
    """The source's bound."""
    bits = float(binary_entropy(pass_rate(case)))
    return Prediction(bits, "upper", "bits/rollout", "Dwarkesh, at most Entropy(p) bits/sample")


def given_the_truth(case: Case) -> Prediction:
    """The source's bound with the pass rates that prompts have once their answers are known: the mean of their h."""
    q, pi = belief(case.settings["p"], case.settings["others"]), policy(case)
    bits = float(np.dot(q, binary_entropy(np.array(pi))))
    return Prediction(bits, "upper", "bits/rollout", "at most h(p), p the pass rate given the truth")


def rival(case: Case) -> Prediction:
    """The bound taken for the amount, as the source's figure does."""
    return Prediction(float(binary_entropy(pass_rate(case))), "exact", "bits/rollout", "h of the pass rate")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One guess in each of many worlds; a group in each of fewer, for the audit."""
    task, k = SingleAnswer(belief(case.settings["p"], case.settings["others"])), case.settings.get("k", 1)
    worlds = AUDITED_WORLDS // k if k > 1 else WORLDS
    collect(task, folder, rng=rng, worlds=worlds, k=k, method=0.0, policy=policy(case))


CLAIM = Claim(
    id="S3.3",
    statement="A rollout with a right-or-wrong reward teaches at most h(p) bits at pass rate p.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, reinforcement learning",
    cases=(
        Case("top guess, p=.5, K=3", {"p": 0.5, "others": 3, "sampled": False}, x=0.5),
        Case("top guess, p=.9, K=3", {"p": 0.9, "others": 3, "sampled": False}, x=0.9),
        Case(
            "top guess, p=.5, K=3, by the pass rates given the truth",
            {"p": 0.5, "others": 3, "sampled": False},
            assumed=False,
            stated=given_the_truth,
        ),
        Case("sampled guess, p=.25, K=3", {"p": 0.25, "others": 3, "sampled": True}, x=0.25),
        Case("sampled guess, p=.5, K=3", {"p": 0.5, "others": 3, "sampled": True}, x=0.5),
        Case("sampled guess, p=.7, K=3", {"p": 0.7, "others": 3, "sampled": True}, x=0.7),
        Case("sampled guess, p=.5, K=1", {"p": 0.5, "others": 1, "sampled": True}),
        Case("sampled guess, p=.5, K=30", {"p": 0.5, "others": 30, "sampled": True}),
        Case(
            "sampled guess, p=.7, K=3, audited",
            {"p": 0.7, "others": 3, "sampled": True, "k": 16},
            x=0.7,
            signal=AUDITED,
        ),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="h of the pass rate as the amount",
    tolerance=0.02,
    budget=WORLDS,
    condition="p is the learner's own expectation of the reward, not the pass rate given the truth",
    remark="The bound is met when every guess has the same chance to be right. A guess sampled from the belief often "
    "is one that is known to be unlikely; that it is wrong is then no news, though the pass rate hides it. If p is "
    "the pass rate given the truth, as a log shows it prompt by prompt, there is no such bound: a greedy guess is "
    "then right always or never, h(p) is 0, and it teaches all the same.",
    axis="belief p in the top answer",
    grid=np.linspace(0.25, 0.99, 75),
    curves={
        "guess sampled, 4 answers": lambda p: sampled_guess_information(p, 3),
        "bound: h of its pass rate": lambda p: binary_entropy(p**2 + (1 - p) ** 2 / 3),
        "top guess: h(p)": binary_entropy,
    },
)
