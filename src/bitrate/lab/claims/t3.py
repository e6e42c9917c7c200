"""Rewards a token, the place of the first error, and one reward: bits over the length, and what a network keeps.

Pilots on other seeds set the rate and the number of prompts, for all arms alike, by the arm with a reward a token: at
rates of 1e-3 and 3e-3 it holds one key of 32 tokens after 60 visits for the most part. With two or four keys a network
of this size soon is sure of tokens of the wrong prompt, in all arms, so each network has one. The directions of the
comparisons between arms were fixed with the pilots known, before the runs of the published seed.
"""

from __future__ import annotations

from functools import partial

import numpy as np

from bitrate.lab.claim import Arm, Case, Claim, Formula, Panel
from bitrate.lab.signals.pairs import Lead, Of
from bitrate.lab.signals.tokens import FirstRollout, TokenKeyBits
from bitrate.lab.training.token_rewards import FEEDBACK, Settings, train
from bitrate.theory import entropy, first_error_information, terminal_information, token_information
from bitrate.types import Kind, Prediction

LENGTHS = (2, 4, 8, 16, 32)
K, VISITS, SEEDS = 8, 60, 32
#: Visits to a prompt after which learners are compared under way: none is done by then, and all have begun.
EARLY = 8
#: The share of the key that a reward a token is to have written down at the end.
PLATEAU = 0.8
RATE = 3e-3
WHEN = {EARLY: f"after {EARLY * K} rollouts", VISITS: f"after {VISITS * K} rollouts"}
ABSORBED = "absorbed of a key, in bits a token of it"
LEFT = "absorbed less received, in bits a token of the key"
#: What the theory says of a case, and what its rival does.
Says = tuple[Formula, Formula | None]


def binomial_entropy(length: int) -> float:
    """Bits in how many of T tokens are right."""
    chance = np.ones(1)
    for _ in range(length):
        chance = np.convolve(chance, [0.5, 0.5])
    return float(entropy(chance))


def received(feedback: str, length: int) -> float:
    """Bits of a first rollout about a key of fair binary tokens."""
    exact = {
        "tokens": lambda: float(token_information(2, length)),
        "first error": lambda: float(first_error_information(0.5, length)),
        "outcome": lambda: float(terminal_information(2, length)),
        "sum": lambda: binomial_entropy(length),
    }
    return exact[feedback]()


def arm(feedback: str, length: int, baseline: str | float = "grpo") -> Arm:
    """One kind of feedback: every network has a prompt to learn and three that are held out."""
    settings = Settings(feedback, baseline, length, prompts=1, held_out=3, k=K, visits=VISITS, rate=RATE, seeds=SEEDS)
    name = f"t3-{feedback.replace(' ', '-')}-{length}{'' if baseline == 'grpo' else '-constant'}"
    return Arm(name, train, settings, smoke=2, full=10)


def arms(case: Case) -> tuple[Arm, ...]:
    """The runs of a case, one or two."""
    return tuple(arm(*a) for a in case.settings["arms"])


def _a_token(value: float, kind: Kind, reference: str, *needs: str) -> Prediction:
    return Prediction(value, kind, "bits/token", reference, needs)


def _of_outcomes(case: Case) -> Prediction:
    """N rollouts of one reward for the whole: next to nothing."""
    feedback, length = case.settings["arms"][0]
    bits = case.settings["rollouts"] * received(feedback, length) / length
    return _a_token(bits, "upper", "S1.4: N rollouts carry at most N h(2^-T)", *NEEDS)


NEEDS = ("keys uniform and independent", "binary tokens")
NO_DIFFERENCE = _a_token(0.0, "exact", "no difference")
#: What each line is predicted to be, and what its rival says: the same bits whatever the reward, and all that is
#: received is absorbed. None: no rival.
NO_OVERDRAFT: Says = (
    _a_token(0.0, "upper", "docs/theory.md#ledger: absorbed is at most received", *NEEDS),
    _a_token(0.0, "exact", "absorbed is what was received"),
)
NOTHING: Says = (_of_outcomes, _a_token(1.0, "exact", "T bits"))
PLATEAUS: Says = (
    _a_token(PLATEAU, "lower", "every token is judged in every rollout: the key is there from the first on", *NEEDS),
    None,
)
HELD_OUT: Says = (_a_token(0.0, "upper", "docs/theory.md#training: nothing was received", *NEEDS), None)
LESS_SAID = "fixed before the run: credit that says less of which token was wrong, or of fewer tokens, writes down less"
LESS: Says = (_a_token(0.0, "upper", LESS_SAID, *NEEDS), NO_DIFFERENCE)
SAME_TOKEN = "S1.15: a group that all err at the same token moves nothing, with a constant baseline it does"
MORE: Says = (_a_token(0.0, "lower", SAME_TOKEN, *NEEDS), NO_DIFFERENCE)


