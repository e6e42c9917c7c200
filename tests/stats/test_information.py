"""Information of counted codes: coverage on populations with a known answer, and refusals."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import entropy

from bitrate.errors import InputError
from bitrate.stats import conditional_entropy, mutual_information
from bitrate.types import Estimate

Table = NDArray[np.float64]
REPLICATIONS = 200


def truth(joint: Table) -> tuple[float, float]:
    """I(X;Y) and H(Y|X) of a joint table by SciPy."""
    both, rows, columns = (float(entropy(p.ravel(), base=2)) for p in (joint, joint.sum(1), joint.sum(0)))
    return rows + columns - both, both - rows


def drawn(joint: Table, n: int, rng: np.random.Generator, f: Callable[..., Estimate], level: float = 0.95) -> Estimate:
    """The estimate from n samples."""
    counts = rng.multinomial(n, joint.ravel()).reshape(joint.shape)
    x, y = np.nonzero(counts)
    return f(x, y, counts[x, y], level=level)


def populations() -> dict[str, Table]:
    """Tables that nothing was tuned on."""
    rng = np.random.default_rng(11)
    found = {
        f"sparse {m}x{k}": rng.dirichlet(np.full(m * k, 0.4)).reshape(m, k) for m, k in ((2, 3), (12, 9), (50, 20))
    }
    found |= {f"independent {m}": np.outer(rng.dirichlet(np.ones(m)), rng.dirichlet(np.ones(6))) for m in (3, 60)}
    answers = np.full((16, 2), 1 / 16)
    found["rare event"] = np.outer(np.full(5, 0.2), [0.01, 0.99])
    found["hits of 64"] = np.full((64, 2), 1 / 64) * [1 / 64, 63 / 64]
    return found | {"one to one": np.eye(10) / 10, "one bit in sixteen": answers * [1 / 16, 15 / 16]}


@pytest.mark.parametrize("name", populations())
@pytest.mark.parametrize("n", [4_000, 40_000])
def test_the_interval_holds_the_truth_as_often_as_it_says(name: str, n: int, rng: np.random.Generator) -> None:
    joint = populations()[name]
    for f, value in zip((mutual_information, conditional_entropy), truth(joint), strict=True):
        made = [drawn(joint, n, rng, f) for _ in range(REPLICATIONS)]
        held = [e.low - 1e-9 <= value <= e.high + 1e-9 for e in made if e.low is not None and e.high is not None]
        assert len(held) == REPLICATIONS
        # 0.95 less three standard errors of 200 replications
        assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / REPLICATIONS)


def test_the_interval_is_not_so_wide_as_to_pass_anything(rng: np.random.Generator) -> None:
    joint = populations()["sparse 12x9"]
    value, _ = truth(joint)
    made = drawn(joint, 40_000, rng, mutual_information)
    assert made.low is not None and made.high is not None
    assert made.high - made.low < 0.03 < value / 10


def test_the_plug_in_value_is_off_by_more_than_the_interval(rng: np.random.Generator) -> None:
    """What the correction is for: with few samples a cell, plain counting finds bits where there are none."""
    joint = np.outer(np.full(60, 1 / 60), np.full(6, 1 / 6))
    counts = rng.multinomial(4_000, joint.ravel()).reshape(joint.shape)
    plug_in, _ = truth(counts / counts.sum())
    made = mutual_information(*np.nonzero(counts), counts[np.nonzero(counts)])
    assert made.value is not None and made.high is not None
    assert plug_in > 0.04 and made.value < 0.02 and made.low == 0.0


def test_codes_that_are_all_different_get_a_reason_and_no_number() -> None:
    made = mutual_information(np.arange(2000), np.arange(2000), np.ones(2000, int))
    assert made.value is None and "no other has" in str(made.reason)
    few = conditional_entropy([0, 1], [0, 0], [20, 20])
    assert few.value is None and "40 samples" in str(few.reason)


@pytest.mark.parametrize(
    ("x", "y", "count", "words"),
    [
        ([0, 1], [0], [5, 5], "shapes"),
        ([0, 1], [0, 0], [100, 0], "at least 1 sample"),
        ([0, 0], [1, 1], [100, 100], "given twice"),
    ],
)
def test_a_table_that_is_none_is_an_error(x: list[int], y: list[int], count: list[int], words: str) -> None:
    with pytest.raises(InputError, match=words):
        mutual_information(x, y, count)
