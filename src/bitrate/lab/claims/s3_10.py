"""Self-play: the entropy of a result, and what the result tells about the player."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from bitrate.lab.claim import Case, Claim, Formula
from bitrate.lab.signals import Information, PassRateInformation
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import binary_entropy, skill_information
from bitrate.types import Estimate, Prediction

RESULT, SKILL = Information("rewards", "rewards"), PassRateInformation()
PLAYERS, GAMES = 130_000, 8
RATES = (0.5, 0.8, 0.97)
UNIT = "bits/rollout"


def case(name: str, bits: Formula, rate: float, games: int, signal: Callable[[Path], Estimate], assumed: bool) -> Case:
    """A win rate, how many games a player plays, and what is asked of them."""
    settings = {"rate": rate, "games": games}
    return Case(f"{name}, win rate {rate:g}", settings, rate, assumed=assumed, signal=signal, predict=bits)


def result(case: Case) -> Prediction:
    """H(r) of a game."""
    return _exactly(float(binary_entropy(case.settings["rate"])))


def skill(case: Case) -> Prediction:
    """The part of it that tells players apart."""
    return _exactly(float(skill_information(case.settings["rate"])))


def _exactly(bits: float) -> Prediction:
    return Prediction(bits, "exact", UNIT, "docs/theory.md#preferences, S3.10", ("skill ~ N(0, 1) in log-odds",))


def stated(case: Case) -> Prediction:
    """The source: the entropy of the result, at its peak at 1/2."""
    return Prediction(float(binary_entropy(case.settings["rate"])), "exact", UNIT, "Dwarkesh: a random binary variable")


def rival(case: Case) -> Prediction:
    """The entropy that is left when the player is known: what an audit calls outcome bits."""
    rate = case.settings["rate"]
    return Prediction(float(binary_entropy(rate) - skill_information(rate)), "exact", UNIT, "mean over players of h")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """Every player meets an opponent of one strength, chosen for the win rate that the case asks for."""
    skill = rng.normal(size=PLAYERS)
    odds = brentq(lambda x: expit(skill + x).mean() - case.settings["rate"], -20, 20)
    won = rng.random((PLAYERS, case.settings["games"])) < expit(skill + odds)[:, None]
    moves = rng.integers(4, size=won.shape)
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=moves, rewards=won)


CLAIM = Claim(
    id="S3.10",
    statement="Self-play holds the win rate near one half, where a result carries the most bits: one.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on self-play",
    cases=(
        *[case("the result", result, r, 1, RESULT, assumed=True) for r in RATES],
        *[case("about the skill", skill, r, GAMES, SKILL, assumed=False) for r in RATES],
    ),
    stated=stated,
    simulate=simulate,
    rival=rival,
    rival_name="the entropy that is left when the player is known",
    tolerance=0.02,
    budget=PLAYERS * GAMES,
    condition="the entropy of the result is meant; about a skill a result says far less, though most at one half too",
    remark="At a win rate of one half a result has 1 bit of entropy, and most of it is luck: about a skill that "
    "varies by 1 in log-odds it carries 0.135 bits, at 97% only 0.020. One half is still the best place to be. The "
    "rest is left to chance for one who knows the player's strength, and can still teach which moves won.",
    axis="win rate",
    grid=np.linspace(0.02, 0.98, 97),
    curves={
        "entropy of the result": binary_entropy,
        "about the player's skill": skill_information,
    },
)
