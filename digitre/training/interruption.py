"""Ctrl-C during an epoch: finish the current batch, so that what was learned can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType

import keras


class Interruption(keras.callbacks.Callback):
    """Delays Ctrl-C (SIGINT). Use it as a context around `fit`, and pass it to `fit` as a callback.

    During `fit`, SIGINT ends the training after the current batch; later in the context, it has no
    effect until the context is left. A second SIGINT raises KeyboardInterrupt at once.

    Attributes:
        requested: whether SIGINT was received.
    """

    def __init__(self) -> None:
        super().__init__()
        self.requested = False

    def __enter__(self) -> Interruption:
        # Only a process's main thread may set a signal handler.
        self._in_main_thread = threading.current_thread() is threading.main_thread()
        if self._in_main_thread:
            self._previous = signal.signal(signal.SIGINT, self._request)
        return self

    def __exit__(self, *_: object) -> None:
        if self._in_main_thread:
            signal.signal(signal.SIGINT, self._previous)

    def _request(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        if self.requested:
            self.model.stop_training = True
