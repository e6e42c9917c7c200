"""One program, m unit tests, three ways to report them: whether all passed, how many did, which did."""

from pathlib import Path

import numpy as np

from bitrate.lab.claim import Case, Claim
from bitrate.lab.signals import LedgerLine, Unresolved
from bitrate.lab.worlds.log import SimulatedRun
from bitrate.theory import quantised_reward_bound, unit_test_information
from bitrate.types import Prediction

WORLDS = 100_000
ALL, COUNT, WHICH = "whether all passed", "how many passed", "which passed"


def predict(case: Case) -> Prediction:
    """h(u^m), the entropy of a binomial count, or m h(u)."""
    bits = unit_test_information(case.settings["tests"], case.settings["rate"])
    value = {ALL: bits.all_pass, COUNT: bits.passes, WHICH: bits.vector}[case.settings["report"]]
    return Prediction(float(value), "exact", "bits/rollout", "docs/theory.md#graded", ("tests pass independently",))


def rival(case: Case) -> Prediction:
    """As many bits as the report has room for."""
    tests = case.settings["tests"]
    values = {ALL: 2, COUNT: tests + 1, WHICH: 2**tests}[case.settings["report"]]
    bits = float(quantised_reward_bound(values))
    return Prediction(bits, "exact", "bits/rollout", "log2 of the values that a report can take")


def simulate(case: Case, folder: Path, rng: np.random.Generator) -> None:
    """One program of two in each of many worlds; a world hides which tests each program passes.

    The audit is given groups of programs, each of a world of its own.
    """
    tests, report, k = case.settings["tests"], case.settings["report"], case.settings.get("k", 1)
    hidden = rng.random((WORLDS, 2, tests)) < case.settings["rate"]
    program = rng.integers(2, size=WORLDS)
    passed = hidden[np.arange(WORLDS), program].astype(float)
    reward = {ALL: passed.all(axis=1), COUNT: passed.sum(axis=1), WHICH: passed.mean(axis=1)}[report]
    parts = {f"test_{i}": passed[:, [i]] for i in range(tests)} if report == WHICH else None
    with SimulatedRun(folder, rng) as run:
        run.step(0, answers=program.reshape(-1, k), rewards=reward.reshape(-1, k), components=parts)


def case(report: str, rate: float) -> Case:
    """Ten tests of a pass rate, reported in one way."""
    settings = {"tests": 10, "rate": rate, "report": report}
    return Case(f"10 tests, each passes {rate:.0%}: {report}", settings, x=rate)


CLAIM = Claim(
    id="B1",
    statement="Of m independent unit tests of pass rate u, the bit that all passed carries h(u^m), their count the "
    "entropy of a binomial, and the list of all m of them m h(u).",
    source="bitrate, docs/theory.md#graded",
    cases=(
        *[case(report, rate) for rate in (0.5, 0.9) for report in (ALL, COUNT, WHICH)],
        Case(
            f"10 tests, each passes 90%: {COUNT}, audited",
            {"tests": 10, "rate": 0.9, "report": COUNT, "k": 16},
            x=0.9,
            signal=LedgerLine("ledger.outcome_bits"),
        ),
    ),
    predict=predict,
    simulate=simulate,
    signal=Unresolved(of="scores", given="answers"),
    rival=rival,
    rival_name="log2 of the values that a report can take",
    tolerance=0.05,
    budget=WORLDS,
    remark="A verifier that runs ten tests and reports one bit throws most of what it found away: of even tests a "
    "thousandth is left, since all ten hardly ever pass. A count keeps a quarter. Log which tests passed.",
    axis="pass rate u of each test",
    grid=np.linspace(0.01, 0.99, 99),
    curves={
        ALL: lambda rate: unit_test_information(10, rate).all_pass,
        COUNT: lambda rate: unit_test_information(10, rate).passes,
        WHICH: lambda rate: unit_test_information(10, rate).vector,
    },
)
