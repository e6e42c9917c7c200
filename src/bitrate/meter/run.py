"""One run as the lines of the ledger see it: its groups, its prompts, what the user told us, and what is shared."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from bitrate.meter.assumptions import Assumptions
from bitrate.meter.components import Components, components_of
from bitrate.meter.groups import GroupTable
from bitrate.meter.keys import KnownKeys
from bitrate.meter.pool import Pool, counted_share
from bitrate.meter.prompts import Prompts
from bitrate.meter.received import Side, answer_side, code_sides, no_answer_bound
from bitrate.meter.stopping import UNTIL_RIGHT, first_right
from bitrate.stats import DeadShare, LearningValue, OutcomeEntropy, PassRate, UpdateBits
from bitrate.types import Estimate

#: Group sizes for which an audit says what they would give.
K_ADVISED = (2, 4, 8, 16, 32, 64)
ROLLOUT = "bits/rollout"
IF_BELIEVED = "if the policy samples what it believes"


class Run:
    """What lines, advice and the other figures are made from; everything is worked out once, when it is asked for.

    Args:
        table: the groups that are audited.
        assumptions: what the user told us.
        held_out: the groups of the evaluation split beside them, where there is one.
    """

    def __init__(self, table: GroupTable, assumptions: Assumptions, held_out: GroupTable | None = None) -> None:
        self.table, self.assumptions, self.held_out = table, assumptions, held_out
        self.level = assumptions.level
        self.prompts = Prompts(table, self.level)
        self._lines = dict[str, Estimate]()
        self._keys = dict[str, KnownKeys | None]()

    def keys(self, split: str = "train") -> KnownKeys | None:
        """The known keys of a split, where the log holds how surprising each target was."""
        if split not in self._keys:
            reduced = self.table.reduced
            there = "target_surprisal" in reduced.columns()
            self._keys[split] = KnownKeys(reduced, split, self.assumptions.keys_until) if there else None
        found = self._keys[split]
        return found if found is not None and found.start.size else None

    def line(self, key: str) -> Estimate:
        """A line of the ledger, by its key."""
        from bitrate.meter.lines import all_lines

        if key not in self._lines:
            line = all_lines()[key]
            self._lines[key] = line.measure(self).renamed(line.title, line.unit)
        return self._lines[key]

    @cached_property
    def sides(self) -> list[Side]:
        """The ways to bound what rollouts carried; none of a continuous reward."""
        table = self.table
        if not table.binary and table.reduced.outcome.levels is None:
            return []
        sides = code_sides(table, table.followed, self.assumptions.verifier_noise)
        return sides if table.stopped or no_answer_bound(table) else [*sides, answer_side(table)]

    @cached_property
    def components(self) -> Components | None:
        """What follows from the text alone in a reward of several components, where anything does."""
        return components_of(self.table, self.level)

    @property
    def pass_rate(self) -> Estimate:
        """The mean pass rate over rollouts."""
        table, name, unit = self.table, "pass rate", "share of rollouts"
        if not table.no_rates:
            return self.pooled["p"]
        if table.stopped != UNTIL_RIGHT:
            return Estimate.missing(name, unit, table.no_rates, table.totals["groups"])
        # The first rollout alone was sampled whatever came of it.
        sums = table.sums({name: first_right(table.right, table.n)})
        return counted_share(table, sums, name, unit, level=self.level).renamed(
            name, method=f"first rollouts, as groups were sampled {UNTIL_RIGHT}; by prompt"
        )

    @cached_property
    def pooled(self) -> dict[str, Estimate]:
        """What the pass rates of all groups say, read in one pass: outcome, update, p, value, and what other K give."""
        signals: dict[str, Any] = {
            "outcome": OutcomeEntropy(),
            "p": PassRate(),
            "value": LearningValue(),
        }
        names = {
            "outcome": ("outcome bits per rollout", ROLLOUT),
            "p": ("pass rate", "share of rollouts"),
            "value": ("outcome variance p(1-p)", "variance/rollout"),
        }
        for k in K_ADVISED:
            signals |= {f"update{k}": UpdateBits(k), f"dead{k}": DeadShare(k)}
            names |= {
                f"update{k}": (
                    f"outcome bits kept per rollout at K={k}, if the policy samples what it believes",
                    ROLLOUT,
                ),
                f"dead{k}": (f"constant groups at K={k}", "share of groups"),
            }
        return Pool(self.table, self.level).means(signals, names)
