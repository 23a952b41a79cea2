"""`digitre doctor`: what is installed, what works, what is missing, and how to get it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from digitre import __version__, config, registry
from digitre.cli import serve, terminal
from digitre.recognition.classifier import Classifier
from digitre.serving import listening

COLOURS = {"ok": "green", "missing": "yellow", "wrong": "red"}
PATIENCE = 3  # seconds to wait for a database
# Each extra, what it is for, and the modules that it brings.
EXTRAS = {
    "train": ("to train and measure networks", ("tensorflow", "keras", "sklearn", "HersheyFonts")),
    "plot": ("for digitre read --plot", ("matplotlib",)),
    "postgres": ("for drawings in PostgreSQL", ("psycopg",)),
    "bulk": ("for digitre bulk", ("dask", "distributed", "pyarrow", "fsspec")),
    "jax": ("to train with several processes", ("jax",)),
}


@dataclass(frozen=True)
class Check:
    """What was found.

    Attributes:
        name: what was looked at.
        state: "ok"; "missing", if something else works without it; or "wrong".
        found: what there is.
        help: what to do about it, a line each.
    """

    name: str
    state: str
    found: str
    help: tuple[str, ...] = ()


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print the checks as JSON.")
def doctor(as_json: bool) -> None:
    """Say what is installed, what works, what is missing, and how to get it.

    It looks at the packages, the settings, the network, the data for training, the database of
    drawings and the port. It changes nothing. The exit status is 1 if something is wrong; what is only
    missing is needed for training or for an option.

    Example: digitre doctor
    """
    checks = list(_all_checks())
    if as_json:
        click.echo(json.dumps([asdict(each) for each in checks], indent=1))
    else:
        for each in checks:
            state = click.style(f"{each.state:8}", fg=COLOURS[each.state])
            click.echo(f"{state} {each.name:9} {each.found}")
            for line in each.help:
                click.echo(f"{'':18} -> {line}")
    if any(each.state == "wrong" for each in checks):
        raise SystemExit(1)


def _all_checks() -> Iterator[Check]:
    yield _digitre()
    yield _packages()
    yield from map(_extra, EXTRAS)
    yield _data()
    try:
        settings = config.load()
    except ValueError as error:
        yield Check("settings", "wrong", str(error))
        return
    yield _settings()
    checks: dict[str, Callable[[dict[str, Any]], Check]] = {
        "network": _network,
        "folder": _folder,
        "database": _database,
        "port": lambda _: _port(),
    }
    for name, check in checks.items():
        try:
            yield check(settings)
        except Exception as error:  # any fault of an installation: to name it is what this is for
            kind = "" if isinstance(error, (OSError, ValueError)) else f"{type(error).__name__}: "
            yield Check(name, "wrong", kind + " ".join(str(error).split()))


def _digitre() -> Check:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    machine = f"{platform.system()} {platform.machine()}, {cores} cores"
    package = Path(__file__).resolve().parents[1]
    found = f"{__version__} in {package}; Python {platform.python_version()}, {machine}"
    return Check("digitre", "ok", found)


def _packages() -> Check:
    """The packages that reading and serving need, with their versions."""
    try:
        lines = importlib.metadata.requires("digitre") or []
    except importlib.metadata.PackageNotFoundError:
        command = f"{sys.executable} -m pip install {Path(__file__).resolve().parents[2]}"
        return Check("packages", "missing", "digitre itself is not installed", (command,))
    versions, missing = [], []
    for line in lines:
        name = re.split(r"[^\w.-]", line)[0]
        if "extra ==" in line:
            continue
        try:
            versions.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
    if missing:
        command = f"{sys.executable} -m pip install {' '.join(missing)}"
        return Check("packages", "wrong", f"not installed: {', '.join(missing)}", (command,))
    return Check("packages", "ok", ", ".join(versions))


def _extra(name: str) -> Check:
    purpose, modules = EXTRAS[name]
    lacking = [each for each in modules if importlib.util.find_spec(each) is None]
    if lacking:
        found = f"not installed: {', '.join(lacking)} ({purpose})"
        return Check(name, "missing", found, (terminal.how_to_install(name),))
    return Check(name, "ok", ", ".join(modules))


def _data() -> Check:
    """The data for training. Its module needs no TensorFlow."""
    from digitre.training.data import datasets

    folder, missing = datasets.folder(), tuple(datasets.missing())
    if folder is None:
        found = "DIGITRE_DATA names no folder (the data to train and measure networks)"
        return Check("data", "missing", found, ("set it to a folder with these files", *missing))
    if missing:
        return Check("data", "missing", f"{len(missing)} files are not in {folder}", missing)
    return Check("data", "ok", f"all files are in {folder}")


def _settings() -> Check:
    names = [each.variable for each in config.SETTINGS if os.environ.get(each.variable)]
    return Check("settings", "ok", f"set: {', '.join(names)}" if names else "all at their defaults")


def _network(settings: dict[str, Any]) -> Check:
    """The network that is served: whether it reads a one."""
    classifier = Classifier(registry.network_file(settings))
    one = np.zeros((28, 28), np.uint8)
    one[4:24, 13:15] = 255
    reading = classifier.read_content(one)
    began = time.perf_counter()
    classifier.read_content(one)
    seconds = time.perf_counter() - began
    found = f"{classifier.model} in {classifier.path}"
    if reading.digit != 1:
        help = (f"{terminal.program()} models rollback, or unset DIGITRE_MODEL",)
        return Check("network", "wrong", f"{found} reads a 1 as {reading.result}", help)
    return Check("network", "ok", f"{found} reads a 1 in {1000 * seconds:.1f} ms")


def _folder(settings: dict[str, Any]) -> Check:
    """The instance folder, which is made when something is to be kept."""
    folder = config.instance_folder(settings)
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not os.access(there, os.W_OK) or not there.is_dir():
        help = ("set DIGITRE_INSTANCE to a folder that you can write to",)
        return Check("folder", "wrong", f"cannot write to {there}", help)
    return Check("folder", "ok", f"{folder}{'' if there == folder else ' (made when needed)'}")


def _database(settings: dict[str, Any]) -> Check:
    from digitre.drawings.collection import Drawings, UnavailableError

    if not settings["SAVING"]:
        return Check("database", "ok", "not used: DIGITRE_SAVING=0")
    # `most`: to look must not change a database of an earlier version.
    store = Drawings(config.database_url(settings), PATIENCE, most=0)
    url = store.database.url.render_as_string(hide_password=True)
    if not store.database.exists():
        return Check("database", "ok", f"{url}: none yet, made when the first drawing is saved")
    try:
        return Check("database", "ok", f"{url}: {store.count()} drawings")
    except UnavailableError as error:
        return Check("database", "wrong", f"{url}: {error}")


def _port() -> Check:
    address = listening.address()
    page, (host, port) = serve.page_of(address), listening.split(address)
    if not port:
        return Check("port", "ok", f"the server listens on {address}")
    if serve.try_to_bind(host, port) is None:
        return Check("port", "ok", f"{port} is free: {terminal.program()} serve")
    try:
        with urllib.request.urlopen(f"{page}/healthz", timeout=PATIENCE) as answer:
            model = json.load(answer)["model"]
        return Check("port", "ok", f"Digitre answers at {page} with {model}")
    except (OSError, ValueError, KeyError, TypeError):
        help = (f"{terminal.program()} serve --port {serve.free_port(host, port)}",)
        return Check("port", "wrong", f"another program uses {port}", help)
