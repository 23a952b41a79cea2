"""Training: a network, its epochs, its calibration, its export."""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import time
from dataclasses import asdict, dataclass
from multiprocessing.pool import AsyncResult
from pathlib import Path

import keras
import numpy as np

from digitre import files
from digitre.recognition.classifier import is_refused
from digitre.training import distillation, distributed, interruption, networks
from digitre.training.data import epochs as epoch_data
from digitre.training.data.datasets import NO_DIGIT
from digitre.training.data.saved import Collected
from digitre.training.evaluation import report, sets
from digitre.training.evaluation.sets import digit_probabilities, validation_sets


@dataclass(frozen=True)
class Settings:
    """All that shapes a training, kept in the network's card."""

    network: str = "digitre"  # its function's name in `networks`
    seed: int = 1
    epochs: int = 14
    batch: int = 128
    learning_rate: float = 2e-3  # at its height: it rises for a tenth of the steps, falls to zero
    weight_decay: float = 0.02
    share: float = 1.0  # of each epoch's pictures, for a short trial
    images: str | None = None  # a folder of pictures sorted into folders 0 to 9, learned as well
    teacher: str | None = None  # the SHA-256 of the network that is learned from beside the labels
    start: str | None = None  # the version of the network that it goes on from
    saved: str | None = None  # the digest of the saved drawings that are learned as well


