"""Fuzz decoding and preprocessing: `python tests/fuzz_preprocess.py -max_total_time=60`.

Atheris (libFuzzer) changes the files in tests/corpus and whatever it finds on the way, in a folder
that is thrown away. Only the project's own `PictureError` may come out, and nothing may take long.
`make fuzz` runs it for minutes, `make test` for seconds.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["digitre", "PIL"]):
    import numpy as np

    from digitre.recognition.preprocessing import PictureError, preprocess

CORPUS = Path(__file__).resolve().parent / "corpus"
HEADS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP")


def one(data: bytes) -> None:
    """One input; its first byte says whether it is given a picture's head, or is text."""
    if not data:
        return
    way, rest = data[0] % 8, data[1:]
    picture: bytes | str = rest
    if way < len(HEADS) and not rest.startswith(HEADS[way][:3]):
        picture = HEADS[way] + rest
    elif way == 7:
        picture = rest.decode("latin-1")
    try:
        pixels = preprocess(picture)
    except PictureError:
        return
    if pixels.shape != (1, 28, 28, 1) or not np.isfinite(pixels).all():
        raise AssertionError(pixels)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        for file in CORPUS.iterdir():
            shutil.copy(file, folder)
        kept = f"-artifact_prefix={CORPUS.parent}/found-"
        arguments = [sys.argv[0], folder, kept, "-timeout=5", "-rss_limit_mb=1500", *sys.argv[1:]]
        atheris.Setup(arguments, one)
        atheris.Fuzz()
