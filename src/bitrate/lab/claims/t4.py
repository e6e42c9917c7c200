"""Adapters of one number up to rank 8, against planted keys: how many bits they hold, and what RL asks of them.

The 2 and 4 bits and the sign of RL's lead were written down before any run; its size, .1, and the rest were fixed in
pilots on other seeds. Labels: rates of .02 to .3, steps (at about two planted bits a parameter, twice as many or twice
the rate added 1 to 4%; at rank 8 a quarter of them held two thirds as much) and the sharpness of the frozen head, 1 to
512: with a head of ordinary size an adapter held a third as much, as the norm before it keeps the policy from being
sure. RL: rates of .0003 to .03 and the rule. REINFORCE and GRPO became sure of what is wrong and held less than nothing
of keys of half a bit a parameter, so that RL here follows the logarithm of the pass rate; at three to five times the
rate, and in one of eight longer runs at the full rate, it too left prompts behind. Beyond 3 planted bits 64 numbers end
anywhere, sure of much that is wrong: their loads end there.
"""

from __future__ import annotations

from bitrate.lab.claim import Arm, Case, Claim, own_arms
from bitrate.lab.signals.capacity import FOLLOWS, HELD, Absorbed, Capacity, Knee
from bitrate.lab.signals.pairs import Lead, Of
from bitrate.lab.training.adapters import Settings, parameters, train
from bitrate.types import Kind, Prediction

#: Bits that a parameter holds, by the literature on what networks memorise.
LEAST, MOST = 2.0, 4.0
#: name -> adapter, size, keys, planted bits a parameter, steps, runs of a repetition, repetitions in full.
ADAPTERS = {
    "1 number": ("numbers", 1, 2, (1, 2, 3, 5), 1000, 128, 8),
    "4 numbers": ("numbers", 4, 2, (1, 1.5, 2, 2.5, 3, 5), 1000, 128, 2),
    "16 numbers": ("numbers", 16, 2, (1, 1.5, 2, 2.5, 3, 5), 1000, 32, 4),
    "64 numbers": ("numbers", 64, 2, (1, 1.5, 2, 2.5, 3), 1000, 8, 5),
    "LoRA rank 1": ("lora", 1, 4, (1, 1.5, 2, 2.5, 3, 5), 2000, 4, 6),
    "LoRA rank 8": ("lora", 8, 4, (1, 2, 3), 4000, 1, 6),
}  # fmt: skip
#: Of these every load is a point of the figure.
SHOWN = ("64 numbers", "LoRA rank 1", "LoRA rank 8")
RATES = {name: 0.05 if name == "64 numbers" else 0.1 for name in ADAPTERS}
#: RL: rollouts of a prompt in a step, steps, few and many, and rates for the few; four times the steps at half the rate
#: make as much noise.
K, FEW, MANY = 16, 1000, 4000
RL_RATES = {"1 number": 0.002, "64 numbers": 0.0003, "LoRA rank 1": 0.002}
#: Whose keys below the capacity are taught by rollouts.
RL_ADAPTERS = ("64 numbers", "LoRA rank 1")
#: Answers of a prompt with one useful bit: half of them are right, and which of these is shown is three bits more.
STRINGS = 16
#: Useful bits a parameter; labels are four times as many.
USEFUL = (0.25, 0.5, 1.0)
SHARE, LEAD = 0.95, 0.1


