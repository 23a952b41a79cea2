"""Who reads the parts: this process, or the workers of a Dask cluster."""

from __future__ import annotations

import errno
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from digitre.bulk.job import Job
from digitre.bulk.parts import Counts, OtherVersionError, write_part

DEATHS = 3  # a part that has killed its worker so often is read again picture by picture
PATIENCE = 30  # seconds to find a scheduler and its workers
# How a cluster on this machine differs from Dask's defaults. What Dask does many times a second takes time from reading.
DASK = {
    "distributed.scheduler.allowed-failures": DEATHS - 1,
    "distributed.comm.timeouts.connect": f"{PATIENCE}s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",  # no warnings about a busy machine
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.worker.memory.target": False,  # a worker keeps no results
    "distributed.worker.memory.spill": False,
    "distributed.worker.profile.enabled": False,
    # Dask lets each worker give freed memory back at once; the next picture would have to get it again.
    "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": None,
}
# Ctrl-C reaches all processes of a terminal: the client decides what is finished.
_QUIET = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)"


class Done(NamedTuple):
    """What came of a part: its counts, or why it was not written."""

    number: int
    counts: Counts | None
    error: str = ""


class EngineError(RuntimeError):
    """The run cannot go on: the cluster is gone or unfit, or the disk is full."""


def in_this_process(job: Job, numbers: Iterable[int], stop: threading.Event) -> Iterator[Done]:
    """Read parts one after the other, until `stop` is set.

    Raises:
        EngineError: if the disk is full.
    """
    for number in numbers:
        if stop.is_set():
            return
        try:
            yield Done(number, write_part(job, number))
        except Exception as error:  # of this part; the next one may do
            yield _failed(job, number, error)


@contextmanager
def local_cluster(workers: int) -> Iterator[Any]:
    """A client of a scheduler and of worker processes on this machine, which end with it."""
    import dask
    from distributed import Client, LocalCluster

    with (
        dask.config.set(DASK),
        LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",  # without Bokeh it shows nothing
            silence_logs=50,  # a worker that dies is in the summary
            preload=[_QUIET],
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


@contextmanager
def running_cluster(address: str) -> Iterator[Any]:
    """A client of a scheduler that runs, with one worker at least.

    Raises:
        EngineError: if there is none.
    """
    from distributed import Client

    try:
        client = Client(address, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise EngineError(f"there is no scheduler at {address}: {error}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise EngineError(f"the scheduler at {address} has no workers") from None
        yield client


def on_dask(client: Any, job: Job, numbers: Iterable[int], stop: threading.Event) -> Iterator[Done]:
    """Read parts on a cluster, as many at a time as it has threads, until `stop` is set.

    A worker that dies takes no part with it: another one reads it.

    Raises:
        EngineError: if the scheduler is gone, the workers lack a package, or the disk is full.
    """
    from distributed import as_completed

    run = uuid.uuid4().hex[:8]
    waiting = iter(numbers)
    futures: dict[str, int] = {}
    queue = as_completed()

    def submit(number: int, alone: bool = False) -> None:
        key = f"digitre-{'alone' if alone else 'part'}-{run}-{number}"
        future = client.submit(write_part, job, number, alone=alone, key=key, pure=False)
        futures[key] = number
        queue.add(future)

    def fill() -> None:
        # A scheduler of millions of tasks would choke: it only gets what its workers can begin.
        threads = sum(client.nthreads().values()) or 1
        while len(futures) < threads and not stop.is_set():
            number = next(waiting, None)
            if number is None:
                return
            submit(number)

    try:
        fill()
        while futures:
            future = next(queue)
            number = futures.pop(future.key)
            done, killed = _outcome(job, number, future)
            if killed and "-alone-" not in future.key:
                submit(number, alone=True)
            else:
                yield done
            fill()
    except OSError as error:  # of the connection; a part's own are caught
        raise EngineError(f"the scheduler does not answer any more: {error}") from None


def _outcome(job: Job, number: int, future: Any) -> tuple[Done, bool]:
    """What came of a task, and whether it killed its workers."""
    from distributed import KilledWorker
    from distributed.client import FutureCancelledError

    try:
        return Done(number, future.result()), False
    except KilledWorker:
        return Done(number, None, "it kills its worker"), True
    except FutureCancelledError:
        raise EngineError("the scheduler is gone") from None
    except Exception as error:  # raised on the worker, of any type
        return _failed(job, number, error), False


def _failed(job: Job, number: int, error: Exception) -> Done:
    """A part that failed. What would fail each part ends the run."""
    if getattr(error, "errno", None) == errno.ENOSPC:
        raise EngineError(f"the disk of {job.out} is full") from None
    if isinstance(error, ImportError):
        raise EngineError(f"a worker lacks a package: {error}") from None
    if isinstance(error, OtherVersionError):
        raise EngineError(f"a worker does not fit: {error}") from None
    return Done(number, None, f"{type(error).__name__}: {' '.join(str(error).split())}")
