"""Learning from a teacher beside the labels (Hinton, Vinyals and Dean 2015).

The teacher's logits travel as part of the targets, so that `fit` stays Keras's own, on any backend.
"""

from __future__ import annotations

import keras
import numpy as np
from keras import ops

SHARE = 0.7  # of the loss that comes from the teacher
TEMPERATURE = 2.0  # how much softer than its own word the teacher is heard


SURE = 10.0  # a label's logit where it stands for the teacher's


def targets(
    labels: np.ndarray, shown: np.ndarray, teacher: keras.Model, unheard: np.ndarray
) -> np.ndarray:
    """(n, 12) float32: the label, then the teacher's eleven logits.

    Where `unheard` is set, the label stands for them: what people saved is worth most where no
    network has read it yet.
    """
    logits = teacher.predict(shown, batch_size=512, verbose=0)
    logits[unheard] = SURE * np.eye(11)[labels[unheard]]
    return np.concatenate([labels[:, None], logits], 1).astype(np.float32)


@keras.saving.register_keras_serializable("digitre", "distillation")
def loss(target, logits):
    """Cross-entropy with the label and with the teacher, (n,)."""
    hard = keras.losses.sparse_categorical_crossentropy(target[:, 0], logits, from_logits=True)
    heard = ops.softmax(target[:, 1:] / TEMPERATURE)
    said = ops.log_softmax(logits / TEMPERATURE)
    soft = -ops.sum(heard * said, axis=-1)
    # The square keeps the teacher's gradients as large as the labels', whatever the temperature.
    return (1 - SHARE) * hard + SHARE * TEMPERATURE**2 * soft


@keras.saving.register_keras_serializable("digitre", "accuracy")
def accuracy(target, logits):
    """The share of pictures whose best output is the label, (n,)."""
    best = ops.cast(ops.argmax(logits, axis=-1), target.dtype)
    return ops.cast(ops.equal(best, target[:, 0]), "float32")
