"""Compare gunicorn's kinds of worker behind nginx: the reason for the shipped settings.

`python -m benchmarks.workers` takes some three minutes: five rounds of each kind in turn. Ratios
compare kinds within the same round.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import servers

ROUNDS, SECONDS = 5, 3
CORES = os.cpu_count() or 1
SHIPPED = "digitre.serving.worker.WholeAnswers"
NGINX = servers.ROOT / "benchmarks" / "nginx.conf"


@dataclass(frozen=True)
class Kind:
    """A kind of worker.

    Attributes:
        name: the name to print.
        worker: gunicorn's worker class.
        workers: the number of workers.
        threads: the number of threads per worker.
        keep: whether nginx keeps its connections open.
    """

    name: str
    worker: str
    workers: int
    threads: int = 1
    keep: bool = False


KINDS = [
    Kind("sync, one per core (shipped)", SHIPPED, CORES),
    Kind("gunicorn's own sync, one per core", "sync", CORES),
    Kind("sync, two per core", SHIPPED, 2 * CORES),
    Kind("gthread, one per core, 1 thread, kept alive", "gthread", CORES, 1, True),
    Kind("gthread, one per core, 4 threads, kept alive", "gthread", CORES, 4, True),
    Kind("gthread, one per core, 4 threads, closed each time", "gthread", CORES, 4),
    Kind("gthread, one worker, 4 threads, kept alive", "gthread", 1, 4, True),
]


def commands(folder: Path, kind: Kind, port: int) -> list[list[str]]:
    """The commands that start gunicorn and nginx, with all their files in `folder`."""
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        raise RuntimeError("nginx is not installed: apt install nginx")
    keep = "keepalive 16;" if kind.keep else ""
    (folder / "nginx.conf").write_text(
        NGINX.read_text().format(folder=folder, port=port, keep=keep)
    )
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py"]
    gunicorn += ["--worker-class", kind.worker, "--workers", str(kind.workers)]
    gunicorn += ["--threads", str(kind.threads), "--bind", f"unix:{folder}/gunicorn.sock"]
    # nginx must be the one that closes a connection: gunicorn would lose a request.
    gunicorn += ["--keep-alive", "75", "wsgi:app"]
    return [gunicorn, [nginx, "-c", str(folder / "nginx.conf")]]


@contextmanager
def serving(folder: Path, kind: Kind) -> Iterator[servers.Server]:
    """Run nginx in front of gunicorn."""
    folder.mkdir()
    port = servers.free_port()
    address = f"http://127.0.0.1:{port}"
    log = folder / "log"
    with log.open("wb") as out, ExitStack() as stack:
        running = []
        for command in commands(folder, kind, port):
            process = subprocess.Popen(command, cwd=servers.ROOT, stdout=out, stderr=out)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            running.append(process)
        request = urllib.request.Request(f"{address}/readyz")
        first = servers.wait_for_answer(request, running, log)
        yield servers.Server(address, (), first)


def measure(kinds: list[Kind], rounds: int, seconds: float) -> dict[str, list[servers.Load]]:
    """Each kind's loads, one for each round."""
    loads: dict[str, list[servers.Load]] = {kind.name: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # nginx's workers may run as another user
        for turn in range(rounds):
            for index, kind in enumerate(kinds):
                with serving(folder / f"{turn}-{index}", kind) as server:
                    servers.load(server, "page", 1, connections=8)
                    loads[kind.name].append(servers.load(server, "page", seconds, connections=8))
    return loads


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--short", action="store_true", help="two kinds, one round: for the tests")
    short = parser.parse_args().short
    loads = measure(KINDS[::4], 1, 1) if short else measure(KINDS, ROUNDS, SECONDS)
    first = [load.rate for load in loads[KINDS[0].name]]
    print(f"{CORES} cores, 8 connections, what the page sends, through nginx on the same cores")
    print(f"{'':52} requests/s   p99, ms   over the shipped (lowest to highest)")
    for name, rounds in loads.items():
        rates = [load.rate for load in rounds]
        p99 = statistics.median(load.p99 for load in rounds)
        ratios = [a / b for a, b in zip(rates, first, strict=True)]
        print(
            f"{name:52} {statistics.median(rates):10.0f} {p99:9.1f}"
            f"   {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
