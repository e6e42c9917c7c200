"""Training runs, repetition by repetition: trained once, never half-written, and the same after any kill."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, make_dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from bitrate.costs import Cost
from bitrate.lab.claim import Arm, Case, Claim
from bitrate.lab.claims import all_claims, t5, t8, t9
from bitrate.lab.runner import check
from bitrate.lab.signals import Mean
from bitrate.lab.training import store
from bitrate.lab.training.store import Pace, Store, needed, train_all
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.types import Prediction

TOY = '''
"""A claim whose runs are coins; each says when it is half done, and goes on when told so."""
import sys
from dataclasses import dataclass
from bitrate.lab import runner
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.lab.signals import Mean
from bitrate.costs import Cost
from bitrate.lab.claim import Arm, Case, Claim
from bitrate.types import Prediction

@dataclass(frozen=True)
class Settings:
    p: float

def train(settings, folder, rng):
    with SimulatedRun(folder, rng) as run:
        rewards = (rng.random((64, 8)) < settings.p).astype(float)
        (folder / "rollouts.part").write_text("half")
        print("half done", file=sys.stderr, flush=True)
        sys.stdin.readline()
        (folder / "rollouts.part").unlink()
        run.step(0, answers=rewards, rewards=rewards, runs=range(64))
    return Cost(512, 1024, 1e6)

def arms(case):
    return [Arm(f"coin-{p}", train, Settings(p), smoke=1, full=4) for p in (0.3, 0.7)]

CLAIM = Claim(
    id="X1", statement="Coins.", source="a test", cases=(Case("both", {}),), arms=arms, rival_name="all heads",
    predict=lambda case: Prediction(0.5, "exact", "share", ""),
    rival=lambda case: Prediction(1.0, "exact", "share", ""),
    signal=Mean("avg(reward)", "heads", "share"), tolerance=0.2, budget=512)
runner.find = lambda id: CLAIM
'''


@dataclass(frozen=True)
class Settings:
    """Of a coin."""

    p: float


def coins(settings, folder, rng):
    """Rewards by a coin, in one step."""
    with SimulatedRun(folder, rng) as run:
        rewards = (rng.random((32, 8)) < settings.p).astype(float)
        run.step(0, answers=rewards, rewards=rewards, runs=np.arange(32))
    return Cost(256, 512, 2.0)


def broken(settings, folder, rng):
    """Writes something and fails."""
    Path(folder, "half").write_text("written")
    raise RuntimeError("out of luck")


@pytest.fixture
def code(monkeypatch):
    """A stand-in for the hash of the code."""
    known = {"now": "one"}
    monkeypatch.setattr(store, "code_hash", lambda train: known["now"])
    return known


ARM = Arm("coin", coins, Settings(0.5), smoke=1, full=3)


def toy(**changes):
    claim = Claim(
        id="X2", statement="Heads.", source="a test", cases=(Case("coin", {}),), arms=lambda case: [ARM],
        predict=lambda case: Prediction(0.5, "exact", "share", ""), rival_name="tails",
        rival=lambda case: Prediction(0.0, "exact", "share", ""), signal=Mean("avg(reward)", "heads", "share"),
        tolerance=0.25, budget=256,
    )  # fmt: skip
    return replace(claim, **changes)


def test_a_repetition_is_trained_once_and_depends_on_its_number_and_seed_alone(tmp_path, code):
    runs, again, other = Store(tmp_path / "a"), Store(tmp_path / "b"), Store(tmp_path / "a", seed=1)
    for each in (runs, again, other):
        each.folder.mkdir(exist_ok=True)
        assert each.cost(ARM, 0) is None
        each.train(ARM, 0)
    first = runs.place(ARM, 0) / "rollouts-0-000000.parquet"
    written = first.stat().st_mtime_ns
    assert runs.train(ARM, 0) == runs.cost(ARM, 0) and first.stat().st_mtime_ns == written
    assert first.read_bytes() == (again.place(ARM, 0) / "rollouts-0-000000.parquet").read_bytes()
    runs.train(ARM, 1)
    others = [other.place(ARM, 0), runs.place(ARM, 1)]
    assert all((place / "rollouts-0-000000.parquet").read_bytes() != first.read_bytes() for place in others)
    assert runs.cost(ARM, 0).rollouts == 256 and runs.cost(ARM, 0).seconds > 0


def test_other_settings_or_other_code_are_another_run(tmp_path, code):
    runs = Store(tmp_path)
    places = {runs.place(ARM, 0), runs.place(replace(ARM, settings=Settings(0.6)), 0), Store(tmp_path, 1).place(ARM, 0)}
    code["now"] = "two"
    assert len(places | {runs.place(ARM, 0)}) == 4


def test_a_module_moves_with_its_runs_where_it_says_what_they_were_seeded_as(tmp_path, code, monkeypatch):
    here = sys.modules[coins.__module__]
    runs = Store(tmp_path)
    places = {runs.place(ARM, 0)}
    monkeypatch.setattr(here, "SEEDED_AS", "an older place", raising=False)
    places.add(runs.place(ARM, 0))
    monkeypatch.setattr(coins, "__module__", "elsewhere")
    monkeypatch.setitem(sys.modules, "elsewhere", here)
    assert len(places | {runs.place(ARM, 0)}) == 2


def test_published_runs_keep_the_randomness_that_they_were_drawn_with():
    """The names of modules at the time of the first verdicts: another name is other randomness, and other figures."""
    seeded = {store._known_by(arm).split('", "')[0] for c in all_claims() if c.arms for arm, _ in needed([c], True)}
    training = (
        "adapters", "curricula", "ladder", "mixed", "paraphrases", "planted", "preferences", "snr", "strategies",
        "token_rewards",
    )  # fmt: skip
    assert seeded == {'["bitrate.lab.pretrained.train', *(f'["bitrate.lab.training.{name}' for name in training)}


@pytest.mark.parametrize(
    ("arm", "known"),
    [
        (t8.arm("SFT, early", kinds=("key",)),
         '["bitrate.lab.training.mixed", "train", {"kinds": ["key"], "method": "sft", "seeds": 8, "visits": 66}]'),
        (t8.arm("teacher's logits in 12 bits, late"),
         '["bitrate.lab.training.mixed", "train", {"bits": 12, "method": "distil", "seeds": 8, "visits": 464}]'),
        (t9.arm("sft"), '["bitrate.lab.pretrained.train", "train", {"arm": "sft", "rank": 8, "task": "addition"}]'),
        (t5.arms(Case("any", {"task": "either token, 2 pairs"}))[0],
         '["bitrate.lab.training.preferences", "train", {"best": 64, "beta": 0.1, "contexts": 20, "horizon": 1, '
         '"k": 8, "pairs": 2, "rates": {"bag": 0.01, "dpo": 0.003, "network": 0.003, "rl": 0.003, "rule": 0.05, '
         '"sft": 0.003}, "seeds": 32, "task": "either", "updates": 150}]'),
    ],
    ids=lambda x: getattr(x, "name", ""),
)  # fmt: skip
def test_published_runs_are_known_by_the_same_names_and_values_of_settings(arm, known):
    """What randomness is drawn under, as it was when settings were dicts: other words are other figures."""
    assert store._known_by(arm) == known


def test_a_setting_that_is_added_with_a_default_leaves_runs_as_they_were():
    more = make_dataclass("More", [("p", float), ("q", float, 0.5)], frozen=True)
    assert store._known_by(replace(ARM, settings=more(0.5))) == store._known_by(ARM)
    assert store._known_by(replace(ARM, settings=more(0.5, 0.25))) != store._known_by(ARM)


def test_settings_are_dataclasses_so_that_a_misspelt_one_fails_when_the_claim_is_built():
    with pytest.raises(TypeError, match="unexpected keyword argument 'epoch'"):
        replace(t9.arm("sft").settings, epoch=3)
    with pytest.raises(ValueError, match="want a frozen dataclass"):
        replace(ARM, settings={"p": 0.5})
    with pytest.raises(ValueError, match="want a frozen dataclass"):
        replace(ARM, settings=Settings)


def test_a_repetition_that_fails_leaves_nothing(tmp_path, code):
    runs = Store(tmp_path)
    with pytest.raises(RuntimeError, match="out of luck"):
        runs.train(replace(ARM, train=broken), 0)
    assert not list(tmp_path.rglob("half")) and runs.cost(replace(ARM, train=broken), 0) is None


def test_a_verdict_says_its_size_and_what_it_cost_and_leaves_long_cases_to_full(tmp_path, code):
    claim = toy(cases=(Case("coin", {}), Case("a long one", {}, full=True)))
    quick, whole = check(claim), check(claim, full=True)
    assert (quick.size, whole.size) == ("smoke", "full")
    assert (quick.cost.rollouts, whole.cost.rollouts) == (256, 768)
    assert quick.outcome == "inconclusive" and "--full" in quick.points[1].estimate.reason
    assert whole.outcome == "holds" and whole.points[0].estimate.n == 96 and quick.points[0].estimate.n == 32


def test_arms_that_claims_share_are_trained_once(tmp_path, code):
    claims = [toy(), toy(id="X3", arms=lambda case: [replace(ARM, smoke=2)])]
    todo = needed(claims, full=False)
    assert [(a.name, repetition) for a, repetition in todo] == [("coin", 0), ("coin", 1)]
    runs = Store(tmp_path)
    assert train_all(todo, runs, jobs=1) == {}
    assert runs.total_cost(claims[1], full=False).rollouts == 512
    assert runs.total_cost(claims[0], full=False).rollouts == 256


def test_the_estimate_of_time_left_is_by_arm(tmp_path, code):
    slow = replace(ARM, name="slow", settings=Settings(0.1))
    todo = [(ARM, 0), (slow, 0), (ARM, 1), (slow, 1)]
    pace = Pace(todo, Store(tmp_path), jobs=2)
    assert pace.seconds_left() is None and pace.share() == 0.0 and pace.words() == "0 of 4 training runs"
    pace.finished(ARM, Cost(seconds=10.0))
    assert pace.seconds_left() == 15.0  # the slow arm is not known yet
    pace.finished(slow, Cost(seconds=110.0))
    assert pace.seconds_left() == 60.0 and pace.share() == 0.5
    assert pace.words() == "2 of 4 training runs, about 1 min left"
    pace.finished(slow, Cost(seconds=110.0))
    pace.finished(ARM, Cost(seconds=10.0))
    assert pace.share() == 1.0


@pytest.mark.parametrize("size", [{"smoke": 0}, {"smoke": 3, "full": 2}])
def test_an_arm_has_repetitions(size):
    with pytest.raises(ValueError, match="want 1 <= smoke <= full"):
        replace(ARM, **size)


@pytest.mark.interrupt
def test_killed_in_a_repetition_a_run_goes_on_to_the_same_result(tmp_path, start, monkeypatch):
    """Kill -9 four times, half way through a run: none that finished is trained again, and the record is the same."""
    (tmp_path / "toy.py").write_text(TOY)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    script = (
        "import json, sys; from pathlib import Path; import toy; from bitrate.lab import runner;"
        "found = runner.run_claims(['X1'], jobs=1, full=True, runs=Path(sys.argv[1]));"
        "found[0]['cost'].pop('seconds'); Path(sys.argv[2]).write_text(json.dumps(found))"
    )

    def train(runs, out, repetitions):
        """Let a run finish so many repetitions; it is then half way through another, or done."""
        run = start([sys.executable, "-c", script, runs, out], stdin=subprocess.PIPE)
        for number in range(repetitions):
            run.wait_for("half done\n" * (number + 1))
            run.process.stdin.write(b"\n")
            run.process.stdin.flush()
        return run

    done: dict[Path, int] = {}
    broken, out = tmp_path / "broken", tmp_path / "broken.json"
    for more in (1, 2, 1, 2):
        run = train(broken, out, more)
        run.wait_for("half done\n" * (more + 1))
        run.interrupt(signal.SIGKILL)
        run.end()
        now = finished(broken)
        assert len(now) == len(done) + more and all(now[place] == at for place, at in done.items())
        assert list(broken.glob(f"{store.UNFINISHED}*/*/rollouts.part"))
        done = now
    assert len(done) == 6 and not out.exists()
    assert train(broken, out, 2).end()[0] == 0
    now = finished(broken)
    assert len(now) == 8 and all(now[place] == at for place, at in done.items())
    assert not list(broken.glob(f"{store.UNFINISHED}*"))
    assert train(tmp_path / "whole", tmp_path / "whole.json", 8).end()[0] == 0
    assert (tmp_path / "whole.json").read_bytes() == out.read_bytes()
    assert json.loads(out.read_text())[0]["size"] == "full"


def finished(runs):
    """Finished repetitions, and when each was written."""
    return {p: p.stat().st_mtime_ns for p in runs.rglob(store.COST_FILE) if store.UNFINISHED not in str(p)}
