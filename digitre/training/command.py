"""The command line of training: `python train.py`, or `digitre train`."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import numpy as np

from digitre import files
from digitre.recognition.baselines import DEMOS
from digitre.recognition.classifier import Classifier
from digitre.training.data import datasets
from digitre.training.evaluation import report, targets
from digitre.training.reporting import records
from digitre.training.reporting.records import MODELS

if TYPE_CHECKING:
    import keras

    from digitre.training import fit
    from digitre.training.distributed import Cluster

WORK = Path("training").resolve()  # where the state of a training under way is kept
# What --finetune does by itself; with --drawings it is QUICK, of what a server learns in minutes.
GOING_ON: dict[str, Any] = {"epochs": 4, "learning_rate": 6e-4}
TEACHING: dict[str, Any] = {"network": "teacher", "epochs": 10}
# What it may do instead of training the shipped network, one at a time, and what else goes with which.
DOING = ("page", "report", "evaluate", "drawings", "teacher")
BESIDE = {
    "images": (),
    "cluster": (),
    "finetune": ("--drawings",),
    "output": ("--report", "--evaluate", "--teacher", "--network"),
}
QUICK: dict[str, Any] = {"epochs": 2, "share": 0.15, "learning_rate": 3e-4}


def main(
    arguments: list[str] | None = None, about: str | None = None, program: str | None = None
) -> int:
    """Do what the words of a command line say; returns the exit status."""
    options = parse(arguments, about, program)
    if options.page:
        records.write_page()
        return 0
    for line in datasets.missing():
        print(f"missing: {line}", file=sys.stderr)
    output = Path(options.output or MODELS)
    if options.evaluate or options.report:
        try:
            classifier = Classifier(output / "digitre.tflite")
        except (OSError, ValueError) as error:
            sys.exit(str(error))
    if options.evaluate:
        figures = report.evaluate(classifier)
    elif options.report:
        figures = records.write_report(classifier, output)
    elif options.drawings:
        return learn(options)
    elif options.network and options.network != "digitre":
        return train_demo(options)
    elif options.teacher:
        return teach(options)
    else:
        figures = train(options, output)
    if options.json:
        print(json.dumps(targets.as_json(figures), indent=1))
    else:
        print(report.as_text(figures), targets.as_text(figures), sep="\n\n")
    reached = figures["MNIST test, preprocessed"]["right"]
    if options.target_accuracy is not None and reached < options.target_accuracy:
        print(f"MNIST test: {reached:.2f} %, below {options.target_accuracy} %", file=sys.stderr)
        return 1
    return 0


def parse(
    arguments: list[str] | None, about: str | None = None, program: str | None = None
) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog=program,
        description=about or __doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--epochs", type=int, help="passes over the data")
    parser.add_argument("--batch", type=int, help="pictures a step")
    parser.add_argument("--learning-rate", type=float, help="at its height")
    parser.add_argument("--seed", type=int, help="what all random numbers begin from")
    parser.add_argument("--share", type=float, help="part of each epoch's data, for a trial")
    parser.add_argument("--resume", action="store_true", help="go on with a stopped training")
    parser.add_argument(
        "--output", help="where the network goes (models/, or training/ for a trial)"
    )
    parser.add_argument(
        "--work", default=WORK, type=Path, help="where the state is kept (training/)"
    )
    parser.add_argument("--page", action="store_true", help="make docs/model.md anew, no more")
    parser.add_argument(
        "--report", action="store_true", help="measure the network in models/, write its card anew"
    )
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="train on pictures sorted into folders 0 to 9"
    )
    parser.add_argument(
        "--drawings", action="store_true", help="learn saved drawings, promote if all gates pass"
    )
    parser.add_argument(
        "--finetune",
        action="store_true",
        help="go on from the shipped network; with --drawings, from the one that is served",
    )
    parser.add_argument(
        "--brief", action="store_true", help="with --drawings: leave the test parts unmeasured"
    )
    parser.add_argument(
        "--network",
        choices=[*DEMOS, "digitre"],
        metavar="NAME",
        help=f"train a published demo's network by its own recipe: {', '.join(DEMOS)}",
    )
    parser.add_argument(
        "--cluster",
        nargs=3,
        metavar=("HOST:PORT", "PROCESSES", "INDEX"),
        help="train with others, on JAX; the first one, of index 0, is at the address",
    )
    parser.add_argument("--teacher", action="store_true", help="train models/teacher.keras")
    parser.add_argument("--evaluate", action="store_true", help="measure, train nothing")
    parser.add_argument("--json", action="store_true", help="the figures as JSON")
    parser.add_argument(
        "--target-accuracy", type=float, metavar="PERCENT", help="fail where MNIST test is below"
    )
    options = parser.parse_args(arguments)
    if options.share is not None and not 0 < options.share <= 1:
        parser.error("--share must be over 0 and at most 1")
    for name in ("epochs", "batch", "learning_rate"):
        value = getattr(options, name)
        if value is not None and value <= 0:
            parser.error(f"--{name.replace('_', '-')} must be over 0")
    if options.cluster and not (options.cluster[1] + options.cluster[2]).isdigit():
        parser.error("--cluster takes an address and two numbers")
    if options.brief and not options.drawings:
        parser.error("--brief goes with --drawings")
    if options.finetune and options.cluster:
        parser.error("--finetune goes on alone, without --cluster")
    doing = [f"--{name}" for name in DOING if getattr(options, name)]
    if options.network not in (None, "digitre"):
        doing.append("--network")
    if len(doing) > 1:
        parser.error(f"{doing[0]} and {doing[1]} are two things to do")
    for name, others in BESIDE.items():
        if getattr(options, name) and doing and doing[0] not in others:
            parser.error(f"--{name} does not go with {doing[0]}")
    return options


def settings_of(options: argparse.Namespace, **more: Any) -> fit.Settings:
    """The settings that the command line names, those given here, else the usual ones."""
    from digitre.training import fit

    named = ("epochs", "batch", "learning_rate", "seed", "share")
    chosen = {name: getattr(options, name) for name in named if getattr(options, name) is not None}
    return fit.Settings(**(more | chosen))


def the_teacher() -> dict[str, Any]:
    """The network to learn from, and its hash, where models/ has one."""
    import keras

    file = MODELS / "teacher.keras"
    if not file.exists():
        print("no models/teacher.keras: learning from the labels alone", file=sys.stderr)
        return {"teacher": None, "digest": None}
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    return {"teacher": keras.models.load_model(file, compile=False), "digest": digest}


@contextmanager
def stopping_well(work: Path) -> Iterator[None]:
    """One training at a time in a folder; whatever ends it is one line."""
    from digitre.drawings.collection import UnavailableError
    from digitre.training import retrain

    try:
        with retrain.alone(work):
            yield
    except KeyboardInterrupt as error:
        sys.exit(f"\nstopped; {error or 'nothing was learned that is not kept already'}")
    except UnavailableError as error:
        sys.exit(f"the saved drawings cannot be read: {error}")
    except (ValueError, retrain.BusyError) as error:
        sys.exit(str(error))


def train(options: argparse.Namespace, output: Path) -> dict[str, dict[str, float]]:
    """Train, calibrate, export, measure, and write the card; returns the figures."""
    from digitre.training import export, fit

    # Several processes learn from the labels alone: the teacher would be asked by each of them.
    heard = the_teacher() if not options.cluster else {"teacher": None, "digest": None}
    usual = GOING_ON if options.finetune else {}
    settings = settings_of(options, teacher=heard["digest"], **usual)
    start, before = None, None
    if options.finetune:
        start, before = shipped_network()
        settings = replace(settings, start=before["model"])
    if options.images:
        settings = replace(settings, images=str(options.images.resolve()))
        own = sorted_pictures(options.images)
    short = settings.share < 1 or settings.epochs < fit.Settings(**usual).epochs
    if not options.output and (short or datasets.missing() or options.images):
        # What has not seen all of the data as often, or more, never replaces the shipped network.
        output = options.work
        print(f"the network will be in {output}", file=sys.stderr)
    output.mkdir(parents=True, exist_ok=True)
    cluster = joined(options)
    # Each process of several on one machine has a folder of its own.
    work = options.work / str(cluster.index) if cluster and cluster.index else options.work
    with stopping_well(work):
        network, history = fit.train(
            settings,
            work,
            resume=options.resume,
            teacher=heard["teacher"],
            start=start,
            cluster=cluster,
        )
        if cluster and cluster.index:
            print(f"process {cluster.index} of {cluster.processes} has done its part")
            sys.exit(0)
        calibration = fit.calibrate(network)
        export.save(network, output)
    classifier = Classifier(output / "digitre.tflite")
    figures = report.evaluate(classifier)
    if options.images:
        figures["your pictures, a tenth held back"] = report.measured(classifier, *own)
    described = records.describe(classifier, network, settings, history, calibration, before)
    described["figures"] = figures
    records.draw_report(classifier, described, output)
    files.write_json(output / "digitre.json", described)
    if output == MODELS:
        records.write_page()
    return figures


def shipped_network() -> tuple[keras.Model, dict[str, Any]]:
    """The shipped network as its training left it, and its card."""
    from digitre.training import retrain

    shipped = Classifier(MODELS / "digitre.tflite")
    card = shipped.card()
    if card is None:
        sys.exit(f"{MODELS} has no card of {shipped.model}")
    try:
        return retrain.as_trained(shipped), card
    except ValueError as error:
        sys.exit(str(error))


def joined(options: argparse.Namespace) -> Cluster | None:
    """The processes that train together, once all are there; None where this one is alone."""
    if not options.cluster:
        return None
    from digitre.training.distributed import Cluster

    address, processes, index = options.cluster
    cluster = Cluster(address, int(processes), int(index))
    try:
        cluster.join()
    except (ValueError, RuntimeError, ImportError) as error:
        sys.exit(str(error))
    return cluster


def teach(options: argparse.Namespace) -> int:
    """Train the teacher, and say what it reaches on the validation parts."""
    from digitre.training import export, fit

    settings = settings_of(options, **TEACHING)
    enough = settings.share == 1 and settings.epochs >= TEACHING["epochs"]
    whole = enough and not datasets.missing() and not options.output
    output = MODELS if whole else Path(options.output or options.work)
    output.mkdir(parents=True, exist_ok=True)
    with stopping_well(options.work):
        network, history = fit.train(settings, options.work, resume=options.resume)
        export.save_teacher(network, output)
    print(json.dumps(history[-1], indent=1) if options.json else fit.describe(history[-1]))
    return 0


def train_demo(options: argparse.Namespace) -> int:
    """Train a published demo's network, and say what it reaches."""
    from digitre.recognition import baselines
    from digitre.training import baselines as training

    trial = options.share is not None or options.epochs is not None
    folder = Path(options.output or (options.work / "demos" if trial else baselines.FOLDER))
    with stopping_well(options.work):
        described = training.train(
            options.network,
            folder,
            epochs=options.epochs,
            share=options.share or 1.0,
            seed=1 if options.seed is None else options.seed,
        )
    figures = described["figures"]
    print(json.dumps(described, indent=1) if options.json else report.as_text(figures))
    for word in ("before", "after"):
        row = described[word]
        print(
            f"{word} training: cost {row['loss']:.4f}, accuracy {100 * row['accuracy']:.2f} %",
            file=sys.stderr,
        )
    print(f"published: {described['published']} %; kept in {folder}", file=sys.stderr)
    reached = figures["MNIST test"]["right"]
    return int(options.target_accuracy is not None and reached < options.target_accuracy)


