"""An option is said once, as a field; what repeats it for people and for type checkers says the same."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_type_hints

import pytest
import typer

import bitrate
from bitrate import api, cli
from bitrate.errors import InputError
from bitrate.logs.engines import duck
from bitrate.logs.options import ReadKeywords, ReadOptions, ReduceKeywords, ReduceOptions
from bitrate.logs.read import open_source
from bitrate.meter.assumptions import AssumptionKeywords, Assumptions, Scope
from bitrate.options import Options, declared, option, takes, want

READS, REDUCES, MEASURES = (ReadOptions,), (ReduceOptions,), (ReduceOptions, Assumptions)
#: What takes options, and of which kinds.
FUNCTIONS = {
    api.audit: MEASURES, api.compare: MEASURES, api.read: READS, api.export: READS, api.reduced: REDUCES,
}  # fmt: skip
COMMANDS = {"audit": MEASURES, "compare": (ReduceOptions, Scope), "export": READS}


@pytest.mark.parametrize(
    ("kind", "keywords"),
    [
        (ReadOptions, ReadKeywords), (ReduceOptions, ReduceKeywords), (Assumptions, AssumptionKeywords),
    ],
    ids=lambda c: c.__name__,
)  # fmt: skip
def test_type_checkers_are_told_of_the_same_options(kind: type[Options], keywords: type) -> None:
    """A keyword of another type than its field is one that may also be None, for a default that the field makes."""
    told, meant = get_type_hints(keywords), get_type_hints(kind)
    assert told.keys() == declared(kind).keys()
    for name, f in declared(kind).items():
        assert told[name] in ({meant[name]} if f.default is not None else {meant[name], meant[name] | None})


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda f: f.__name__)
def test_a_function_spells_its_options_out(function: Callable[..., Any]) -> None:
    options = declared(*FUNCTIONS[function])
    taken = inspect.signature(function).parameters
    assert {n: taken[n].default for n in options} == {n: f.default for n, f in options.items()}
    assert not [p for p in taken.values() if p.kind is p.VAR_KEYWORD]
    if "Args:" in (function.__doc__ or ""):
        assert all(f"        {n}: {f.metadata['in_python']}\n" in function.__doc__ for n, f in options.items())
    with pytest.raises(TypeError, match=rf"{function.__name__}\(\) got .* 'colums'. Did you mean 'columns'"):
        function("nowhere", "nowhere.parquet", colums={})


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_flag_for_each_option(name: str) -> None:
    command = typer.main.get_command(cli.app).commands[name]  # type: ignore[attr-defined]
    flags = {p.name: p for p in command.params}
    for option_name, f in declared(*COMMANDS[name]).items():
        assert flags[option_name].opts == ["--" + option_name.replace("_", "-")]
        assert flags[option_name].help == f.metadata["help"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"unscored": "right"}, "unscored = 'right'; want aside or wrong"),
        ({"engine": "pandas"}, "no engine is called 'pandas'"),
        ({"split": "test"}, "split = 'test'; want train or eval"),
        ({"level": 1.0}, "level = 1.0; want a coverage from 0.5 to below 1"),
        ({"model_params": float("inf")}, "model_params = inf; want a positive number"),
        ({"price_per_hour": 0}, "price_per_hour = 0; want a positive number"),
        ({"flops_per_second": -1.0}, "flops_per_second = -1.0; want a positive number"),
        ({"verifier_noise": 0.5}, "verifier_noise = 0.5; want a rate from 0 to below 0.5"),
        ({"verifier_noise": float("nan")}, "verifier_noise = nan; want a rate"),
    ],
    ids=str,
)
@pytest.mark.parametrize("function", [bitrate.audit, bitrate.compare], ids=lambda f: f.__name__)
def test_a_value_that_cannot_be_used_is_named_before_anything_is_read(
    function: Callable[..., Any], given: dict[str, Any], said: str
) -> None:
    with pytest.raises(InputError) as raised:
        function("nowhere", **({"b": "nowhere"} if function is bitrate.compare else {}), **given)
    assert said in str(raised.value)


def test_none_for_columns_is_no_columns() -> None:
    assert ReadOptions(columns=None).columns == {}  # type: ignore[arg-type]


def test_a_copy_of_the_given_columns_is_kept() -> None:
    given = {"reward": "score"}
    options = ReadOptions(columns=given)
    given["reward"] = "other"
    assert options.columns == {"reward": "score"}


def test_what_was_read_is_kept_for_the_same_rows_only(tmp_path: Path) -> None:
    """More memory makes no other rows, a rollout that counts as wrong does."""
    (tmp_path / "rows.csv").write_text("prompt_id,reward\nq,1\nq,\n")

    def key(**options: Any) -> str:
        return open_source(duck.connect(), [tmp_path], ReduceOptions(**options)).key()

    assert key() == key(memory="1GB") == key(unscored="aside")
    assert len({key(), key(unscored="wrong"), key(outcome="reward"), key(columns={"step": "3"})}) == 4


def test_options_of_two_kinds_are_told_apart_and_a_line_of_help_takes_their_place() -> None:
    @dataclass(frozen=True, kw_only=True)
    class Brewing(Options):
        minutes: float = option(3.0, "How long.", check=want(lambda m: m > 0, "more than none"))

    @dataclass(frozen=True, kw_only=True)
    class Serving(Options):
        cups: int = option(1, "How many.", in_python="How many cups.")
        hour: int = 17

    @takes(Brewing, Serving)
    def tea(leaves: str, *, milk: bool = False, **options: Any) -> tuple[object, ...]:
        """Make it.

        Args:
            leaves: which.
            options: of brewing and serving.
            milk: with it.
        """
        return leaves, milk, Brewing.among(options), Serving.among(options)

    assert tea("green", cups=2) == ("green", False, Brewing(minutes=3.0), Serving(cups=2, hour=17))
    assert str(inspect.signature(tea)).startswith("(leaves: 'str', *, minutes: 'float' = 3.0, cups: 'int' = 1, milk: ")
    assert [line.strip() for line in (tea.__doc__ or "").splitlines()[3:7]] == [
        "leaves: which.", "minutes: How long.", "cups: How many cups.", "milk: with it.",
    ]  # fmt: skip
    with pytest.raises(TypeError, match="'hour'"):
        tea("green", hour=18)
    with pytest.raises(InputError, match="minutes = 0; want more than none"):
        tea("green", minutes=0)
