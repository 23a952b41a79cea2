"""Ctrl-C within an epoch: the batch under way is ended, so that what was learned can be kept."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import keras


class Interruption(keras.callbacks.Callback):
    """Used as a context round `fit`, and given to it: SIGINT ends it after the batch under way; later,
    what is in the context is done first.

    Attributes:
        asked: whether it came. A second one ends the process as usual.
    """

    def __init__(self) -> None:
        super().__init__()
        self.asked = False

    def __enter__(self) -> Interruption:
        # Only a process's first thread may set a handler.
        self._watching = threading.current_thread() is threading.main_thread()
        if self._watching:
            self._before = signal.signal(signal.SIGINT, self._ask)
        return self

    def __exit__(self, *_: object) -> None:
        if self._watching:
            signal.signal(signal.SIGINT, self._before)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.asked:
            self.model.stop_training = True