def learn(options: argparse.Namespace) -> int:
    """Train with the saved drawings; 0 if the network passed its gates and was promoted."""
    from digitre import config, registry
    from digitre.drawings.collection import Drawings
    from digitre.training import retrain

    try:
        here = config.load()
    except ValueError as error:
        sys.exit(str(error))
    heard = the_teacher()
    usual = QUICK if options.finetune else {}

    def described(classifier: Classifier, *more: Any) -> dict[str, Any]:
        figures = {} if options.brief else dict(report.on_test_parts(classifier))
        return records.describe(classifier, *more) | {"figures": figures}

    # In whichever folder it works: one server's networks are promoted by one training at a time.
    with stopping_well(options.work), stopping_well(config.instance_folder(here)):
        name, verdict, table = retrain.learn(
            settings_of(options, teacher=heard["digest"], **usual),
            Drawings(config.database_url(here)),
            registry.from_settings(here),
            registry.network_file(here),
            options.work,
            described,
            finetune=options.finetune,
            resume=options.resume,
            teacher=heard["teacher"],
        )
    print(json.dumps({"model": name} | verdict, indent=1) if options.json else table)
    said = "promoted: make reload serves it" if verdict["passed"] else "kept, not promoted"
    print(f"{name} is {said}", file=sys.stderr)
    return 0 if verdict["passed"] else 1


def sorted_pictures(folder: Path) -> tuple[np.ndarray, np.ndarray]:
    """The held back tenth of somebody's own pictures; says which files cannot be read."""
    try:
        pictures, labels, unread = datasets.sorted_pictures(folder, "test")
        learned, _, unread_too = datasets.sorted_pictures(folder, "train")
    except (OSError, ValueError) as error:
        sys.exit(str(error))
    for file in unread + unread_too:
        print(f"not a picture, or blank: {file}", file=sys.stderr)
    if not len(learned):
        sys.exit(f"{folder} has no picture to learn from")
    if not len(labels):
        sys.exit(f"{folder} has too few pictures: a tenth of them is held back to measure on")
    print(f"{len(learned)} pictures to learn from, {len(labels)} held back", file=sys.stderr)
    return pictures, labels


if __name__ == "__main__":
    sys.exit(main())
