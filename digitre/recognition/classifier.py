"""The network, served by LiteRT: arrays in, probabilities out, and what they say."""

from __future__ import annotations

import hashlib
import math
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, overload

import numpy as np

from digitre.recognition import preprocessing
from digitre.recognition.card import Card
from digitre.recognition.preprocessing import Picture

HERE = Path(__file__).resolve().parent.parent
THRESHOLD = 0.6
SHAPE = (28, 28, 1)
NO_DIGIT = 10  # the label of what is no digit: the network's eleventh output
MANY = 256  # pictures from which on it pays to make threads, each with its interpreter


class Candidate(NamedTuple):
    """A digit that the drawing may be, and how probably."""

    digit: int
    probability: float


@dataclass(frozen=True)
class Reading:
    """What a drawing was read as.

    Attributes:
        digit: 0 to 9, or None where the answer is "Huh...".
        confidence: the probability of the most probable digit, refused or not; 0 for a blank.
        probabilities: of the ten digits; with `not_a_digit` they sum to 1.
        not_a_digit: the probability that the drawing is no digit.
        candidates: the three most probable digits, best first; none for a blank.
        reason: why there is no digit: "blank", "not_a_digit" or "unsure"; else None.
        model: the version of the network that read it.
    """

    digit: int | None
    confidence: float
    probabilities: tuple[float, ...]
    not_a_digit: float
    candidates: tuple[Candidate, ...]
    reason: str | None
    model: str

    @property
    def result(self) -> str:
        """The digit as text, or "Huh..."."""
        return "Huh..." if self.digit is None else str(self.digit)

    @property
    def probability(self) -> str:
        """The confidence in words, as the page shows it."""
        if self.digit is None:
            return "You call that a digit?"
        return f"({percent(self.confidence)}% probability)"

    @property
    def prediction(self) -> str | None:
        """The most probable digit as text, refused or not; None for a blank."""
        return str(self.candidates[0].digit) if self.candidates else None

    def to_dict(self) -> dict[str, Any]:
        """The reading as the API answers it, ready for JSON; probabilities to six decimals."""
        return {
            "result": self.result,
            "probability": self.probability,
            "digit": self.digit,
            "confidence": round(self.confidence, 6),
            "probabilities": [round(value, 6) for value in self.probabilities],
            "not_a_digit": round(self.not_a_digit, 6),
            "candidates": [
                {"digit": digit, "probability": round(probability, 6)}
                for digit, probability in self.candidates
            ],
            "prediction": self.prediction,
            "reason": self.reason,
            "model": self.model,
        }


def percent(probability: float) -> str:
    """A probability as it is shown: per cent with one decimal."""
    return f"{100 * probability:.1f}"


def is_refused(confidence: np.ndarray, threshold: float = THRESHOLD) -> np.ndarray:
    """Which of many drawings are answered "Huh...", by the confidence as it is shown: (n,) bool."""
    return np.round(100 * confidence, 1) < round(100 * threshold, 9)


def shipped_model() -> Path:
    """The network that comes with the package, or with the checkout."""
    installed = HERE / "models" / "digitre.tflite"
    return installed if installed.exists() else HERE.parent / "models" / "digitre.tflite"


