"""Groups of rollouts and graded rewards: more than one bit."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine, Unresolved
from bitrate.lab.worlds.learners import advantages, sample
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import GoodSet
from bitrate.theory import entropy, good_set_distinct_rollouts, group_normalised_information, verifier_information
from bitrate.types import Kind, Prediction

ALPHA = 0.3
N = 4
GRADES = (0.4, 0.3, 0.2, 0.1)
WORLDS = 50_000
FEEDBACK = Unresolved(of="scores", given="answers")
UPDATE, AUDITED = Information(of="update"), LedgerLine("ledger.update_bits")


def with_repeats(k: int) -> float:
    """Bits of k uniform rollouts of N independent jokes: every set of good jokes is a target."""
    sets = ((np.arange(2**N)[:, None] >> np.arange(N)) & 1).astype(bool)
    prior = np.prod(np.where(sets, ALPHA, 1 - ALPHA), axis=1)
    return verifier_information(prior, sets, np.full(N, 1 / N), k)


def said_of(case: Case, bits: float, kind: Kind, reference: str, assumptions: tuple[str, ...] = ()) -> Prediction:
    """Bits of a group; the audit counts by rollout."""
    if case.signal is AUDITED:
        return Prediction(bits / case.settings["k"], kind, "bits/rollout", reference, assumptions)
    return Prediction(bits, kind, "bits/group", reference, assumptions)


def predict(case: Case) -> Prediction:
    """M h(alpha) for M distinct jokes; the mean over M with repeats; the entropy of a grade."""
    k, how = case.settings["k"], case.settings["how"]
    bits = {
        "distinct": good_set_distinct_rollouts(k, ALPHA),
        "repeats": with_repeats(k),
        "graded": k * entropy(GRADES),
        "grpo": k * group_normalised_information(ALPHA, k),
    }
    return said_of(case, float(bits[how]), "exact", "docs/theory.md#good-sets, S0.9", ("independent jokes",))


def stated(case: Case) -> Prediction:
    """More than the one bit of a single 0/1 reward."""
    return said_of(case, 1.0, "lower", "Beirami, richer rewards")


def rival(case: Case) -> Prediction | None:
    """A bound for a single right answer, taken for a general one."""
    if case.settings["how"] == "graded":
        return None
    return said_of(case, float(np.log2(case.settings["k"] + 1)), "upper", "log2(M+1)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One group in each world, of different jokes or with repeats."""
    k, how = case.settings["k"], case.settings["how"]
    distinct = rng.random((WORLDS, N)).argsort(axis=1)[:, :k]
    answers = sample(np.full(N, 1 / N), WORLDS, k, rng) if how == "repeats" else distinct
    with SimulatedRun(folder, rng) as run:
        if how == "graded":
            grades = rng.choice(len(GRADES), size=(WORLDS, N), p=GRADES)
            run.step(0, answers=answers, rewards=np.take_along_axis(grades, answers, axis=1) / (len(GRADES) - 1))
            return
        task = GoodSet(N, ALPHA)
        targets = task.draw(WORLDS, rng)
        rewards = task.score(targets, answers, rng)
        run.step(0, answers=answers, rewards=rewards, targets=targets, advantages=advantages(rewards, "grpo"))


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Over the size of the group."""
    k = np.arange(1, 7)
    x = k.astype(float).tolist()
    return {
        "different jokes: M h(.3)": (x, good_set_distinct_rollouts(k, ALPHA).tolist()),
        "with repeats among 4 jokes": (x, [with_repeats(int(i)) for i in k]),
        "different jokes, 4 grades": (x, (k * entropy(GRADES)).tolist()),
        "log2(M+1)": (x, np.log2(k + 1).tolist()),
    }


CLAIM = Claim(
    id="S0.9",
    statement="Groups of rollouts and richer rewards can carry more than 1 bit in a single update.",
    source="Beirami, O(1) bits per policy gradient update?, notes on richer rewards",
    cases=(
        Case("2 different jokes", {"how": "distinct", "k": 2}, x=2),
        Case("4 different jokes", {"how": "distinct", "k": 4}, x=4),
        Case("4 rollouts, repeats among 4 jokes", {"how": "repeats", "k": 4}, x=4),
        Case("4 different jokes, GRPO update", {"how": "grpo", "k": 4}, x=4, signal=UPDATE),
        Case("1 joke with one of 4 grades", {"how": "graded", "k": 1}, x=1),
        Case("2 different jokes with one of 4 grades", {"how": "graded", "k": 2}, x=2),
        Case("4 different jokes, GRPO update, audited", {"how": "grpo", "k": 4}, signal=AUDITED),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=FEEDBACK,
    rival=rival,
    rival_name="at most log2(M+1) bits for M different jokes",
    tolerance=0.03,
    budget=4 * WORLDS,
    remark="Independent jokes are independent questions: each different joke of a group adds h(alpha) bits, "
    "a repeated one nothing. The bound log2(M+1) of S1.9 is for a single right answer. A grade carries its entropy. "
    "GRPO forgets which of the two it was when all or none were good.",
    against=("S1.9",),
    axis="rollouts of a group",
    curves=curves,
)
