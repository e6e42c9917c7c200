"""The command line: ``bitrate audit``, ``compare``, ``export``, ``formats``, ``claims``, ``demo``."""

from __future__ import annotations

import inspect
import io
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, Any, NoReturn, TextIO, get_type_hints

import typer

from bitrate import __version__, files
from bitrate.__main__ import STOPPED
from bitrate.errors import BitrateError, InputError, Interrupted
from bitrate.logs.options import ReadOptions, ReduceOptions
from bitrate.meter.assumptions import Assumptions, Scope
from bitrate.options import Options, declared

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
Command = Callable[..., None]

Html = Annotated[str | None, typer.Option("--html", help="Write the report here: one file, works offline.")]
Json = Annotated[str | None, typer.Option("--json", help="Write the figures here, or - for standard output.")]


def _flags(*kinds: type[Options]) -> Callable[[Command], Command]:
    """Give a command a flag for each option of these kinds, in place of its ``**options``."""
    types = {name: hint for kind in kinds for name, hint in get_type_hints(kind).items()}
    options = declared(*kinds)
    several = {name: f.metadata["words"] for name, f in options.items() if f.metadata["words"]}

    def flag(name: str) -> inspect.Parameter:
        said = typer.Option(f"--{name.replace('_', '-')}", help=options[name].metadata["help"])
        hint, default = (list[str], []) if name in several else (types[name], options[name].default)
        return inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[hint, said]
        )

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(**given: Any) -> None:
            command(**{name: several[name](value) if name in several else value for name, value in given.items()})

        own = inspect.signature(command, eval_str=True).parameters.values()
        parameters = [p.replace(kind=p.KEYWORD_ONLY) for p in own if p.kind is not p.VAR_KEYWORD]
        parameters += map(flag, options)
        run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        run.__annotations__ = {p.name: p.annotation for p in parameters}
        return run

    return decorate


@app.command()
@_flags(ReduceOptions, Assumptions)
def audit(paths: Files, html: Html = None, json_to: Json = None, **options: Any) -> None:
    """How many bits do these rollouts carry, where is the budget wasted, and what would change it?"""
    from bitrate.api import audit as run_audit

    html = _check_outputs(html, json_to, paths)
    with _progress() as progress:
        found = run_audit([*paths], progress=progress, command=_called_as(), **options)
    _show(found, html, json_to)


