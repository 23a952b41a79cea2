"""The classifier: probabilities, decisions, and what it refuses."""

from __future__ import annotations

import multiprocessing
import threading

import numpy as np
import pytest
from strokes import DIGITS, OTHERS, drawn

from digitre import Classifier, Reading
from digitre.recognition.classifier import is_refused, lowest_accepted, percent
from digitre.recognition.preprocessing import PictureError


@pytest.mark.parametrize("digit", DIGITS)
def test_reads_each_digit(classifier: Classifier, digit: int) -> None:
    """Each digit drawn by hand is read with a confidence above 0.8."""
    reading = classifier.read(255 - drawn(DIGITS[digit]))
    assert reading.digit == digit
    assert reading.confidence > 0.8
    assert reading.result == str(digit)
    assert reading.probability == f"({percent(reading.confidence)}% probability)"
    assert reading.reason is None


@pytest.mark.parametrize("pen", [3, 25])
@pytest.mark.parametrize("digit", DIGITS)
def test_reads_each_digit_with_other_pens(classifier: Classifier, digit: int, pen: int) -> None:
    """Each digit is read with a thin and with a thick pen too."""
    assert classifier.read(drawn(DIGITS[digit], pen=pen)).digit == digit


@pytest.mark.parametrize("name", OTHERS)
def test_refuses_what_is_not_a_digit(classifier: Classifier, name: str) -> None:
    """The answer to a tick, a scribble, a heart and a cross is "Huh..."."""
    reading = classifier.read(drawn(OTHERS[name]))
    assert reading.digit is None
    assert reading.result == "Huh..."
    assert reading.probability == "You call that a digit?"
    assert reading.reason in ("not_a_digit", "unsure")
    assert len(reading.candidates) == 3


def test_a_blank_drawing_is_not_a_digit(classifier: Classifier) -> None:
    """A blank drawing has ten zeros and no candidates, and is certainly not a digit."""
    assert classifier.read(np.full((250, 250), 255, np.uint8)) == Reading(
        None, 0.0, (0.0,) * 10, 1.0, (), "blank", classifier.model
    )


def test_the_eleven_probabilities_sum_to_one(classifier: Classifier) -> None:
    """The ten digits' sum to at most 1, and with `not_a_digit` to 1; candidates are the best three."""
    for strokes in [*DIGITS.values(), *OTHERS.values()]:
        reading = classifier.read(drawn(strokes))
        assert sum(reading.probabilities) <= 1
        assert sum(reading.probabilities) + reading.not_a_digit == pytest.approx(1, abs=1e-9)
        best = sorted(reading.probabilities, reverse=True)[:3]
        assert [candidate.probability for candidate in reading.candidates] == best
        assert reading.confidence == best[0]


def test_rows_do_not_depend_on_each_other(classifier: Classifier) -> None:
    """A picture gets the same probabilities alone as in a batch with others."""
    batch = np.concatenate([classifier.preprocess(drawn(strokes)) for strokes in DIGITS.values()])
    together = classifier.classify(batch)
    assert together.shape == (10, 10)
    alone = np.concatenate([classifier.classify(picture[None]) for picture in batch])
    np.testing.assert_array_equal(together, alone)


def test_an_empty_batch(classifier: Classifier) -> None:
    """A batch without pictures gives no rows."""
    assert classifier.classify(np.zeros((0, 28, 28, 1))).shape == (0, 10)


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28), (1, 27, 28, 1), (1, 784)])
def test_another_shape_is_refused(classifier: Classifier, shape: tuple[int, ...]) -> None:
    """A batch of any shape but (n, 28, 28, 1) is a ValueError."""
    with pytest.raises(ValueError, match=r"\(n, 28, 28, 1\)"):
        classifier.classify(np.zeros(shape))


def test_numbers_that_are_not_finite_are_refused(classifier: Classifier) -> None:
    """A batch with NaN is a ValueError."""
    with pytest.raises(ValueError, match="finite"):
        classifier.classify(np.full((1, 28, 28, 1), np.nan))


class Fixed(Classifier):
    """A classifier whose network always returns the same probabilities."""

    def __init__(self, best: float) -> None:
        super().__init__()
        self.row = np.full(10, (1 - best) / 20)
        self.row[4] = best

    def classify(self, batch: np.ndarray) -> np.ndarray:
        return self.row[None]