class Classifier:
    """Reads digits with a convolutional network of two convolutional layers.

    Safe to share between threads and to carry over a fork: each thread of each process makes its
    own interpreter when it first reads.

    Args:
        path: a LiteRT file that takes (1, 28, 28, 1) float32 and gives (1, 11) probabilities; the
            shipped network where it is None.

    Raises:
        FileNotFoundError: where there is no such file.
        ValueError: where the file is no LiteRT network.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path) if path is not None else shipped_model()
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no network at {self.path}")
        content = self.path.read_bytes()
        if content[4:8] != b"TFL3":
            raise ValueError(f"{self.path} is no LiteRT network")
        digest = hashlib.sha256(content).hexdigest()
        self.model = f"{self.path.stem}-{digest[:8]}"
        self._own = threading.local()

    def card(self) -> Card | None:
        """The card next to the network; None if it is missing, damaged or another network's."""
        card = Card.load(self.path.with_suffix(".json"))
        return card if card and card.model == self.model else None

    def preprocess(self, picture: Picture) -> np.ndarray:
        """Any accepted picture to (1, 28, 28, 1) float32: see `digitre.recognition.preprocessing.preprocess`."""
        return preprocessing.preprocess(picture)

    def classify(self, batch: np.ndarray) -> np.ndarray:
        """The probability of each digit.

        Args:
            batch: (n, 28, 28, 1) float in [0, 1], ink bright, as `preprocess` returns it.

        Returns:
            (n, 10) float64. A row sums to at most 1; what is missing is the probability that the
            drawing is no digit. A blank row has ten zeros. Each row depends on its picture alone.

        Raises:
            ValueError: for another shape, or values that are not finite.
        """
        batch = np.asarray(batch, dtype=np.float32)
        if batch.ndim != 4 or batch.shape[1:] != SHAPE:
            raise ValueError(f"a batch must have the shape (n, 28, 28, 1), not {batch.shape}")
        if not np.isfinite(batch).all():
            raise ValueError("a batch must hold finite numbers")
        answers = np.zeros((len(batch), 11))
        if len(batch) < MANY:
            self._classify(batch, answers)
        else:
            # Each thread has an interpreter of its own, which leaves Python's lock while it works:
            # all cores. A network that takes many pictures at once is no faster on one core.
            parts = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
            with ThreadPoolExecutor(parts) as threads:
                pieces = np.array_split(batch, parts), np.array_split(answers, parts)
                list(threads.map(self._classify, *pieces))
        # Single precision leaves a row's sum a little off 1; no ten of them may pass it.
        sums = np.maximum(answers.sum(1, keepdims=True), np.finfo(np.float64).tiny)
        return answers[:, :10] / sums * (1 - 1e-12)

    def _classify(self, batch: np.ndarray, answers: np.ndarray) -> None:
        """Write the eleven probabilities of each picture into `answers`, but of a blank."""
        run = self.runner()
        for index, picture in enumerate(batch):
            if picture.any():
                row = run(self._scaled(picture[None]))[0]
                answers[index, : len(row)] = row

    def _scaled(self, pixels: np.ndarray) -> np.ndarray:
        """What the network takes, of (1, 28, 28, 1) in [0, 1]: here just that."""
        return pixels

    @overload
    def read(self, picture: Picture, threshold: float = THRESHOLD) -> Reading: ...

    @overload
    def read(self, picture: list[Any], threshold: float = THRESHOLD) -> list[Reading]: ...

    def read(
        self, picture: Picture | list[Any], threshold: float = THRESHOLD
    ) -> Reading | list[Reading]:
        """Read one drawing, or a list of them at once, which is quicker for many: see `classify`.

        Args:
            picture: whatever `preprocess` accepts, or a list of such.
            threshold: below this confidence, as it is shown (per cent with one decimal), the
                answer is "Huh...".

        Raises:
            PictureError: where a picture cannot be read; of a list, a note says which.
            ValueError: for a threshold outside [0, 1].
        """
        if not isinstance(picture, list):
            return self.decide(self.preprocess(picture), threshold)
        pixels = np.zeros((len(picture), *SHAPE), np.float32)
        for index, one in enumerate(picture):
            try:
                pixels[index] = self.preprocess(one)[0]
            except (preprocessing.PictureError, TypeError) as error:
                error.add_note(f"It is number {index} of the list, counted from 0.")
                raise
        rows = self.classify(pixels).tolist()
        return [
            self._reading(row, not each.any(), threshold)
            for row, each in zip(rows, pixels, strict=True)
        ]

    def decide(self, pixels: np.ndarray, threshold: float = THRESHOLD) -> Reading:
        """Read one drawing that is preprocessed already: (1, 28, 28, 1) float32."""
        return self._reading(self.classify(pixels)[0].tolist(), not pixels.any(), threshold)

    def _reading(self, row: list[float], blank: bool, threshold: float) -> Reading:
        """What ten probabilities say."""
        if not 0 <= threshold <= 1:
            raise ValueError("a threshold must lie from 0 to 1")
        if blank:
            return Reading(None, 0.0, (0.0,) * 10, 1.0, (), "blank", self.model)
        order = sorted(range(10), key=row.__getitem__, reverse=True)[:3]
        candidates = tuple(Candidate(digit, row[digit]) for digit in order)
        best = candidates[0]
        rest = 1 - math.fsum(row)
        digit: int | None = best.digit
        reason = None
        # What is shown decides, so that "60.0%" is never refused at 0.6. The rounding takes away
        # what binary fractions add: 100 * 0.55 is 55.00000000000001.
        if float(percent(best.probability)) < round(100 * threshold, 9):
            digit, reason = None, "not_a_digit" if rest >= best.probability else "unsure"
        return Reading(digit, best.probability, tuple(row), rest, candidates, reason, self.model)

    def runner(self) -> Callable[[np.ndarray], np.ndarray]:
        """The bare network of this thread: (1, 28, 28, 1) float32 to (1, 11) probabilities."""
        interpreter, source, target = self._interpreter()

        def run(picture: np.ndarray) -> np.ndarray:
            interpreter.set_tensor(source, picture)
            interpreter.invoke()
            return interpreter.get_tensor(target)

        return run

    def _interpreter(self):
        if getattr(self._own, "process", None) != os.getpid():
            # Only now: an interpreter does not outlive a fork, and importing LiteRT takes a while.
            from ai_edge_litert.interpreter import Interpreter

            interpreter = Interpreter(str(self.path), num_threads=1)
            interpreter.allocate_tensors()
            source = interpreter.get_input_details()[0]["index"]
            target = interpreter.get_output_details()[0]["index"]
            self._own.parts = interpreter, source, target
            self._own.process = os.getpid()
        return self._own.parts
