"""Learn from saved drawings: train a candidate, check it against the gates, promote it if it passes."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras

from digitre.recognition.card import Card, LearnedDrawings, Verdict
from digitre.recognition.classifier import Classifier, shipped_model
from digitre.registry import Registry
from digitre.training import calibration, export, fit
from digitre.training.averaging import average
from digitre.training.data.saved import SavedDrawings
from digitre.training.evaluation import gates, report, sets
from digitre.training.reporting.card import new_card, save_card

# What differs from the defaults of `fit.Settings` when a training continues from the served network:
# a server learns this in minutes. At a higher rate so few pictures lose some of what the network knows.
FINETUNE: dict[str, Any] = {"epochs": 2, "share": 0.1, "learning_rate": 1e-4}
# The shares of the trained weights that are tried one after the other, until the gates pass, if the training started
# from the served network. An average of both still learns a few drawings, and loses less (Wortsman et al. 2022, "Robust
# fine-tuning of zero-shot models").
SHARES = (1.0, 0.5)


def retrain(
    settings: fit.Settings,
    saved: SavedDrawings,
    registry: Registry,
    served: Classifier,
    work: Path,
    *,
    finetune: bool = False,
    brief: bool = False,
    resume: bool = False,
    eight_bits: bool = True,
) -> Card:
    """Train with the accepted drawings, and promote the network if it passes its gates.

    The candidate is added to the registry with its verdict, whether it passes or not.

    Args:
        settings: what shapes the training. Its drawings, teacher and start are filled in here.
        saved: the drawings to learn, and those to measure on.
        registry: the networks of this server.
        served: the network that is served.
        work: the folder for the state of the training, which the caller has locked.
        finetune: start from the network that is served.
        brief: do not measure the test sets.
        resume: continue a stopped training.
        eight_bits: write weights in eight bits, if the answers stay the same: see `export.save`.

    Returns:
        The candidate's card, with its verdict.

    Raises:
        ValueError: if the data for the gates is missing, if there is nothing to start from, or if another
            network was promoted meanwhile.
        OSError: if a file cannot be written.
        KeyboardInterrupt: after Ctrl-C; see `fit.train`.
    """
    promoted = registry.promoted()
    check_gates()
    if not len(saved.held_out[1]):
        print("no writer is held out to measure on yet", file=sys.stderr)
    trained = train_candidate(settings, saved, served, work, finetune=finetune, resume=resume)
    folder = work / "candidate"
    for share in SHARES if finetune else SHARES[:1]:
        card = trained.write(folder, share, eight_bits=eight_bits)
        candidate = Classifier(folder / "digitre.tflite")
        results = tuple(gates.compare(served, candidate, saved.held_out))
        verdict = Verdict(all(gate.passed for gate in results), results, served.model)
        if verdict.passed:
            break
        failed = sum(not gate.passed for gate in results)
        print(f"with {share:.0%} of the trained weights, {failed} gates failed", file=sys.stderr)
    if not brief:
        card = replace(card, figures=report.on_test_parts(candidate))
    learned = LearnedDrawings(len(saved), len(saved.held_out[1]), saved.manifest)
    card = replace(card, drawings=learned, verdict=verdict)
    save_card(card, folder)
    registry.add(folder)
    if verdict.passed:
        if registry.promoted() != promoted:
            raise ValueError(
                f"{card.model} is kept, not promoted: it was compared with {served.model}, "
                "which is no longer served"
            )
        registry.promote(card.model)
    return card


def check_gates() -> None:
    """Raise ValueError if the data for the gates is missing.

    Sets without pictures of their own, such as scenes, are not for the gates. Those that were added later are,
    if their data is here: a server may have the data of before.
    """
    needed = {
        each.id for each in sets.SETS if each.id in sets.VALIDATION and each.load and not each.added
    }
    if missing := needed - sets.validation_sets().keys():
        raise ValueError(f"the gates need the data of {', '.join(sorted(missing))}")


def train_candidate(
    settings: fit.Settings,
    saved: SavedDrawings,
    served: Classifier,
    work: Path,
    *,
    finetune: bool,
    resume: bool,
) -> Trained:
    """Train the candidate. Args and exceptions are those of `retrain`."""
    settings = replace(settings, saved=saved.digest())
    start = before = None
    if finetune:
        start = calibration.load_uncalibrated(served)
        before = export.without_optimizer(start)  # the training changes the other one
        settings = replace(settings, start=served.model)
    settings, teachers = fit.with_teachers(settings, shipped_model().parent, start)
    network, history = fit.train(
        settings,
        work,
        resume=resume,
        teachers=teachers,
        start=start,
        saved=saved,
    )
    return Trained(network, network if before is None else before, settings, history)


@dataclass(frozen=True)
class Trained:
    """A network that was trained, and the one that the training started from: itself, if it was new."""

    network: keras.Model
    before: keras.Model
    settings: fit.Settings
    history: list[fit.Row]

    def write(self, folder: Path, share: float, *, eight_bits: bool) -> Card:
        """Calibrate and export the network, or an average with the one before.

        Args:
            folder: where to.
            share: of the trained weights, over 0 to 1.
            eight_bits: see `export.save`.

        Returns:
            The card of what was written, without figures.
        """
        network = average(self.before, self.network, share)
        calibrated = calibration.calibrate(network)
        folder.mkdir(exist_ok=True)
        weights = export.save(network, folder, eight_bits=eight_bits)
        candidate = Classifier(folder / "digitre.tflite")
        settings = replace(self.settings, trained=share)
        return new_card(candidate, network, settings, self.history, calibrated, weights=weights)
