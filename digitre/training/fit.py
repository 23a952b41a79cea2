"""Train a network, epoch by epoch, in a way that can be stopped and resumed."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from multiprocessing.pool import AsyncResult
from pathlib import Path
from typing import Any

import keras
import numpy as np

from digitre import files
from digitre.training import distillation, distributed, export, interruption, networks
from digitre.training.data import epochs as epoch_data
from digitre.training.data.saved import SavedDrawings
from digitre.training.evaluation import metrics, sets


@dataclass(frozen=True)
class Settings:
    """Everything that shapes a training. It is written into the network's card."""

    # The network and its random numbers.
    network: str = "digitre"  # the name of its function in `networks`
    seed: int = 1

    # The optimizer: AdamW (see `compile_network`).
    epochs: int = 14
    batch: int = 128  # pictures per step
    learning_rate: float = 2e-3  # the peak: it rises for a tenth of the steps, then falls to zero
    weight_decay: float = 0.02

    # The data.
    share: float = 1.0  # of each epoch's pictures: less for a short trial
    images: str | None = None  # a folder of pictures, sorted into folders 0 to 9, to learn as well
    saved: str | None = None  # the digest of the saved drawings to learn as well

    # Other networks.
    teacher: str | None = None  # the SHA-256 of the network to learn from (see `distillation`)
    second_teacher: str | None = None  # the version of a second one: the mean of all is learned
    more_teachers: list[str] = field(default_factory=list)  # the SHA-256 of each further one
    start: str | None = None  # the version of the network to start from, instead of a new one
    trained: float = 1.0  # the share of the trained weights in the result; the rest are the start's


Row = dict[str, float]  # the figures of one epoch
Pictures = tuple[np.ndarray, np.ndarray, np.ndarray]  # as `data.epochs.make` returns them


def with_teachers(
    settings: Settings, folder: Path, start: keras.Model | None, more: Sequence[Path] = ()
) -> tuple[Settings, list[keras.Model]]:
    """The networks to learn from: the teacher in a folder, the one that the training starts from, and more.

    Without the second, a training soon forgets what only that one knows. The mean of several networks is
    right more often than each of them (Hansen and Salamon 1990).

    Args:
        settings: those of the training.
        folder: has `teacher.keras`.
        start: the network that the training starts from, if it is not a new one.
        more: Keras files of further networks, which give (n, 11) logits.

    Returns:
        The settings with the names of these networks, and the networks. Without a teacher in the folder there are none.

    Raises:
        ValueError, OSError: if a file of `more` is not a network, or does not exist, or if the folder has no teacher.
    """
    teacher, digest = distillation.load_teacher(folder)
    settings = replace(settings, teacher=digest)
    if teacher is None:
        if more:
            raise ValueError(f"further teachers need one in {folder / 'teacher.keras'} to add to")
        return settings, []
    teachers = [teacher]
    if start is not None:
        settings = replace(settings, second_teacher=settings.start)
        teachers.append(export.without_optimizer(start))
    further = [distillation.load(file) for file in more]
    settings = replace(settings, more_teachers=[digest for _, digest in further])
    return settings, teachers + [network for network, _ in further]


def train(
    settings: Settings,
    work: Path,
    *,
    resume: bool = False,
    teachers: Sequence[keras.Model] = (),
    start: keras.Model | None = None,
    saved: SavedDrawings | None = None,
    cluster: distributed.Cluster | None = None,
) -> tuple[keras.Model, list[Row]]:
    """Train a network. Its whole state is saved after each epoch, and at Ctrl-C after the batch.

    Args:
        settings: what shapes the training; they also name the next three arguments.
        work: the folder for the state, see `State`.
        resume: continue from the state there. It must have the same settings.
        teachers: networks whose logits are learned as well as the labels.
        start: the network to start from, instead of a new one.
        saved: drawings that people saved, learned as well.
        cluster: the processes that train together; each calls this, with a folder of its own.

    Returns:
        The network, which gives (n, 11) logits, and the figures of each epoch.

    Raises:
        ValueError: if there is nothing to resume, or it has other settings.
        KeyboardInterrupt: after Ctrl-C. A later call with `resume` continues with the next batch.
    """
    keras.utils.set_random_seed(settings.seed)
    state = State(work, settings)
    history = state.load_history() if resume else []
    with make_ahead(settings, saved, len(history)) as epochs:
        network = state.load_network() if resume else None
        for epoch, pictures in epochs:
            steps = count_steps(pictures, settings.batch, cluster)
            if network is None:
                network = start or getattr(networks, settings.network)()
                compile_network(network, settings, settings.epochs * steps)
            started = time.monotonic()
            inputs = prepare(
                drop_learned(pictures, settings.batch, network, epoch, steps),
                settings.batch,
                teachers,
                cluster,
            )
            # Until the state is saved: Ctrl-C must not lose what was learned.
            with interruption.Interruption() as stop:
                row = learn(network, inputs, epoch, stop)
                if not stop.requested or batches_learned(network) >= (epoch + 1) * steps:
                    row["seconds"] = time.monotonic() - started
                    history.append(row if cluster else row | metrics.validate(network))
                    left = (settings.epochs - epoch - 1) * row["seconds"] / 60
                    print(f"  {describe(history[-1])}; about {left:.0f} minutes left", flush=True)
                state.save(network, history)
            if stop.requested:
                raise KeyboardInterrupt("what was learned is saved: continue with --resume")
    if network is None:
        raise ValueError("no epoch was trained")
    return distributed.detach(network) if cluster else network, history


