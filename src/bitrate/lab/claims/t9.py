"""The flagship: the whole ledger on a pretrained model, five ways to teach it the same answers."""

from __future__ import annotations

from collections.abc import Callable

from bitrate.lab.claim import Arm, Case, Claim, Line, own_arms, registered
from bitrate.lab.signals.coded import CodedBits
from bitrate.lab.signals.pairs import Lead, Of, Ratio, Signal
from bitrate.lab.signals.pretrained import LEVEL, PerPflop, PretrainedBits
from bitrate.lab.training.pretrained.questions import ANSWERS, CODE, SIDE
from bitrate.lab.training.pretrained.train import Settings, train

METHODS = ("sft", "own", "grpo", "grpo-token", "distill")
TASKS = ("addition", "larger")
#: Beside adapters of rank 8: of rank 1, all weights of the layers that these are on, and all that there are.
RANKS = (1, "last", "full")
RANKED = ("sft", "grpo")
#: Ways with rollouts differ more from seed to seed: with three, four of their figures on addition stayed undecided. So
#: do codes, as what is held of a table of hidden digits is a mean over tables: in all of the first three runs a row
#: that was not taught was, by chance, the same as one that was.
SEEDS, MANY, NOISY = 3, 12, ("own", "grpo", "grpo-token")
#: Updates of the code: a pilot of 32 knew 16 leaked keys to 1.2 bits each, too few to tell a leak.
LONG = 96
ABSORBED, HELD_OUT = PretrainedBits("absorbed"), PretrainedBits("generalised")


def arm(method: str, task: str = "addition", rank: int | str = 8, leak: bool = False) -> Arm:
    """A way to teach."""
    many = method in NOISY if (task, rank) == ("addition", 8) else task == CODE and not leak
    seeds = MANY if many else SEEDS
    settings = Settings(method, task, rank, leak=leak, **({"steps": LONG} if task == CODE else {}))
    return Arm(label(method, task, rank, leak), train, settings, smoke=1, full=seeds)


def label(method: str, task: str = "addition", rank: int | str = 8, leak: bool = False) -> str:
    """The arm's folder."""
    words = f"rank-{rank}" if isinstance(rank, int) else rank
    return f"t9-{task}-{method}-{words}{'-leak' if leak else ''}"


def every_arm() -> list[Arm]:
    """All arms whose answers follow no code, for the page that lays them side by side."""
    taught = [arm(m, t) for t in TASKS for m in METHODS]
    return taught + [arm(m, rank=r) for m in RANKED for r in RANKS]


def coded(text: str, line: str, leak: bool, said: Line, other: Line) -> Case:
    """Dependent keys, half of them taught by labels: absorbed less received, jointly or each by itself."""
    run = arm("sft", CODE, leak=leak)
    return registered(f"code, sft: {text}", coded_bits(line, leak), [run], "bits/run", said, other, full=True)


def coded_bits(line: str, leak: bool = False) -> Of:
    """A line of the ledger of the dependent keys."""
    return Of(label("sft", CODE, leak=leak), CodedBits(line, SIDE, ANSWERS, LEVEL))


Words = tuple[str, str, int | str]


def single(task: str, method: str, text: str, line: str, said: Line, other: Line) -> Case:
    """One line of one arm at rank 8."""
    run, quick = arm(method, task), (task, method) == ("addition", "sft")
    signal = Of(run.name, PretrainedBits(line))
    return registered(f"{task}, {method}: {text}", signal, [run], "bits/prompt", said, other, full=not quick)


def pair(
    text: str, make: Callable[..., Signal], one: Words, other: Words, line: Signal, said: Line, rival: Line
) -> Case:
    """One line of two arms: how much more the first has, or what part of it."""
    unit = "ratio" if make is Ratio else "bits/prompt"
    signal = make(label(*one), line, label(*other), line)
    return registered(text, signal, [arm(*one), arm(*other)], unit, said, rival, full=True)


ADDED = [(m, "addition", 8) for m in METHODS]
SFT, OWN, GRPO, TOKEN, DISTILL = ADDED
#: A bit a run is more than three runs differ by, and less than a key that leaks. A pilot of another seed and 32 updates
#: had 6.4 bits jointly and 24.3 key by key, for 16.6 received.
A_BIT, LEDGER = 1.0, "docs/theory.md#ledger"
BOUNDED: tuple[Line, Line] = (
    (0.0, "upper", f"{LEDGER}: absorbed is at most received, jointly"),
    (A_BIT, "lower", "an audit finds too much anyhow"),
)  # fmt: skip
EXCEEDS: tuple[Line, Line] = (
    (A_BIT, "lower", f"{LEDGER}: 8 keys with the entropy of 5, or 16 with that of 7 by a leak"),
    (0.0, "upper", "absorbed is at most received, whatever is summed or left out of the log"),
)
MEMORISED: Line = (0.0, "exact", "what was memorised helps with nothing else")

