"""The expected bits of a label, and of a reward, when one option has belief p and the rest share the remainder."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Panel
from bitrate.lab.signals import Information, LedgerLine
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, sampled_guess_information, surprisal
from bitrate.types import Prediction

WORLDS = 100_000
#: Contra's second plot: as many options as a vocabulary has tokens, of which 1,000 are enough to see.
VOCABULARY, MANY = "an option for every token of a vocabulary", 999
LABEL, TOP, SAMPLED = "label", "top guess", "sampled guess"


def predict(case: Case) -> Prediction:
    """The entropy of the belief for a label; the mean entropy of the outcome for a reward."""
    p, others = case.settings["p"], case.settings["others"]
    bits = {LABEL: label_information, SAMPLED: sampled_guess_information}.get(case.settings["kind"])
    value = float(bits(p, others) if bits else binary_entropy(p))
    return Prediction(value, "exact", "bits/prompt", "docs/theory.md#labels, S4.2", ("the belief is calibrated",))


def stated(case: Case) -> Prediction:
    """h(p) + (1-p) log2 K for a label, h(p) for any reward."""
    p, others = case.settings["p"], case.settings["others"]
    value = float(label_information(p, others) if case.settings["kind"] == LABEL else binary_entropy(p))
    return Prediction(value, "exact", "bits/prompt", "Contra Dwarkesh, the two plots")


def rival(case: Case) -> Prediction | None:
    """-log2 p: forgets the labels that the model did not believe in."""
    if case.settings["kind"] != LABEL:
        return None
    return Prediction(float(surprisal(case.settings["p"])), "exact", "bits/prompt", "Dwarkesh: -log2 p, S3.2")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """The right option is drawn from the belief: it is shown, or one guess is scored; a group, for the audit."""
    p, others, kind = (case.settings[name] for name in ("p", "others", "kind"))
    k = case.settings.get("k", 1)
    belief = np.array([p, *((1 - p) / others,) * others])
    task = SingleAnswer(tuple(belief))
    if kind == LABEL:
        shown = task.draw(WORLDS, rng)
        with SimulatedRun(folder, rng) as run:
            run.step(0, answers=shown[:, None], rewards=np.ones((WORLDS, 1)), targets=shown)
    else:
        policy = belief if kind == SAMPLED else np.eye(belief.size)[0]
        collect(task, folder, rng=rng, worlds=WORLDS // k, k=k, method=0.5, policy=policy)


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Four options, from where the belief is the top one."""
    p = np.linspace(0.25, 0.99, 75)
    xs = p.tolist()
    return {
        "label: h(p) + (1-p) log2 3": (xs, label_information(p, 3).tolist()),
        "reward of the top guess: h(p)": (xs, binary_entropy(p).tolist()),
        "reward of a sampled guess": (xs, sampled_guess_information(p, 3).tolist()),
        "-log2 p": (xs, surprisal(p).tolist()),
    }


def vocabulary() -> dict[str, tuple[list[float], list[float]]]:
    """The same over a vocabulary, down to small beliefs."""
    p = np.geomspace(1e-4, 0.999, 90)
    xs = p.tolist()
    return {
        "label, 1,000 tokens": (xs, label_information(p, MANY).tolist()),
        "reward of the top guess: h(p)": (xs, binary_entropy(p).tolist()),
        "label, 50,000 tokens": (xs, label_information(p, 49_999).tolist()),
        "-log2 p": (xs, surprisal(p).tolist()),
    }


def _case(kind: str, p: float, others: int, assumed: bool = True) -> Case:
    settings = {"kind": kind, "p": p, "others": others}
    panel = VOCABULARY if others == MANY else ""
    x = p if others in (3, MANY) else None
    return Case(f"{kind}, p={p:g}, K={others}", settings, x=x, assumed=assumed, panel=panel)


CLAIM = Claim(
    id="S4.2",
    statement="With belief p in one option and the rest shared by K others, a label carries h(p) + (1-p) log2 K bits "
    "and a reward h(p).",
    source="Contra Dwarkesh on RL sample-efficiency via information theory, the two plots",
    cases=(
        *[_case(LABEL, p, others) for p, others in ((0.5, 3), (0.9, 3), (0.25, 3), (0.01, MANY), (0.05, MANY))],
        _case(TOP, 0.5, 3),
        _case(TOP, 0.05, MANY),
        _case(SAMPLED, 0.5, 3, assumed=False),
        _case(SAMPLED, 0.9, 31, assumed=False),
        Case(
            f"{SAMPLED}, p=0.5, K=3, audited",
            {"kind": SAMPLED, "p": 0.5, "others": 3, "k": 16},
            assumed=False,
            signal=LedgerLine("ledger.outcome_bits"),
        ),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    signal=Information(of="feedback"),
    rival=rival,
    rival_name="a label carries -log2 p",
    tolerance=0.03,
    budget=WORLDS,
    condition="the guess is the option believed most; a guess sampled from the belief gets p h(p) + (1-p) h((1-p)/K)",
    remark="A label that was not expected carries more than one that was, and the mean has to count both. A policy "
    "that samples its guess sometimes asks about an option it hardly believes in, and learns little from the "
    "answer.",
    axis="belief p in the top one of 4 options",
    curves=curves,
    panels=(Panel(VOCABULARY, "belief p in the top option", vocabulary, log_axis=True),),
)
