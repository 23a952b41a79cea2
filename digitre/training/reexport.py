"""Write the served file of a trained network again: `python -m digitre.training.reexport FOLDER [float32]`.

The folder has `digitre.keras`, and may have the card `digitre.json`. Weights are in eight bits if the
answers stay the same, or in 32 with the word `float32`. The card then names the new file; it has no
figures until `digitre report --folder FOLDER` measures that file.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import keras

from digitre.recognition.card import Card, Figures
from digitre.recognition.classifier import Classifier
from digitre.training import export
from digitre.training.reporting.card import save_card


def main(folder: Path, weights: str = "") -> None:
    """Write `digitre.tflite`, and the card if there is one. Raises OSError if a file is missing."""
    saved, file = folder / "digitre.keras", folder / "digitre.tflite"
    network = keras.models.load_model(saved, compile=False)
    card = Card.load(folder / "digitre.json")
    written = export.write_served(network, saved, file, eight_bits=weights != export.FLOAT32)
    model = Classifier(file).model
    if card is not None:
        figures = card.figures if card.model == model else Figures()
        save_card(replace(card, model=model, weights=written, figures=figures), folder)
    print(f"{model}: {written}, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
