"""What one request with many pictures may cost: the same for lists of drawings and for the protocols of model servers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from digitre.recognition import avif, containers
from digitre.web.bodies import RequestError

MOST = 256  # pictures in one request
LONGEST = 1.0  # seconds of processor time; a drawing takes about a millisecond, a photo up to half a second


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


def clock() -> Callable[[], bool]:
    """A function that says whether this thread has worked for longer than `LONGEST` since now."""
    started = avif.thread_time()
    return lambda: avif.thread_time() - started > LONGEST
