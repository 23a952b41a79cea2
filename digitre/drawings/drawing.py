"""A saved drawing, and a filter that chooses some of them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from digitre.recognition.classifier import NO_DIGIT, Reading

STATUSES = ("pending", "accepted", "rejected")
HOLDOUT = 10  # one writer in ten is held out permanently for evaluation
SURE = 0.9  # from this probability on, a prediction that matches the label is accepted at once

Strokes = list[list[list[float]]]  # lines of [x, y, milliseconds], y downwards


def label_name(label: int) -> str:
    """A label as people write it: "0" to "9", or "none" for a drawing that is not a digit."""
    return "none" if label == NO_DIGIT else str(label)


@dataclass(frozen=True)
class Drawing:
    """A drawing that somebody saved with its label. The fields are the columns of the database.

    Attributes:
        id: 32 hexadecimal digits: see `identity`.
        made: when it was saved, in UTC, without a time zone.
        label: 0 to 9, or 10 (`NO_DIGIT`) if it is not a digit.
        writer: the random name that the browser chose for itself, or "" if it sent none.
        pixels: a PNG in shades of grey, dark ink on white.
        picture: the SHA-256 of `pixels` in hexadecimal, to find the same picture again.
        strokes: the pen's lines, or None if only the picture was sent.
        size: bytes of the pixels and of the strokes as JSON.
        status: "pending", "accepted" or "rejected".
        read_as: the most probable digit, 0 to 9, when the drawing was saved.
        confidence: the probability of `read_as`.
        not_a_digit: the probability that the drawing is not a digit.
        model: the version of the network that read it.
        held_out: True if it is for evaluation only, False if training may use it, None if it is from
            before this was stored: then its writer's name decides (`is_held_out`).
    """

    id: str
    made: datetime
    label: int
    writer: str
    pixels: bytes
    picture: str
    strokes: Strokes | None
    size: int
    status: str
    read_as: int
    confidence: float
    not_a_digit: float
    model: str
    held_out: bool | None = None

    @classmethod
    def new(
        cls,
        label: int,
        writer: str,
        pixels: bytes,
        strokes: Strokes | None,
        reading: Reading,
    ) -> Drawing:
        """A drawing as it is first saved, now.

        It is accepted at once if the network predicts its digit with a probability of at least
        `SURE`. Otherwise it is pending: somebody should look at it. A drawing that is said not to be
        a digit is always pending, because a digit that was read wrongly could be hidden so.

        Without a writer it has a random id: another client that saves the same drawing must not get
        its receipt.
        """
        read_as = max(range(10), key=reading.probabilities.__getitem__)
        agrees = label == read_as and reading.confidence >= SURE
        return cls(
            id=identity(writer, label, pixels) if writer else secrets.token_hex(16),
            made=datetime.now(UTC).replace(tzinfo=None),
            label=label,
            writer=writer,
            pixels=pixels,
            picture=digest(pixels),
            strokes=strokes,
            size=stored_size(pixels, strokes),
            status="accepted" if agrees else "pending",
            read_as=read_as,
            confidence=reading.confidence,
            not_a_digit=reading.not_a_digit,
            model=reading.model,
        )

    @property
    def is_held_out(self) -> bool:
        """Whether no training may use it: it is for evaluation only."""
        if self.held_out is not None:
            return self.held_out
        return is_held_out_by_name(self.writer)

    @property
    def prediction(self) -> int:
        """The label that the network gave it: 0 to 9, or 10 if "not a digit" is more probable."""
        return NO_DIGIT if self.not_a_digit > self.confidence else self.read_as

    @property
    def probability(self) -> float:
        """The probability that the network gave its prediction."""
        return max(self.confidence, self.not_a_digit)


@dataclass(frozen=True)
class Filter:
    """Chooses the drawings that meet every condition that is set. Without any, it chooses all.

    Attributes:
        ids: only these drawings.
        status: "pending", "accepted" or "rejected".
        label: 0 to 9, or 10 (`NO_DIGIT`).
        writer: the writer's name, as the browser sent it.
        disagree: if True, only drawings whose label is not the network's prediction.
    """

    ids: Sequence[str] | None = None
    status: str | None = None
    label: int | None = None
    writer: str | None = None
    disagree: bool = False


def is_held_out_by_name(writer: str) -> bool:
    """Whether a writer's drawings are held out, if they are from before `Drawing.held_out` was stored.

    Only the name decides, so the answer never changes. But a writer can choose a name that is held
    out: for new writers the server's secret decides (`digitre.web.receipts`).
    """
    # Another text than "kept" would move writers between training and evaluation.
    digest = hashlib.sha256(f"kept {writer}".encode()).digest()
    return bool(writer) and digest[0] % HOLDOUT == 0


def identity(writer: str, label: int, pixels: bytes) -> str:
    """The id of a writer's drawing when it is saved, so that saving it twice stores it once.

    The same picture with the same label from the same writer has the same id. If the label is
    corrected later, the id stays.
    """
    return digest(f"{writer}\0{label}\0".encode() + pixels)[:32]


def digest(pixels: bytes) -> str:
    """The SHA-256 of these bytes in hexadecimal: 64 digits."""
    return hashlib.sha256(pixels).hexdigest()


def stored_size(pixels: bytes, strokes: Strokes | None) -> int:
    """What a drawing counts for towards DIGITRE_MAX_DRAWINGS_BYTES, in bytes."""
    return len(pixels) + len(json.dumps(strokes))
