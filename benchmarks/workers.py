"""gunicorn's kinds of worker behind nginx, with keep-alive and without: what the shipped settings rest on.

`python -m benchmarks.workers`, some three minutes. Each kind in turn, five rounds; a ratio is taken
within its round.
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
from pathlib import Path

from benchmarks import servers

ROUNDS, SECONDS = 5, 3
CORES = os.cpu_count() or 1
SHIPPED = "digitre.serving.worker.WholeAnswers"
# Name, worker class, workers, threads of each, whether nginx keeps its connections.
KINDS = [
    ("sync, one a core (shipped)", SHIPPED, CORES, 1, False),
    ("gunicorn's own sync, one a core", "sync", CORES, 1, False),
    ("sync, two a core", SHIPPED, 2 * CORES, 1, False),
    ("gthread, one a core of 1 thread, kept alive", "gthread", CORES, 1, True),
    ("gthread, one a core of 4 threads, kept alive", "gthread", CORES, 4, True),
    ("gthread, one a core of 4 threads, closed each time", "gthread", CORES, 4, False),
    ("gthread, one worker of 4 threads, kept alive", "gthread", 1, 4, True),
]
# Threads keep a connection for as long as nginx does: whoever closes first must be nginx.
GUNICORN = """
exec(open("deploy/gunicorn.conf.py").read())
worker_class, workers, threads, bind, keepalive = {worker!r}, {workers}, {threads}, "unix:{socket}", 75
"""
NGINX = """
daemon off; pid {folder}/nginx.pid; error_log stderr error; worker_processes 1;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_buffer_size 64k;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
    upstream digitre {{ server unix:{folder}/gunicorn.sock; {keep} }}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass http://digitre; proxy_http_version 1.1; proxy_set_header Connection "";
        }}
    }}
}}
"""


@contextmanager
def serving(
    folder: Path, worker: str, workers: int, threads: int, keep: bool
) -> Iterator[servers.Server]:
    """nginx before gunicorn, both with files in `folder` alone; ended at the end."""
    folder.mkdir()
    port = servers.free_port()
    at = folder / "gunicorn.sock"
    (folder / "gunicorn.conf.py").write_text(
        GUNICORN.format(worker=worker, workers=workers, threads=threads, socket=at)
    )
    (folder / "nginx.conf").write_text(
        NGINX.format(folder=folder, port=port, keep="keepalive 16;" if keep else "")
    )
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is None:
        raise RuntimeError("nginx is not installed: apt install nginx")
    address = f"http://127.0.0.1:{port}"
    gunicorn = [sys.executable, "-m", "gunicorn", "-c", str(folder / "gunicorn.conf.py")]
    log = folder / "log"
    with log.open("wb") as out, ExitStack() as stack:
        running = []
        for command in ([*gunicorn, "wsgi:app"], [nginx, "-c", str(folder / "nginx.conf")]):
            process = subprocess.Popen(command, cwd=servers.ROOT, stdout=out, stderr=out)
            stack.callback(process.wait, 30)
            stack.callback(process.terminate)
            running.append(process)
        first = servers.answered(urllib.request.Request(f"{address}/readyz"), running, log)
        yield servers.Server(address, (), first)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--short", action="store_true", help="two of the kinds, once: for the tests"
    )
    short = parser.parse_args().short
    kinds, rounds, seconds = (KINDS[::4], 1, 1) if short else (KINDS, ROUNDS, SECONDS)
    rates: dict[str, list[float]] = {kind[0]: [] for kind in kinds}
    p99: dict[str, list[float]] = {kind[0]: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        folder.chmod(0o755)  # nginx's worker may be another user than root
        for turn in range(rounds):
            for index, (name, *how) in enumerate(kinds):
                with serving(folder / f"{turn}-{index}", *how) as server:
                    servers.ask(server, "page", folder, 1, connections=8)
                    load = servers.ask(server, "page", folder, seconds, connections=8)
                    rates[name].append(load.rate)
                    p99[name].append(load.p99)
    first = rates[kinds[0][0]]
    print(f"{CORES} cores, 8 connections, what the page sends, through nginx on the same cores")
    print(f"{'':52} requests/s   p99, ms   over the shipped (lowest to highest)")
    for name, values in rates.items():
        ratios = [a / b for a, b in zip(values, first, strict=True)]
        print(
            f"{name:52} {statistics.median(values):10.0f} {statistics.median(p99[name]):9.1f}"
            f"   {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
