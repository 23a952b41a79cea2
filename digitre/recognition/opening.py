"""What a program may give to `Classifier.read` in addition to what `decoding` takes: paths, open files, dictionaries.

Only the library opens paths. The server must not import this: with it, a request could name a file of the
server's. It uses `Classifier.read_content`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from PIL import Image

from digitre.recognition.decoding import PictureError, is_picture, open_picture, to_image, unpack


class BinaryFile(Protocol):
    """An open file, a BytesIO, an upload."""

    def read(self) -> Any: ...


AnyPicture: TypeAlias = (
    str
    | bytes
    | bytearray
    | memoryview
    | os.PathLike[str]
    | BinaryFile
    | Image.Image
    | np.ndarray
    | Mapping[str, Any]
)
OnError: TypeAlias = Literal["raise", "skip", "return"]

# Where a dictionary has its picture: gradio's sketch pad, rows of data sets.
KEYS = ("composite", "image")
# Characters: a longer text than this is not a path, but base64 that is damaged.
LONGEST_PATH = 1024
# A batch is read at once. It has at most so many pictures, and so many pixels, which limits its memory.
BATCH = 4096
BATCH_PIXELS = 50_000_000


class MissingFileError(PictureError, FileNotFoundError):
    """There is no such file. Its `code` is `no_such_file`."""

    __str__ = ValueError.__str__


def load(picture: AnyPicture) -> Image.Image:
    """Open and decode one picture.

    Args:
        picture: the path of a file (str or path), an open file, the bytes of a file, a data URL or base64,
            a PIL image, an array as `decoding.from_array` takes it or anything that NumPy makes one of, or
            a dictionary that has one of these as "composite" or "image".

    Raises:
        PictureError: if it cannot be read. `MissingFileError` if a path names no file.
        OSError: if a file cannot be opened for another reason.
        TypeError: for an object of another type.
    """
    if isinstance(picture, Mapping):
        picture = _in_mapping(picture)
    if isinstance(picture, str):
        return _from_text(picture)
    if isinstance(picture, os.PathLike):
        return to_image(_content(Path(picture)))
    if isinstance(picture, Image.Image):
        return _loaded(picture)
    if hasattr(picture, "read"):
        return to_image(_read(picture))
    if isinstance(picture, memoryview):
        return to_image(bytes(picture))
    return to_image(as_array(picture))


def as_array(picture: Any) -> Any:
    """A tensor or a series as a NumPy array; anything else as it is."""
    if hasattr(picture, "__array__") and not isinstance(picture, Image.Image):
        return np.asarray(picture)
    return picture


def is_several(picture: Any) -> bool:
    """Whether these are several pictures.

    An array of three dimensions is one picture if the last one is 1, 3 or 4, else one picture per row.
    """
    if isinstance(picture, np.ndarray):
        return (
            picture.ndim == 4
            or (picture.ndim == 3 and picture.shape[2] not in (1, 3, 4))
            or (picture.ndim == 1 and picture.dtype.kind in "OUS")
        )
    one = (str, bytes, bytearray, memoryview, os.PathLike, Image.Image, Mapping)
    return (
        isinstance(picture, Iterable)
        and not isinstance(picture, one)
        and not hasattr(picture, "read")
    )


def load_many(pictures: Iterable[Any], on_error: OnError) -> Iterator[Image.Image | Exception]:
    """Open and decode pictures one by one. A note on an error says which picture it is about.

    Args:
        on_error: "raise" an error, "skip" the picture, or "return" the error in its place.
    """
    for index, picture in enumerate(pictures):
        try:
            yield load(picture)
        except (PictureError, OSError, TypeError) as error:
            error.add_note(f"It is picture {index} of the list, counted from 0.")
            if on_error == "raise":
                raise
            if on_error == "return":
                yield error


def batches(
    images: Iterable[Image.Image | Exception],
) -> Iterator[list[Image.Image | Exception]]:
    """Lists of as many as are read at once."""
    batch: list[Image.Image | Exception] = []
    pixels = 0
    for image in images:
        batch.append(image)
        pixels += 0 if isinstance(image, Exception) else image.width * image.height
        if len(batch) == BATCH or pixels >= BATCH_PIXELS:
            yield batch
            batch, pixels = [], 0
    yield batch


def _in_mapping(mapping: Mapping[str, Any]) -> Any:
    for key in KEYS:
        if mapping.get(key) is not None:
            return mapping[key]
    raise TypeError(f"a dictionary must have a picture as one of {', '.join(KEYS)}")


def _from_text(text: str) -> Image.Image:
    """The picture of a path, a data URL or base64."""
    is_url = text.lstrip()[:5].lower() in ("data:", "data%")
    if not is_url and _exists(text):
        return to_image(_content(Path(text)))
    data = b""
    try:
        data = unpack(text)
        return open_picture(data)
    except PictureError as error:
        is_no_picture = error.code in ("bad_base64", "not_a_picture") and not is_picture(data)
        if is_url or not is_no_picture or len(text) > LONGEST_PATH:
            raise
    raise _missing(text, ", and it is neither a data URL nor base64 of a picture")


def _missing(name: str, more: str = "") -> MissingFileError:
    shown = name if len(name) <= 80 else f"{name[:77]}..."
    return MissingFileError("no_such_file", f"There is no file {shown!r}{more}.")


def _exists(text: str) -> bool:
    try:
        return 0 < len(text) <= LONGEST_PATH and Path(text).exists()
    except (OSError, ValueError):  # a name that no file can have
        return False


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        raise _missing(str(path)) from None


def _loaded(image: Image.Image) -> Image.Image:
    """The image, decoded: Pillow does so late, and its error for a damaged file is an OSError."""
    try:
        image.load()
    except (OSError, SyntaxError) as error:
        raise PictureError("not_a_picture", f"The picture is damaged: {error}.") from None
    if 0 in image.size:
        raise PictureError("not_a_picture", "The picture has no pixels.")
    return image


def _read(file: Any) -> Any:
    """The content of an open file, from its start, as Pillow reads it: who has just written it is at its end."""
    try:
        if hasattr(file, "seekable") and file.seekable():
            file.seek(0)
        return file.read()
    except UnicodeDecodeError:
        raise PictureError(
            "not_a_picture", "Open the file in binary mode: open(path, 'rb')."
        ) from None
