"""Claims in words: shared by the terminal and the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bitrate.report.words import number
from bitrate.types import Estimate

SOURCES = {
    "S0": "Beirami: the joke model",
    "S1": "jeff: the symbol-emitting bandit",
    "S2": "All roads lead to likelihood",
    "S3": "Dwarkesh: bits per FLOP",
    "S4": "Contra Dwarkesh",
    "B": "bitrate: our own statements",
    "T": "bitrate: trained learners",
}
OUTCOMES = {"holds if": "holds if …", "not measured": "not measured yet"}
BOUNDS = {"exact": "", "upper": "at most ", "lower": "at least ", "within": "0 ± "}


def source_of(id: str) -> str:
    """The source that a claim's id names."""
    return SOURCES.get(id.partition(".")[0] if id.startswith("S") else id[:1], "more")


def outcome_words(outcome: str) -> str:
    """An outcome as readers see it."""
    return OUTCOMES.get(outcome, outcome)


def formula_words(prediction: Mapping[str, Any] | None) -> str:
    """What a formula says of a case; a dash where it says nothing."""
    if prediction is None:
        return "–"
    value = prediction["value"]
    words = {"inf": "∞", "-inf": "−∞"}.get(value) if isinstance(value, str) else fine(value)
    return f"{BOUNDS[prediction['kind']]}{words}"


def measured_words(figure: Estimate) -> str:
    """The estimate and its interval, or the reason why there is none."""
    if figure.known is None:
        return f"no figure: {figure.reason}"
    low, value, high = map(fine, figure.known)
    return f"{value} ({low} to {high})"


def fine(value: float) -> str:
    """A figure with the four decimals that claims are about.

    >>> fine(0.71357), fine(1234.5)
    ('0.7136', '1,234')
    """
    if value == 0 or 1e-4 <= abs(value) < 100:
        return f"{value:.4f}".replace("-", "−")
    return number(value)


def cost_words(record: Mapping[str, Any]) -> str:
    """What the training of a claim took, and with which versions; a quick look says that it is one.

    >>> cost_words(
    ...     {
    ...         "size": "smoke",
    ...         "cost": {"rollouts": 1200, "tokens": 2400, "flops": 2e12, "seconds": 90.0},
    ...         "versions": {"torch": "2.13.0"},
    ...     }
    ... )
    'A quick look: 1,200 rollouts, 2,400 tokens, 0.002 PFLOP, 1.5 minutes; torch 2.13.0.'
    """
    cost = record["cost"]
    size = "A quick look" if record["size"] == "smoke" else "Trained in full"
    with_what = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    return (
        f"{size}: {number(cost['rollouts'])} rollouts, {number(cost['tokens'])} tokens, "
        f"{cost['flops'] / 1e15:.2g} PFLOP, {cost['seconds'] / 60:.2g} minutes; {with_what}."
    )


def unit_of(record: Mapping[str, Any]) -> str:
    """What the claim's figures are measured in."""
    units = dict.fromkeys(p["prediction"]["unit"].replace("/", " per ") for p in record["points"])
    return ", ".join(units)
