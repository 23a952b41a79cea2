"""What finding the writing costs: `python -m benchmarks.search [PICTURES]`, some two minutes.

Reads pictures of each set of scenes (digitre.training.evaluation.scenes), drawn with validation writers, which
needs DIGITRE_DATA. Prints the processor time of a reading beyond decoding, in milliseconds: of all pictures, and
of the sets with the largest medians. Of each picture the lower of two rounds counts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in deploy/gunicorn.conf.py

import numpy as np

from digitre import Classifier
from digitre.recognition.decoding import to_pixels
from digitre.training.evaluation.scenes import figures
from digitre.training.evaluation.scenes.table import SCENE_SETS

PICTURES = 12  # of each set
ROUNDS, SHOWN = 2, 5


def milliseconds(work: Callable[[bytes], object], file: bytes) -> float:
    start = time.process_time()
    work(file)
    return 1000 * (time.process_time() - start)


def main(count: int) -> None:
    """Measure and print. Exits with a message if the data is missing."""
    classifier = Classifier()
    drawings = figures.clear_digits(classifier, "validation")
    if not len(drawings):
        sys.exit("this needs the training data: set DIGITRE_DATA")
    times: dict[str, list[float]] = {}
    for scene_set in SCENE_SETS:
        times[scene_set.title] = [
            min(
                milliseconds(classifier.read, file) - milliseconds(to_pixels, file)
                for _ in range(ROUNDS)
            )
            for file, _ in figures.pictures(scene_set, drawings, count)
        ]
    everything = np.concatenate([*times.values()])
    print(f"{'ms of processor time':40} {'median':>8} {'95 %':>8} {'worst':>8}")
    dearest = sorted(times, key=lambda title: -np.median(times[title]))[:SHOWN]
    for title, values in [("all scenes", everything), *((each, times[each]) for each in dearest)]:
        median, most, worst = np.percentile(values, (50, 95, 100))
        print(f"{title:40} {median:8.0f} {most:8.0f} {worst:8.0f}")
    print(f"{len(everything):,} pictures")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else PICTURES)
