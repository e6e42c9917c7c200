"""Components of a reward that follow from the text alone: which do, and what the reward says without them."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from bitrate.logs import sql
from bitrate.meter.bands import binary_bits
from bitrate.meter.groups import GroupTable
from bitrate.meter.pool import graded_entropy
from bitrate.stats import SurprisalTerm
from bitrate.types import Estimate

#: So many rollouts are looked at to see what a component follows from, and so many components.
LOOK_ROWS, MOST_COMPONENTS, MOST_LEVELS = 50_000, 16, 64
#: Marks of a format, in a text: tags, a boxed answer, fences, and GSM8K's sign before an answer.
MARKS = r"</?[A-Za-z][A-Za-z_]{1,20}>|\\boxed|```|####"
#: What a component may follow from, the plainest first.
SOURCES = {
    "marks": "the marks in the text (tags, \\boxed, fences)",
    "tokens": "the number of tokens",
    "characters": "the number of characters",
    "words": "the number of words",
    "text": "the text, whatever the prompt",
}
#: Bits by which chance would have to agree, and pairs of rollouts beside those of the commonest value.
LEAST_BITS, LEAST_PAIRS = 40.0, 8
#: One cell, as that of all texts cut off at the limit, counts for no more pairs than this.
PAIRS_OF_CELL = 20
#: A name that promises a function of the text.
NAMED = re.compile(r"format|length|(^|_)(len|xml|tags?|think|brevity|concise|repetition|style)(_|$)", re.IGNORECASE)

LOOK = """CREATE OR REPLACE TEMP TABLE looked AS
WITH rollouts AS (
  SELECT prompt_id, completion_tokens, answer, completion, components FROM ({rollouts})
  WHERE split = {split} AND prompt_id IS NOT NULL AND components IS NOT NULL LIMIT {look}),
told AS (
  SELECT prompt_id, components, [
    {{'source': 'marks', 'cell': concat_ws(' ',
      CASE WHEN regexp_matches(ltrim(completion), {starts}) THEN '^' END,
      array_to_string(list_slice(regexp_extract_all(completion, {marks}), 1, 20), ' '),
      CASE WHEN regexp_matches(rtrim(completion), {ends}) THEN '$' END)}},
    {{'source': 'tokens', 'cell': completion_tokens::VARCHAR}},
    {{'source': 'characters', 'cell': length(completion)::VARCHAR}},
    {{'source': 'words', 'cell': len(regexp_extract_all(completion, '\\S+'))::VARCHAR}},
    {{'source': 'text', 'cell': hash(coalesce(completion, answer))::VARCHAR}}
  ] AS cells, completion IS NULL AS silent, coalesce(completion, answer) IS NULL AS dumb
  FROM rollouts)
SELECT prompt_id, part.key AS name, round(part.value, 6) + 0 AS value,
  list_filter(cells, lambda c: NOT (silent AND c.source IN ('marks', 'characters', 'words'))
    AND NOT (dumb AND c.source = 'text') AND c.cell IS NOT NULL) AS cells
FROM (SELECT * EXCLUDE components, unnest(map_entries(components)) AS part FROM told) WHERE isfinite(part.value)
"""
CELLS = f"""WITH cells AS (
  SELECT name, cell.source AS source, min(value) AS value, min(value) < max(value) AS torn,
    least(count(DISTINCT prompt_id) - 1, {PAIRS_OF_CELL}) AS pairs
  FROM (SELECT name, value, prompt_id, unnest(cells) AS cell FROM looked)
  GROUP BY name, cell.source, cell.cell HAVING count(DISTINCT prompt_id) > 1)