def train(
    settings: Settings,
    work: Path,
    *,
    resume: bool = False,
    teacher: keras.Model | None = None,
    start: keras.Model | None = None,
    saved: Collected | None = None,
    cluster: distributed.Cluster | None = None,
) -> tuple[keras.Model, list[dict[str, float]]]:
    """Train a network; after each epoch, and at Ctrl-C, the whole state is kept in `work`.

    Args:
        settings: what shapes the training, and names what the next three are.
        work: a folder for the state: `state.keras` and `history.json`.
        resume: go on from the state there; the settings must be those it began with.
        teacher: a network whose logits are learned beside the labels.
        start: the network to go on from, instead of a new one.
        saved: drawings that people saved, learned beside the rest.
        cluster: the processes that train together; each calls this, with a folder of its own.

    Returns:
        The network, giving logits, and each epoch's figures.

    Raises:
        ValueError: where there is nothing to resume, or it began with other settings.
        KeyboardInterrupt: after Ctrl-C; `resume` goes on with the next batch.
    """
    keras.utils.set_random_seed(settings.seed)
    work.mkdir(parents=True, exist_ok=True)
    state, log = work / "state.keras", work / "history.json"
    context = multiprocessing.get_context("spawn")  # a fork of a process with TensorFlow hangs
    # The maker's matrices are small: threads for them would only take the trainer's cores.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # At Ctrl-C it is this process that decides what is kept.
    with context.Pool(1, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as maker:
        history: list[dict] = []
        if resume:
            if not (state.exists() and log.exists()):
                raise ValueError("there is no training to resume")
            kept = json.loads(log.read_text())
            if kept["settings"] != asdict(settings):
                raise ValueError(f"the training to resume has other settings: {kept['settings']}")
            history = kept["epochs"]

        def ask(epoch: int) -> AsyncResult:
            asked = (settings.seed, epoch, settings.share, settings.images, saved)
            return maker.apply_async(epoch_data.make, asked)

        def keep(network: keras.Model) -> None:
            # First the new state, then its name: being stopped half-way loses nothing.
            with files.replacing(state) as new:
                network.save(new)
            files.write_json(log, {"settings": asdict(settings), "epochs": history})

        if len(history) < settings.epochs:
            following = ask(len(history))
        network = keras.models.load_model(state) if resume else None
        for epoch in range(len(history), settings.epochs):
            pictures, labels, is_saved = following.get()
            if epoch + 1 < settings.epochs:
                following = ask(epoch + 1)
            steps = len(labels) // settings.batch  # a cluster leaves out what fills no batch
            if not cluster:
                steps = -(-len(labels) // settings.batch)
            if network is None:
                network = start or getattr(networks, settings.network)()
                compile_network(network, settings, settings.epochs * steps)
            learned = int(network.optimizer.iterations) - epoch * steps
            if learned > 0:  # it was stopped within this epoch
                print(f"  {learned} of this epoch's {steps} batches are learned", flush=True)
                rest = slice(learned * settings.batch, None)
                pictures, labels, is_saved = pictures[rest], labels[rest], is_saved[rest]
            started = time.monotonic()
            shown = pictures[..., None].astype(np.float32) / 255
            targets = labels
            if teacher:
                targets = distillation.targets(labels, shown, teacher, is_saved)
            if cluster:
                given: dict = {"x": distributed.batches(shown, targets, settings.batch)}
            else:
                # It comes shuffled, and what people saved is spread evenly.
                given = {"x": shown, "y": targets, "batch_size": settings.batch, "shuffle": False}
            # Until the epoch is kept: what is learned is not lost while it is measured.
            with interruption.Interruption() as stopping:
                fitted = network.fit(
                    **given,
                    initial_epoch=epoch,
                    epochs=epoch + 1,
                    verbose=1 if sys.stderr.isatty() else 2,
                    callbacks=[stopping],
                )
                learned = int(network.optimizer.iterations)
                if not stopping.asked or learned >= (epoch + 1) * steps:
                    history.append(
                        {name: float(values[-1]) for name, values in fitted.history.items()}
                        | {"seconds": time.monotonic() - started}
                        | ({} if cluster else sets.quick(network))
                    )
                    left = (settings.epochs - epoch - 1) * history[-1]["seconds"] / 60
                    print(f"  {describe(history[-1])}; about {left:.0f} minutes left", flush=True)
                keep(network)
            if stopping.asked:
                raise KeyboardInterrupt("what was learned is kept: go on with --resume")
        maker.terminate()
    if network is None:
        raise ValueError("no epoch was trained")
    return distributed.alone(network) if cluster else network, history


def compile_network(network: keras.Model, settings: Settings, steps: int) -> None:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019), one cycle of its rate."""
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


def describe(row: dict) -> str:
    return ", ".join(
        f"{name.replace('_', ' ')} {value:.2f}" for name, value in row.items() if name in sets.QUICK
    )


# Of digits no larger share than this may be refused for the sake of refusing what is no digit, on
# the validation parts: MNIST's are tidy; of UNIPEN's some are a dash or a fragment.
REFUSED_DIGITS = {"mnist": 0.006, "drawn": 0.006, "anywhere": 0.006, "unipen": 0.02}

# No sharper than half: the validation parts are tidier than what strangers draw, and there the
# error hardly changes below.
TEMPERATURES = np.arange(10, 41) / 20


def calibrate(network: keras.Model) -> dict[str, float]:
    """Make the probabilities mean what they say, on the validation parts.

    The logits are divided by one temperature (Guo et al. 2017): the one with the least calibration
    error, every set of digits counting as much as another. "No digit" gets an offset: the largest
    that leaves at most `REFUSED_DIGITS` of each set refused. Both are written into the last layer,
    so that nothing has to be done when serving.

    Returns:
        `temperature` and `no_digit_offset`.
    """
    sets = {
        name: (network.predict(x[..., None].astype(np.float32) / 255, verbose=0), y)
        for name, (x, y) in validation_sets().items()
        if name in REFUSED_DIGITS
    }

    def digits(name: str, temperature: float, offset: float) -> np.ndarray:
        scaled = sets[name][0] / temperature
        scaled[:, NO_DIGIT] += offset
        return digit_probabilities(scaled)

    def off(temperature: float, offset: float) -> float:
        rows = {name: digits(name, temperature, offset) for name in sets}
        return sum(
            report.calibration_error(row.max(1), row.argmax(1) == sets[name][1])
            for name, row in rows.items()
        )

    def refuses_too_many(temperature: float, offset: float) -> bool:
        return any(
            is_refused(digits(name, temperature, offset).max(1)).mean() > REFUSED_DIGITS[name]
            for name in sets
        )

    for offset in np.arange(30, -31, -1) / 10:
        temperature = min(TEMPERATURES, key=lambda each: off(each, offset))
        if not refuses_too_many(temperature, offset):
            break
    last = network.get_layer("logits")
    kernel, bias = last.get_weights()
    bias = bias / temperature
    bias[NO_DIGIT] += offset
    last.set_weights([kernel / temperature, bias])
    return {"temperature": float(temperature), "no_digit_offset": float(offset)}


def uncalibrate(network: keras.Model, calibration: dict[str, float]) -> None:
    """Take back what `calibrate` did: training goes on from the logits that it left."""
    last = network.get_layer("logits")
    kernel, bias = last.get_weights()
    bias[NO_DIGIT] -= calibration["no_digit_offset"]
    last.set_weights([part * calibration["temperature"] for part in (kernel, bias)])
