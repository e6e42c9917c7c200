"""Which of two strategies takes over: a simple one that is often sampled, or a general one that is not?"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Claim, own_arms, registered
from bitrate.lab.signals.pairs import Of
from bitrate.lab.signals.strategies import Fixation
from bitrate.lab.training import strategies

#: The heuristic answers .6 of the questions, the general strategy all; the base takes that one so often.
RARE, COMMON = (
    Arm(f"s3.13-general-1-in-{n}", strategies.train,
        strategies.Settings(heuristic=0.6, general=1 / n, steps=200, seeds=32), smoke=1, full=3)
    for n in (300, 10)
)  # fmt: skip
RIVAL = "the better strategy wins"


CLAIM = Claim(
    id="S3.18",
    statement="Under policy gradients simple heuristics reach fixation before general strategies are ever sampled.",
    source="Dwarkesh Patel, RL is even more information inefficient than you thought, on heuristics that grow until "
    "fixation",
    cases=(
        registered(
            "runs that the heuristic takes over, general strategy sampled 1 in 300", Of(RARE.name, Fixation("share")),
            (RARE,), "share of runs", (0.5, "lower", "the heuristic reaches fixation first"), (0.0, "exact", RIVAL),
        ),
        registered(
            "surprisal of the general strategy rises, 1 in 300", Of(RARE.name, Fixation("recedes")), (RARE,), "bits",
            (0.5, "lower", "the general strategy recedes from sight"), (0.0, "upper", RIVAL),
        ),
        registered(
            "runs that the heuristic takes over, general strategy sampled 1 in 10", Of(COMMON.name, Fixation("share")),
            (COMMON,), "share of runs", (0.5, "upper", "what is sampled often enough wins by its reward"),
            (0.9, "lower", "the heuristic always wins"),
        ),
    ),
    arms=own_arms,
    rival_name="the better strategy wins, or the heuristic always does",
    tolerance=0.3,
    budget=3 * 32 * 200 * 8,
    remark="A heuristic that is right on 60% of the questions takes over in every run where the general strategy is "
    "sampled once in 300, which then recedes; in no run where it is sampled once in 10. So it is a matter of which is "
    "seen first, not of simplicity: what makes the general strategy frequent enough is the bridge that the source "
    "asks for.",
    needs="train",
)  # fmt: skip
