"""A continuous reward that the trainer rounds to a few levels, or says that it does."""

from functools import partial
from pathlib import Path

import numpy as np
from scipy.stats import norm

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import Information, LedgerLine, PassRateInformation
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import (
    gaussian_reward_information,
    mutual_information,
    quantised_gaussian_information,
    quantised_reward_bound,
)
from bitrate.types import Floats, Prediction

WORLDS = 60_000
#: Where the hidden quality is one of a few, it is one of these, seen with noise of standard deviation 1.
QUALITIES = np.linspace(-6, 6, 8)
#: A reward that is not rounded to levels is still written with a finite number of digits.
STEP = 0.5
#: Rollouts a world where the hidden quality is any number, and has to be told from many of its rewards.
K = 32


def edges(case: Case) -> Floats:
    """Borders between the rewards that the update tells apart, the outer ones infinite."""
    s = case.settings
    if s.get("raw"):
        return np.concatenate([[-np.inf], np.arange(-10, 10 + STEP, STEP), [np.inf]])
    shares = np.arange(2 ** s["bits"] + 1) / 2 ** s["bits"]
    scale = np.sqrt(1 + s["snr"]) if "snr" in s else np.sqrt(1 + QUALITIES.var())
    return np.asarray(norm.ppf(shares) * scale)


def predict(case: Case) -> Prediction:
    """Bits between the hidden quality and the rewards that the update tells apart; b for the audit's capacity."""
    s = case.settings
    if case.signal is CAPACITY:
        bits = float(quantised_reward_bound(2 ** s["bits"]))
        return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#graded, S1.7: log2 of the levels")
    if "snr" in s:
        bits = quantised_gaussian_information(s["snr"], s["bits"])
    else:
        # The joint table of quality and level, each row a normal distribution cut at the borders.
        joint = np.diff(norm.cdf(edges(case) - QUALITIES[:, None]), axis=1) / QUALITIES.size
        bits = float(mutual_information(joint))
    return Prediction(bits, "exact", "bits/rollout", "docs/theory.md#graded, S1.7", ("Gaussian noise of variance 1",))


def stated(case: Case) -> Prediction:
    """The source's bound, b bits."""
    bits = float(quantised_reward_bound(2 ** case.settings["bits"]))
    return Prediction(bits, "upper", "bits/rollout", "jeff, after the one-bit lemma: H(Q(r)) <= b")


def rival(case: Case) -> Prediction | None:
    """The bits of the reward before it is rounded."""
    s = case.settings
    if s.get("raw"):
        return None
    snr = s.get("snr", QUALITIES.var())
    return Prediction(float(gaussian_reward_information(snr)), "exact", "bits/rollout", "log2(1 + SNR) / 2")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Hidden qualities, rewards with noise; the log has the level, the advantage what the update used."""
    s = case.settings
    any_number = "snr" in s
    worlds, k = (WORLDS // K, K) if any_number else (WORLDS, 1)
    which = rng.integers(QUALITIES.size, size=worlds)
    hidden = rng.normal(0, np.sqrt(s["snr"]), worlds) if any_number else QUALITIES[which]
    rewards = hidden[:, None] + rng.normal(size=(worlds, k))
    levels = np.searchsorted(edges(Case(case.name, {**s, "raw": False}))[1:-1], rewards)
    used = np.searchsorted(edges(case)[1:-1], rewards)
    with SimulatedRun(folder, rng) as run:
        # No level has an advantage of 0, which would be no update at all.
        answers = np.zeros((worlds, k), dtype=np.int64)
        scores = levels / (2 ** s["bits"] - 1)
        run.step(0, answers=answers, rewards=scores, targets=which, advantages=used + 0.5)


ROUNDED, REVEALED = Information(of="update", about="target"), PassRateInformation()
CAPACITY = LedgerLine("ledger.capacity_bits")

CLAIM = Claim(
    id="S1.7",
    statement="A reward rounded to b bits gives an update at most b bits.",
    source="jeff, Simple Information-Theoretic Bounds for RL vs. SFT, remark on continuous rewards after the lemma",
    cases=(
        *[Case(f"b=1, SNR {x:g}", {"bits": 1, "snr": x}, x=x, signal=REVEALED) for x in (1.0, 10.0, 200.0)],
        *[Case(f"8 qualities, b={b}", {"bits": b}, signal=ROUNDED) for b in (1, 2, 3)],
        Case("8 qualities, b=1 logged, the score used", {"bits": 1, "raw": True}, assumed=False, signal=ROUNDED),
        Case("8 qualities, b=3, the audit's capacity", {"bits": 3}, signal=CAPACITY),
    ),
    predict=predict,
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="the Gaussian channel's bits, before rounding",
    tolerance=0.05,
    budget=WORLDS,
    condition="the update uses nothing of the reward but its b bits",
    remark="Rounding caps what gets through, and noise takes its part below the cap. What counts is what the update "
    "uses: a trainer that logs right or wrong, but multiplies the gradient with the score behind it, gets the bits of "
    "the score. Rewards as models give them have many digits, and only the noise in them bounds their bits.",
    axis="signal to noise ratio",
    log_axis=True,
    grid=np.geomspace(0.1, 300, 40),
    curves={
        "not rounded": gaussian_reward_information,
        **{f"rounded to {2**b} levels": partial(quantised_gaussian_information, bits=b) for b in (3, 2, 1)},
    },
)
