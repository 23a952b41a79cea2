"""Read a part of many pictures: a pure function, which knows no engine, no file and no network address.

It needs neither Dask nor PyArrow, so that any engine can call it: docs/scaling.md has it on Ray and Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from digitre.recognition.classifier import THRESHOLD, Classifier
from digitre.recognition.decoding import PictureError

COLUMNS = (
    "path",
    "digit",
    "result",
    "confidence",
    "probabilities",
    "not_a_digit",
    "reason",
    "error",
    "model",
)
NUMBER_COLUMNS = (*COLUMNS, "text", "boxes")

Row = dict[str, Any]
# Reads the bytes of one picture: (content, classifier, threshold, number) to a row, which may lack columns.
Reader = Callable[[bytes, Classifier, float, bool], Row]


def read_one(content: bytes, classifier: Classifier, threshold: float, number: bool) -> Row:
    """Read one picture: the values of its row, as the API answers them.

    Args:
        content: the bytes of a picture's file; also a data URL or base64, but never a path.
        number: read a number (`Classifier.read_number`), not a digit.

    Raises:
        PictureError: if it cannot be read.
    """
    if not number:
        fields = classifier.read_content(content, threshold).to_dict()
        return {name: fields[name] for name in COLUMNS if name in fields}
    reading = classifier.read_number(content, threshold=threshold)
    return {
        "result": reading.result,
        "confidence": round(reading.confidence, 6),
        "reason": reading.reason,
        "model": reading.model,
        "text": reading.text,
        "boxes": [list(digit.box) for digit in reading.digits],
    }


def read_row(
    path: str,
    content: bytes | str,
    classifier: Classifier,
    threshold: float,
    number: bool,
    reader: Reader = read_one,
) -> Row:
    """The row of one picture. What cannot be read has an error's code in its row; nothing is raised.

    Args:
        content: the bytes, or the code of an error if there are none.
    """
    row: Row = {"path": path, "model": classifier.model}
    if isinstance(content, str):
        return row | {"error": content}
    try:
        return row | reader(content, classifier, threshold, number)
    except PictureError as error:
        return row | {"error": error.code}
    except (
        Exception
    ):  # one picture in a billion must not end a run; the code says whose fault it is
        return row | {"error": "internal_error"}


def read_part(
    pictures: Iterable[tuple[str, bytes | str]],
    classifier: Classifier,
    *,
    threshold: float = THRESHOLD,
    number: bool = False,
    reader: Reader = read_one,
) -> dict[str, list[Any]]:
    """Read pictures into columns, a row for each, in their order.

    Args:
        pictures: (path, content) of each: the content is the bytes of a file, or, if there are none, the code of
            an error as a str. An iterator is read one by one, so that one content is in memory at a time.
        classifier: the network's reader; make one for a process.
        threshold: minimum confidence, from 0 to 1.
        number: read numbers, which have the columns `text` and `boxes` too.
        reader: what reads one content.

    Returns:
        Lists of equal length by column, ready for `pyarrow.table` or `pandas.DataFrame`. A picture that
        cannot be read has a code in `error` and None elsewhere.
    """
    columns: dict[str, list[Any]] = {name: [] for name in (NUMBER_COLUMNS if number else COLUMNS)}
    for path, content in pictures:
        row = read_row(path, content, classifier, threshold, number, reader)
        for name, values in columns.items():
            values.append(row.get(name))
    return columns
