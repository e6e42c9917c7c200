"""The two curves of the source, one over the other: for the label that came, and in the mean over labels."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Drawn, Panel
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Information, Unresolved
from bitrate.lab.signals.pairs import Ratio
from bitrate.lab.signals.surprisal import Surprisal
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, sampled_guess_information, surprisal
from bitrate.types import Prediction

WORLDS = 60_000
#: At p = .01 the source's ratio and its rival are .002 apart.
RARE_WORLDS = 260_000
OTHERS = 9
VOCABULARY = 50_000
SECOND = "The source's second plot, and the exact curves"
REWARD = Unresolved(of="scores", given="answers")
THE_LABEL = Surprisal("bool_and(answer = '0')", "surprisal of label 0")


def that_came(p: float) -> Case:
    """h(p) over -log2 p: what a reward is worth, on average, of the label that says that the guess is right."""
    share = float(binary_entropy(p) / surprisal(p))
    needs = ("the answer with belief p is guessed, and is the label",)
    return Case(
        f"the label that came, p={p:g}", {"p": p, "worlds": RARE_WORLDS if p < 0.05 else WORLDS}, x=p,
        signal=Ratio("guesses", REWARD, "labels", THE_LABEL),
        predict=Prediction(share, "exact", "ratio", "docs/theory.md#labels, S3.7", needs),
    )  # fmt: skip


def in_expectation(p: float) -> Case:
    """h(p) over h(p) + (1-p) log2 K: the mean of both, where the other K answers are believed alike."""
    share = float(binary_entropy(p) / label_information(p, OTHERS))
    needs = ("the answer with belief p is guessed", f"{OTHERS} other answers, believed alike")
    return Case(
        f"in expectation, p={p:g}", {"p": p, "worlds": WORLDS}, x=p, assumed=False,
        signal=Ratio("guesses", REWARD, "labels", Information(of="answers")),
        predict=Prediction(share, "exact", "ratio", "docs/theory.md#labels, S3.7 and S4.2", needs),
    )  # fmt: skip


def stated(case: Case) -> Prediction:
    """The source's two curves, whatever label came."""
    share = float(binary_entropy(case.settings["p"]) / surprisal(case.settings["p"]))
    return Prediction(share, "exact", "ratio", "Dwarkesh: h(p) over -log2 p")


def rival(case: Case) -> Prediction:
    """p: what a rollout carries if only successes taught, p times -log2 p."""
    return Prediction(case.settings["p"], "exact", "ratio", "p log2(1/p) over log2(1/p)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A run of labels, and a run in which answer 0 is guessed."""
    p, worlds = case.settings["p"], case.settings["worlds"]
    task = SingleAnswer(belief(p, OTHERS))
    for run in ("labels", "guesses"):
        (folder / run).mkdir()
    collect(task, folder / "labels", rng=rng, worlds=worlds, method="sft")
    collect(task, folder / "guesses", rng=rng, worlds=worlds, method=0.0, policy=np.eye(1 + OTHERS)[0])


SECOND_PLOT: Drawn = {
    "label, exact, one of 50,000": lambda p: label_information(p, VOCABULARY - 1),
    "reward of a sampled guess, exact": lambda p: sampled_guess_information(p, VOCABULARY - 1),
    "the source's label: -log2 p": surprisal,
    "the source's reward: h(p)": binary_entropy,
}
CLAIM = Claim(
    id="S3.7",
    statement="A rollout carries h(p) bits where a label carries -log2 p, so that on a logarithmic axis of p the two "
    "are comparable in a sliver at the end only.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, second figure",
    cases=(*map(that_came, (0.01, 0.05, 0.2, 0.5)), *map(in_expectation, (0.01, 0.05, 0.5, 0.8))),
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="p: only successes teach",
    tolerance=0.05,
    budget=2 * WORLDS,
    condition="the label that came is the answer believed with probability p; in the mean over labels a label carries "
    "h(p) + (1-p) log2 K, K other answers believed alike",
    remark="Of the label that confirms the guess a rollout is worth about the share p (1 + 1/ln(1/p)). Other labels "
    "come more often at low p, and tell which of the K others is right: in expectation the ratio is h(p) / "
    "(h(p) + (1-p) log2 K), twice the source's at p = 1/100 with K = 9, less than half of it at p = 1/2, and "
    "never above 1. Most of the axis looks as bad as in the source; with a vocabulary of 50,000 the two are "
    "not within a factor of two below p = .9999, so that the sliver is thinner still. That equal widths of "
    "the axis cost equal FLOPs is another claim, and wrong (S3.6); so is -log2 p as the mean worth of a label "
    "(S3.2).",
    against=("S3.2", "S4.2"),
    axis="pass rate p",
    log_axis=True,
    grid=np.geomspace(1e-5, 0.99, 80),
    curves={
        "the label that came: h(p) / -log2 p": lambda p: binary_entropy(p) / surprisal(p) if p <= 0.7 else None,
        "in expectation, one of 10": lambda p: binary_entropy(p) / label_information(p, OTHERS),
        "in expectation, one of 50,000": lambda p: binary_entropy(p) / label_information(p, VOCABULARY - 1),
        "only successes teach: p": lambda p: p if p <= 0.7 else None,
    },
    panels=(
        Panel(SECOND, "pass rate p", SECOND_PLOT, np.geomspace(1e-5, 0.99, 90), log_axis=True, unit="bits/sample"),
    ),
)
