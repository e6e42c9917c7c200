"""Signal and noise of real gradients: a transformer's, over the pass rate and near the floor of its loss."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import binom

from bitrate.lab.claim import Arm, Case, Claim, Panel
from bitrate.lab.networks.one_token import policy, policy_gradient
from bitrate.lab.signals.projected_noise import SignalShare
from bitrate.lab.training.snr import Settings, network_at_rate, network_near, train
from bitrate.theory import gradient_snr, label_gradient_snr
from bitrate.types import Prediction

ANSWERS, K, NETWORKS = 4, 8, 4
#: Rollouts a repetition takes at each network, in groups of K or one by one; labels likewise.
VISITS = 16_000
RATES = (0.02, 0.1, 0.5, 0.9, 0.98)
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


def predict(case: Case) -> Prediction:
    """By enumeration of all that can be sampled, from the scores of each network in 64 bits."""
    s, found = case.settings, []
    for number in range(NETWORKS):
        labels = s["method"] == "sft"
        q = np.array(s["target"])
        model = network_near(q, s["at"], number) if labels else network_at_rate(ANSWERS, s["at"], number)
        model = model.double()
        pi = policy(model)
        scores = np.array([policy_gradient(model, [t], [1.0]) for t in range(pi.size)])
        if labels:
            found.append(float(np.square(q @ scores).sum() / (q @ np.square(scores).sum(axis=1))))
        else:
            found.append(signal_share(scores, pi, s["method"], s["k"]))
    reference = "docs/theory.md#gradient-noise, S3.9" if s["method"] == "sft" else "docs/theory.md#gradient-noise, S3.8"
    needs = ("weights known", "one prompt, one right answer" if s["method"] != "sft" else "labels drawn from q")
    return Prediction(float(np.mean(found)), "exact", "share", reference, needs)


def rival(case: Case) -> Prediction | None:
    """A baseline takes the noise away, and so does a surer model."""
    s = case.settings
    if s["method"] == "sft":
        beliefs = [policy(network_near(np.array(s["target"]), s["at"], n))[0] for n in range(NETWORKS)]
        return Prediction(float(np.mean(beliefs)), "exact", "share", "p / (1-p) with the belief in the top label")
    if s["method"] == 0.0:
        return None
    return Prediction(_share(s["at"] / (1 - s["at"]) ** 2), "exact", "share", "p / (1-p)^2")


def _share(snr: float) -> float:
    return snr / (1 + snr)


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """Of a table with a right answer and three wrong ones that are alike."""
    p = np.linspace(0.005, 0.995, 100)
    table = [np.array([x, *((1 - x) / (ANSWERS - 1),) * (ANSWERS - 1)]) for x in p]
    with_mean = gradient_snr(p, baseline=p, others=ANSWERS - 1)
    return {
        "no baseline: p": (p.tolist(), p.tolist()),
        "table, baseline p": (p.tolist(), (with_mean / (1 + with_mean)).tolist()),
        f"table, GRPO with K={K}": (p.tolist(), [signal_share(np.eye(ANSWERS) - pi, pi, "grpo", K) for pi in table]),
    }


def near_the_floor() -> dict[str, tuple[list[float], list[float]]]:
    """Of a table that goes straight from even odds to the labels' distribution, over the loss that is left."""
    q = np.array(TARGET)
    way = np.geomspace(0.05, 0.98, 60)[:, None]
    table = (1 - way) * q + way / ANSWERS
    left = (q * np.log2(q / table)).sum(axis=1)
    snr = label_gradient_snr(q, table)
    return {"table, straight to q": (left.tolist(), (snr / (1 + snr)).tolist())}


CLAIM = Claim(
    id="T6",
    statement="Of a transformer's real gradient the share that is signal is the pass rate where no baseline is "
    "subtracted; with the pass rate as baseline, and in GRPO, it vanishes at both ends, and a label's does as the "
    "model comes near what can be known.",
    source="bitrate, training experiment T6",
    cases=(
        *[Case(f"no baseline, p={p:g}", {"method": 0.0, "at": p, "k": 1, "target": ()}, x=p) for p in RATES],
        *[Case(f"baseline p, p={p:g}", {"method": p, "at": p, "k": 1, "target": ()}, x=p) for p in RATES],
        *[Case(f"GRPO, p={p:g}", {"method": "grpo", "at": p, "k": K, "target": ()}, x=p) for p in RATES],
        *[
            Case(f"labels, {e:g} bits to go", {"method": "sft", "at": e, "k": 1, "target": TARGET}, x=e, panel=FLOOR)
            for e in EXCESS
        ],
        Case(
            "labels without chance, 0.1 bits to go",
            {"method": "sft", "at": 0.1, "k": 1, "target": SURE},
            0.1,
            panel=FLOOR,
        ),
    ),
    predict=predict,
    arms=arms,
    signal=SignalShare(),
    rival=rival,
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
    curves=curves,
    panels=(Panel(FLOOR, "loss above its least, bits", near_the_floor, log_axis=True),),
)
