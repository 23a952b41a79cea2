"""Load test: a hundred thousand good, bad and costly requests, saves among them, and what the costliest pictures cost.

`make soak` runs it for some minutes and writes the results into docs/errors.md. wrk sends the requests
to a real gunicorn and nginx with the shipped configuration, on this machine only.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import numpy as np
from bad_inputs import CASES, PAGE, SEVEN
from conftest import data_url, gunicorn, need, workers
from costly import COSTLY, unpacking_memory
from sites import serve
from web.test_costs import WORST

from digitre import create_app

BEGIN, END = "<!-- soak -->\n", "<!-- end of soak -->\n"

# A thread has one connection and sends one request at a time, so the order of the answers tells which
# request each belongs to. Before it starts, wrk takes one request from its first thread and never sends
# it. At the end it calls `done`.
SCRIPT = """
local threads = {}
function setup(thread) thread:set("number", #threads); table.insert(threads, thread) end
function init()
  requests, statuses, order, costly, saves, saved = {}, {}, {}, {}, {}, 0
  answered, wrong, broken, unsent = 0, 0, 0, number == 0
  math.randomseed(number + SEED)
  for line in io.lines(FOLDER .. "/index") do
    local name, method, path, kind, status = line:match("^(.-)\\t(.-)\\t(.-)\\t(.-)\\t(.-)$")
    local file = io.open(FOLDER .. "/" .. name, "rb")
    local headers = {["Host"] = "localhost"}
    if kind ~= "" then headers["Content-Type"] = kind end
    local body = file:read("*a")
    requests[#requests + 1] = wrk.format(method, path, headers, body)
    if path == "/_save_drawing" then saves[#requests] = {path = path, headers = headers, body = body} end
    statuses[#statuses + 1] = tonumber(status)
    if name:find("costly") then costly[#costly + 1] = #requests end
    file:close()
  end
end
function request()
  local chosen = math.random(#requests - #costly)
  if math.random() < SHARE then chosen = costly[math.random(#costly)] end
  if unsent then unsent = false else order[#order + 1] = chosen end
  local save = saves[chosen]
  if not save then return requests[chosen] end
  saved = saved + 1
  local writer = string.format("%s-%d-%d", WRITERS, number, saved)
  return wrk.format("POST", save.path, save.headers, (save.body:gsub("WRITER", writer)))
end
function response(status)
  answered = answered + 1
  if status ~= statuses[order[answered]] then wrong = wrong + 1 end
  if status >= 500 then broken = broken + 1 end
end
function done(summary)
  local sums = {answered = 0, wrong = 0, broken = 0}
  for _, thread in ipairs(threads) do
    for name in pairs(sums) do sums[name] = sums[name] + thread:get(name) end
  end
  local lost = summary.errors
  io.write(string.format("\\n%d %d %d %d", sums.answered, sums.wrong, sums.broken,
    lost.connect + lost.read + lost.write + lost.timeout))
end
"""
SHARE = 0.003  # of the requests, which the costliest pictures are: at up to a second each they take most of the time
EVERYTHING = "/_get_digit?steps=1&explain=1"  # all that a request may ask for
URL = data_url(SEVEN)
SAVE = json.dumps({"digit": URL, "label": 7, "writer": "WRITER"})  # each writer's is a new one
# Good requests besides those of the table: the address, the body and the status.
OTHERS = (
    ("/_get_number", json.dumps({"digit": URL}), 200),
    ("/_get_digits", json.dumps([URL] * 64), 200),
    ("/_compare", json.dumps({"digit": URL}), 200),
    ("/_save_drawing", SAVE, 201),
)
RUN = 10  # seconds per run of wrk, which takes a duration, not a number of requests


def write_requests(folder: Path) -> int:
    """Write the cases as files for wrk, and return how many.

    Good requests are repeated until they are about as many as the bad ones. The costliest come last.
    """
    lines = []
    good = [case for case in CASES.values() if case.status == 200]
    # A body over the limit closes its connection, and wrk would lose count of the answers.
    bad = [c for c in CASES.values() if c.status != 200 and len(c.body) < 5_000_000]
    times = max(1, len(bad) // len(good))
    for number, case in enumerate(bad + good * times):
        body = case.body.encode() if isinstance(case.body, str) else case.body
        options = {"method": "POST", "path": "/_get_digit", "content_type": ""} | case.options
        path = options["path"]
        if "query_string" in options:
            path += f"?{options['query_string']}"
        (folder / str(number)).write_bytes(body)
        content_type = options["content_type"]
        lines.append(f"{number}\t{options['method']}\t{path}\t{content_type}\t{case.status}\n")
    for path, content, status in OTHERS:
        name = path.rsplit("/", 1)[1]
        (folder / name).write_text(content)
        lines.append(f"{name}\tPOST\t{path}\tapplication/json\t{status}\n")
    client = create_app({"METRICS": False, "SAVING": False}).test_client()
    for number, name in enumerate(WORST):
        body = COSTLY[name]()
        status = client.post(EVERYTHING, data=body).status_code  # a 400 can be the right answer
        (folder / f"costly-{number}").write_bytes(body)
        lines.append(f"costly-{number}\tPOST\t{EVERYTHING}\t\t{status}\n")
    (folder / "index").write_text("".join(lines))
    return len(lines)


def memory(process: int) -> float:
    """The resident memory of a process, in MB. Raises ValueError if the system does not tell."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"/proc does not tell the memory of process {process}")


def at_rest(process: int) -> float:
    """The memory of a worker once it has nothing to do: wrk stops while its last requests are under way."""
    least = memory(process)
    for _ in range(30):
        time.sleep(0.1)
        least = min(least, memory(process))
    return least


def rests(address: str, folder: Path, processes: list[int]) -> list[tuple[float, int]]:
    """The memory and the open file handles of each worker: the least of three times at rest.

    Between them is a short load: at rest, a worker's memory goes up and down by some 6 MB, with no trend.
    """
    found = []
    for _ in range(3):
        load(address, folder, 1000)
        found.append([(at_rest(p), len(os.listdir(f"/proc/{p}/fd"))) for p in processes])
    return [min(each) for each in zip(*found, strict=True)]


def load(address: str, folder: Path, count: int) -> dict[str, int]:
    """Send at least this many requests over two connections, and count the answers by kind."""
    sums = np.zeros(4, int)
    script = folder / "load.lua"
    while sums[0] < count:
        constants = f'FOLDER = "{folder}"\nSEED = {sums[0]}\nSHARE = {SHARE}\n'
        constants += f'WRITERS = "{secrets.token_hex(4)}"\n'
        script.write_text(constants + SCRIPT)
        ran = subprocess.run(
            [need("wrk"), "-t2", "-c2", f"-d{RUN}", "--timeout", "20s", "-s", str(script), address],
            capture_output=True,
            text=True,
            check=True,
            timeout=RUN + 60,
        )
        sums += np.array(ran.stdout.rsplit("\n", 1)[1].split(), int)
    return dict(zip(("answered", "wrong", "broken", "lost"), sums.tolist(), strict=True))


PARTS = 4  # of the load: between them, the workers rest
MAX_GROWTH = 5  # MB that a worker's memory may grow by, from the first parts to the last two


def soak(count: int) -> tuple[str, bool]:
    """Send the load through nginx. Returns a table in Markdown, and whether all results are good."""
    with tempfile.TemporaryDirectory() as root:
        folder, uploads = Path(root) / "requests", Path(root) / "tmp"
        folder.mkdir()
        uploads.mkdir()
        kinds = write_requests(folder)
        log = Path(root) / "log"
        options = {
            "WEB_CONCURRENCY": "2",
            "TMPDIR": str(uploads),
            "DIGITRE_INSTANCE": str(Path(root) / "instance"),
            "DIGITRE_SAVES_A_DAY_PER_ADDRESS": "0",
            "DIGITRE_MAX_DRAWINGS": "1000000",
        }
        nginx = Path(root) / "nginx"
        nginx.mkdir()
        with (
            gunicorn(log, "--config", "deploy/gunicorn.conf.py", **options) as behind,
            serve(nginx, behind) as site,
        ):
            address = site.http
            load(address, folder, min(5000, count))  # warm up: some things are loaded only once
            processes = workers(log)
            found = [rests(address, folder, processes)]
            result: Counter[str] = Counter()
            took = 0.0
            for _ in range(PARTS):
                started = time.monotonic()
                result.update(load(address, folder, count // PARTS))
                took += time.monotonic() - started
                found.append(rests(address, folder, processes))
            memories, handles = np.moveaxis(np.array(found), -1, 0)
            left = len(list(uploads.rglob("*")))
            assert workers(log) == processes, "a worker has died"
        rows = [
            ("Requests, and kinds of requests", f"{result['answered']:,}, {kinds}"),
            ("Answers with another status than in the table", f"{result['wrong']}"),
            ("Answers of 500 or over", f"{result['broken']}"),
            ("Connections lost or timed out", f"{result['lost']}"),
            ("Requests per second with two workers", f"{result['answered'] / took:.0f}"),
            ("Memory per worker before, MB", ", ".join(f"{each:.1f}" for each in memories[0])),
            *(
                (f"After {k} of {PARTS} parts", ", ".join(f"{each:.1f}" for each in row))
                for k, row in enumerate(memories[1:], 1)
            ),
            ("Open file handles before", ", ".join(f"{each:.0f}" for each in handles[0])),
            ("Open file handles after", ", ".join(f"{each:.0f}" for each in handles[-1])),
            ("Temporary files left", str(left)),
        ]
    passed = not (result["wrong"] or result["broken"] or result["lost"] or left)
    # A leak grows with each part. The least of several is what a worker needs, without what it holds for a while.
    grown = memories[-2:].min(0) - memories[:-2].min(0)
    passed = passed and grown.max() < MAX_GROWTH and bool((handles[-1] <= handles[0]).all())
    table = "".join(f"| {name} | {value} |\n" for name, value in rows)
    return "| | |\n| --- | ---: |\n" + table, passed


def costliest() -> str:
    """Time each costly picture, and measure the peak memory of a worker: a table in Markdown."""
    rows = []
    with tempfile.TemporaryDirectory() as root:
        log = Path(root) / "log"
        options = {"WEB_CONCURRENCY": "1"}
        with gunicorn(log, "--config", "deploy/gunicorn.conf.py", **options) as address:
            (process,) = workers(log)
            ask(address, SEVEN)  # loads what is loaded once
            base = memory(process)
            for name, make in COSTLY.items():
                body = make()
                costs = [cost(address, process, body) for _ in range(3)]
                least, peak = min(costs)[0], max(high for _, high in costs)
                size = f"{len(body) / 1024:,.0f}"
                row = f"| {name} | {size} | {least:.2f} | {peak - base:.0f} |\n"
                rows.append((least, row))
    head = "| Picture | KB | s | MB more while reading |\n| --- | ---: | ---: | ---: |\n"
    return head + "".join(row for _, row in sorted(rows)[::-1])


def ask(address: str, body: bytes) -> None:
    """Read a picture with all that a request may ask for; what is too damaged is refused."""
    try:
        urllib.request.urlopen(f"{address}{EVERYTHING}", body, timeout=60).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code != 400:
            raise


def cost(address: str, process: int, body: bytes) -> tuple[float, float]:
    """The processor time of a worker for a request, in seconds, and its memory at the peak, in MB."""
    Path(f"/proc/{process}/clear_refs").write_text("5")  # forget the peak
    began = processor_time(process)
    ask(address, body)
    status = Path(f"/proc/{process}/status").read_text()
    high = int(status.partition("VmHWM:")[2].split()[0]) / 1024
    return processor_time(process) - began, high + unpacking_memory(body)


def processor_time(process: int) -> float:
    """The seconds that a process, and those that it started and that have ended, have used the processor."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument(
        "--write", action="store_true", help="write the results into docs/errors.md"
    )
    options = parser.parse_args()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    table, passed = soak(options.requests)
    report = f"On {machine}.\n\n{costliest()}\n{table}"
    print(report)
    if options.write:
        head, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(head + BEGIN + "\n" + report + END + rest.partition(END)[2])
    if not passed:
        print("some results are not good: see the table", file=sys.stderr)
    return int(not passed)


if __name__ == "__main__":
    sys.exit(main())
