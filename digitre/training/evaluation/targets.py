"""What the network is to reach, and whether it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Figures = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Target:
    """A figure of `report.evaluate`, by its row and its key, and the least or most it may be."""

    row: str
    key: str
    at_least: float | None = None
    at_most: float | None = None

    def met(self, figures: Figures) -> bool:
        """Whether it is reached, to the last digit: 98.998 is not 99."""
        value = figures[self.row][self.key]
        if self.at_least is not None:
            return value >= self.at_least
        return self.at_most is None or value <= self.at_most

    def asked(self) -> str:
        limit = self.at_most if self.at_least is None else self.at_least
        return f"{'at most' if self.at_least is None else 'at least'} {limit:g}"


_MNIST = ("MNIST test, pixels as they are", "MNIST test, preprocessed")
_DRAWN = tuple(
    f"drawn by test writers, {view}" for view in ("central", "anywhere", "pen 3", "pen 25", "paper")
)
_STEADY = (
    "moved into each corner",
    "25 to 90 % of the canvas",
    "turned by up to 10 degrees",
    "pen of 3 to 30",
)
_NO_DIGIT = {
    "letters and signs of test sites": 97,
    "symbols of test classes": 97,
    "scribbles and shapes": 99,
    "two of test writers' side by side": 99,
}

TARGETS = (
    *(Target(row, "right", at_least=99.6) for row in _MNIST),
    *(Target(row, "right", at_least=99) for row in _DRAWN),
    Target("UNIPEN digits of test sites", "right", at_least=98.5),
    Target("scikit-learn's load_digits", "right", at_least=98.3),
    *(Target(f"no digit: {row}", "refused", at_least=least) for row, least in _NO_DIGIT.items()),
    *(Target(row, "refused", at_most=0.7) for row in _MNIST),
    *(Target(row, "refused", at_most=1.5) for row in _DRAWN),
    *(Target(row, "calibration_error", at_most=0.5) for row in _MNIST),
    *(Target(row, "calibration_error", at_most=1) for row in _DRAWN),
    *(Target(f"steady: {row}", "same", at_least=99) for row in _STEADY),
    Target("steady: colours, transparency, formats", "same", at_least=99.9),
    Target("LiteRT and Keras on MNIST test", "same", at_least=100),
    Target("LiteRT and Keras on MNIST test", "difference", at_most=1e-3),
    Target("time of a picture over the 2017 network's", "ratio", at_most=1),
    Target("time of a picture over the 2017 network's", "megabytes", at_most=4),
)


def measured(figures: Figures) -> list[Target]:
    """The targets whose figure is there: a set whose data is missing has none."""
    return [target for target in TARGETS if target.key in figures.get(target.row, {})]


def missed(figures: Figures) -> list[Target]:
    """Those that are not reached."""
    return [target for target in measured(figures) if not target.met(figures)]


def reached(target: Target, figures: Figures) -> str:
    """The figure, with as many decimals as show on which side of its target it lies."""
    value = figures[target.row][target.key]
    if target.key == "difference":
        return f"{value:.1e}"
    short = f"{value:.2f}"
    rounded: Figures = {target.row: {target.key: float(short)}}
    return short if target.met(rounded) == target.met(figures) else f"{value:.3f}"


def as_text(figures: Figures) -> str:
    """Each target with what is reached, a line each, for a terminal."""
    lines = []
    for target in measured(figures):
        name = f"{target.row}: {target.key.replace('_', ' ')}"
        sign = "" if target.met(figures) else "  MISSED"
        lines.append(f"{name:68} {reached(target, figures):>8}  {target.asked()}{sign}")
    return "\n".join(lines)


def as_json(figures: Figures) -> dict[str, dict[str, Any]]:
    """The figures, each row with its targets by key: `asked` and `met`."""
    rows: dict[str, dict[str, Any]] = {name: dict(row) for name, row in figures.items()}
    for target in measured(figures):
        found = rows[target.row].setdefault("targets", {})
        found[target.key] = {"asked": target.asked(), "met": target.met(figures)}
    return rows
