"""Components of the reward follow from the text alone, so that their bits say nothing of the answer."""

from __future__ import annotations

import shlex

from bitrate.meter.advice import Rule
from bitrate.meter.audit import Audit
from bitrate.meter.run import Run
from bitrate.types import Estimate
from bitrate.wording import listed, number_of


def says(audit: Audit, run: Run) -> tuple[str, Estimate] | None:
    """Components of the reward follow from the text alone, so that their bits say nothing of the answer."""
    found = run.components
    if found is None:
        return None
    whole, without = audit.ledger["outcome_bits"].value, found.without.value
    if found.of_text:
        each = "; ".join(f"{name} from {source}" for name, source in found.of_text.items())
        rollouts = number_of(found.looked, "rollout")
        text = f"Components of the reward follow from the text alone: {each}, in all of {rollouts} looked at."
    else:
        text = f"Components of the reward are named as if the text alone decided them: {listed(found.named)}."
    unsure = [what for what, so in (("so", found.of_text), ("the reward counts them", found.plain)) if not so]
    text += f" If {' and '.join(unsure)}, their" if unsure else " Their"
    text += " bits say nothing of the answer"
    if without is not None:
        unit = "outcome bits a rollout"
        bits = f"the reward is continuous, without them {without:.3f} {unit}"
        text += f": with them {bits if whole is None else f'{whole:.3f} {unit}, without them {without:.3f}'}"
    text += "."
    if found.outcome:
        text += f" --outcome {shlex.quote(found.outcome)} measures what is left."
    figure = found.without
    if figure.value is None:
        name = "components of the reward that follow from the text"
        figure = Estimate.exact(name, len(found.of_text), "components", found.looked)
    return text, figure


RULE = Rule("of_the_text", "warning", 76, says)
