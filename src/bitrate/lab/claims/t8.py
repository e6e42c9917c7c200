"""Do bits received predict what is memorised, and what holds for other prompts? One regression over all runs.

All arms start from the same recipe and share one learning rate, one KL weight for policy gradients and one batch for
each kind of step. These, and the base, were chosen in pilots with other seeds than the published one, so that labels
and rollouts both learn the rule and GRPO learns keys at all; no arm was tuned by itself. The directions are those of
docs/theory.md#training. The limits that a direction must pass were written down when the arms' means of a pilot
were known, the regression's figures not yet. Not here: truncated rollouts, since an answer is one token.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bitrate.lab.claim import Arm, Case, Claim, own_arms, registered
from bitrate.lab.signals.regression import Gain, Regression
from bitrate.lab.training.mixed import Settings, train
from bitrate.types import Kind

#: Networks of a repetition, and repetitions of the published verdict.
SEEDS, FULL = 8, 4
#: Prompts of a run that are trained on.
PROMPTS = 48
#: Visits to each prompt that cost the same: K=8 rollouts a visit, sampled (2), trained on (6), and a reference that
#: scores the prompt (2), or a label, trained on (6). A teacher's training is paid by fewer visits.
VISITS = {"early": {"rollouts": 6, "labels": 66}, "late": {"rollouts": 48, "labels": 528, "teacher": 464}}
NO_BITS = ("no training", "random reward, early", "random reward, late", "majority, early", "majority, late")


def _settings() -> dict[str, Settings]:
    """Every arm of the regression."""
    found = {"no training": Settings("none", 0, SEEDS)}
    for when, visits in VISITS.items():
        labels, rollouts = Settings("sft", visits["labels"], SEEDS), Settings("grpo", visits["rollouts"], SEEDS)
        found |= {
            f"SFT, {when}": labels,
            f"SFT on noisy labels, {when}": replace(labels, noise=0.5),
            f"GRPO, {when}": rollouts,
            f"GRPO with a noisy verifier, {when}": replace(rollouts, noise=0.2),
            f"random reward, {when}": replace(rollouts, verifier="random"),
            f"majority, {when}": replace(rollouts, verifier="majority"),
        }
    taught = VISITS["late"]["teacher"]
    return found | {
        "REINFORCE with a value function, late": Settings("value", VISITS["late"]["rollouts"], SEEDS),
        "teacher at temperature 2, late": Settings("hot", taught, SEEDS),
        "teacher's logits in 1 bit, late": Settings("distil", taught, SEEDS, bits=1),
        "teacher's logits in 12 bits, late": Settings("distil", taught, SEEDS, bits=12),
    }


SETTINGS = _settings()


def folder(name: str) -> str:
    """The folder of an arm."""
    return "t8-" + "-".join(name.lower().replace(",", "").replace("'", "").split())


def arm(name: str, full: int = FULL, **more: Any) -> Arm:
    """An arm of the regression, or one like it that differs in some settings.

    >>> arm("GRPO, early").name
    't8-grpo-early'
    """
    said = "".join(f" {v if isinstance(v, str) else '+'.join(v)}" for v in more.values())
    return Arm(folder(name + said), train, replace(SETTINGS[name], **more), smoke=1, full=full)


ALL = tuple(folder(name) for name in SETTINGS)


NEEDS = ("keys uniform and independent", "arms as registered")
#: Received bits predict nothing, or everything; or no bit, no gain; or a reward is a bit.
RIVAL = "no bit, no gain; a bit is a gain; a reward is a bit"


def regression(says: str, text: str, value: float, kind: Kind, other: float, other_kind: Kind, why: str) -> Case:
    """A figure of the regression over all runs."""
    unit = "bits/bit" if "slope" in says else "share"
    every = tuple(map(arm, SETTINGS))
    return registered(
        f"all arms: {text}", Regression(ALL, says), every, unit, (value, kind, why), (other, other_kind, RIVAL), *NEEDS
    )


def gain(of: str, line: str, value: float, kind: Kind, other: float, other_kind: Kind, why: str) -> Case:
    """A line of one arm."""
    unit = "share" if line == "held-out pass rate" else "bits/prompt"
    names = {"received": "received of keys", "absorbed": "absorbed of keys", "held out": "held-out bits"}
    name, signal = f"{of}: {names.get(line, line)}", Gain(folder(of), line)
    return registered(name, signal, (arm(of),), unit, (value, kind, why), (other, other_kind, RIVAL), *NEEDS)


PLAN = "docs/theory.md#training, T8: received predicts the memorised key, not held-out gain"
BLIND = "a reward that knows nothing of the answers carries nothing about them"
SHARPER = "a majority makes a policy surer of what it says most, and that is right more often than not (TTRL)"

CLAIM = Claim(
    id="T8",
    statement="Over all methods, bits received predict what is memorised of answer keys, and not the gain on prompts "
    "of a rule that were held out: some of that comes without a bit.",
    source="bitrate, training experiment T8",
    cases=(
        regression("slope", "keys memorised on received", 0.7, "lower", 0.0, "exact", PLAN),
        regression("share", "share of memorised explained", 0.5, "lower", 0.0, "exact", PLAN),
        regression("held share", "share of held-out gain explained", 0.5, "upper", 0.8, "lower", PLAN),
        regression("lead", "the first share less the second", 0.2, "lower", 0.0, "exact", PLAN),
        *[gain(of, "received", 0.02, "upper", 1.0, "lower", BLIND) for of in NO_BITS],
        *[gain(of, "absorbed", 0.0, "upper", 1.0, "lower", "absorbed is at most received, 0") for of in NO_BITS],
        gain("majority, early", "held-out pass rate", 0.1, "lower", 0.0, "exact", SHARPER),
        gain("majority, late", "held-out pass rate", 0.1, "lower", 0.0, "exact", SHARPER),
        gain("majority, early", "held out", 0.1, "lower", 0.0, "exact", SHARPER),
        gain("random reward, early", "held-out pass rate", 0.0, "upper", 0.1, "lower", BLIND),
        gain("random reward, late", "held-out pass rate", 0.0, "upper", 0.1, "lower", BLIND),
    ),
    arms=own_arms,
    rival_name="no bit, no gain, and a bit is a gain wherever one looks",
    tolerance=0.35,
    budget=len(SETTINGS) * SEEDS * FULL * 48 * 264,
    remark="A reward by the policy's own majority carries nothing about the answers, and yet the pass rate on "
    "prompts that were held out rises about as much as with a true verifier: the base is right more often "
    "than it errs in any one way, and needs no bit to be surer of itself. A random reward gives nothing. "
    "So bits are a ceiling for keys, and for keys only; even there they are a ceiling and not a forecast, "
    "since rollouts tell the whole key long before the weights hold it, and a policy made sure of wrong "
    "answers ends below its start.",
    needs="train",
)
