"""A network is tried before it is served."""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

from digitre import registry
from digitre.recognition import packed
from digitre.recognition.classifier import Classifier, shipped_model
from digitre.serving.preload import preload


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that DIGITRE_MODEL names: a copy of the shipped network."""
    file = tmp_path / "mine.tflite"
    file.write_bytes(shipped_model().read_bytes())
    monkeypatch.setenv("DIGITRE_MODEL", str(file))
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "runtime"
    place.mkdir()
    return place


@pytest.fixture
def master(network: Path) -> Iterator[Executor]:
    """A fresh process: `preload` forks, which one with TensorFlow in it must not."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as process:
        yield process


def copied() -> str:
    """The copy that the environment of this process names."""
    return os.environ[registry.COPIED]


def test_workers_get_a_copy(master: Executor, network: Path, folder: Path) -> None:
    """The copy is named by the environment, has the card and the file for pages, and outlives the file it came from."""
    network.with_suffix(".json").write_text("{}")
    master.submit(preload, str(folder)).result(60)
    copy = Path(master.submit(copied).result(60))
    assert copy.parent == folder
    network.unlink()
    assert copy.read_bytes() == shipped_model().read_bytes()
    assert copy.with_suffix(".json").read_text() == "{}"
    served = Classifier(copy)
    for_pages = copy.with_name(packed.file_name(served.model))
    end = time.monotonic() + 30
    while not for_pages.is_file():  # the start does not wait for it
        assert time.monotonic() < end
        time.sleep(0.05)
    assert for_pages.read_bytes() == packed.pack(copy, served.model)


def test_a_damaged_promoted_network(
    master: Executor, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A promoted network with another hash is not taken, though LiteRT would read with it."""
    monkeypatch.delenv("DIGITRE_MODEL")
    monkeypatch.setenv("DIGITRE_MODELS", str(tmp_path / "models"))
    networks = registry.Registry(tmp_path / "models")
    networks.promote(Classifier().model)
    file = networks.current()
    master.submit(preload, str(folder)).result(60)
    content = bytearray(file.read_bytes())
    content[100_000:160_000] = bytes(60_000)
    file.write_bytes(content)
    with pytest.raises(ValueError, match="by its hash it is"):
        master.submit(preload, str(folder)).result(60)
    copy = Path(master.submit(copied).result(60))
    assert copy.read_bytes() == shipped_model().read_bytes()
    names = {path.name for path in folder.iterdir()}
    assert names == {"digitre.json", "digitre.tflite", packed.file_name(Classifier(copy).model)}


@pytest.mark.parametrize("content", [None, b"hello" * 1000, b""])
def test_a_network_that_does_not_work(
    master: Executor, network: Path, folder: Path, content: bytes | None
) -> None:
    """The error is one line that names the file, and the copy made before stays in use."""
    master.submit(preload, str(folder)).result(60)
    before = master.submit(copied).result(60)
    if content is None:
        network.unlink()
    else:
        network.write_bytes(content)
    with pytest.raises(ValueError, match=str(network)) as raised:
        master.submit(preload, str(folder)).result(60)
    assert "\n" not in str(raised.value)
    assert master.submit(copied).result(60) == before
    assert Path(before).read_bytes() == shipped_model().read_bytes()