@pytest.mark.parametrize(
    ("confidence", "threshold", "read"),
    [
        (0.6, 0.6, True),
        (0.59951, 0.6, True),  # shown as 60.0%
        (0.59949, 0.6, False),  # shown as 59.9%
        (0.55, 0.55, True),  # 100 * 0.55 is a little over 55
        (0.57, 0.57, True),
        (0.29, 0.29, True),
        (0.9996, 1.0, True),  # shown as 100.0%
        (0.999, 1.0, False),
        (0.1, 0.0, True),
    ],
)
def test_the_confidence_as_shown_decides(confidence: float, threshold: float, read: bool) -> None:
    """The threshold is compared with the rounded per cent: what is shown as "60.0%" passes 0.6."""
    reading = Fixed(confidence).read(drawn(DIGITS[4]), threshold)
    assert (reading.digit == 4) is read
    assert reading.prediction == "4"


@pytest.mark.parametrize("threshold", [0, 0.0004, 0.1, 0.29, 0.5, 0.55, 0.599, 0.6, 0.9999, 1])
def test_one_drawing_and_many_are_refused_by_one_rule(threshold: float) -> None:
    """One reading, an array and the per cent that is shown agree, at and next to the lowest confidence."""
    lowest = lowest_accepted(threshold)
    near = [
        lowest,
        np.nextafter(lowest, 0),
        np.nextafter(lowest, 1),
        lowest - 0.001,
        lowest + 0.001,
    ]
    confidences = np.clip([*near, *np.linspace(0.1, 1, 901), *np.arange(0.1, 1, 0.0005)], 0.1, 1)
    shown = [float(percent(value)) < round(100 * threshold, 9) for value in confidences]
    np.testing.assert_array_equal(is_refused(confidences, threshold), shown)
    fixed, drawing = Fixed(0.1), np.ones((1, 28, 28, 1), np.float32)
    for confidence, refused in list(zip(confidences, shown, strict=True))[:5]:
        fixed.row[:] = (1 - confidence) / 20
        fixed.row[4] = confidence
        assert (fixed.decide(drawing, threshold).digit is None) is refused


def test_the_reason_tells_not_a_digit_from_unsure() -> None:
    """The reason is "not_a_digit" if that is more probable than any digit, else "unsure"."""
    assert Fixed(0.3).read(drawn(DIGITS[4])).reason == "not_a_digit"
    assert Fixed(0.55).read(drawn(DIGITS[4])).reason == "unsure"


@pytest.mark.parametrize("threshold", [-0.1, 1.1, float("nan")])
def test_a_threshold_lies_from_0_to_1(classifier: Classifier, threshold: float) -> None:
    """Any other threshold is a ValueError."""
    with pytest.raises(ValueError, match="threshold"):
        classifier.read(drawn(DIGITS[4]), threshold)


def test_a_missing_network_is_an_error_at_once() -> None:
    """A classifier whose file does not exist cannot be made; the message has the path."""
    with pytest.raises(FileNotFoundError, match=r"no network at .*missing"):
        Classifier("missing.tflite")


def test_threads_share_a_classifier(classifier: Classifier) -> None:
    """Threads that read at the same time get the same probabilities as one alone."""
    batch = np.concatenate([classifier.preprocess(drawn(strokes)) for strokes in DIGITS.values()])
    expected = classifier.classify(batch)
    answers: list[np.ndarray] = []

    def read() -> None:
        for _ in range(20):
            answers.append(classifier.classify(batch))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 80
    for answer in answers:
        np.testing.assert_array_equal(answer, expected)


def _read_in_child(classifier: Classifier, answers) -> None:
    answers.put(classifier.read(drawn(DIGITS[7])).digit)


def test_a_classifier_survives_a_fork() -> None:
    """A classifier that was used before a fork works in the child too, as in a gunicorn worker."""
    classifier = Classifier()
    assert classifier.read(drawn(DIGITS[7])).digit == 7
    context = multiprocessing.get_context("fork")
    answers = context.Queue()
    child = context.Process(target=_read_in_child, args=(classifier, answers))
    child.start()
    assert answers.get(timeout=60) == 7
    child.join(60)
    assert child.exitcode == 0


def test_a_list_is_read_like_its_pictures(classifier: Classifier) -> None:
    """A list gives the same readings as its pictures one by one, also if all cores are used."""
    several = [drawn(DIGITS[7]), np.zeros((28, 28), np.uint8), drawn(OTHERS["scribble"])] * 100
    readings = classifier.read(several, 0.7)
    assert readings[:3] == [classifier.read(picture, 0.7) for picture in several[:3]]
    assert readings == readings[:3] * 100
    assert classifier.read([]) == []


def test_the_error_for_a_list_names_the_picture(classifier: Classifier) -> None:
    """A bad picture in a list raises the same error as alone, with a note that says which it is."""
    with pytest.raises(PictureError) as caught:
        classifier.read([drawn(DIGITS[7]), b"not a picture"])
    assert caught.value.__notes__ == ["It is picture 1 of the list, counted from 0."]
    with pytest.raises(ValueError, match="threshold"):
        classifier.read([drawn(DIGITS[7])], 2)
