"""Signal and noise of real gradients: the closed forms, the coordinates that are logged, and the estimator."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pyarrow.parquet as pq
import pytest

torch = pytest.importorskip("torch")

from bitrate.errors import DataError, InputError  # noqa: E402
from bitrate.lab.claims.t6 import CLAIM, EXCESS, TARGET, signal_share  # noqa: E402
from bitrate.lab.networks.one_token import policy, policy_gradient  # noqa: E402
from bitrate.lab.runner import check  # noqa: E402
from bitrate.lab.signals.projected_noise import SignalShare, _jackknife  # noqa: E402
from bitrate.lab.training.snr import Settings, _gradients, network_at_rate, network_near, train  # noqa: E402
from bitrate.lab.worlds.learners import advantages  # noqa: E402
from bitrate.lab.worlds.log import SimulatedRun  # noqa: E402
from bitrate.theory import gradient_snr  # noqa: E402


@pytest.mark.parametrize(("method", "k"), [(0.0, 1), (0.3, 1), ("grpo", 4), ("grpo", 2)])
def test_the_closed_form_is_the_sum_over_all_groups(method, k, rng):
    pi = rng.dirichlet(np.ones(3))
    scores = rng.standard_normal((3, 5))
    scores -= pi @ scores  # a score has mean 0
    chance, found = [], []
    for group in product(range(3), repeat=k):
        weight = advantages([[float(t == 0) for t in group]], method)[0]
        chance.append(np.prod(pi[list(group)]))
        found.append(weight @ scores[list(group)])
    mean = np.array(chance) @ np.array(found)
    noise = np.array(chance) @ np.square(np.array(found) - mean).sum(axis=1)
    snr = mean @ mean / noise
    assert signal_share(scores, pi, method, k) == pytest.approx(snr / (k + snr), rel=1e-12)


@pytest.mark.parametrize("p", [0.02, 0.5, 0.95])
def test_a_table_has_the_ratio_of_the_theory(p):
    pi = np.array([p, *((1 - p) / 3,) * 3])
    for baseline in (0.0, p):
        snr = gradient_snr(p, baseline=baseline, others=3)
        assert signal_share(np.eye(4) - pi, pi, baseline) == pytest.approx(snr / (1 + snr), rel=1e-12)


def test_networks_are_brought_where_they_are_asked_to_be():
    for rate in (0.05, 0.9):
        assert policy(network_at_rate(4, rate, 1))[0] == pytest.approx(rate, rel=1e-4)
    q = np.array(TARGET)
    for excess in (EXCESS[0], EXCESS[-1]):
        left = float(q @ np.log2(q / policy(network_near(q, excess, 1))))
        assert left == pytest.approx(excess, rel=1e-2)
    assert (policy(network_at_rate(4, 0.5, 0)) != policy(network_at_rate(4, 0.5, 1))).any()
    with pytest.raises(InputError, match="strictly between"):
        network_at_rate(4, 1.0, 0)
    with pytest.raises(InputError, match="want bits above 0"):
        network_near(q, 0.0, 0)
    with pytest.raises(InputError, match="before training"):
        network_near(q, 5.0, 0)


def test_logged_coordinates_keep_lengths_and_angles():
    model = network_at_rate(4, 0.3, 2)
    answers = np.array([[0, 1, 3], [0, 0, 2], [0, 1, 3], [1, 2, 3]])
    weight = advantages((answers == 0).astype(float), "grpo")
    seen = np.array([text.split() for text in _gradients(model, answers, weight)], float)
    full = np.array([policy_gradient(model, a, w) for a, w in zip(answers, weight, strict=True)], float)
    assert seen.shape == (4, 3) and (seen[0] == seen[2]).all() and not seen[3].any()
    assert np.allclose(seen @ seen.T, full @ full.T, rtol=1e-4, atol=1e-4)


def test_the_jackknife_takes_the_bias_of_few_groups_away(rng):
    """Thirty gradients of pure noise: their mean has a length, and the share of signal is still 0 on average."""
    plain, mended = [], []
    for _ in range(300):
        g = rng.standard_normal((30, 3))
        mean, square = g.mean(axis=0), np.square(g).sum(axis=1).mean()
        plain.append(mean @ mean / square)
        mended.append(_jackknife(g, np.ones(30), np.ones(30))[0])
    assert np.mean(plain) > 0.025
    assert abs(np.mean(mended)) < 4 * np.std(mended) / 300**0.5 < 0.01


def test_the_interval_covers(rng, tmp_path):
    """Two-point gradients with a known share; the level is .9999, and 100 intervals hold it without one miss."""
    truth, width = 0.36, []
    for trial in range(100):
        folder = tmp_path / str(trial)
        folder.mkdir()
        signs = np.where(rng.random(400) < 0.8, "1 0", "-1 0").astype(object)
        with SimulatedRun(folder, rng) as run:
            run.step(0, answers=np.zeros((400, 1)), rewards=np.ones((400, 1)), updates=signs, runs=np.zeros(400))
        found = SignalShare()(folder)
        assert found.low <= truth <= found.high
        width.append(found.high - found.low)
    assert np.mean(width) < 0.6


def test_logs_without_gradients_say_so(tmp_path, rng):
    def written(name, **options):
        folder = tmp_path / name
        folder.mkdir()
        with SimulatedRun(folder, rng) as run:
            run.step(0, answers=np.zeros((5, 1)), rewards=np.ones((5, 1)), runs=np.zeros(5), **options)
        return folder

    with pytest.raises(DataError, match="no row of numbers"):
        SignalShare()(written("names", updates=["ab", "cd", "ab", "cd", "ef"]))
    with pytest.raises(DataError, match="no row of numbers"):
        SignalShare()(written("ragged", updates=np.array(["1 2", "1", "1", "1", "1"], object)))
    found = SignalShare()(written("none", updates=np.array([None] * 5, object)))
    assert found.value is None and "has its gradient" in found.reason


SMALL = Settings("grpo", at=0.3, target=4, k=4, networks=2, visits=200)


def test_a_cell_is_a_function_of_its_generator(tmp_path):
    made = []
    for name, seed in (("a", 5), ("b", 5), ("c", 6)):
        folder = tmp_path / name / "000"
        folder.mkdir(parents=True)
        cost = train(SMALL, folder, np.random.default_rng(seed))
        assert cost.rollouts == 2 * 200 * 4 and cost.flops > 0
        made.append(pq.read_table(folder / "rollouts-0-000000.parquet"))
    assert made[0].equals(made[1]) and not made[0].equals(made[2])
    assert set(made[0].column("run").to_pylist()) == {"000/0", "000/1"}


def test_labels_are_shown_and_have_no_reward(tmp_path):
    settings = replace(SMALL, method="sft", target=tuple(TARGET), at=0.1, k=1)
    train(settings, tmp_path, np.random.default_rng(0))
    rows = pq.read_table(tmp_path / "rollouts-0-000000.parquet").to_pydict()
    assert all(rows["shown"]) and set(rows["reward"]) == {None} and rows["answer"] == rows["target"]


def test_the_network_decides_and_not_the_table():
    """At p = .9 the formula of the table is far enough off to be refuted by the gradients of real networks."""
    names = ("baseline p, p=0.9", "GRPO, p=0.5", "labels, 0.01 bits to go")
    verdict = check(replace(CLAIM, cases=tuple(c for c in CLAIM.cases if c.name in names)), seed=3)
    assert len(verdict.points) == 3
    assert (verdict.theory_outcome, verdict.rival_outcome) == ("holds", "refuted")
    table = gradient_snr(0.9, baseline=0.9, others=3)
    assert verdict.points[0].estimate.high < table / (1 + table)
