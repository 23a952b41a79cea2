"""The network's card as a page to read: docs/model.md is made from models/digitre.json."""

from __future__ import annotations

from typing import Any

from digitre.training.evaluation import targets

LICENCES = {
    "mnist.npz": "MNIST (LeCun, Cortes, Burges), CC BY-SA 3.0",
    "pendigits-orig.tra": "Pen-Based Recognition of Handwritten Digits (Alpaydin, Alimoglu), CC BY 4.0",
    "unipen-characters.npz": "UNIPEN train_r01_v07 (Guyon, Schomaker, Plamondon, Liberman, Janet), CC BY 4.0",
    "not-digits.npz": "ten classes of HASYv2 (Thoma), ODbL 1.0",
}


def as_markdown(card: dict[str, Any], notes: str) -> str:
    """The page: what the network is, what it reaches, what it was trained on.

    Args:
        card: as `train.py` writes it.
        notes: what no figure says: where it fails and what was tried, as Markdown.
    """
    lines = [
        "# The network",
        "",
        f"`{card['model']}`, made {card['made'][:10]} by `{card['command']}`. This page is made from",
        "`models/digitre.json`; `python train.py --evaluate` measures all of it again.",
        *(
            f"It went on from `{one['model']}`, made {one['made'][:10]} by `{one['command']}`."
            for one in reversed(card.get("before", []))
        ),
        "",
        "## What it reaches",
        "",
        "Per cent, on drawings of people, sites and classes that it was not trained on, through",
        "`Classifier` and LiteRT. Right: the most probable digit is the label, refused or not.",
        'Refused: under 60 %, answered "Huh...". Calibration error: how far the probability is off,',
        "on the average (15 bins of equal mass).",
        "",
        "| drawings | pictures | right | refused | calibration error |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    others = []
    for name, row in card["figures"].items():
        if "refused" not in row:
            others.append((name, row))
            continue
        cells = [
            f"{row[key]:.2f}" if key in row else ""
            for key in ("right", "refused", "calibration_error")
        ]
        lines.append(f"| {name} | {row['pictures']:,} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "Steady: the drawings whose answer is the same in every way of the kind. Cost: on the machine",
        "that trained it, one picture at a time.",
        "",
        "| | pictures | figures |",
        "| --- | ---: | --- |",
    ]
    for name, row in others:
        told = ", ".join(f"{key} {_figure(key, row[key])}" for key in row if key != "pictures")
        lines.append(
            f"| {name} | {row.get('pictures', ''):,} | {told} |"
            if "pictures" in row
            else f"| {name} | | {told} |"
        )
    lines += ["", *_targets(card["figures"]), "", *_pictures(card)]
    lines += [
        "",
        notes.strip(),
        "",
        "## Layers",
        "",
        "| layer | result | parameters |",
        "| --- | --- | ---: |",
    ]
    for layer in card["layers"]:
        shape = " x ".join(map(str, layer["output"]))
        lines.append(f"| {layer['layer']} | {shape} | {layer['parameters']:,} |")
    total = sum(layer["parameters"] for layer in card["layers"])
    lines += [
        "",
        f"{total:,} parameters. A softmax follows when it is exported.",
        "",
        "## Training",
        "",
    ]
    lines += ["| setting | value |", "| --- | --- |"]
    settings = card["settings"] | card["calibration"] | card["versions"]
    lines += [f"| {name.replace('_', ' ')} | {_short(value)} |" for name, value in settings.items()]
    lines += [
        "",
        "On the validation parts after each epoch (per cent; refused of what is no digit, and of digits):",
        "",
    ]
    shown = ["loss", "mnist", "drawn", "anywhere", "unipen", "refused", "digits_refused"]
    lines.append("| epoch | " + " | ".join(name.replace("_", " ") for name in shown) + " |")
    lines.append("| ---: |" + " ---: |" * len(shown))
    for number, row in enumerate(card["history"], 1):
        cells = [
            f"{row[name]:.3g}" if name == "loss" else _percent(row.get(name)) for name in shown
        ]
        lines.append(f"| {number} | " + " | ".join(cells) + " |")
    lines += [
        "",
        "## Data",
        "",
        "| file | what it is, licence | SHA-256 begins |",
        "| --- | --- | --- |",
    ]
    for name, digest in card["data"]["files"].items():
        lines.append(f"| {name} | {LICENCES[name]} | `{digest[:16]}` |")
    lines += ["", "| split | train | validation | test |", "| --- | --- | --- | --- |"]
    for name, parts in card["data"]["split"].items():
        lines.append(f"| {name} | {parts['train']} | {parts['validation']} | {parts['test']} |")
    lines += ["", "MNIST's training set gives its last 5,000 pictures for validation.", ""]
    return "\n".join(lines)


PICTURES = {
    "curves.png": "loss and accuracy by epoch",
    "confusion.png": "which digits are taken for which, over all test sets of digits",
    "reliability.png": "how often it is right when it says so",
    "wrong.png": "what it reads wrong: label, answer and confidence",
    "accepted.png": "what is no digit and passes for one",
}


def _pictures(card: dict[str, Any]) -> list[str]:
    """Links to the pictures of the report, where there are any."""
    if "pictures" not in card:
        return []
    links = [f"[{text}](../models/report/{name})" for name, text in PICTURES.items()]
    return ["Pictures: " + "; ".join(links) + "."]


def _targets(figures: targets.Figures) -> list[str]:
    """How many targets there are, and those that are missed."""
    missed = targets.missed(figures)
    lines = [
        "## Targets that it misses",
        "",
        f"{len(missed)} of {len(targets.measured(figures))}:",
        "",
        "| | reached | target |",
        "| --- | ---: | ---: |",
    ]
    for target in missed:
        name = f"{target.row}, {target.key.replace('_', ' ')}"
        lines.append(f"| {name} | {targets.reached(target, figures)} | {target.asked()} |")
    return lines if missed else ["All targets are met."]


def _figure(key: str, value: float) -> str:
    return f"{value:.2f} %" if key == "same" else f"{value:.2g}"


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"
