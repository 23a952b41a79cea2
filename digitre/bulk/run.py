"""A run from its source to its summary: begun, gone on with, or looked at."""

from __future__ import annotations

import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, Any

from digitre import __version__
from digitre.bulk import engines, job
from digitre.bulk.engines import Done, EngineError
from digitre.bulk.job import Job, Settings
from digitre.bulk.parts import counts_of
from digitre.bulk.reading import COLUMNS, NUMBER_COLUMNS, Reader, read_one
from digitre.bulk.sources import Entry, entries
from digitre.bulk.store import Store, full
from digitre.recognition.classifier import THRESHOLD, Classifier

SUMMARY = "summary.json"
COUNTS = ("pictures", "read", "refused", "errors")


class OtherRunError(ValueError):
    """The folder has a run with other settings. The message says which."""


@dataclass
class State:
    """How far a run is. What is counted is in the written parts.

    Attributes:
        job: the run.
        counts: pictures, and of these read, refused ("Huh...") and with an error.
        done: parts that are written.
        failed: by number, why a part was not written after its retries.
        finished: whether the summary is written.
        seconds: that this call took.
        new: pictures that this call read.
    """

    job: Job
    counts: Counter[str] = field(default_factory=Counter)
    done: int = 0
    failed: dict[int, str] = field(default_factory=dict)
    finished: bool = False
    seconds: float = 0.0
    new: int = 0

    def to_dict(self) -> dict[str, Any]:
        """The state as JSON; `summary.json` is one that is finished."""
        own = asdict(self.job.settings)
        return {
            "out": self.job.out,
            **own,
            "part": self.job.size,
            "parts": self.job.parts,
            "parts_done": self.done,
            "finished": self.finished,
            "pictures": self.job.pictures,
            **{name: self.counts[name] for name in COUNTS[1:]},
            "seconds": round(self.seconds, 3),
            "pictures_per_second": round(self.new / self.seconds, 1) if self.seconds else 0.0,
            "failed": {str(number): error for number, error in sorted(self.failed.items())},
        }


def prepare(
    source: str,
    out: str,
    model: str | Path | None = None,
    *,
    part: int | None = None,
    threshold: float = THRESHOLD,
    number: bool = False,
    columns: tuple[str, ...] = (),
    retries: int = 3,
    new: bool = False,
    reader: Reader = read_one,
    stdin: IO[str] | None = None,
) -> Job:
    """The run of a source: the one that its folder has, or a new one with its manifest written.

    Args:
        source: see `sources.entries`.
        out: the run's folder, or an address.
        model: the network's file; None: the shipped one.
        columns: to write, of `COLUMNS` or `NUMBER_COLUMNS`; none: all. The path is always there.
        new: remove what an earlier run wrote there.
        stdin: the list of paths for the source "-".

    Raises:
        OtherRunError: if the folder has a run with other settings, and `new` is False.
        ValueError: for a source, an address, a network or columns that cannot be used.
        OSError: if something cannot be read or written.
    """
    store = Store(out)
    classifier = Classifier(model)
    found, address = _pictures(source, stdin)
    content = classifier.path.read_bytes()
    own = Settings(
        address,
        part,
        classifier.model,
        classifier.path.name,
        hashlib.sha256(content).hexdigest(),
        threshold,
        number,
        _columns(columns, number),
        __version__,
    )
    if new:
        store.remove()
    before = job.load(store)
    if before is None:
        if store.parts():
            raise OtherRunError(f"{out} has parts, but no manifest: use another folder, or --new")
        store.write(own.network, content)
        made = job.make(store, own, found)
    elif (difference := own.differs(before.settings)) is not None:
        raise OtherRunError(
            f"{out} has another run: its {difference}; use another folder, or --new"
        )
    else:
        made = before
    return replace(made, retries=retries, reader=reader)


