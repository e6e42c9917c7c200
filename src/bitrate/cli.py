"""The command line: ``bitrate audit``, ``compare``, ``export``, ``formats``, ``claims``, ``demo``."""

from __future__ import annotations

import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from bitrate import __version__
from bitrate.errors import BitrateError, InputError, Interrupted

#: Exit status after Ctrl-C, as shells have it.
STOPPED = 130
#: Exit status of `claims run` when a verdict is not the published one, and when the data do not decide.
DIFFERS, UNDECIDED = 1, 3

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="How many bits your training signal carries, how many arrive, and what they cost.",
)
claims_app = typer.Typer(
    no_args_is_help=True, help="What the sources of the debate claim, computed, simulated, measured, judged."
)
app.add_typer(claims_app, name="claims")

Files = Annotated[list[Path], typer.Argument(help="Files or folders that a trainer wrote.", show_default=False)]
Columns = Annotated[
    list[str],
    typer.Option(
        "--columns", help="Rollout columns by name: reward=score,prompt_id=qid. Also a number, or column*number."
    ),
]
Outcome = Annotated[str | None, typer.Option(help="Column that says right or wrong, where the reward is shaped.")]
FormatName = Annotated[str | None, typer.Option("--format", help="Read as this format; see `bitrate formats`.")]
Engine = Annotated[str, typer.Option(help="Where to reduce: duckdb, spark or ray.")]
Memory = Annotated[str, typer.Option(help="The most memory the embedded engine may use.")]
Split = Annotated[str | None, typer.Option(help="train or eval; train where there is any, by default.")]
Params = Annotated[float | None, typer.Option(help="Parameters of the model, for FLOPs: 1.5e9.")]
Price = Annotated[float | None, typer.Option(help="Dollars an hour of the hardware; needs --flops-per-second.")]
Speed = Annotated[float | None, typer.Option(help="FLOPs the hardware really does in a second: 4e14.")]
Noise = Annotated[float, typer.Option(help="Rate at which the verifier flips an outcome.")]
Level = Annotated[float, typer.Option(help="Coverage of the intervals.")]
Html = Annotated[Path | None, typer.Option("--html", help="Write the report here: one file, works offline.")]
Json = Annotated[str | None, typer.Option("--json", help="Write the figures here, or - for standard output.")]


def parse_columns(given: list[str]) -> dict[str, str]:
    """``a=b,c=d`` (or several such) as a dict.

    Raises:
        InputError: a part without ``=``.

    >>> parse_columns(["reward=score,prompt_id=qid"])
    {'reward': 'score', 'prompt_id': 'qid'}
    """
    columns = {}
    for part in (p for text in given for p in text.split(",") if p.strip()):
        target, equals, source = part.partition("=")
        if not equals or not source.strip():
            raise InputError(
                f"--columns cannot use {part!r}", hint="write target=column, e.g. --columns reward=score,prompt_id=qid"
            )
        columns[target.strip()] = source.strip()
    return columns


@app.command()
def audit(
    paths: Files,
    html: Html = None,
    json_to: Json = None,
    columns: Columns = [],  # noqa: B006 - Typer reads the default
    outcome: Outcome = None,
    split: Split = None,
    model_params: Params = None,
    price_per_hour: Price = None,
    flops_per_second: Speed = None,
    verifier_noise: Noise = 0.0,
    level: Level = 0.95,
    format: FormatName = None,
    engine: Engine = "duckdb",
    memory: Memory = "2GB",
) -> None:
    """How many bits do these rollouts carry, where is the budget wasted, and what would change it?"""
    from bitrate.api import audit as run_audit

    with _progress() as progress:
        found = run_audit(
            [*paths],
            columns=parse_columns(columns),
            outcome=outcome,
            split=split,
            model_params=model_params,
            price_per_hour=price_per_hour,
            flops_per_second=flops_per_second,
            verifier_noise=verifier_noise,
            level=level,
            format=format,
            engine=engine,
            memory=memory,
            progress=progress,
            command=_called_as(),
        )
    _show(found, html, json_to)


