"""Read the many pictures of one request, and bound what they cost: for lists of drawings and the protocols of model servers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeAlias

from digitre.recognition import avif, containers
from digitre.recognition.classifier import Classifier, Reading
from digitre.recognition.decoding import Picture, PictureError
from digitre.recognition.plain import Prepared, prepare, stands
from digitre.web.bodies import RequestError

MOST = 256  # pictures in one request
LONGEST = 1.0  # seconds of processor time; a drawing takes about a millisecond, a photo up to half a second
# So many pictures are prepared, and then read: the network's weights push the code and data of what comes before
# it out of the processor's caches. One by one, a drawing in a list takes 430 us; in groups of 16, 357, of 64, 341.
TOGETHER = 64
# With so many pixels, no further picture is prepared before these are read: so the memory is bounded.
TOGETHER_PIXELS = 1_000_000

Wrong: TypeAlias = PictureError | RequestError
TOO_LONG = RequestError(
    "too_many", "The pictures before this one took long to read: send it again with fewer."
)


def check_number(number: int, name: str) -> None:
    """Raise RequestError, `too_many`, if a request has more pictures than `MOST`.

    Args:
        name: what the message calls them.
    """
    if number > MOST:
        raise RequestError("too_many", f"Send at most {MOST} {name} in one request.")


def pixels_of(picture: Any) -> int:
    """How many pixels a picture has by its header; 0 for what is not a file."""
    return containers.pixels_of(picture) if isinstance(picture, bytes) else 0


def read_all(
    classifier: Classifier, pictures: Iterable[Picture | Wrong], threshold: float
) -> Iterator[Reading | Wrong]:
    """Read the pictures of a request.

    Args:
        pictures: each one, or what is wrong with it.
        threshold: for all.

    Yields:
        The reading of each, or what is wrong with it: `too_many` if those before it took longer than `LONGEST`.
    """
    is_too_long = _clock()
    group: list[Prepared | Wrong] = []
    pixels = 0
    for picture in pictures:
        group.append(TOO_LONG if is_too_long() else _prepare(picture))
        if isinstance(last := group[-1], Prepared):
            pixels += last.count_pixels()
        if len(group) == TOGETHER or pixels > TOGETHER_PIXELS:
            yield from _read_group(classifier, group, threshold, is_too_long)
            group, pixels = [], 0
    yield from _read_group(classifier, group, threshold, is_too_long)


def _prepare(picture: Picture | Wrong) -> Prepared | Wrong:
    try:
        return picture if isinstance(picture, Wrong) else prepare(picture)
    except PictureError as error:
        return error


def _read_group(
    classifier: Classifier,
    group: list[Prepared | Wrong],
    threshold: float,
    is_too_long: Callable[[], bool],
) -> Iterator[Reading | Wrong]:
    prepared = [each for each in group if isinstance(each, Prepared)]
    rows = iter(classifier.classify_all(prepared))
    for each in group:
        if not isinstance(each, Prepared):
            yield each
            continue
        found = each.as_read(next(rows))
        if found is None or not stands(found):
            if each is not prepared[0] and is_too_long():
                yield TOO_LONG
                continue
            found = classifier.search(each.picture, found)
        yield classifier.answer(found, threshold)


def _clock() -> Callable[[], bool]:
    """A function that says whether this thread has worked for longer than `LONGEST` since now."""
    started = avif.thread_time()
    return lambda: avif.thread_time() - started > LONGEST
