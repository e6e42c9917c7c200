"""The two curves of the source, one over the other."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim, Drawn, Panel
from bitrate.lab.claims.s3_3 import belief
from bitrate.lab.signals import Unresolved
from bitrate.lab.signals.pairs import Ratio
from bitrate.lab.signals.surprisal import Surprisal
from bitrate.lab.worlds.learners import collect
from bitrate.lab.worlds.tasks import SingleAnswer
from bitrate.theory import binary_entropy, label_information, sampled_guess_information, surprisal
from bitrate.types import Prediction

WORLDS = 260_000
OTHERS = 9
VOCABULARY = 50_000
SECOND = "The source's second plot, and the exact curves"


def predict(case: Case) -> Prediction:
    """h(p) over -log2 p."""
    p = case.settings["p"]
    share = float(binary_entropy(p) / surprisal(p))
    assumptions = ("the answer with belief p is guessed, and is the label",)
    return Prediction(share, "exact", "ratio", "docs/theory.md#labels, S3.7", assumptions)


def rival(case: Case) -> Prediction:
    """p: what a rollout carries if only successes taught, p times -log2 p."""
    return Prediction(case.settings["p"], "exact", "ratio", "p log2(1/p) over log2(1/p)")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """A run of labels, and a run in which answer 0 is guessed."""
    p = case.settings["p"]
    task = SingleAnswer(belief(p, OTHERS))
    for run in ("labels", "guesses"):
        (folder / run).mkdir()
    collect(task, folder / "labels", rng=rng, worlds=WORLDS, method="sft")
    collect(task, folder / "guesses", rng=rng, worlds=WORLDS, method=0.0, policy=np.eye(1 + OTHERS)[0])


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
    cases=tuple(Case(f"p={p:g}", {"p": p}, x=p) for p in (0.01, 0.05, 0.2, 0.5)),
    predict=predict,
    simulate=simulate,
    signal=Ratio(
        "guesses",
        Unresolved(of="scores", given="answers"),
        "labels",
        Surprisal("bool_and(answer = '0')", "surprisal of label 0"),
    ),
    rival=rival,
    rival_name="p: only successes teach",
    tolerance=0.02,
    budget=2 * WORLDS,
    remark="At low p the ratio is about p (1 + 1/ln(1/p)): a rollout is worth the share p of a label, and a little "
    "for the failures. This is arithmetic. That equal widths of the axis cost equal FLOPs is another claim, and wrong "
    "(S3.6); so is -log2 p as the mean worth of a label (S3.2).",
    against=("S3.2",),
    axis="pass rate p",
    log_axis=True,
    grid=np.geomspace(1e-5, 0.7, 80),
    curves={
        "h(p) / -log2 p": lambda p: binary_entropy(p) / surprisal(p),
        "only successes teach: p": lambda p: p,
    },
    panels=(
        Panel(SECOND, "pass rate p", SECOND_PLOT, np.geomspace(1e-5, 0.99, 90), log_axis=True, unit="bits/sample"),
    ),
)
