"""A served file in eight bits: when it is written, and how it is compared with the trained network."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from conftest import ROOT

from digitre import Classifier
from digitre.recognition import packed
from digitre.recognition.card import Card
from digitre.recognition.classifier import NO_DIGIT
from digitre.recognition.preprocessing import preprocess
from digitre.training import eight_bits, export
from digitre.training.evaluation import agreement, report, sets

FLOAT = ROOT / "models" / "demos" / "mlp-2x128.tflite"  # small, and quickly converted


class Trained:
    """Stands for the trained network: the logits of a LiteRT file."""

    def __init__(self, file: Path = FLOAT) -> None:
        self.classifier = Classifier(file)

    def predict(self, batch: np.ndarray, **_) -> np.ndarray:
        digits = np.maximum(self.classifier.classify(batch), 1e-9)
        return np.log(np.column_stack([digits, np.full(len(digits), 1e-9)]))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small network in eight bits."""
    file = tmp_path_factory.mktemp("eight") / "digitre.tflite"
    file.write_bytes(eight_bits.convert(FLOAT.read_bytes()))
    return file


@pytest.fixture(scope="module")
def damaged(converted: Path) -> Path:
    """The same with other weights in its largest layer."""
    content = bytearray(converted.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = bytes(
        np.random.default_rng(1).integers(0, 256, 20_000, np.uint8)
    )
    file = converted.with_name("damaged.tflite")
    file.write_bytes(content)
    return file


@pytest.fixture
def some_sets(seven: bytes, monkeypatch: pytest.MonkeyPatch) -> dict[str, sets.Pictures]:
    """Moved sevens in the place of all sets. They count as "not a digit", for the small network isn't calibrated."""
    pixels = (255 * preprocess(seven)[0, :, :, 0]).astype(np.uint8)
    pictures = np.array([np.roll(pixels, k % 5, k % 2) for k in range(60)])
    chosen = {"symbols": (pictures, np.full(60, NO_DIGIT))}
    monkeypatch.setattr(sets, "validation_sets", lambda: chosen)
    monkeypatch.setattr(sets, "test_sets", lambda: chosen)
    return chosen


def test_eight_bits_are_a_quarter_of_the_file(converted: Path, some_sets) -> None:
    """The file is a third as large or less, the same each time, and its answers are the same."""
    assert converted.stat().st_size < FLOAT.stat().st_size / 3
    assert eight_bits.convert(FLOAT.read_bytes()) == converted.read_bytes()
    assert agreement.has_eight_bits(Classifier(converted))
    assert not agreement.has_eight_bits(Classifier(FLOAT))
    (row,) = agreement.on_sets(Trained(), Classifier(converted), some_sets.items())
    assert (row.different, row.count) == (0, 60)
    assert 0 < row.distance < 0.05
    assert agreement.broken([row]) == ""


def in_sixteen_bits(classifier: Classifier) -> list[tuple[int, ...]]:
    """The shapes of the weights that a file has in 16 bits."""
    stored = Interpreter(str(classifier.path)).get_tensor_details()
    return [tuple(each["shape"].tolist()) for each in stored if each["dtype"] == np.float16]


def test_only_the_first_convolution_is_not_in_eight_bits(classifier: Classifier) -> None:
    """Of the shipped network's weights, one kernel is in 16 bits, and none in 32."""
    assert agreement.has_eight_bits(classifier)
    assert in_sixteen_bits(classifier) == [(32, 5, 5, 1)]
    assert classifier.path.stat().st_size < 700_000


def test_a_damaged_file_breaks_the_promise(damaged: Path, some_sets) -> None:
    """What is broken is said in words, with the limit."""
    rows = list(agreement.on_sets(Trained(), Classifier(damaged), some_sets.items()))
    assert rows[0].is_apart
    broken = agreement.broken(rows)
    assert "agreement" in broken
    assert "(at least 99.95)" in broken
    assert "sets apart 1 (at most 0)" in broken


@pytest.mark.parametrize(
    ("count", "different", "apart"),
    [(300, 2, False), (300, 3, True), (5000, 5, False), (5000, 6, True)],
)
def test_two_answers_or_a_thousandth_may_differ(count: int, different: int, apart: bool) -> None:
    """A set may differ in two answers, or in 0.1 % of them if that is more."""
    assert agreement.Row("mnist", count, different, 0, 0, 0).is_apart is apart


def test_a_calibration_error_may_change_by_a_tenth_of_a_point() -> None:
    """The same answers with less confidence break the promise: "Huh..." and digits stay the same."""
    random = np.random.default_rng(2)
    labels = random.integers(0, 10, 2000)
    trained = 0.9 * np.eye(10)[labels] + 0.001
    less, much_less = trained - 0.0005 * np.eye(10)[labels], trained - 0.01 * np.eye(10)[labels]
    assert agreement.broken([agreement.compare("mnist", trained, less, labels)]) == ""
    row = agreement.compare("mnist", trained, much_less, labels)
    assert (row.different, round(row.calibration, 3)) == (0, 1)
    assert agreement.broken([row]) == "calibration change 1 (at most 0.1)"


def test_one_wrong_digit_in_another_bin_is_no_change() -> None:
    """Where all are nearly sure, the order of confidences is chance: both are measured in the same bins."""
    labels = np.full(345, 7)
    labels[100] = 1  # read as a 7
    trained = np.zeros((345, 10))
    trained[:, 7] = np.linspace(0.98, 0.99, 345)
    served = trained.copy()
    served[100, 7] += 0.0095
    row = agreement.compare("strangers", trained, served, labels)
    assert row.different == 0
    assert abs(row.calibration) < 0.01
    assert abs(row.calibration_alone) > 0.03


def test_another_guess_at_a_refused_digit_is_no_change() -> None:
    """An 8 that might be a 3 is refused by both networks: which of the two comes first moves no confidence."""
    labels = np.full(998, 8)
    trained = 0.98 * np.eye(10)[labels] + 0.001
    trained[500] = 0
    trained[500, [3, 8]] = 0.501, 0.49
    served = trained.copy()
    served[500, [3, 8]] = 0.49, 0.501
    row = agreement.compare("pen_3_test", trained, served, labels)
    assert row.different == 0
    assert abs(row.calibration) < 0.01
    assert abs(row.calibration_alone) > 0.05


@pytest.mark.usefixtures("some_sets")
def test_float_stays_if_eight_bits_would_answer_otherwise(
    converted: Path, damaged: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file in eight bits is written if the answers stay the same; else the one in 32, and why."""
    file = tmp_path / "digitre.tflite"

    def save(in_eight_bits: Path, *, asked: bool = True) -> str:
        def to_litert(saved: Path, target: Path, output="logits", precision="single") -> None:
            shutil.copyfile(in_eight_bits if precision == "eight_bits" else FLOAT, target)

        monkeypatch.setattr(export, "to_litert", to_litert)
        return export.write_served(Trained(), tmp_path / "digitre.keras", file, eight_bits=asked)

    assert save(converted) == export.EIGHT_BITS
    assert file.read_bytes() == converted.read_bytes()
    assert save(converted, asked=False) == "float32"
    assert file.read_bytes() == FLOAT.read_bytes()
    why = save(damaged)
    assert why.startswith("float32: in eight bits, on the validation sets, agreement ")
    assert file.read_bytes() == FLOAT.read_bytes()
    monkeypatch.setattr(sets, "validation_sets", dict)
    assert save(converted) == "float32: there is no data to compare the answers in eight bits"
    assert list(tmp_path.iterdir()) == [file]


def test_the_report_compares_all_test_sets(converted: Path, some_sets) -> None:
    """With the trained network, the figures of the test sets end with those of the comparison."""
    figures = report.on_test_parts(Classifier(converted), Trained())
    assert figures.sets() == ["symbols", "eight_bits"]
    assert figures.value("eight_bits", "agreement") == 100
    assert figures.value("eight_bits", "count") == 60
    assert report.on_test_parts(Classifier(converted)).sets() == ["symbols"]


def test_a_card_says_in_what_form_the_weights_are() -> None:
    """Its words are kept; a card of before says nothing about it."""
    card = Card("digitre-00000000", weights=export.EIGHT_BITS)
    assert Card.from_dict(card.to_dict()) == card
    assert Card.from_dict({"model": "digitre-00000000", "schema": 2}).weights == ""


@pytest.mark.long
def test_a_trained_network_is_exported_in_eight_bits(
    tmp_path: Path, some_sets, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network's own shape is converted: all but the first convolution; the answers stay the same."""
    network = export.keras.models.load_model(ROOT / "models" / "digitre.keras", compile=False)
    assert export.save(network, tmp_path) == export.EIGHT_BITS
    served = Classifier(tmp_path / "digitre.tflite")
    assert served.path.stat().st_size < 700_000
    assert agreement.has_eight_bits(served)
    assert in_sixteen_bits(served) == [(32, 5, 5, 1)]
    assert len(packed.pack(served.path, served.model)) <= 610_000
    (row,) = agreement.on_sets(network, served, some_sets.items())
    assert row.different == 0
    assert export.save(network, tmp_path, eight_bits=False) == "float32"
    assert not agreement.has_eight_bits(Classifier(served.path))
