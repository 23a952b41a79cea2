"""Read pictures each in a process of its own, so that one which kills its process costs its own row only.

`python -m digitre.bulk.alone` is a helper with one thread, which forks for each picture: a worker of Dask has
several threads and may not have children of `multiprocessing`.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterable, Iterator
from typing import IO, Any

from digitre.bulk.reading import Reader, Row, read_row
from digitre.recognition.classifier import Classifier

DIED = "worker_died"
PATIENCE = 60  # seconds; a picture that takes longer counts as one that kills


def rows_alone(
    pictures: Iterable[tuple[str, bytes | str]],
    classifier: Classifier,
    threshold: float,
    number: bool,
    reader: Reader,
) -> Iterator[Row]:
    """The rows of pictures, each read in a process of its own. Takes some ten milliseconds a picture more."""
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "OPENBLAS_NUM_THREADS": "1",  # a fork keeps only one thread
    }
    helper = subprocess.Popen(
        [sys.executable, "-m", "digitre.bulk.alone"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    )
    assert helper.stdin is not None
    assert helper.stdout is not None
    with helper:
        try:
            _send(helper.stdin, (os.fspath(classifier.path), threshold, number, reader))
            for path, content in pictures:
                _send(helper.stdin, (path, content))
                yield pickle.load(helper.stdout)
            helper.stdin.close()
        except BaseException:
            helper.kill()
            raise


def _send(pipe: IO[bytes], value: Any) -> None:
    pickle.dump(value, pipe)
    pipe.flush()


def main() -> None:
    """Answer each (path, content) on standard input with a row on standard output."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the worker decides when to stop
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # nothing that a library prints may come among the answers
    network, threshold, number, reader = pickle.load(sys.stdin.buffer)
    classifier = Classifier(network)
    import ai_edge_litert.interpreter  # noqa: F401  # once, before the forks

    while True:
        try:
            path, content = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        _send(answers, _forked(path, content, classifier, threshold, number, reader))


def _forked(path: str, content: bytes | str, classifier: Classifier, *how: Any) -> Row:
    get, put = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.close(get)
            signal.alarm(PATIENCE)
            with os.fdopen(put, "wb") as pipe:
                _send(pipe, read_row(path, content, classifier, *how))
            status = 0
        finally:
            os._exit(status)
    os.close(put)
    with os.fdopen(get, "rb") as pipe:
        answer = pipe.read()
    _, status = os.waitpid(child, 0)
    died = {"path": path, "model": classifier.model, "error": DIED}
    return died if status else pickle.loads(answer)


if __name__ == "__main__":
    main()