@app.command()
def compare(
    run_a: Annotated[Path, typer.Argument(help="The first run's files.")],
    run_b: Annotated[Path, typer.Argument(help="The second run's files.")],
    json_to: Json = None,
    columns: Columns = [],  # noqa: B006
    outcome: Outcome = None,
    split: Split = None,
    level: Level = 0.95,
    format: FormatName = None,
    engine: Engine = "duckdb",
    memory: Memory = "2GB",
) -> None:
    """Two runs side by side: paired by prompt where they share prompts, each difference with its interval."""
    from bitrate.api import compare as run_compare

    found = run_compare(
        run_a,
        run_b,
        columns=parse_columns(columns),
        outcome=outcome,
        format=format,
        engine=engine,
        memory=memory,
        split=split,
        level=level,
    )
    if json_to:
        _write_json(found, json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_compare

        print_compare(found, _console())


@app.command()
def export(
    paths: Files,
    output: Annotated[Path, typer.Option("--output", "-o", help="The Parquet file to write.")],
    columns: Columns = [],  # noqa: B006
    outcome: Outcome = None,
    format: FormatName = None,
    memory: Memory = "2GB",
) -> None:
    """Write rollouts as one Parquet file with bitrate's own columns."""
    from bitrate.api import export as run_export

    with _progress() as progress:
        rows = run_export(
            [*paths],
            output,
            columns=parse_columns(columns),
            outcome=outcome,
            format=format,
            memory=memory,
            progress=progress,
        )
    _console(stderr=True).print(f"{rows:,} rollouts written to {output}", markup=False, highlight=False)


@app.command()
def formats(json_to: Json = None) -> None:
    """What can be read, and what each format cannot tell."""
    from bitrate.api import formats as list_formats

    if json_to:
        _write_json(list_formats(), json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_formats

        print_formats(list_formats(), _console())


@app.command()
def demo(html: Html = None, json_to: Json = None) -> None:
    """Audit a recorded real run that ships with the package: SmolLM2-135M learning to add."""
    from bitrate.api import audit as run_audit
    from bitrate.demo import RUN

    with _progress() as progress:
        found = run_audit(RUN, model_params=135e6, progress=progress, command="bitrate demo")
    _show(found, html, json_to)


@claims_app.command("list")
def claims_list(json_to: Json = None) -> None:
    """Every claim with its published verdict."""
    from bitrate.lab.record import published_claims

    if json_to:
        _write_json(published_claims(), json_to)
    if json_to != "-":
        from bitrate.report.claim_terminal import print_claims

        print_claims(published_claims(), _console())


@claims_app.command("run")
def claims_run(
    ids: Annotated[list[str] | None, typer.Argument(help="Ids of claims: S1.8 S3.4.", show_default=False)] = None,
    every: Annotated[bool, typer.Option("--all", help="Every claim.")] = False,
    json_to: Json = None,
    figures: Annotated[Path | None, typer.Option(help="Write each claim's figure into this folder.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="All randomness comes from it.")] = 0,
    jobs: Annotated[int | None, typer.Option(min=1, help="Processes; one a core, by default.")] = None,
    full: Annotated[bool, typer.Option("--full", help="Train all seeds of the published verdicts: hours.")] = False,
    runs: Annotated[
        Path | None,
        typer.Option(help="Keep training runs here, and take over those that are there; in the cache, by default."),
    ] = None,
) -> None:
    """Put claims to the test. Exit status: 0 all as published, 1 one differs, 3 undecided."""
    from bitrate.lab.record import published_claims, run_claims

    if every == bool(ids):
        raise InputError("name claims or say --all, one of the two", hint="bitrate claims run S1.8")
    _check_output(json_to)
    if figures and figures.exists() and not figures.is_dir():
        raise InputError(f"--figures {figures} is a file; want a folder")
    if runs and runs.exists() and not runs.is_dir():
        raise InputError(f"--runs {runs} is a file; want a folder")
    with _progress("testing claims", lines=full) as progress:
        asked = ids or [str(c["id"]) for c in published_claims()]
        records = run_claims(asked, seed=seed, jobs=jobs, progress=progress, full=full, runs=runs)
    if json_to != "-":
        from bitrate.report.claim_terminal import print_verdicts

        print_verdicts(records, _console())
    if json_to:
        _write_json({"version": __version__, "seed": seed, "claims": records}, json_to)
    if figures:
        from bitrate.report.claim_figure import save_claim_figures

        save_claim_figures(records, figures)
    standings = {r["standing"] for r in records}
    if not standings <= {"as published", "not measured here"}:
        raise typer.Exit(DIFFERS if "differs" in standings else UNDECIDED)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"bitrate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    pass


def _show(found: Any, html: Path | None, json_to: str | None) -> None:
    if html:
        found.save(html if html.suffix else html.with_suffix(".html"))
    if json_to:
        _write_json(found.to_dict(), json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_audit

        print_audit(found.to_dict(), _console())
        if html:
            _console().print(f"Report: {html}", markup=False, highlight=False)


def _check_output(target: str | None) -> None:
    """A file that cannot be written is said before the work, not after it."""
    if target is None or target == "-":
        return
    path = Path(target)
    if not path.name or path.is_dir():
        raise InputError(f"--json {target!r} is no file to write to")
    if not path.parent.is_dir():
        raise InputError(f"no folder {path.parent} to write {path.name} to")


def _write_json(figures: Any, target: str) -> None:
    _check_output(target)
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
        return
    path = Path(target)
    part = path.with_name(path.name + ".part")
    part.write_text(text, "utf-8")
    part.replace(path)


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr)


def _called_as() -> str:
    return shlex.join(["bitrate", *sys.argv[1:]])


@contextmanager
def _progress(what: str = "reading", lines: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error for work that takes longer than a second; without a terminal silent, or in lines."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
        console=console, transient=True, disable=not console.is_terminal,
    ) as bar:  # fmt: skip
        if lines and not console.is_terminal:
            yield lambda what, share: print(f"{share:4.0%} {what}", file=sys.stderr, flush=True)
            return
        task = bar.add_task(what, total=1.0)
        yield lambda what, share: bar.update(task, description=what, completed=share)


def main() -> None:
    """Run the command line; a user's mistake is a message and exit status 2, never a traceback."""
    # The matrices here are small: threads of the linear algebra would only wait for each other, and take memory.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(standalone_mode=True)
    except Interrupted as stopped:
        _fail(str(stopped), STOPPED)
    except BitrateError as error:
        _fail(f"error: {error}", 2)
    except SystemExit as end:
        if end.code == STOPPED:  # Ctrl-C outside a query: Typer ends without a word
            _fail("stopped", STOPPED)
        raise
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    except OSError as error:
        _fail(f"error: {error.filename or 'file'}: {error.strerror or error}", 2)


def _fail(message: str, status: int) -> None:
    printable = "".join(c if c.isprintable() or c == "\n" else "?" for c in message)
    print(printable, file=sys.stderr)
    sys.exit(status)


if __name__ == "__main__":
    main()
