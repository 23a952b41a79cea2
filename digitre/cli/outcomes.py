"""What the readings of many files have in common: finding the network, reading on all cores, printing."""

from __future__ import annotations

import csv
import functools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar

import click

from digitre.cli import settings, terminal
from digitre.recognition import baselines
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.decoding import PictureError

MANY = 64  # from this many files on, it pays to start a process per CPU core
CHUNK = 32  # files that a process gets at a time
OWN = "digitre"  # the name of Digitre's own network
NETWORKS = (OWN, *baselines.DEMOS)
COLUMNS = ("file", "result", "digit", "confidence", "not_a_digit", "reason", "error")
FIELDS = tuple(Reading(None, 0, (), 1, (), None, "").to_dict())  # of a reading in JSON


@dataclass(frozen=True)
class Outcome:
    """The reading of one file, or the error: its code and what to do about it."""

    file: str
    reading: Reading | None
    code: str = ""
    error: str = ""
    columns: ClassVar[tuple[str, ...]] = COLUMNS
    fields: ClassVar[tuple[str, ...]] = FIELDS

    def to_dict(self) -> dict[str, Any]:
        """A line of JSON: what the API answers, and the file. Without a reading, its fields are null."""
        if self.reading is not None:
            return {"file": self.file} | self.reading.to_dict() | {"error": None}
        error = {"code": self.code, "message": self.error}
        return {"file": self.file} | dict.fromkeys(self.fields) | {"error": error}

    def row(self) -> dict[str, Any]:
        """A line of CSV."""
        return {name: self.to_dict()[name] for name in self.columns} | {"error": self.error or None}

    def line(self, form: str) -> str:
        """The answer for a terminal: green if it is a digit, else yellow."""
        reading = self.reading
        assert reading is not None
        colour = "yellow" if reading.digit is None else "green"
        if form == "sentence":
            return click.style(sentence(reading), fg=colour)
        result = click.style(f"{reading.result:6}", fg=colour)
        return f"{result}  {100 * reading.confidence:5.1f}%  {self.file}"


def sentence(reading: Reading) -> str:
    """The answer for one image."""
    if reading.digit is None:
        return f"{reading.result} {reading.probability}"
    article = "an" if reading.digit == 8 else "a"
    return f"The number is probably {article} {reading.result} {reading.probability}"


def content_of(name: str) -> bytes | OSError:
    """The bytes of an image, or of a text with a data URL or base64."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        return error


def error_of(error: OSError) -> tuple[str, str]:
    """The code and the message for a file that cannot be opened."""
    code = "no_such_file" if isinstance(error, FileNotFoundError) else "unreadable_file"
    return code, error.strerror or str(error)


def outcome_of(
    kind: type[Outcome], name: str, content: bytes | OSError | None, read: Callable[[bytes], Any]
) -> Any:
    """What `read` makes of a file's content, or why it could not. `content` is None if it is not read yet."""
    content = content_of(name) if content is None else content
    if isinstance(content, OSError):
        return kind(name, None, *error_of(content))
    try:
        return kind(name, read(content))
    except PictureError as error:
        return kind(name, None, error.code, str(error))


@functools.cache
def network_named(network: str | None) -> Classifier:
    """The reader of this process, for the network that is served or for a demo's.

    Raises:
        click.ClickException: if the network is unknown or cannot be loaded.
    """
    from digitre import registry

    if network is not None and network not in baselines.DEMOS:
        names = ", ".join(NETWORKS)
        raise click.UsageError(f"there is no network named {network}: choose from {names}")
    try:
        if network is not None:
            classifier: Classifier = baselines.DemoClassifier(network)
        else:
            classifier = Classifier(registry.network_file(settings()))
        classifier.runner()
    except FileNotFoundError as error:
        hint = f"; train it with: {terminal.program()} baseline {network}" if network else ""
        raise click.ClickException(f"{error}{hint}") from None
    except (ValueError, OSError) as error:
        raise click.ClickException(str(error)) from None
    return classifier


def outcomes(names: list[str], reader: functools.partial) -> Iterator[Any]:
    """Read the files in their order. Many files are read on all cores, a few in memory at a time."""
    if len(names) < MANY:
        yield from map(reader, names)
        return
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    remaining = iter(names)
    with (
        ProcessPoolExecutor(cores) as processes,
        terminal.progress(len(names), "reading") as bar,
    ):
        # A window of files at a time: its rows are printed before the next window is read.
        while window := list(islice(remaining, CHUNK * 8 * (cores or 1))):
            # Only this process can read standard input.
            files = [name for name in window if name != "-"]
            read = processes.map(reader, files, chunksize=CHUNK)
            for name in window:
                yield reader(name) if name == "-" else next(read)
            bar.update(len(window))


def read_and_print(
    names: list[str], reader: functools.partial, form: str | None
) -> tuple[bool, Any, bytes]:
    """Read files and print them: as "json", "csv", or None for a sentence about one and a table of several.

    Returns:
        Whether a file could not be read. Of a single file that was read, also the reading and its
        content; else None and no bytes.
    """
    if len(names) > 1:
        return print_outcomes(outcomes(names, reader), form or "table"), None, b""
    content = content_of(names[0])
    outcome = reader(names[0], content=content)
    failed = print_outcomes([outcome], form or "sentence")
    return failed, outcome.reading, content if isinstance(content, bytes) else b""


def print_outcomes(outcomes: Iterable[Outcome], form: str) -> bool:
    """Print the readings. Returns whether a file could not be read."""
    failed = False
    table = None
    for outcome in outcomes:
        if form == "csv" and table is None:
            table = csv.DictWriter(sys.stdout, outcome.columns)
            table.writeheader()
        if outcome.reading is None:
            failed = True
            click.secho(f"{outcome.file}: {outcome.error}", err=True, fg="red")
        if table:
            table.writerow(outcome.row())
        elif form == "json":
            click.echo(json.dumps(outcome.to_dict()))
        elif outcome.reading is not None:
            click.echo(outcome.line(form))
    return failed