class State:
    """The state of a training in a folder: the network in `state.keras`, the rest in `history.json`.

    Args:
        work: the folder; it is made if it is missing.
        settings: those of the training.
    """

    def __init__(self, work: Path, settings: Settings) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.network, self.log = work / "state.keras", work / "history.json"
        self.settings = asdict(settings)

    def load_history(self) -> list[Row]:
        """The figures of the finished epochs. Raises ValueError if this cannot be resumed."""
        if not (self.network.exists() and self.log.exists()):
            raise ValueError("there is no training to resume")
        log = json.loads(self.log.read_text())
        if log["settings"] != self.settings:
            raise ValueError(f"the training to resume has other settings: {log['settings']}")
        return log["epochs"]

    def load_network(self) -> keras.Model:
        """The network with its optimizer."""
        return keras.models.load_model(self.network)

    def save(self, network: keras.Model, history: list[Row]) -> None:
        # The network first: if the process is killed in between, its optimizer's count of batches
        # shows that the history is one epoch behind.
        with files.replacing(self.network) as new:
            network.save(new)
        files.write_json(self.log, {"settings": self.settings, "epochs": history})


@contextmanager
def make_ahead(
    settings: Settings, saved: SavedDrawings | None, first: int
) -> Iterator[Iterator[tuple[int, Pictures]]]:
    """Make the epochs from `first` on, each in another process while the one before it is learned.

    Yields:
        The number and the pictures of each epoch.
    """
    # The matrices there are small: threads for them would only take cores from the training.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    context = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow hangs
    # That process ignores Ctrl-C: the training decides what is saved.
    with context.Pool(1, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as maker:

        def ask(epoch: int) -> AsyncResult:
            arguments = (settings.seed, epoch, settings.share, settings.images, saved)
            return maker.apply_async(epoch_data.make, arguments)

        def epochs(coming: AsyncResult) -> Iterator[tuple[int, Pictures]]:
            for epoch in range(first, settings.epochs):
                pictures = coming.get()
                if epoch + 1 < settings.epochs:
                    coming = ask(epoch + 1)
                yield epoch, pictures

        # Ask for the first one now, not when the loop begins: the network loads meanwhile.
        yield epochs(ask(first))


def compile_network(network: keras.Model, settings: Settings, steps: int) -> None:
    """Give a network its optimizer and its loss.

    Adam with decoupled weight decay (Loshchilov and Hutter 2019); one cycle of the learning rate,
    which rises linearly from a twentieth and falls to zero by half a cosine.

    Args:
        network: the network to train.
        settings: those of the training.
        steps: the number of batches in all epochs together.
    """
    rise = max(1, steps // 10)
    rate = keras.optimizers.schedules.CosineDecay(
        settings.learning_rate / 20,
        decay_steps=steps - rise,
        warmup_target=settings.learning_rate,
        warmup_steps=rise,
    )
    optimizer = keras.optimizers.AdamW(rate, weight_decay=settings.weight_decay)
    if settings.teacher:
        network.compile(optimizer, distillation.loss, metrics=[distillation.accuracy])
    else:
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        network.compile(optimizer, loss, metrics=["accuracy"])


def count_steps(pictures: Pictures, batch: int, cluster: distributed.Cluster | None) -> int:
    """The batches of an epoch. A cluster drops an incomplete one, see `distributed.batches`."""
    count = len(pictures[1])
    return count // batch if cluster else -(-count // batch)


def batches_learned(network: keras.Model) -> int:
    """The batches that a network has learned since its training began."""
    return int(network.optimizer.iterations)


def drop_learned(
    pictures: Pictures, batch: int, network: keras.Model, epoch: int, steps: int
) -> Pictures:
    """Drop the batches of an epoch that were learned before the training was stopped."""
    learned = batches_learned(network) - epoch * steps
    if learned <= 0:
        return pictures
    print(f"  {learned} of this epoch's {steps} batches are learned already", flush=True)
    images, labels, trusts = (each[learned * batch :] for each in pictures)
    return images, labels, trusts


def prepare(
    pictures: Pictures,
    batch: int,
    teachers: Sequence[keras.Model],
    cluster: distributed.Cluster | None,
) -> dict[str, Any]:
    """An epoch as arguments for Keras's `fit`."""
    images, labels, trusts = pictures
    x = sets.as_batch(images)
    targets = distillation.targets(labels, x, teachers, trusts) if teachers else labels
    if cluster:
        return {"x": distributed.batches(x, targets, batch)}
    # The epoch is shuffled already, with the saved drawings spread evenly.
    return {"x": x, "y": targets, "batch_size": batch, "shuffle": False}


def learn(
    network: keras.Model, inputs: dict[str, Any], epoch: int, stop: interruption.Interruption
) -> Row:
    """Learn one epoch, or the part of it before Ctrl-C. Returns its loss and accuracy."""
    result = network.fit(
        **inputs,
        initial_epoch=epoch,
        epochs=epoch + 1,
        verbose=1 if sys.stderr.isatty() else 2,
        callbacks=[stop],
    )
    return {name: float(values[-1]) for name, values in result.history.items()}


def describe(row: Row) -> str:
    """The figures of an epoch on the validation parts, as text."""
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.2f}"
        for name, value in row.items()
        if name in metrics.VALIDATION_COLUMNS
    )
