"""Signal and noise of real gradients: a transformer's, over the pass rate and near the floor of its loss."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from bitrate.lab.claim import Arm, Case, Claim, Curves, Formula, Panel
from bitrate.lab.networks.one_token import policy, policy_gradient
from bitrate.lab.signals.projected_noise import SignalShare
from bitrate.lab.training.snr import Settings, network_at_rate, network_near, train
from bitrate.theory import gradient_snr, label_gradient_snr
from bitrate.types import Floats, Prediction

if TYPE_CHECKING:
    from torch.nn import ModuleDict

ANSWERS, K, NETWORKS = 4, 8, 4
#: Rollouts a repetition takes at each network, in groups of K or one by one; labels likewise.
VISITS = 16_000
RATES = (0.02, 0.1, 0.5, 0.9, 0.98)
LITTLE = 0.05
TARGET = (0.7, 0.15, 0.1, 0.05)
SURE = (1.0, 0.0, 0.0, 0.0)
EXCESS = (0.3, 0.1, 0.03, 0.01, 0.001)
FLOOR = "labels, near the floor"
#: Names of cases as names of folders.
PLAIN = str.maketrans(" =", "--", ",")


def arms(case: Case) -> tuple[Arm, ...]:
    """Gradients of one kind at one stage, at a few networks."""
    s = case.settings
    target = s["target"] if s["method"] == "sft" else ANSWERS
    settings = Settings(s["method"], s["at"], target, s["k"], networks=NETWORKS, visits=VISITS // s["k"])
    return (Arm("t6-" + case.name.lower().translate(PLAIN), train, settings, smoke=1, full=4),)


def signal_share(scores: ArrayLike, policy: ArrayLike, method: str | float, k: int = 1, target: int = 0) -> float:
    """``s / (k + s)`` with ``s = |E g|^2 / tr Var g``, from the score of every answer.

    REINFORCE: ``g = (r - b) s_t``. GRPO with c hits among k, advantages ``sqrt((k-c)/c)`` and ``-sqrt(c/(k-c))``:
    ``g = sqrt(c (k-c)) (s_target - mean score of the k-c misses)``.

    Args:
        scores: gradient of log pi(t) for each answer t, shape [answers, parameters].
        policy: probability of each answer, shape [answers].
        method: ``"grpo"``, or the baseline b of REINFORCE.
        k: rollouts of a group; 1 for REINFORCE.
        target: the right answer.

    Returns:
        A share without unit.

    Reference: docs/theory.md#gradient-noise, S3.8; Shao et al. (2024), DeepSeekMath, eq. 3.

    >>> pi = np.array([0.2, 0.8])
    >>> round(signal_share(np.eye(2) - pi, pi, 0.0), 12)
    0.2
    """
    s, pi = np.asarray(scores, float), np.asarray(policy, float)
    square = np.square(s).sum(axis=1)
    if method != "grpo":
        weight = (np.arange(pi.size) == target) - float(method)
        mean, total = (pi * weight) @ s, float((pi * weight**2) @ square)
    else:
        miss = np.where(np.arange(pi.size) == target, 0.0, pi) / (1 - pi[target])
        away = s[target] - miss @ s
        spread = float(miss @ square - np.square(miss @ s).sum())
        hits = np.arange(k + 1)
        chance = binom.pmf(hits, k, pi[target])
        mean = float(chance @ np.sqrt(hits * (k - hits))) * away
        # The mean of k - c misses scatters k - c times less than one; a group of hits alone has no gradient.
        total = float(chance @ (hits * (k - hits))) * float(away @ away) + float(chance[:-1] @ hits[:-1]) * spread
    signal = float(mean @ mean)
    return signal / (k * (total - signal) + signal)


def of_rewards(case: Case) -> Prediction:
    """By enumeration of all that can be sampled, from the scores of each network in 64 bits."""
    s = case.settings
    networks = (_scores(network_at_rate(ANSWERS, s["at"], number)) for number in range(NETWORKS))
    found = [signal_share(scores, pi, s["method"], s["k"]) for scores, pi in networks]
    needs = ("weights known", "one prompt, one right answer")
    return Prediction(float(np.mean(found)), "exact", "share", "docs/theory.md#gradient-noise, S3.8", needs)


def of_labels(case: Case) -> Prediction:
    """The same of a label drawn from q."""
    q, found = np.array(case.settings["target"]), []
    for number in range(NETWORKS):
        scores, _ = _scores(network_near(q, case.settings["at"], number))
        found.append(float(np.square(q @ scores).sum() / (q @ np.square(scores).sum(axis=1))))
    return Prediction(
        float(np.mean(found)),
        "exact",
        "share",
        "docs/theory.md#gradient-noise, S3.9",
        ("weights known", "labels drawn from q"),
    )


def _scores(model: ModuleDict) -> tuple[Floats, Floats]:
    """The score of every answer in 64 bits, and its probability."""
    model = model.double()
    pi = policy(model)
    return np.array([policy_gradient(model, [t], [1.0]) for t in range(pi.size)]), pi


def noise_taken_away(case: Case) -> Prediction:
    """The rival: a baseline takes the noise away."""
    snr = case.settings["at"] / (1 - case.settings["at"]) ** 2
    return Prediction(float(_share(snr)), "exact", "share", "p / (1-p)^2")


def surer(case: Case) -> Prediction:
    """The rival: so does a surer model."""
    q, at = np.array(case.settings["target"]), case.settings["at"]
    beliefs = [policy(network_near(q, at, n))[0] for n in range(NETWORKS)]
    return Prediction(float(np.mean(beliefs)), "exact", "share", "p / (1-p) with the belief in the top label")


def rewarded(name: str, p: float, method: str | float, k: int = 1, rival: Formula | None = noise_taken_away) -> Case:
    """Rollouts at a pass rate."""
    settings = {"method": method, "at": p, "k": k, "target": ANSWERS}
    return Case(f"{name}, p={p:g}", settings, x=p, predict=of_rewards, rival=rival)


def labelled(words: str, left: float, target: tuple[float, ...] = TARGET) -> Case:
    """Labels, where so many bits of the loss are left."""
    settings = {"method": "sft", "at": left, "k": 1, "target": list(target)}
    name = f"labels{words}, {left:g} bits to go"
    return Case(name, settings, x=left, panel=FLOOR, predict=of_labels, rival=surer)


def of_a_table(p: float) -> float:
    """A table with a right answer and three wrong ones that are alike, by GRPO."""
    pi = np.array([p, *((1 - p) / (ANSWERS - 1),) * (ANSWERS - 1)])
    return signal_share(np.eye(ANSWERS) - pi, pi, "grpo", K)


def _share(snr: Floats | float) -> Floats:
    return np.asarray(snr / (1 + snr))


def near_the_floor() -> Curves:
    """Of a table that goes straight from even odds to the labels' distribution, over the loss that is left."""
    q = np.array(TARGET)
    way = np.geomspace(0.05, 0.98, 60)[:, None]
    table = (1 - way) * q + way / ANSWERS
    left = (q * np.log2(q / table)).sum(axis=1)
    snr = label_gradient_snr(q, table)
    return {"table, straight to q": (left.tolist(), _share(snr).tolist())}


