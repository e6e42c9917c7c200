"""Curricula: in what order prompts of several difficulties are taken, by outcome rewards and by labels."""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.signals.pairs import Lead
from bitrate.lab.signals.pass_rates import CostToPass
from bitrate.lab.training.curricula import Settings, train
from bitrate.types import Kind, Prediction

ALPHABET, LONGEST, PROMPTS, K, SEEDS = 12, 6, 4, 8, 16
#: Steps by rewards and by labels: about three, and six, times what the mix of all lengths takes.
STEPS = {"grpo": 400, "sft": 100}
#: Rollouts that every run by rewards spends. The first published runs had 2 of 48 of self-play that did not pass within
#: them, and no figure; the margin against hard strings is as it was registered then.
HORIZON = float(STEPS["grpo"] * PROMPTS * K)
#: Held-out strings are visited every so many steps.
EVERY = {"grpo": 4, "sft": 2}
#: Learning rate, and the steps in which an easy-to-hard curriculum goes through the lengths. Searched with 8 seeds of
#: another number, alike by rewards and by labels: 5 rates (.003, .006, .012, .024, .048), with easy to hard of 4
#: schedules each (a quarter, half, once and twice the steps that the mix takes). The cheapest of those at which all
#: seeds pass, and of two within a quarter of a doubling the one that varies less from seed to seed. By rewards hard
#: strings alone pass at no rate; theirs is that of the mix.
TUNED = {
    ("grpo", "uniform"): (0.003, 1),
    ("grpo", "hard"): (0.003, 1),
    ("grpo", "easy to hard"): (0.006, 156),
    ("grpo", "control"): (0.006, 1),
    ("grpo", "self-play"): (0.006, 1),
    ("sft", "uniform"): (0.024, 1),
    ("sft", "hard"): (0.024, 1),
    ("sft", "easy to hard"): (0.024, 4),
    ("sft", "control"): (0.012, 1),
}
#: The direction, and where it comes from.
Why = tuple[Kind, str]
WORDS = {"uniform": "a mix of all lengths", "hard": "hard only", "control": "50% control"}


def arm(method: str, curriculum: str) -> Arm:
    """Sixteen networks a repetition, each with an alphabet of its own."""
    rate, schedule = TUNED[method, curriculum]
    settings = Settings(
        method, curriculum, alphabet=ALPHABET, longest=LONGEST, prompts=PROMPTS, k=K if method == "grpo" else 1,
        steps=STEPS[method], schedule=schedule, rate=rate, held_out=16, every=EVERY[method], seeds=SEEDS,
    )  # fmt: skip
    smoke = 2 if curriculum == "self-play" else 1  # its networks differ more from one to the next
    return Arm(f"t7-{method}-{curriculum.replace(' ', '-')}", train, settings, smoke=smoke, full=3)


def arms(case: Case) -> tuple[Arm, ...]:
    """The curriculum and what it is compared with."""
    s = case.settings
    return arm(s["method"], s["curriculum"]), arm(s["method"], s["against"])


def speed_up(method: str, curriculum: str, against: str, cost: str = "rollouts") -> Lead:
    """Doublings by which a curriculum is cheaper; a floor where what it is compared with never passes by rewards.

    By rewards, in rollouts, both are means restricted to what every run spends: some runs of self-play never pass.
    """
    horizon = HORIZON if (method, cost) == ("grpo", "rollouts") else None
    slow = CostToPass(cost=cost, horizon=horizon, floor=method == "grpo")
    return Lead(arm(method, against).name, slow, arm(method, curriculum).name, CostToPass(cost=cost, horizon=horizon))


#: Why a curriculum is faster by a margin, or by no more than it.
FAR: Why = (
    "lower",
    "docs/theory.md#outcome, S3.3: at a pass rate near 0 a rollout carries almost no bit, so hard prompts alone teach "
    "nothing",
)  # fmt: skip
MIX: Why = ("lower", "docs/theory.md#outcome, S3.3: of a mix only the lengths with a pass rate off 0 and 1 teach")
NO: Why = ("upper", "docs/theory.md#labels, S3.2: a label of a hard prompt carries its bits at any pass rate")
SAME_BITS: Why = (
    "upper",
    "docs/theory.md#cost, S3.1: what control saves are rollouts without bits, so that it takes about the same bits",
)  # fmt: skip


def rival(case: Case) -> Prediction:
    """In what order prompts come makes no difference."""
    return Prediction(0.0, "exact", "doublings", "the order makes no difference")


def case(method: str, curriculum: str, against: str, why: Why, margin: float, cost: str = "rollouts") -> Case:
    """One curriculum against another by the same feedback."""
    how = "rewards" if method == "grpo" else "labels"
    unit = {"rollouts": "", "outcome bits": ", in outcome bits"}[cost]
    name = f"{how}: {WORDS.get(curriculum, curriculum)} against {WORDS.get(against, against)}{unit}"
    settings = {"method": method, "curriculum": curriculum, "against": against}
    needs = ("what is learned of short strings carries over to long ones",)
    faster = Prediction(margin, why[0], "doublings", why[1], needs)
    return Case(name, settings, signal=speed_up(method, curriculum, against, cost), predict=faster)


CLAIM = Claim(
    id="T7",
    statement="By outcome rewards a curriculum that keeps the pass rate off 0 and 1 learns hard prompts at least twice "
    "as fast as hard prompts alone, and faster than a mix of all; by labels it is no faster than either.",
    source="bitrate, training experiment T7",
    cases=(
        *[case("grpo", c, "hard", FAR, 1.0) for c in ("easy to hard", "control", "self-play")],
        *[case("grpo", c, "uniform", MIX, 0.25) for c in ("easy to hard", "control")],
        case("grpo", "control", "uniform", SAME_BITS, 0.5, "outcome bits"),
        *[case("sft", c, against, NO, 0.25) for against in ("hard", "uniform") for c in ("easy to hard", "control")],
    ),
    arms=arms,
    rival=rival,
    rival_name="the order makes no difference",
    tolerance=0.6,
    budget=2 * SEEDS * STEPS["grpo"] * PROMPTS * K,
    remark="By rewards, hard strings alone are never passed, and what is said against them is a floor: a run that does "
    "not pass counts with all that it spent. A curriculum, "
    "on a schedule or held at a pass rate of 1/2, takes about half the rollouts that a mix of all lengths takes, and "
    "about the same outcome bits: what it saves are rollouts whose outcome was known. Control at 1/2 does without the "
    "schedule, which was searched for and fails where it outruns the learner. Self-play here is a game of two rollouts "
    "on the hardest strings, won by more letters right: it holds the rate of wins, not of passes, at 1/2, and draws "
    "on feedback that is finer than pass or fail. By labels the hardest strings teach most, and control at 1/2 costs "
    "twice the labels of a mix and more. One task, one size of network, and lengths that share all there is to learn; "
    "bitrate's own sampler is not among the curricula, as it is not built yet.",
    needs="train",
)