CLAIM = Claim(
    id="T9",
    statement="A pretrained model absorbs no more of its answers, taken jointly, than it was told; labels pay more "
    "bits per FLOP than rollouts, what is learnt carries over to questions held out, and rank 1 holds as much as rank "
    "8 or all weights.",
    source="bitrate, training experiment T9: SmolLM2-135M",
    cases=(
        coded("absorbed less received, jointly", "overdraft", False, *BOUNDED),
        coded("absorbed less received, key by key", "product overdraft", False, *EXCEEDS),
        coded("absorbed less received, jointly, with a leak", "overdraft", True, *EXCEEDS),
        *[single(t, m, "generalised", "generalised",
                 (0.1, "lower", "both tasks are rules: docs/theory.md#training, S4.6"), MEMORISED)
          for t in TASKS for m in METHODS],
        pair("addition: absorbed, sft less grpo", Lead, SFT, GRPO, ABSORBED,
             (0.0, "lower", "a label says at least what a group says: S4.1"), (-0.3, "upper", "RL absorbs more")),
        pair("addition: absorbed per PFLOP, sft over grpo", Ratio, SFT, GRPO, PerPflop("absorbed"),
             (3.0, "lower", "8 rollouts a visit, each generated and trained on"), (1.0, "exact", "as cheap a bit")),
        pair("addition: absorbed, grpo-token less grpo", Lead, TOKEN, GRPO, ABSORBED,
             (0.0, "lower", "a score a token carries more: S1.13"), (-0.3, "upper", "more signal, more noise")),
        pair("addition: absorbed, sft less own successes", Lead, SFT, OWN, ABSORBED,
             (0.0, "lower", "labels reach the prompts that are never right: S0.12"), (-0.3, "upper", "on-policy wins")),
        pair("addition: absorbed, distill less sft", Lead, DISTILL, SFT, ABSORBED,
             (0.0, "upper", "the teacher knows no more than its labels"), (0.3, "lower", "logits carry more: S4.5")),
        *[pair(f"addition: absorbed, {m}, rank 8 less rank 1", Lead, (m, "addition", 8), (m, "addition", 1), ABSORBED,
               (0.5, "upper", "a key of few hundred bits fits rank 1: S1.17"), (0.5, "lower", "capacity binds"))
          for m in RANKED],
        *[pair(f"addition: absorbed, {m}, full less rank 8", Lead, (m, "addition", "full"), (m, "addition", 8),
               ABSORBED, (0.5, "upper", "the key fits: S1.17"), (0.5, "lower", "capacity binds"))
          for m in RANKED],
        *[pair(f"addition: absorbed, {m}, weights of the same layers less rank 8", Lead, (m, "addition", "last"),
               (m, "addition", 8), ABSORBED, (0.5, "upper", "the key fits: S1.17"), (0.5, "lower", "capacity binds"))
          for m in RANKED],
        pair("addition: generalised, sft, weights of the same layers less rank 8", Lead, ("sft", "addition", "last"),
             ("sft", "addition", 8), HELD_OUT, (1.0, "within", "the rule is found by places, not by parameters"),
             (1.4, "lower", "half of the lead that all weights had, or more: parameters find the rule")),
    ),
    arms=own_arms,
    rival_name="no audit can tell a leak, and what is memorised helps with nothing else",
    tolerance=0.6,
    budget=2000,
    remark="Registered after one pilot run of each way on addition. Labels leave more bits of the answers in the"
    " weights than as many visits with rollouts, at a tenth of the FLOPs: about eighteen times the bits a"
    " PFLOP. The adapters hold what they were told at rank 1 as at rank 8. What was not foreseen: on "
    "addition what adapters on the last layers learn hardly carries over; by log-loss the three ways with"
    " rollouts end below their start on the questions held out, though within intervals that hold 0, "
    "while the pass rate there rises: the model grows surer of its wrong sums too. Training all weights "
    "finds the rule: held-out sums are right 95% of the time after labels, 81% after GRPO, against 42% "
    "and 40% at rank 8. Adapters have fewer places as well as fewer numbers, so that is not yet a verdict"
    " on rank. The larger of two numbers is learnt and carried over in every way.",
    needs="trl",
)  # fmt: skip
