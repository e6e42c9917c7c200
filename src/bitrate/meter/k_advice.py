"""What other group sizes would give, from the pass rates that this run's groups show."""

from __future__ import annotations

from dataclasses import dataclass

from bitrate.meter.costs import token_count
from bitrate.meter.run import IF_BELIEVED, K_ADVISED, ROLLOUT, Run
from bitrate.types import Estimate


@dataclass(frozen=True)
class AtGroupSize:
    """What groups of K rollouts would give.

    Args:
        k: rollouts a group.
        update_bits: outcome bits that the update keeps, a rollout.
        dead_groups: share of groups that would be constant.
        learning_value: ``p(1-p)(K-1)/K``, a rollout.
        update_bits_per_kilotoken: the bits kept, over a thousand tokens.
    """

    k: int
    update_bits: Estimate
    dead_groups: Estimate
    learning_value: Estimate
    update_bits_per_kilotoken: Estimate

    @property
    def mixed_groups(self) -> Estimate:
        """Share of groups that would be mixed."""
        dead = self.dead_groups
        return dead.map(lambda share: 1 - share, f"mixed groups at K={self.k}", dead.unit, "the rest of the groups")


def at_group_sizes(run: Run, constant: Estimate) -> tuple[AtGroupSize, ...]:
    """Figures for each K of ``K_ADVISED``.

    Args:
        run: the run.
        constant: the share of constant groups, counted: at the run's own K it stands in place of an estimate.
    """
    table = run.table
    tokens, how = token_count(table)
    own = [n for n in table.sizes if n > 1]
    found = []
    for k in K_ADVISED:
        value_name = f"learning value p(1-p)(K-1)/K per rollout at K={k}"
        if not table.no_rates:
            outcome = run.line("outcome_bits")
            update = run.pooled[f"update{k}"].capped(outcome, "at most the outcome bits")
            dead = run.pooled[f"dead{k}"]
            value = run.pooled["value"].scaled((k - 1) / k, value_name, "variance/rollout")
        else:
            update = Estimate.missing(f"outcome bits kept per rollout at K={k}, {IF_BELIEVED}", ROLLOUT, table.no_rates)
            dead = Estimate.missing(f"constant groups at K={k}", "share of groups", table.no_rates)
            value = Estimate.missing(f"learning value per rollout at K={k}", "variance/rollout", table.no_rates)
        if dead.value is not None and [k] == own:
            dead = constant.renamed(dead.name)
        name, unit = update.name.replace("per rollout", "per thousand tokens"), "bits/kilotoken"
        if tokens:
            each = update.scaled(1000 * table.totals["rollouts"] / tokens, name, unit, how)
        else:
            each = Estimate.missing(name, unit, update.reason or how)
        found.append(AtGroupSize(k, update, dead, value, each))
    return tuple(found)