@app.command()
@_flags(ReduceOptions, Scope)
def compare(
    run_a: Annotated[Path, typer.Argument(help="The first run's files.")],
    run_b: Annotated[Path, typer.Argument(help="The second run's files.")],
    json_to: Json = None,
    **options: Any,
) -> None:
    """Two runs side by side: paired by prompt where they share prompts, each difference with its interval."""
    from bitrate.api import compare as run_compare

    _check_outputs(None, json_to, [run_a, run_b])
    found = run_compare(run_a, run_b, **options)
    _write_json(found, json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_compare

        print_compare(found, _console())


@app.command()
@_flags(ReadOptions)
def export(
    paths: Files,
    output: Annotated[str, typer.Option("--output", "-o", help="The Parquet file to write.")],
    **options: Any,
) -> None:
    """Write rollouts as one Parquet file with bitrate's own columns."""
    from bitrate.api import export as run_export

    with _progress() as progress:
        rows = run_export([*paths], output, progress=progress, **options)
    _say(f"{rows:,} rollouts written to {output}", stderr=True)


@app.command()
def formats(json_to: Json = None) -> None:
    """What can be read, and what each format cannot tell."""
    from bitrate.api import formats as list_formats

    _check_outputs(None, json_to)
    _write_json(list_formats(), json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_formats

        print_formats(list_formats(), _console())


@app.command()
def demo(html: Html = None, json_to: Json = None) -> None:
    """Audit a recorded real run that ships with the package: SmolLM2-135M learning to add."""
    from bitrate.api import audit as run_audit
    from bitrate.demo import RUN

    html = _check_outputs(html, json_to, [RUN])
    with _progress() as progress:
        found = run_audit(RUN, model_params=135e6, progress=progress, command="bitrate demo")
    _show(found, html, json_to)


@claims_app.command("list")
def claims_list(json_to: Json = None) -> None:
    """Every claim with its published verdict."""
    from bitrate.lab.runner import published_claims

    _check_outputs(None, json_to)
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
    """Put claims to the test. Exit status: 0 all as published, 1 one differs, 2 one failed, 3 undecided."""
    from bitrate.lab.runner import published_claims, run_claims

    if every == bool(ids):
        raise InputError("name claims or say --all, one of the two", hint="bitrate claims run S1.8")
    _check_outputs(None, json_to)
    for option, folder in (("--figures", figures), ("--runs", runs)):
        if folder:
            files.check_folder(folder, option)
    with _progress("testing claims", lines=True) as progress:
        asked = ids or [str(c["id"]) for c in published_claims()]
        records = run_claims(asked, seed=seed, jobs=jobs, progress=progress, full=full, runs=runs)
    if json_to != "-":
        from bitrate.report.claim_terminal import print_verdicts

        print_verdicts(records, _console())
    _write_json({"version": __version__, "seed": seed, "claims": records}, json_to)
    if figures:
        from bitrate.report.claim_figure import save_claim_figures

        save_claim_figures(records, figures)
    failed = [r["id"] for r in records if r["standing"] == "failed"]
    if failed:
        _leave(2, f"error: {len(failed)} of {len(records)} claims failed: {', '.join(failed)}")
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


def _show(found: Any, html: str | None, json_to: str | None) -> None:
    if html is not None:
        from bitrate.report.html import write_html

        write_html(found, html)
    _write_json(found.to_dict(), json_to)
    if json_to != "-":
        from bitrate.report.terminal import print_audit

        print_audit(found, _console())
        if html is not None:
            _say(f"Report: {html}")


def _check_outputs(html: str | None, json_to: str | None, inputs: Sequence[Path] = ()) -> str | None:
    """What cannot be written is said before the work, not after it; the report's own path, with its ending."""
    if json_to == "-" and sys.stdout is None:
        raise InputError("--json - writes to standard output, which is closed")
    if json_to not in {None, "-"}:
        files.check(json_to, "--json", inputs)
    if html is None:
        return None
    files.check(html, "--html", inputs)
    report = html
    if not files.through(html):
        suffix = Path(html).suffix.lower()
        if html == "-" or suffix not in {"", ".html", ".htm"}:
            raise InputError(f"--html {html!r} does not end in .html", hint="the report is one file, a page of HTML")
        if not suffix:
            report = html + ".html"
            files.check(report, "--html", inputs)
    if json_to not in {None, "-"} and (files.same(html, json_to) or files.same(report, json_to)):
        raise InputError(f"--html and --json name one file, {json_to}", hint="give each a file of its own")
    return report


def _write_json(figures: Any, target: str | None) -> None:
    if target is None:
        return
    text = json.dumps(figures, indent=1, allow_nan=False) + "\n"
    if target == "-":
        sys.stdout.write(text)
    else:
        files.write(target, text)


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    console = Console(stderr=stderr)
    return console if console.width > 0 else Console(stderr=stderr, width=80)  # COLUMNS=0


def _say(line: str, stderr: bool = False) -> None:
    """One line that holds a name or a path, whatever is in that."""
    from bitrate.report.words import clean

    _console(stderr).print(clean(line), markup=False, emoji=False, highlight=False, soft_wrap=True)


def _called_as() -> str:
    return shlex.join(["bitrate", *sys.argv[1:]])


@contextmanager
def _progress(what: str = "reading", lines: bool = False) -> Iterator[Callable[[str, float], None]]:
    """A bar on standard error for work that takes longer than a second; without a terminal silent, or in lines."""
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    console = _console(stderr=True)
    with Progress(
        TextColumn("{task.description}", markup=False), BarColumn(), TaskProgressColumn(), TimeRemainingColumn(),
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
    _hold_closed_descriptors()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        app(standalone_mode=True)
    except Interrupted as stopped:
        _leave(STOPPED, str(stopped))
    except BitrateError as error:
        error.where = " ".join(error.where.splitlines()) if error.where else None
        _leave(2, f"error: {error}")
    except SystemExit as end:  # Ctrl-C outside a query: Typer ends without a word
        _leave(end.code, "stopped" if end.code == STOPPED else "")
    except BrokenPipeError:
        _leave(1)
    except OSError as error:
        _leave(2, f"error: {error.filename or 'cannot go on'}: {error.strerror or error}")


def _hold_closed_descriptors() -> None:
    """The next file to be opened would be given the number of a closed standard stream, and get what is said there."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # open in the other direction: whoever uses it is told that it is closed
            os.open(os.devnull, os.O_RDONLY if number else os.O_WRONLY)


def _leave(status: str | int | None, message: str = "") -> NoReturn:
    """End with a message, cleaned line by line, and say it if standard output did not take all that it was given."""
    try:
        if sys.stdout:
            sys.stdout.flush()
    except OSError as error:
        _discard(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            status, message = 2, message or f"error: standard output: {error.strerror or error}"
    if message and sys.stderr:
        from bitrate.report.words import clean

        try:
            print("\n".join(map(clean, message.split("\n"))), file=sys.stderr, flush=True)
        except OSError:
            _discard(sys.stderr)
    sys.exit(status)


def _discard(stream: TextIO) -> None:
    """Python flushes its streams once more at the end; what is left in this one goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


if __name__ == "__main__":
    main()
