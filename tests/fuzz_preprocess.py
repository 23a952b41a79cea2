"""Fuzz decoding and preprocessing: `python tests/fuzz_preprocess.py -max_total_time=60`.

Atheris (libFuzzer) mutates the files of tests/corpus in a temporary folder. Only the project's own
`PictureError` may be raised, and no input may take long. `make fuzz` runs it for minutes, `make test`
for seconds.
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
MAGIC = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF\0\0\0\0WEBP")


def preprocess_one(data: bytes) -> None:
    """Preprocess one input. Its first byte decides whether it gets magic bytes, or becomes text."""
    if not data:
        return
    choice, rest = data[0] % 8, data[1:]
    picture: bytes | str = rest
    if choice < len(MAGIC) and not rest.startswith(MAGIC[choice][:3]):
        picture = MAGIC[choice] + rest
    elif choice == 7:
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
        failures = f"-artifact_prefix={CORPUS.parent}/found-"
        arguments = [
            sys.argv[0],
            folder,
            failures,
            "-timeout=5",
            "-rss_limit_mb=1500",
            *sys.argv[1:],
        ]
        atheris.Setup(arguments, preprocess_one)
        atheris.Fuzz()
