"""What an audit found: every figure of the contract, typed and frozen; plain values only at the edge."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bitrate.errors import UnknownFigure
from bitrate.logs.schema import SetAside
from bitrate.meter.advice import Advice
from bitrate.meter.change import StepBin
from bitrate.meter.k_advice import AtGroupSize
from bitrate.meter.prompts import PassRateHistogram, PromptRow
from bitrate.types import Estimate, plain


@dataclass(frozen=True)
class ConstantLevel:
    """A level at which groups of a graded reward are constant: how many, and their share of the groups."""

    level: float
    groups: int
    share: Estimate


@dataclass(frozen=True)
class Series:
    """What charts and tables show: bins of steps, pass rates, and the prompts that took most in constant groups."""

    steps: tuple[StepBin, ...]
    pass_rates: PassRateHistogram
    prompts: tuple[PromptRow, ...]
    prompts_shown: int
    prompts_total: int


@dataclass(frozen=True)
class Audit:
    """What one input says about the bits its rollouts carried; every figure is an Estimate or says why there is none.

    Args:
        run: the runs by name.
        format: name of the format of the files.
        split: which split was audited.
        split_known: whether the files say which split their rollouts belong to.
        bitrate: version.
        counts: rollouts, groups, prompts, steps.
        ledger: the lines of the ledger by key, in order.
        pass_rate: mean over rollouts.
        groups: share of each kind of groups.
        constant_at: levels at which groups of a graded reward are constant, those of most groups first.
        spent: rollouts, tokens and FLOPs of each kind of groups.
        cost: bits for tokens, FLOPs and dollars.
        k_advice: what other group sizes would give.
        own_k: this run's group size.
        prompts: shares of prompts mastered, hopeless, never learning.
        verifier: signs of a verifier in trouble.
        change: first third of the steps against the last.
        series: what charts and tables show.
        advice: warnings first.
        caveats: those on how these figures were made, then those of the format.
        caveats_on_figures: how many of the first kind.
        quarantine: rows and files set aside, with reasons and places.
        command: how the audit was called.
        inputs: what was read; nothing is saved over it.
    """

    run: str
    format: str
    split: str
    split_known: bool
    bitrate: str
    counts: Mapping[str, Estimate]
    ledger: Mapping[str, Estimate]
    pass_rate: Estimate
    groups: Mapping[str, Estimate]
    constant_at: tuple[ConstantLevel, ...]
    spent: Mapping[str, Mapping[str, Estimate]]
    cost: Mapping[str, Estimate]
    k_advice: tuple[AtGroupSize, ...]
    own_k: Estimate
    prompts: Mapping[str, Estimate]
    verifier: Mapping[str, Estimate]
    change: Mapping[str, Estimate]
    series: Series
    advice: tuple[Advice, ...]
    caveats: tuple[str, ...]
    caveats_on_figures: int
    quarantine: tuple[SetAside, ...]
    command: str = "not recorded"
    inputs: tuple[str | Path, ...] = field(default=(), repr=False, compare=False)

    def __getitem__(self, key: str) -> Estimate:
        """A figure by its key in JSON, e.g. ``audit["outcome_bits"]``.

        Raises:
            UnknownFigure: no figure has this key.
        """
        parts = (self.ledger, self.cost, self.counts, self.groups, self.prompts, self.verifier, self.change)
        alone = {"pass_rate": self.pass_rate, "own_k": self.own_k}
        for part in (*parts, alone):
            if key in part:
                return part[key]
        known = ", ".join(k for part in (*parts, alone) for k in part)
        raise UnknownFigure(f"no figure {key!r}; there are {known}")

    @property
    def received(self) -> Estimate:
        """The bits that a rollout carried, at most: the line ``received_bits``."""
        return self.ledger["received_bits"]

    @property
    def constant_rollouts(self) -> Estimate:
        """Share of the rollouts in groups of two or more that were in constant groups, counted."""
        name, unit = "rollouts in constant groups, of those in groups of two or more", "share of rollouts"
        mixed, constant = (self.spent[kind]["rollouts"] for kind in ("mixed", "constant"))
        if mixed.value is None or constant.value is None:
            return Estimate.missing(name, unit, mixed.reason or constant.reason or "")
        if not mixed.value + constant.value:
            return Estimate.missing(name, unit, "no group holds two rollouts")
        together = mixed.value + constant.value
        return Estimate.exact(name, constant.value / together, unit, round(together))

    def __repr__(self) -> str:
        rollouts, groups = (self.counts[c].value for c in ("rollouts", "groups"))
        return f"Audit({self.run!r}, {rollouts:,.0f} rollouts in {groups:,.0f} groups)"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values, as ``bitrate audit --json`` writes them."""
        found: dict[str, Any] = plain(self)
        del found["inputs"]
        found["received"] = plain(self.received)
        return found
