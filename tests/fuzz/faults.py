"""Data sets with faults: none to three, those of values first and those of places last."""

from __future__ import annotations

import faults_files
import faults_lines
import faults_places
import faults_values
from fault import FILES, LINES, PLACES, VALUES, Draw, Fault, sound_rows
from hypothesis import strategies as st
from model import Dataset

__all__ = ["faults", "faults_files", "faults_lines", "faults_places", "faults_values", "harmed"]


def faults() -> dict[str, Fault]:
    """All faults by name, in the order in which they may follow each other."""
    return {**VALUES, **LINES, **FILES, **PLACES}


@st.composite
def harmed(draw: Draw, sound: st.SearchStrategy[Dataset]) -> Dataset:
    """A data set with none to three faults."""
    data = draw(sound)
    order = list(faults())
    many = draw(st.sampled_from([1, 2, 1, 2, 3, 0]))
    chosen = draw(st.lists(st.sampled_from(order), min_size=many, max_size=many, unique=True))
    for name in sorted(chosen, key=order.index):
        if not sound_rows(data):
            break
        if (told := faults()[name](draw, data)) is not None:
            data.story.append(f"{name}: {told}")
    return data
