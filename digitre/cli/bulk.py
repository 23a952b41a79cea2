"""`digitre bulk`: read any number of pictures into Parquet files, on one machine or a cluster."""

from __future__ import annotations

import importlib.util
import json
import math
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from digitre.cli import settings, terminal
from digitre.cli.read import threshold_option

if TYPE_CHECKING:
    from digitre.bulk.run import State

FAILED = 3  # the exit status if parts failed after their retries
STOPPED = 130  # the exit status after Ctrl-C


@click.command()
@click.argument("source")
@click.argument("out")
@click.option(
    "--workers",
    type=click.IntRange(1),
    metavar="N",
    help="Worker processes on this machine. [default: one per core]",
)
@click.option("--cluster", metavar="ADDRESS", help="Use the Dask scheduler at tcp://HOST:PORT.")
@click.option("--no-cluster", "here", is_flag=True, help="Read in this one process, without Dask.")
@click.option(
    "--part",
    type=click.IntRange(1, 1_000_000),
    metavar="N",
    help="Pictures in a part. [default: 10000, or fewer if there are few pictures]",
)
@click.option("--number", is_flag=True, help="Read numbers of several digits.")
@threshold_option
@click.option(
    "--model",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="LiteRT file of the network. [default: the one that is served]",
)
@click.option(
    "--retries",
    type=click.IntRange(0, 20),
    default=3,
    show_default=True,
    help="How often a part is tried again if a store does not answer.",
)
@click.option("--columns", metavar="NAME,...", help="Write these columns only. [default: all]")
@click.option("--new", is_flag=True, help="Remove what an earlier run wrote to OUT, and begin.")
@click.option("--dry-run", is_flag=True, help="Say what would be read, and write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
def bulk(source: str, out: str, as_json: bool, dry_run: bool, **options: Any) -> None:
    """Read the pictures of SOURCE into Parquet files in OUT.

    SOURCE is a folder, a glob, a Parquet or CSV list of paths, Parquet with a column of pictures, a tar or
    zip archive, - for a list of paths on standard input, or an address such as s3://bucket/folder. OUT is a
    folder or such an address. The same command again goes on where it stopped.

    `digitre bulk status OUT` says how far a run is. The exit status is 3 if parts failed after
    their retries, and 130 after Ctrl-C.

    Example: digitre bulk scans/ readings/
    """
    if math.isnan(options["threshold"]):
        raise click.BadParameter("it must be between 0 and 1", param_hint="--threshold")
    if options["here"] and (options["cluster"] or options["workers"]):
        raise click.UsageError("--no-cluster cannot be combined with --cluster or --workers")
    if options["cluster"] and options["workers"]:
        raise click.UsageError("--cluster cannot be combined with --workers: it has its own")
    _require("pyarrow", "fsspec", *([] if options["here"] else ["distributed"]))
    with _errors_in_one_line():
        if source == "status":
            _status(out, as_json)
        elif dry_run:
            _dry_run(source)
        else:
            _run(source, out, as_json, **options)


def _require(*modules: str) -> None:
    for module in modules:
        if importlib.util.find_spec(module) is None:  # importing Dask takes half a second
            hint = terminal.how_to_install("bulk")
            raise click.ClickException(f"digitre bulk needs {module}: {hint}")


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    from digitre.bulk.engines import EngineError

    try:
        yield
    except EngineError as error:
        again = "what is done is kept: the same command again goes on from there"
        raise click.ClickException(f"{error}; {again}") from None
    except ImportError as error:  # fsspec's: it names the package for an address
        raise click.ClickException(str(error)) from None
    except (OSError, ValueError) as error:
        raise click.ClickException(" ".join(str(error).split())) from None


def _dry_run(source: str) -> None:
    from digitre.bulk.sources import entries

    found = entries(source)
    for entry in islice(found, 3):
        click.echo(entry.path)
    more = sum(1 for _ in found)
    if more:
        click.echo(f"and {more:,} more")


def _status(out: str, as_json: bool) -> None:
    from digitre.bulk import run

    state = run.status(out)
    if state is None:
        raise click.ClickException(f"there is no run in {out}")
    _print(state, as_json)


def _run(
    source: str,
    out: str,
    as_json: bool,
    *,
    model: Path | None,
    columns: str | None,
    workers: int | None,
    cluster: str | None,
    here: bool,
    **options: Any,
) -> None:
    from digitre import registry
    from digitre.bulk import run

    chosen = tuple(columns.split(",")) if columns else ()
    network = model or registry.network_file(settings())
    job = run.prepare(source, out, network, columns=chosen, **options)
    terminal.detail(f"{job.pictures:,} pictures in {job.parts:,} parts; network {network}")
    with _progress(job.pictures) as (begun, watch), _stopping() as stop:
        state = run.run(
            job,
            workers=workers or _cores(),
            cluster=cluster,
            here=here,
            stop=stop,
            begun=begun,
            watch=watch,
        )
    _print(state, as_json)
    for number, error in sorted(state.failed.items())[:10]:
        click.secho(f"part {number}: {error}", err=True, fg="red")
    if state.failed:
        terminal.note(f"{len(state.failed):,} parts failed: the same command again tries only them")
        raise SystemExit(FAILED)
    if not state.finished:
        terminal.note("stopped: the same command again goes on from here")
        raise SystemExit(STOPPED)


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def _progress(pictures: int) -> Iterator[tuple[Any, Any]]:
    """A bar with the rate, the time left, and how many were refused or had an error."""

    def words(state: State | None) -> str:
        if state is None or not state.seconds:
            return ""
        counts = state.counts
        rate = f"{state.new / state.seconds:,.0f}/s"
        return f"{rate}, {counts['refused']:,} refused, {counts['errors']:,} errors"

    with terminal.progress(pictures, "reading", words, among_rows=True) as bar:
        yield (
            lambda state: bar.update(state.counts["pictures"], state),
            lambda done, state: bar.update((done.counts or {}).get("pictures", 0), state),
        )


@contextmanager
def _stopping() -> Iterator[threading.Event]:
    """An event that the first Ctrl-C sets; the second one ends the command at once."""
    stop = threading.Event()

    def first(*_: Any) -> None:
        stop.set()
        terminal.note("\nfinishing the parts that are begun; Ctrl-C again stops at once")
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, first)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


def _print(state: State, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(state.to_dict(), indent=1))
        return
    counts, job = state.counts, state.job
    click.echo(
        f"{counts['pictures']:,} of {job.pictures:,} pictures: {counts['read']:,} read, "
        f"{counts['refused']:,} refused, {counts['errors']:,} errors"
    )
    if state.new:
        rate = state.new / state.seconds
        terminal.note(
            f"{state.done:,} of {job.parts:,} parts in {job.out}, {rate:,.0f} pictures a second"
        )
    else:
        terminal.note(f"{state.done:,} of {job.parts:,} parts in {job.out}")
