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

from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.signals.capacity import FOLLOWS, Absorbed, Capacity, Knee
from bitrate.lab.signals.pairs import Lead
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


def arms(case: Case) -> tuple[Arm, ...]:
    """The loads of an adapter, or the runs that are compared."""
    s = case.settings
    if s["says"] in {"knee", "capacity"}:
        return tuple(sft(s["adapter"], load) for load in ADAPTERS[s["adapter"]][3])
    if s["says"] == "load":
        return (sft(s["adapter"], s["load"]),)
    if s["says"] == "useful":
        return (useful("sft", s["load"], s["rank"]),)
    if s["says"] in {"lead", "no lead"}:
        return useful("sft", s["load"]), useful("maxrl", s["load"])
    runs = (rl(s["adapter"], s["load"]), rl(s["adapter"], s["load"], MANY))
    return runs if s["says"] == "growth" else runs[:1]


def predict(case: Case) -> Prediction:
    """Two to four bits a parameter from labels; from rollouts the key, however many they are."""
    s = case.settings
    if s["says"] in {"knee", "capacity"}:
        return Prediction(
            s["bound"], s["kind"], "bits/parameter", "docs/theory.md#training, T4: 2 to 4 bits a parameter"
        )
    if s["says"] == "load":
        below = s["load"] <= LEAST
        bits = FOLLOWS * s["load"] if below else min(s["load"], MOST)
        return Prediction(
            bits, "lower" if below else "upper", "bits/parameter", "docs/theory.md#training, T4: its knee"
        )
    exact: dict[str, tuple[float, Kind, str]] = {
        "key": (SHARE, "lower", "S1.2: a key of one bit is learnt, and no more"),
        "growth": (1 - SHARE, "upper", "S1.2: a prompt gives its key's entropy once"),
        "useful": (SHARE, "lower", "labels of half a bit a parameter, below the knee"),
        "lead": (LEAD, "lower", "S1.17: the adapter is full of what was shown, not of what is right"),
        "no lead": (LEAD, "upper", "below the knee there is room for what was shown too"),
    }
    value, kind, reference = exact[s["says"]]
    return Prediction(value, kind, "bits/prompt", reference, ("keys uniform and independent",))


def rival(case: Case) -> Prediction | None:
    """A parameter has 32 bits and holds all that is planted; every rollout adds its bit; a bit is a bit."""
    s = case.settings
    if s["says"] in {"knee", "capacity"}:
        planted = float(max(ADAPTERS[s["adapter"]][3]))
        return Prediction(planted, "lower", "bits/parameter", "32 bits a parameter hold all that is planted here")
    if s["says"] == "load" and s["load"] > LEAST:
        return Prediction(0.99 * s["load"], "lower", "bits/parameter", "32 bits a parameter hold all of it")
    exact = {
        "key": (float(K * FEW), "one bit a rollout"),
        "growth": (MANY / FEW - 1, "bits in proportion to rollouts"),
        "lead": (0.0, "labels and rollouts fill an adapter alike"),
    }
    if s["says"] not in exact:
        return None
    value, reference = exact[s["says"]]
    return Prediction(value, "exact", "bits/prompt", reference)


def _capacity_cases() -> list[Case]:
    """Where what is absorbed stops following what is planted, and the most that is absorbed."""
    found = []
    for name, (adapter, size, _, loads, *_) in ADAPTERS.items():
        folders, numbers = tuple(sft(name, load).name for load in loads), parameters(adapter, size)
        for says, signal in (("knee", Knee(folders, numbers)), ("capacity", Capacity(folders, numbers))):
            for words, bound, kind in (("at least 2", LEAST, "lower"), ("at most 4", MOST, "upper")):
                settings = {"says": says, "adapter": name, "bound": bound, "kind": kind}
                full = name == "LoRA rank 8"
                found.append(Case(f"SFT, {name}: {says} {words}", settings, signal=signal, full=full))
    return found


def _load_cases() -> list[Case]:
    """The curve that has the knee."""
    return [
        Case(
            f"SFT, {name}: {load:g} planted bits a parameter", {"says": "load", "adapter": name, "load": load}, x=load,
            signal=Absorbed(parameters(*ADAPTERS[name][:2]), sft(name, load).name), full=name == "LoRA rank 8",
        )
        for name in SHOWN for load in ADAPTERS[name][3]
    ]  # fmt: skip


def key_case(name: str, load: float) -> Case:
    """What an adapter holds of a key after the fewer rollouts."""
    settings = {"says": "key", "adapter": name, "load": load}
    return Case(f"RL, {name}, key of {load:g} bits a parameter", settings, signal=Absorbed(arm=rl(name, load).name))


def lead_case(load: float) -> Case:
    """How many more useful bits RL keeps than labels do."""
    shown, earned = useful("sft", load).name, useful("maxrl", load).name
    settings = {"says": "no lead" if load == USEFUL[0] else "lead", "load": load}
    signal = Lead(earned, Absorbed(), shown, Absorbed())
    return Case(f"useful bits, RL less SFT, {4 * load:g} label bits a parameter", settings, signal=signal)


def _rl_cases() -> list[Case]:
    found = [key_case(name, load) for name in RL_ADAPTERS for load in USEFUL[:2]]
    for name in RL_ADAPTERS:
        load = USEFUL[1]
        few, many = rl(name, load).name, rl(name, load, MANY).name
        settings = {"says": "growth", "adapter": name, "load": load}
        signal = Lead(many, Absorbed(), few, Absorbed())
        found.append(Case(f"RL, {name}: what 4 times the rollouts add", settings, signal=signal))
    return found


def curves() -> dict[str, tuple[list[float], list[float]]]:
    """The predicted knee lies between these lines."""
    most = 5.0
    return {
        "all that is planted, up to 2 bits a parameter": ([0.0, LEAST, most], [0.0, LEAST, LEAST]),
        "all that is planted, up to 4 bits a parameter": ([0.0, MOST, most], [0.0, MOST, MOST]),
    }


FULL_RANK = Case(
    "useful bits, SFT, 4 label bits for each parameter of rank 1, at rank 8",
    {"says": "useful", "load": USEFUL[2], "rank": 8}, signal=Absorbed(arm=useful("sft", USEFUL[2], 8).name),
)  # fmt: skip
CLAIM = Claim(
    id="T4",
    statement="Labels fill an adapter up to 2 to 4 bits a trained parameter, and what is not useful takes the room of "
    "what is; rollouts fill it with the entropy of the key, however many there are.",
    source="bitrate, training experiment T4",
    cases=(*_load_cases(), *_capacity_cases(), *_rl_cases(), *map(lead_case, USEFUL), FULL_RANK),
    predict=predict,
    arms=arms,
    rival=rival,
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
    curves=curves,
)