CLAIM = Claim(
    id="T6",
    statement="Of a transformer's real gradient the share that is signal is the pass rate where no baseline is "
    "subtracted; with the pass rate as baseline, and in GRPO, it vanishes at both ends, and a label's does as the "
    "model comes near what can be known.",
    source="bitrate, training experiment T6",
    cases=(
        *[rewarded("no baseline", p, 0.0, rival=None) for p in RATES],
        # Where p is small a baseline makes no difference, and the rival says the same.
        *[rewarded("baseline p", p, p, rival=None if p < LITTLE else noise_taken_away) for p in RATES],
        *[rewarded("GRPO", p, "grpo", K, rival=None if p < LITTLE else noise_taken_away) for p in RATES],
        *[labelled("", e) for e in EXCESS],
        labelled(" without chance", 0.1, SURE),
    ),
    arms=arms,
    signal=SignalShare(),
    rival_name="a baseline makes the ratio p / (1-p)^2, and a surer model has a cleaner label gradient",
    tolerance=0.03,
    budget=NETWORKS * VISITS,
    remark="Without a baseline the parametrisation drops out: all successes have one gradient and failures have none. "
    "With one, and in GRPO, the network's own geometry counts: at p = .98 about half as much is signal as in a table "
    "with the same pass rate (.007 against .014), and the formulas hold once the network's scores are put into them. "
    "Counted by the rollout, a group of 8 that is divided by its own spread has no more signal than the pass rate as "
    "baseline leaves, at either end.",
    needs="train",
    axis="pass rate p",
    grid=np.linspace(0.005, 0.995, 100),
    curves={
        "no baseline: p": lambda p: p,
        "table, baseline p": lambda p: _share(gradient_snr(p, baseline=p, others=ANSWERS - 1)),
        f"table, GRPO with K={K}": of_a_table,
    },
    panels=(Panel(FLOOR, "loss above its least, bits", near_the_floor, log_axis=True),),
)
