"""The datasets and their split."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest

from digitre.training.data import datasets, split, world
from digitre.training.data.datasets import NO_DIGIT

PARTS = ("train", "validation", "test")


@pytest.mark.parametrize("table", [split.PEN_WRITERS, split.UNIPEN_SITES, split.SYMBOL_CLASSES])
def test_parts_share_no_writer_site_or_class(table) -> None:
    """Each writer, site and class is in one part only."""
    members = [member for part in PARTS for member in table[part]]
    assert len(members) == len(set(members))


def test_missing_datasets_are_empty_and_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DIGITRE_DATA nothing fails: each missing dataset is listed with where to get it."""
    monkeypatch.delenv("DIGITRE_DATA", raising=False)
    assert len(datasets.missing()) == len(datasets.SOURCES) == 11
    assert all("http" in line for line in datasets.missing())
    assert len(datasets.pen_digits("train")) == 0
    assert len(datasets.unipen_others("train")) == 0
    assert datasets.symbols("train").shape == (0, 32, 32)
    assert len(world.strangers("train")) == len(world.scripts("test")) == 0
    assert world.runs("train") == []
    assert datasets.hashes() == {}


def test_the_datasets_are_complete(real_data) -> None:
    """Every digit of the pen traces is in a part; MNIST has parts of 55,000, 5,000 and 10,000."""
    assert [len(datasets.mnist(part)[1]) for part in PARTS] == [55_000, 5_000, 10_000]
    assert sum(len(datasets.pen_digits(part)) for part in PARTS) == 7_494
    for part in PARTS:
        assert set(datasets.pen_digits(part).labels) == set(range(10))
        assert set(datasets.unipen_digits(part).labels) == set(range(10))
        assert set(datasets.unipen_others(part).labels) == {NO_DIGIT}
    assert sum(len(datasets.symbols(part)) for part in PARTS) == 1_791
    assert datasets.missing() == []


def test_pen_traces_are_parsed(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Labels, writers, strokes and points are read from the UNIPEN text format."""
    (tmp_path / "pendigits-orig.tra").write_text(
        '.HIERARCHY DIGIT\n\n.SEGMENT DIGIT 0 ? "8"\n.COMMENT 8 3 224\n.PEN_DOWN\n 267  333\n 267  336\n'
        '.PEN_UP\n.DT 100\n.PEN_DOWN\n 1 2\n.PEN_UP\n.SEGMENT DIGIT 1 ? "4"\n.COMMENT 4 27 54\n'
        ".PEN_DOWN\n 5 6\n 7 8\n.PEN_UP\n.DT 100\n"
    )
    monkeypatch.setenv("DIGITRE_DATA", str(tmp_path))
    training, test = datasets.pen_digits("train"), datasets.pen_digits("test")
    assert training.labels.tolist() == [8]
    assert [stroke.tolist() for stroke in training.strokes[0]] == [
        [[267, 333], [267, 336]],
        [[1, 2]],
    ]
    assert test.labels.tolist() == [4]
    assert [stroke.tolist() for stroke in test.strokes[0]] == [[[5, 6], [7, 8]]]


def test_look_alikes_are_left_out(real_data) -> None:
    """Letters that look like a digit, such as O and l, are left out; others, such as A, are not."""
    all_others = datasets._unipen(
        split.UNIPEN_SITES["train"], lambda labels, category: category != "1a"
    )
    assert len(datasets.unipen_others("train")) < 0.9 * len(all_others)
    for sign in "OolIS|/":
        assert sign in split.LOOK_ALIKES
    for sign in "AKMWaemx#":
        assert sign not in split.LOOK_ALIKES


def test_the_archive_has_the_points_of_the_original_files(real_data) -> None:
    """The points of a site's digits are those of UNIPEN's own files."""
    digits = datasets.unipen_digits("test")
    with tarfile.open(real_data / "unipen-sample.tar.gz") as sample:
        names = [name for name in sample.getnames() if "uqb" in name and "/data/" in f"/{name}"]
        raw = b"".join(
            file.read() for name in names if (file := sample.extractfile(name)) is not None
        )
    points = set()
    for line in io.BytesIO(raw):
        words = line.split()
        if len(words) >= 2 and words[0].lstrip(b"-").replace(b".", b"").isdigit():
            points.add((float(words[0]), float(words[1])))
    matches = [
        all(tuple(map(float, point)) in points for point in np.concatenate(strokes).tolist())
        for strokes in digits.strokes
    ]
    assert 500 < sum(matches) < len(matches), "598 digits of the two test sites are from uqb"
