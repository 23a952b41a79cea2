"""Write a network's card, the pictures of its report, and the page docs/model.md."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jinja2

from digitre import files
from digitre.recognition.card import Card, Figures
from digitre.recognition.classifier import Classifier, shipped_model
from digitre.training.data import datasets, split
from digitre.training.evaluation import report, sets, targets
from digitre.training.evaluation.scenes.figures import PICTURES as SCENE_PICTURES
from digitre.training.reporting import scenes

if TYPE_CHECKING:
    import keras

    from digitre.training import fit

MODELS = shipped_model().parent
DOCS = MODELS.parent / "docs"  # missing if Digitre is installed as a package
LIBRARIES = (
    "keras", "tensorflow", "tensorflow-cpu", "ai-edge-litert", "ai-edge-quantizer", "numpy", "scipy", "pillow"
)  # fmt: skip
# The pictures of the report and what each shows.
PICTURES = {
    "curves.png": "loss and accuracy by epoch",
    "confusion.png": "confusion matrix over all test sets of digits",
    "reliability.png": "share of correct answers by confidence",
    "wrong.png": "digits read as another digit: label, answer and confidence",
    "accepted.png": "not digits, but read as one",
}
# How the page shows the figures of the sets that are not about digits or refusals.
FORMATS = {
    "agreement": "%.2f %% with the same answer",
    "sets_apart": "sets that differ by more than one may: %d",
    "calibration_change": "calibration errors change by up to %.2f points",
    "max_difference": "largest difference %.2g",
    "time_ratio": "%.2g times its time",
    "megabytes": "%.2g MB",
}
LICENCES = {
    "mnist.npz": "MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    "pendigits-orig.tra": "Pen-Based Recognition of Handwritten Digits (Alpaydin, Alimoglu), CC BY 4.0",
    "unipen-characters.npz": "UNIPEN train_r01_v07 (Guyon, Schomaker, Plamondon, Liberman, Janet), CC BY 4.0",
    "not-digits.npz": "ten classes of HASYv2 (Thoma), ODbL 1.0",
    **{
        f"unipen-{name}": f"UNIPEN train_r01_v07 (the same), {what}, CC BY 4.0"
        for name, what in (
            ("people.csv", "who wrote what"),
            ("digits-more.npz", "digits of further people"),
            ("strings.npz", "numbers"),
            ("words.npz", "words"),
        )
    },
    "detexify-symbols.npz": "LaTeX symbols of Detexify (Kirelabs), ODbL 1.0",
    "omniglot.npz": "Omniglot (Lake, Salakhutdinov, Tenenbaum), MIT",
    "quickdraw-doodles.npz": "Quick, Draw! (Google), CC BY 4.0",
}


def new_card(
    classifier: Classifier,
    network: keras.Model,
    settings: fit.Settings,
    history: Iterable[Mapping[str, float]],
    calibration: dict[str, float],
    before: Card | None = None,
    weights: str = "",
) -> Card:
    """The card of a network that was just trained, without figures.

    Args:
        classifier: the exported network.
        network: the trained network.
        settings: what shaped its training.
        history: the figures of each epoch, as `fit.train` returns them.
        calibration: as `calibration.calibrate` returns it.
        before: the card of the network that the training started from.
        weights: as `export.save` returns it.
    """
    from digitre.training import export

    return Card(
        model=classifier.model,
        made=datetime.now(UTC).isoformat(timespec="seconds"),
        command=command(),
        settings=asdict(settings),
        layers=tuple(export.layers(network)),
        weights=weights,
        calibration=calibration,
        data={"files": datasets.hashes(), "split": split.in_words()},
        versions=library_versions(),
        history=(*(before.history if before else ()), *(dict(row) for row in history)),
        ancestors=(*before.ancestors, before.as_ancestor()) if before else (),
    )


def command() -> str:
    """The command that runs, without what is true on this machine only: where its files are."""
    module = getattr(sys.modules["__main__"].__spec__, "name", "")
    if Path(sys.argv[0]).name == "train.py":
        program = ["python", "train.py"]
    elif module.startswith("digitre.training."):
        program = ["python", "-m", module]
    else:
        program = ["digitre"]
    words = [word for word in sys.argv[1:] if word != "--resume"]
    return shlex.join(
        [*program, *(Path(word).name if Path(word).is_absolute() else word for word in words)]
    )


def library_versions() -> dict[str, str]:
    """The versions of Python and of the installed libraries that shape a network."""
    versions = {"python": platform.python_version()}
    for name in LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def draw_report(classifier: Classifier, card: Card, folder: Path) -> Card:
    """Draw the pictures of the report into `folder`/report.

    Returns:
        The card with the names of the pictures; as it was if matplotlib is not installed.
    """
    try:
        from digitre.training.reporting import plots
    except ImportError:
        print("matplotlib is not installed: the report has no pictures", file=sys.stderr)
        return card
    plots.draw_all(classifier, card.history, folder / "report")
    return replace(card, pictures=tuple(sorted(PICTURES)))


def save_card(card: Card, folder: Path) -> None:
    """Write `digitre.json` into a folder. Raises OSError if it cannot be written."""
    files.write_json(folder / "digitre.json", card.to_dict())


def write_report(classifier: Classifier, folder: Path) -> Figures:
    """Measure a network again; write its card, its pictures and, if it is shipped, its page.

    Args:
        classifier: the network in the folder.
        folder: gets `digitre.json` and `report`.

    Raises:
        ValueError: if the network has no card.
        OSError: if a file cannot be written.
    """
    card = classifier.card()
    if card is None:
        raise ValueError(f"{folder} has no card for {classifier.model}")
    figures = report.evaluate(classifier, SCENE_PICTURES if folder == MODELS else 0)
    save_card(draw_report(classifier, replace(card, figures=figures), folder), folder)
    if folder == MODELS:
        write_page()
    return figures


def write_page() -> None:
    """Regenerate docs/model.md from the shipped network's card and docs/model-notes.md.

    Does nothing if Digitre is installed as a package.

    Raises:
        ValueError: if the card is damaged, or lacks what the page shows.
        OSError: if a file cannot be read or written.
    """
    if not DOCS.is_dir():
        return
    card = Card.load(MODELS / "digitre.json")
    if card is None:
        raise ValueError(f"{MODELS / 'digitre.json'} is not a card")
    notes = (DOCS / "model-notes.md").read_text("utf-8")
    try:
        page = render_page(card, notes)
    except (jinja2.TemplateError, ArithmeticError, AttributeError, LookupError, TypeError) as error:
        raise ValueError(f"{MODELS / 'digitre.json'} lacks what the page shows: {error}") from None
    files.write(DOCS / "model.md", page)


def render_page(card: Card, notes: str) -> str:
    """The page about a network, as Markdown.

    Args:
        card: its card.
        notes: what no figure says, as Markdown.
    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["short"] = _shorten
    return environment.get_template("model.md.j2").render(
        card=card,
        notes=notes.strip(),
        title=sets.title,
        targets=targets,
        scenes=scenes,
        scene_sets=sets.SCENES,
        scene_pictures=SCENE_PICTURES,
        convolutions=sum(layer.layer == "Conv2D" for layer in card.layers),
        formats=FORMATS,
        pictures=PICTURES if card.pictures else {},
        licences=LICENCES,
    )


def _shorten(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
