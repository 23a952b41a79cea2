"""The network, run by LiteRT: a picture in, probabilities and the decision on them out."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
from PIL import Image

from digitre.recognition import opening, preprocessing
from digitre.recognition.card import Card
from digitre.recognition.decoding import as_image, to_eight_bits
from digitre.recognition.found import NOTHING, Detection, is_one_piece
from digitre.recognition.ink import flatten
from digitre.recognition.opening import AnyPicture, OnError
from digitre.recognition.plain import SURE, Prepared, is_bar, prepare, stands
from digitre.recognition.preprocessing import Picture
from digitre.recognition.reading import (
    THRESHOLD,
    Candidate,
    Reading,
    decide,
    is_refused,
    lowest_accepted,
    percent,
)
from digitre.recognition.silence import silenced

if TYPE_CHECKING:
    from digitre.recognition.number_reading import NumberReading

__all__ = [
    "NO_DIGIT",
    "SHAPE",
    "THRESHOLD",
    "Candidate",
    "Classifier",
    "Reading",
    "is_refused",
    "lowest_accepted",
    "percent",
    "shipped_model",
]

HERE = Path(__file__).resolve().parent.parent
SHAPE = (28, 28, 1)
# Pixels a side: such a picture shows a digit and hardly anything else, in too few pixels for a search.
THUMBNAIL = 100
NO_DIGIT = 10  # the label of what is not a digit: the network's eleventh output
TINY = float(np.finfo(np.float64).tiny)
MANY = 256  # with this many pictures, threads are worth making: each needs its own interpreter


def shipped_model() -> Path:
    """The path of the network that comes with the package, or with the source code."""
    installed = HERE / "models" / "digitre.tflite"
    return installed if installed.exists() else HERE.parent / "models" / "digitre.tflite"


class Classifier:
    """Reads digits with a convolutional network of two convolutional layers.

    You can share one between threads and across a fork: each thread of each process makes its own
    interpreter when it first reads.

    Args:
        path: a LiteRT file whose network takes (1, 28, 28, 1) float32 and returns (1, 11) probabilities.
            None means the network that comes with the package.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if the file is not a LiteRT network.
    """

    def __init__(self, path: str | os.PathLike[str] | None = None) -> None:
        self.path = Path(path) if path is not None else shipped_model()
        if not self.path.is_file():
            raise FileNotFoundError(f"there is no network at {self.path}")
        content = self.path.read_bytes()
        if content[4:8] != b"TFL3":
            raise ValueError(f"{self.path} is not a LiteRT network")
        digest = hashlib.sha256(content).hexdigest()
        self.model = f"{self.path.stem}-{digest[:8]}"
        self._own = threading.local()

    def card(self) -> Card | None:
        """The card next to the network; None if it is missing, damaged or another network's."""
        card = Card.load(self.path.with_suffix(".json"))
        return card if card and card.model == self.model else None

    def preprocess(self, picture: Picture) -> np.ndarray:
        """Any accepted picture to (1, 28, 28, 1) float32 in [0, 1]: the reading that `detect` chooses.

        Raises what `preprocessing.preprocess` raises.
        """
        return self.detect(picture).pixels[None, :, :, None]

    def detect(self, picture: Picture) -> Detection:
        """Find the digit in a picture: which ink it is, and what the network reads.

        One drawing on an even ground, with nothing around it, is read as it is. Its reading stands if the
        network is sure of it, or if there is nothing to leave out. Else the network judges several ways to
        tell the drawing from what is around it: see `digitre.recognition.detection`.

        Raises what `preprocessing.preprocess` raises.
        """
        prepared = prepare(picture)
        row = self.classify(prepared.pixels[None, :, :, None])[0].tolist()
        return self._finish(prepared, row)

    def _finish(self, prepared: Prepared, row: list[float]) -> Detection:
        """What to read, once the network has read the plain drawing, if there is one."""
        plain = prepared.as_read(row)
        return plain if plain and stands(plain) else self.search(prepared.picture, plain)

    def search(self, picture: Image.Image | np.ndarray, plain: Detection | None) -> Detection:
        """What to read if the reading of a plain drawing does not stand, or there is none.

        Args:
            picture: decoded, as `prepare` returns it.
            plain: that reading.
        """
        image = as_image(picture)
        if max(image.size) <= THUMBNAIL:
            return self._read_thumbnail(image)
        from digitre.recognition import detection  # rarely needed, and SciPy costs a worker memory

        if plain and (
            is_bar(plain) or detection.is_rest(plain.ink, plain.margins, int(np.argmax(plain.row)))
        ):
            plain = None
        alone = plain is not None and detection.is_one_component(plain.ink)
        if plain is not None and alone:
            # What reaches several edges may be a grid with a digit on it, which looks like another one.
            sure = max(plain.row) >= SURE and plain.margins.count(0) < 2
            if sure or detection.is_one_drawing(plain.ink, plain.margins):
                return plain
        found = detection.search(
            flatten(to_eight_bits(image)), self.classify, plain=plain is not None
        )
        if plain is not None and found and (alone or not found.left_out) and not found.doubtful:
            return plain if max(plain.row) >= max(found.row) else found
        return found or plain or NOTHING

    def _read_thumbnail(self, image: Image.Image) -> Detection:
        """Read all ink of a small picture; search it only for whether that is several digits."""
        ink = preprocessing.find_ink(image)
        pixels = preprocessing.shape_ink(ink)
        row = self.classify(pixels[None, :, :, None])[0].tolist()
        if not pixels.any() or is_one_piece(pixels):
            return Detection(ink, pixels, row)
        from digitre.recognition import detection

        found = detection.search(flatten(to_eight_bits(image)), self.classify)
        return Detection(ink, pixels, row, found is not None and found.several)

    def classify(self, batch: np.ndarray) -> np.ndarray:
        """The probability of each digit.

        Args:
            batch: (n, 28, 28, 1) float in [0, 1], ink bright, as `preprocess` returns it.

        Returns:
            (n, 10) float64 in [0, 1]. A row sums to at most 1; the rest is the probability that the drawing
            is not a digit. A blank picture gives ten zeros. Each row depends on its own picture only.

        Raises:
            ValueError: if the batch has another shape, or values that are not finite.
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
            # Each thread has its own interpreter, which releases Python's lock while it works, so all
            # cores are used. On one core, a network that takes many pictures at once is no faster.
            parts = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 2
            with ThreadPoolExecutor(parts) as threads:
                pieces = np.array_split(batch, parts), np.array_split(answers, parts)
                list(threads.map(self._classify, *pieces))
        # In single precision a row's sum is not exactly 1, and the ten digits' must not exceed it.
        sums = np.maximum(answers.sum(1, keepdims=True), TINY)
        return answers[:, :10] / sums * (1 - 1e-12)

    def _classify(self, batch: np.ndarray, answers: np.ndarray) -> None:
        """Write the eleven probabilities of each picture that is not blank into `answers`."""
        run = self.runner()
        for index, picture in enumerate(batch):
            if picture.any():
                row = run(self._scaled(picture[None]))[0]
                answers[index, : len(row)] = row

    def _scaled(self, pixels: np.ndarray) -> np.ndarray:
        """A picture (1, 28, 28, 1) in [0, 1] as the network takes it; a subclass may scale it otherwise."""
        return pixels

    @overload  # a text is an iterable of texts too, but the first declaration that fits counts
    def read(  # type: ignore[overload-overlap]
        self, picture: AnyPicture, threshold: float = THRESHOLD
    ) -> Reading: ...

    @overload
    def read(
        self, picture: Iterable[AnyPicture], threshold: float = THRESHOLD
    ) -> list[Reading]: ...

    def read(self, picture: Any, threshold: float = THRESHOLD) -> Reading | list[Reading]:
        """Read one drawing, or several, which is faster if they are many: see `classify`.

        It opens paths: for what others send you, `read_content` is the one to call.

        Args:
            picture: a picture in any form that `opening.load` takes, or an iterable of them, such as a list,
                a generator, or an array (n, height, width).
            threshold: below this confidence, as it is shown (per cent with one decimal), the answer is
                "Huh...".

        Raises:
            PictureError: if a picture cannot be read; a note says which one of several it is.
            OSError: if a file cannot be opened. If it is missing, the error is a PictureError too.
            TypeError: if a picture is an object of another type.
            ValueError: if the threshold does not lie from 0 to 1.
        """
        picture = opening.as_array(picture)
        if opening.is_several(picture):
            return self.read_many(picture, threshold)
        return self.answer(self.detect(opening.load(picture)), threshold)

    @overload
    def read_many(
        self,
        pictures: Iterable[AnyPicture],
        threshold: float = THRESHOLD,
        *,
        on_error: Literal["raise", "skip"] = "raise",
    ) -> list[Reading]: ...

    @overload
    def read_many(
        self,
        pictures: Iterable[AnyPicture],
        threshold: float = THRESHOLD,
        *,
        on_error: OnError,
    ) -> list[Reading | Exception]: ...

    def read_many(
        self, pictures: Iterable[Any], threshold: float = THRESHOLD, *, on_error: OnError = "raise"
    ) -> Any:
        """Read several drawings. Some of them are in memory at a time, so a generator may have any number.

        Args:
            pictures: an iterable of pictures in any form that `read` takes.
            threshold: as in `read`.
            on_error: what to do with a picture that cannot be read. "raise" the error; "skip" the picture,
                so that the list is shorter; or "return" the error in the reading's place.

        Returns:
            The readings in order, for "return" with a PictureError, OSError or TypeError between them.

        Raises what `read` raises.
        """
        if on_error not in ("raise", "skip", "return"):
            raise ValueError('on_error must be "raise", "skip" or "return"')
        lowest_accepted(threshold)  # raises before any work is done
        pictures = opening.as_array(pictures)
        if not opening.is_several(pictures):
            raise TypeError("read_many takes several pictures: read takes one")
        answers: list[Reading | Exception] = []
        for batch in opening.batches(opening.load_many(pictures, on_error)):
            images = [each for each in batch if not isinstance(each, Exception)]
            found = iter(self.detect_all(images))
            answers += [
                each if isinstance(each, Exception) else self.answer(next(found), threshold)
                for each in batch
            ]
        return answers

    def read_content(self, content: Picture, threshold: float = THRESHOLD) -> Reading:
        """Read one drawing that someone has sent. A text is a data URL or base64, and never a path.

        Args:
            content: a picture in any form that `decoding.to_image` takes.
            threshold: as in `read`.

        Raises:
            PictureError, TypeError, ValueError: as `read` does.
        """
        return self.answer(self.detect(content), threshold)

    def detect_all(self, pictures: Sequence[Any]) -> list[Detection]:
        """`detect` for many pictures: the plain drawings are classified in one call.

        Raises what `read` raises.
        """
        all_prepared = []
        for index, picture in enumerate(pictures):
            try:
                all_prepared.append(prepare(picture))
            except (preprocessing.PictureError, TypeError) as error:
                error.add_note(f"It is picture {index} of the list, counted from 0.")
                raise
        return list(map(self._finish, all_prepared, self.classify_all(all_prepared)))

    def classify_all(self, prepared: Sequence[Prepared]) -> list[list[float]]:
        """The ten probabilities of each plain drawing, zeros for what is none, in one call of `classify`."""
        pixels = [each.pixels for each in prepared]
        return self.classify(np.array(pixels, np.float32).reshape(-1, *SHAPE)).tolist()

    def answer(self, found: Detection, threshold: float = THRESHOLD) -> Reading:
        """Decide on what `detect` returned. Raises ValueError, as `read` does."""
        blank = not found.pixels.any()
        return decide(list(found.row), self.model, threshold, blank=blank, several=found.several)

    def decide(self, pixels: np.ndarray, threshold: float = THRESHOLD) -> Reading:
        """Read one preprocessed drawing: (1, 28, 28, 1) float32 in [0, 1]. Raises what `read` raises."""
        row = self.classify(pixels)[0].tolist()
        return decide(row, self.model, threshold, blank=not pixels.any())

    def read_number(
        self,
        picture: AnyPicture,
        *,
        strokes: Sequence[Any] | None = None,
        length: int | None = None,
        signs: bool = False,
        lines: bool = False,
        threshold: float = THRESHOLD,
    ) -> NumberReading:
        """Read a number; like `read`, it opens paths. `numbers.read_number` describes the arguments.

        Raises what `read` and that function raise."""
        from digitre.recognition import numbers  # SciPy, which reading a digit rarely needs

        return numbers.read_number(
            self,
            opening.load(picture),
            strokes=strokes,
            length=length,
            signs=signs,
            lines=lines,
            threshold=threshold,
        )

    def runner(self) -> Callable[[np.ndarray], np.ndarray]:
        """This thread's network as a function: (1, 28, 28, 1) float32 to (1, 11) probabilities."""
        interpreter, source, target = self._interpreter()

        def run(picture: np.ndarray) -> np.ndarray:
            interpreter.set_tensor(source, picture)
            interpreter.invoke()
            return interpreter.get_tensor(target)

        return run

    def _interpreter(self):
        if getattr(self._own, "process", None) != os.getpid():
            with silenced():
                # As late as this: an interpreter does not survive a fork, and importing LiteRT is slow.
                from ai_edge_litert.interpreter import Interpreter

                interpreter = Interpreter(str(self.path), num_threads=1)
                interpreter.allocate_tensors()
            source = interpreter.get_input_details()[0]["index"]
            target = interpreter.get_output_details()[0]["index"]
            self._own.parts = interpreter, source, target
            self._own.process = os.getpid()
        return self._own.parts
