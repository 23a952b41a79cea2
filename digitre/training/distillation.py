"""Knowledge distillation: learn from a teacher's outputs as well as from the labels.

Hinton, Vinyals and Dean 2015. The teacher's logits travel as part of the targets, so that Keras's own
`fit` does the work on any backend.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

SHARE = 0.7  # the teacher's share of the loss
TEMPERATURE = 2.0  # divides the logits of both networks, which softens their probabilities
SURE = 10.0  # the logit of the label where the label replaces the teacher


def targets(
    labels: np.ndarray,
    pictures: np.ndarray,
    teachers: Sequence[keras.Model],
    trusts: np.ndarray,
) -> np.ndarray:
    """What `loss` learns from: the label, then eleven logits, the mean of all teachers'.

    Args:
        labels: (n,) 0 to 10.
        pictures: (n, 28, 28, 1) float32 in [0, 1].
        teachers: networks that give (n, 11) logits.
        trusts: (n,) 0 to 1, how much the label replaces the logits. It replaces them for a drawing that
            somebody saved: that is worth most if no network reads it yet. It is mixed with them for
            what no teacher has seen: where both differ, the network learns to be unsure.

    Returns:
        (n, 12) float32.
    """
    logits = np.mean(
        [teacher.predict(pictures, batch_size=512, verbose=0) for teacher in teachers], 0
    )
    own = SURE * np.eye(11, dtype=np.float32)[labels]
    trusts = trusts[:, None]
    logits = (1 - trusts) * logits + trusts * own
    return np.concatenate([labels[:, None], logits], 1).astype(np.float32)


@keras.saving.register_keras_serializable("digitre", "distillation")
def loss(target, logits):
    """Cross-entropy with the label and with the teacher: (n, 12) and (n, 11) to (n,)."""
    hard = keras.losses.sparse_categorical_crossentropy(target[:, 0], logits, from_logits=True)
    teacher = ops.softmax(target[:, 1:] / TEMPERATURE)
    student = ops.log_softmax(logits / TEMPERATURE)
    soft = -ops.sum(teacher * student, axis=-1)
    # The square keeps the teacher's gradients as large as the labels' at any temperature.
    return (1 - SHARE) * hard + SHARE * TEMPERATURE**2 * soft


@keras.saving.register_keras_serializable("digitre", "accuracy")
def accuracy(target, logits):
    """1 for each picture whose largest output is the label, else 0: (n, 12) and (n, 11) to (n,)."""
    best = ops.cast(ops.argmax(logits, axis=-1), target.dtype)
    return ops.cast(ops.equal(best, target[:, 0]), "float32")


def load_teacher(folder: Path) -> tuple[keras.Model, str] | tuple[None, None]:
    """The network in `teacher.keras` and the SHA-256 of that file; None and None if there is none."""
    file = folder / "teacher.keras"
    if not file.exists():
        print(f"there is no {file}: learning from the labels only", file=sys.stderr)
        return None, None
    return load(file)


def load(file: Path) -> tuple[keras.Model, str]:
    """The network in a Keras file, and the file's SHA-256. Raises ValueError or OSError."""
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return keras.models.load_model(file, compile=False), digest