def first(feedback: str, length: int, of: str = "scores") -> Case:
    """Bits of the first rollout."""
    words = {"sum": "the sum of the rewards alone"}.get(feedback, feedback)
    rival, said = (1.0, "one bit a rollout") if feedback == "tokens" else (float(length), "T bits")
    bits = received(feedback, length)
    return Case(
        f"first rollout, {words}, T={length}",
        {"arms": [[feedback, length]]},
        x=length,
        signal=Of(arm(feedback, length).name, FirstRollout(of)),
        predict=Prediction(
            bits, "exact", "bits/rollout", "docs/theory.md#tokens, S1.13, S3.12, and docs/theory.md#graded, S1.4", NEEDS
        ),
        rival=Prediction(rival, "exact", "bits/rollout", f"{said}, whatever the reward"),
    )


def line(text: str, says: Says, feedback: str, length: int, visits: int, measured: str, split: str = "train") -> Case:
    """A line of one arm's ledger."""
    settings = {"arms": [[feedback, length]], "rollouts": visits * K}
    signal = Of(arm(feedback, length).name, TokenKeyBits(measured, visits, split))
    return Case(
        f"{feedback}, T={length}: {text} {WHEN[visits]}",
        settings,
        panel=LEFT if says is NO_OVERDRAFT else ABSORBED,
        signal=signal,
        predict=says[0],
        rival=says[1],
    )


def lead(says: Says, one: tuple[str, int], other: tuple[str, int], visits: int, baseline: float | None = None) -> Case:
    """How much more one arm has absorbed than another."""
    first_arm = (*one, "grpo" if baseline is None else baseline)
    bits = TokenKeyBits("absorbed", visits)
    signal = Lead(arm(*first_arm).name, bits, arm(*other).name, bits)
    words = f"{one[0]}{'' if baseline is None else f', baseline {baseline:g},'} less {other[0]}"
    if baseline is not None:
        words = f"{one[0]}, baseline {baseline:g} less GRPO"
    settings = {"arms": [list(first_arm), list(other)]}
    name = f"{words}, T={one[1]}, absorbed {WHEN[visits]}"
    return Case(name, settings, panel=ABSORBED, signal=signal, predict=says[0], rival=says[1])


FINER = (("sum", "tokens"), ("first error", "tokens"), ("outcome", "sum"))
CLAIM = Claim(
    id="T3",
    statement="A reward for every token tells T bits of a key of T fair tokens in one rollout, the place of the first "
    "error at most two, one reward for the whole h(2^-T); networks write down less of the key the less the credit "
    "says of which token was wrong, and of one reward for a long answer nothing.",
    source="bitrate, training experiment T3",
    cases=(
        *[first(f, t) for f in ("tokens", "first error", "outcome") for t in LENGTHS],
        *[first("sum", t, "reward") for t in LENGTHS],
        *[line("absorbed less received", NO_OVERDRAFT, f, t, v, "overdraft")
          for v in (EARLY, VISITS) for f in FEEDBACK for t in LENGTHS],
        *[lead(LESS, (a, t), (b, t), EARLY) for a, b in FINER for t in LENGTHS[2:]],
        *[lead(LESS, ("first error", t), ("tokens", t), VISITS) for t in LENGTHS[2:]],
        *[lead(MORE, ("first error", t), ("first error", t), VISITS, 0.5) for t in (8, 16)],
        *[line("absorbed", PLATEAUS, "tokens", t, VISITS, "absorbed") for t in LENGTHS],
        *[line("absorbed", NOTHING, "outcome", t, VISITS, "absorbed") for t in (16, 32)],
        *[line("absorbed of keys held out", HELD_OUT, f, 16, VISITS, "absorbed", "eval") for f in FEEDBACK],
    ),
    arms=arms,
    rival_name="the same bits whatever the reward, and all that is received is absorbed",
    tolerance=0.35,
    budget=(4 * len(LENGTHS) + 2) * 2 * SEEDS * K * (VISITS + 1),
    remark="A finer reward carries more, and a finer credit keeps more of it. The sum of the token rewards comes with "
    "the same log, T bits a rollout, but its update hears the number of right tokens: by the same rollout less is "
    "written down. The place of the first error starts with two bits a rollout at any length. What it does not judge "
    "moves all the same, since tokens share weights: in long answers networks grow sure of tokens that were never "
    "judged, some of them wrong; then a whole group errs at one place, which moves nothing with GRPO, and the policy "
    "as decoder ends below the prior. A constant baseline puts off that end. One reward for 16 tokens is next to "
    "nothing, and without a success GRPO moves no weight. Absorbed is a lower bound: below 0 means sure and wrong.",
    needs="train",
    axis="tokens T",
    grid=range(1, 33),
    curves={
        "a reward for each token: T": partial(received, "tokens"),
        "place of the first error": partial(received, "first error"),
        "number of right tokens": partial(received, "sum"),
        "one reward for the whole: h(2^-T)": partial(received, "outcome"),
    },
    panels=(Panel(ABSORBED, "", unit="bits/token"), Panel(LEFT, "", dict, unit="bits/token")),
)  # fmt: skip