SELECT name, source, value, bool_or(torn), CAST(sum(pairs) AS BIGINT) FROM cells GROUP BY name, source, value
"""


@dataclass(frozen=True)
class Components:
    """What was found of a reward's components.

    Args:
        of_text: name of each that follows from the text alone, and from what.
        named: names that promise it of others, for which it cannot be told.
        looked: rollouts that were looked at.
        plain: whether the reward is the plain sum of all its components.
        without: outcome bits of what is left of the reward without those of the text, or why there are none.
        outcome: how ``--outcome`` names the only component left, where it has two values; None otherwise.
    """

    of_text: dict[str, str]
    named: tuple[str, ...]
    looked: int
    plain: bool
    without: Estimate
    outcome: str | None


def components_of(table: GroupTable, level: float) -> Components | None:
    """Components of a graded or continuous reward, or None where it has not several or none follows from the text."""
    reduced = table.reduced
    if table.binary or reduced.outcome.column != "reward" or "components" not in reduced.columns():
        return None
    columns = ("split", "prompt_id", "completion_tokens", "answer", "components")
    marks = {"marks": sql.text(MARKS), "starts": sql.text(f"^({MARKS})"), "ends": sql.text(f"({MARKS})$")}
    table.ask(LOOK.format(rollouts=reduced.completions(columns), split=sql.text(table.split), look=LOOK_ROWS, **marks))
    values: dict[str, dict[float, int]] = defaultdict(dict)
    for name, value, count in table.ask("SELECT name, value, count(*) FROM looked GROUP BY ALL ORDER BY ALL"):
        values[name][value] = count
    varied = [name for name, counts in values.items() if len(counts) > 1]
    found = _sources(table, values) if 1 < len(varied) <= MOST_COMPONENTS else {}
    table.ask("DROP TABLE looked")
    named = tuple(n for n in varied if n not in found and NAMED.search(n)) if len(varied) > 1 else ()
    if not found and not named:
        return None
    left = [n for n in varied if n not in found and n not in named]
    outcome = reduced.outcome_of(left[0]) if len(left) == 1 and len(values[left[0]]) == 2 else None
    looked = max(sum(counts.values()) for counts in values.values())
    plain, without = _without(table, found or named, level)
    return Components({n: SOURCES[s] for n, s in found.items()}, named, looked, plain, without, outcome)


def _sources(table: GroupTable, values: dict[str, dict[float, int]]) -> dict[str, str]:
    """What each component follows from: of all rollouts alike in it, whatever their prompts, each has one value.

    That must be more than chance: had the values fallen as often as they do, but anyhow, so many pairs of rollouts of
    different prompts would not agree.
    """
    pairs: dict[tuple[str, str], dict[float, int]] = defaultdict(dict)
    torn = set()
    for name, source, value, differs, count in table.ask(CELLS):
        pairs[name, source][value] = count
        if differs:
            torn.add((name, source))
    found: dict[str, str] = {}
    for source in SOURCES:
        for name, counts in values.items():
            agreed = pairs.get((name, source), {})
            if name in found or (name, source) in torn or len(agreed) < 2:
                continue
            total = sum(counts.values())
            bits = sum(n * -math.log2(counts[value] / total) for value, n in agreed.items())
            if bits >= LEAST_BITS and sum(agreed.values()) - max(agreed.values()) >= LEAST_PAIRS:
                found[name] = source
    return found


def _without(table: GroupTable, names: Iterable[str], level: float) -> tuple[bool, Estimate]:
    """Whether the reward is the plain sum of its components, and if so the outcome bits of the sum without these."""
    title, unit = "outcome bits without the components of the text", "bits/rollout"
    keys = ("run", "split", "step", "prompt_id", "group_id")
    rollouts = table.reduced.select((*keys, "reward", "components"))
    listed = ", ".join(map(sql.text, names))
    parts = "list_filter(map_entries(components), lambda c: c.value IS NOT NULL{})"
    total = f"coalesce(list_sum(list_transform({parts}, lambda c: c.value)), 0)"
    rest = total.format(f" AND c.key NOT IN ({listed})")
    table.ask(
        f"CREATE OR REPLACE TEMP TABLE rest AS SELECT {', '.join(keys)}, {sql.level('rest')} + 0 AS reward_level, "
        f"count(*) AS n_level, bool_and(abs(reward - whole) < 1e-6) AS plain FROM (SELECT *, {rest} AS rest, "
        f"{total.format('')} AS whole FROM ({rollouts}) WHERE split = {sql.text(table.split)} "
        f"AND prompt_id IS NOT NULL AND step IS NOT NULL AND {sql.sound('reward')}) GROUP BY ALL"
    )
    [(plain,)] = table.ask("SELECT coalesce(bool_and(plain), false) FROM rest")
    levels = [x for (x,) in table.ask(f"SELECT DISTINCT reward_level FROM rest ORDER BY 1 LIMIT {MOST_LEVELS + 1}")]
    counts = table.counts_at(levels, "rest") if plain and len(levels) <= MOST_LEVELS else None
    table.ask("DROP TABLE rest")
    if counts is None or (counts.sum(axis=1) != table.n).any():
        why = "what is left of it is continuous" if plain else "it is not the plain sum of its components"
        return plain, Estimate.missing(title, unit, f"the reward: {why}")
    if counts.shape[1] == 2:
        return plain, binary_bits(table, counts[:, 1], level).renamed(title, unit)
    return plain, graded_entropy(table, SurprisalTerm(), counts, level=level).renamed(title, unit)