def _pictures(source: str, stdin: IO[str] | None) -> tuple[Iterator[Entry], str]:
    """The pictures of a source, found when they are asked for, and what it is called in the settings."""
    if source != "-":
        return entries(source), full(source)
    listed = list(entries("-", stdin))
    names = "\n".join(entry.path for entry in listed)
    return iter(listed), f"-{hashlib.sha256(names.encode()).hexdigest()[:16]}"


def _columns(chosen: tuple[str, ...], number: bool) -> tuple[str, ...]:
    known = NUMBER_COLUMNS if number else COLUMNS
    for name in chosen:
        if name not in known:
            raise ValueError(f"there is no column {name}: choose from {', '.join(known)}")
    return tuple(name for name in known if not chosen or name in chosen or name == "path")


def status(out: str) -> State | None:
    """How far the run in a folder is; None if there is none.

    Raises:
        ValueError: if its files are damaged.
        OSError: if they cannot be read.
    """
    store = Store(out)
    found = job.load(store)
    if found is None:
        return None
    finished = _finished(store, found)
    if finished is not None:
        return finished
    written = {number for number in store.parts() if number < found.parts}
    state = State(found, done=len(written))
    for counts in counts_of(store, written):
        state.counts.update(counts)
    return state


def _finished(store: Store, own: Job) -> State | None:
    content = store.read(SUMMARY)
    if content is None:
        return None
    kept = json.loads(content)
    counts = Counter({name: kept[name] for name in COUNTS})
    return State(own, counts, own.parts, finished=True, seconds=kept["seconds"])


@contextmanager
def engine(
    own: Job, *, workers: int, cluster: str | None = None, here: bool = False
) -> Iterator[Callable[[list[int], threading.Event], Iterator[Done]]]:
    """What reads parts: (their numbers, an event that stops it) to what came of each.

    Args:
        workers: processes of a cluster on this machine.
        cluster: the address of a scheduler, instead of these.
        here: read in this process, without Dask.
    """
    if here:
        yield lambda numbers, stop: engines.in_this_process(own, numbers, stop)
        return
    opened = engines.running_cluster(cluster) if cluster else engines.local_cluster(workers)
    with opened as client:
        yield lambda numbers, stop: engines.on_dask(client, own, numbers, stop)


def run(
    own: Job,
    *,
    workers: int = 1,
    cluster: str | None = None,
    here: bool = False,
    stop: threading.Event | None = None,
    begun: Callable[[State], None] = lambda state: None,
    watch: Callable[[Done, State], None] = lambda done, state: None,
) -> State:
    """Read the parts that are missing, then write the summary if none failed.

    Args:
        workers, cluster, here: as `engine` takes them.
        stop: if set, no further part is begun.
        begun: is called with the state before the first part.
        watch: is called after each part.

    Returns:
        The state at the end; `finished` if nothing is missing.

    Raises:
        EngineError: if the run cannot go on. What is written stays, and another call goes on from there.
        OSError: if the folder cannot be read or written.
    """
    stop = stop or threading.Event()
    store = Store(own.out)
    finished = _finished(store, own)
    if finished is not None:
        return finished
    began = time.monotonic()
    state = status(own.out) or State(own)
    state.job = own
    missing = sorted(set(range(own.parts)) - store.parts())
    begun(state)
    if missing:
        chosen = engine(own, workers=min(workers, len(missing)), cluster=cluster, here=here)
        with chosen as read:
            for done in read(missing, stop):
                _add(state, done)
                state.seconds = time.monotonic() - began
                watch(done, state)
    state.seconds = time.monotonic() - began
    if state.done == own.parts:
        state.finished = True
        store.remove_torn()
        content = json.dumps(state.to_dict(), indent=1) + "\n"
        store.write(SUMMARY, content.encode())
    return state


def _add(state: State, done: Done) -> None:
    if done.counts is None:
        state.failed[done.number] = done.error
        return
    state.done += 1
    state.counts.update(done.counts)
    state.new += done.counts["pictures"]


__all__ = ["EngineError", "OtherRunError", "State", "engine", "prepare", "run", "status"]