def sft(name: str, load: float) -> Arm:
    """Labels for an adapter: so many planted bits a parameter."""
    adapter, size, keys, _, steps, seeds, full = ADAPTERS[name]
    prompts = round(load * parameters(adapter, size) / (keys // 2))  # keys of one bit or of two
    settings = Settings(
        adapter, size, "sft", prompts=prompts, keys=keys, answers=keys, k=2, steps=steps, rate=RATES[name], seeds=seeds
    )
    return Arm(_folder("sft", name, load), train, settings, smoke=1, full=full)


def rl(name: str, load: float, steps: int = FEW) -> Arm:
    """Rollouts for an adapter, of keys of one bit: so many planted bits a parameter."""
    adapter, size = ADAPTERS[name][:2]
    settings = Settings(
        adapter, size, "maxrl", prompts=round(load * parameters(adapter, size)), keys=2, answers=2, k=K, steps=steps,
        rate=RL_RATES[name] * (FEW / steps) ** 0.5, seeds=8,
    )  # fmt: skip
    return Arm(_folder("rl", name, load, steps), train, settings, smoke=1, full=3)


def useful(method: str, load: float, rank: int = 1) -> Arm:
    """One useful bit a prompt; loads in useful bits for each parameter of rank 1, whatever the rank."""
    settings = Settings(
        "lora", rank, method, prompts=round(load * parameters("lora", 1)), keys=2, answers=STRINGS, k=K,
        steps=2000 if method == "sft" else FEW, rate=(RATES if method == "sft" else RL_RATES)["LoRA rank 1"], seeds=4,
    )  # fmt: skip
    return Arm(_folder("useful", method, f"rank {rank}", load), train, settings, smoke=1, full=6)


def _folder(*words: object) -> str:
    return "-".join(("t4", *"-".join(map(str, words)).lower().split()))


def _a_prompt(value: float, kind: Kind, reference: str) -> Prediction:
    return Prediction(value, kind, "bits/prompt", reference, ("keys uniform and independent",))


def _rival(value: float, reference: str) -> Prediction:
    return Prediction(value, "exact", "bits/prompt", reference)


def _capacity_cases(name: str) -> list[Case]:
    """Where what is absorbed stops following what is planted, and the most that is absorbed: 2 to 4 bits a parameter.

    The rival: a parameter has 32 bits and holds all that is planted.
    """
    adapter, size, _, loads, *_ = ADAPTERS[name]
    runs, numbers = tuple(sft(name, load) for load in loads), parameters(adapter, size)
    folders = tuple(run.name for run in runs)
    bounds: tuple[tuple[float, Kind, str], ...] = ((LEAST, "lower", "at least 2"), (MOST, "upper", "at most 4"))
    return [
        Case(
            f"SFT, {name}: {says} {words}", {"arms": runs}, signal=signal, full=name == "LoRA rank 8",
            predict=Prediction(bound, kind, "bits/parameter", "docs/theory.md#training, T4: 2 to 4 bits a parameter"),
            rival=Prediction(
                float(max(loads)), "lower", "bits/parameter", "32 bits a parameter hold all that is planted here"
            ),
        )
        for says, signal in (("knee", Knee(folders, numbers)), ("capacity", Capacity(folders, numbers)))
        for bound, kind, words in bounds
    ]  # fmt: skip


def load_case(name: str, load: float) -> Case:
    """A point of the curve that has the knee: most of what is planted below it, no more than the bound above.

    The rival: 32 bits a parameter hold all of it.
    """
    run, unit, below = sft(name, load), "bits/parameter", load <= LEAST
    kind: Kind = "lower" if below else "upper"
    bits = FOLLOWS * load if below else min(load, MOST)
    all_of_it = Prediction(0.99 * load, "lower", unit, "32 bits a parameter hold all of it")
    return Case(
        f"SFT, {name}: {load:g} planted bits a parameter", {"arms": (run,)}, x=load, full=name == "LoRA rank 8",
        signal=Of(run.name, Absorbed(parameters(*ADAPTERS[name][:2]))),
        predict=Prediction(bits, kind, unit, "docs/theory.md#training, T4: its knee"),
        rival=None if below else all_of_it,
    )  # fmt: skip


def key_case(name: str, load: float) -> Case:
    """What an adapter holds of a key after the fewer rollouts: all of it. The rival: every rollout adds its bit."""
    run = rl(name, load)
    return Case(
        f"RL, {name}, key of {load:g} bits a parameter", {"arms": (run,), "load": load},
        signal=Of(run.name, HELD),
        predict=_a_prompt(SHARE, "lower", "S1.2: a key of one bit is learnt, and no more"),
        rival=_rival(float(K * FEW), "one bit a rollout"),
    )  # fmt: skip


def growth_case(name: str, load: float) -> Case:
    """What more rollouts add: next to nothing. The rival: bits in proportion."""
    few, many = rl(name, load), rl(name, load, MANY)
    return Case(
        f"RL, {name}: what 4 times the rollouts add", {"arms": (few, many)},
        signal=Lead(many.name, HELD, few.name, HELD),
        predict=_a_prompt(1 - SHARE, "upper", "S1.2: a prompt gives its key's entropy once"),
        rival=_rival(MANY / FEW - 1, "bits in proportion to rollouts"),
    )  # fmt: skip


def lead_case(load: float) -> Case:
    """How many more useful bits RL keeps than labels do, once these fill the adapter. The rival: a bit is a bit."""
    shown, earned = useful("sft", load), useful("maxrl", load)
    room = load == USEFUL[0]
    needs_it = "S1.17: the adapter is full of what was shown, not of what is right"
    spare = "below the knee there is room for what was shown too"
    return Case(
        f"useful bits, RL less SFT, {4 * load:g} label bits a parameter", {"arms": (shown, earned)},
        signal=Lead(earned.name, HELD, shown.name, HELD),
        predict=_a_prompt(LEAD, "upper", spare) if room else _a_prompt(LEAD, "lower", needs_it),
        rival=None if room else _rival(0.0, "labels and rollouts fill an adapter alike"),
    )  # fmt: skip


def full_rank_case() -> Case:
    """The labels that are too many for rank 1 fit rank 8."""
    run = useful("sft", USEFUL[2], 8)
    return Case(
        "useful bits, SFT, 4 label bits for each parameter of rank 1, at rank 8", {"arms": (run,)},
        signal=Of(run.name, HELD),
        predict=_a_prompt(SHARE, "lower", "labels of half a bit a parameter, below the knee"),
    )  # fmt: skip


CLAIM = Claim(
    id="T4",
    statement="Labels fill an adapter up to 2 to 4 bits a trained parameter, and what is not useful takes the room of "
    "what is; rollouts fill it with the entropy of the key, however many there are.",
    source="bitrate, training experiment T4",
    cases=(
        *[load_case(name, load) for name in SHOWN for load in ADAPTERS[name][3]],
        *[case for name in ADAPTERS for case in _capacity_cases(name)],
        *[key_case(name, load) for name in RL_ADAPTERS for load in USEFUL[:2]],
        *[growth_case(name, USEFUL[1]) for name in RL_ADAPTERS],
        *map(lead_case, USEFUL),
        full_rank_case(),
    ),
    arms=own_arms,
    rival_name="a parameter holds 32 bits, a rollout adds a bit, and labels fill an adapter as rollouts do",
    tolerance=0.2,
    budget=8 * 80 * K * MANY,
    remark="Labels fill an adapter up to about two bits a trained parameter, the capacity that Cover counted for "
    "linear readouts, and fewer where there are few parameters; planted beyond that, less is held than before. "
    "Rollouts bring the entropy of the key: four times as many add next to nothing. What labels show of no use takes "
    "room: where a label has three bits of nuisance beside a useful one, a full adapter loses useful bits that RL "
    "keeps. This is RL with advantages over the mean reward; REINFORCE and GRPO ended sure of wrong answers on these "
    "sharp networks.",
    needs="train",
    axis="planted bits a parameter",
    grid=(0.0, LEAST, MOST, 5.0),
    curves={
        "all that is planted, up to 2 bits a parameter": lambda load: min(load, LEAST) if load != MOST else None,
        "all that is planted, up to 4 bits a parameter": lambda load: min(load, MOST) if load != LEAST else None,
    },
)
