"""What the commands share in a terminal: how much they say, colour, progress, hints, a picture as text."""

from __future__ import annotations

import importlib.metadata
import os
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import numpy as np

SHADES = " ░▒▓█"
_SAYS = "digitre.cli.says"  # in a context's meta: -1 with --quiet, 1 with --verbose


def _choose(level: int) -> Any:
    def choose(context: click.Context, _: click.Parameter, chosen: bool) -> None:
        if chosen:
            context.meta[_SAYS] = level

    return choose


VERBOSITY = (
    click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        expose_value=False,
        callback=_choose(1),
        help="Say more on standard error; show where an unexpected error comes from.",
    ),
    click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_choose(-1),
        help="Print results and errors only.",
    ),
)


def _says() -> int:
    context = click.get_current_context(silent=True)
    return context.meta.get(_SAYS, 0) if context else 0


def is_verbose() -> bool:
    """Whether --verbose is given."""
    return _says() > 0


def is_quiet() -> bool:
    """Whether --quiet is given."""
    return _says() < 0


def note(text: str) -> None:
    """Print what is neither a result nor an error on standard error; nothing with --quiet."""
    if not is_quiet():
        click.echo(text, err=True)


def detail(text: str) -> None:
    """Print something on standard error with --verbose only."""
    if is_verbose():
        click.echo(text, err=True)


def progress(
    length: int,
    label: str,
    words: Callable[[Any], str] | None = None,
    *,
    among_rows: bool = False,
) -> Any:
    """A progress bar on standard error. It only shows in a terminal, and not among rows in the same one.

    Args:
        length: steps.
        label: in front of the bar.
        words: what to say after it, of the second value that `update` was given.
        among_rows: show it although standard output is the same terminal, as nothing is printed meanwhile.
    """
    shown = sys.stderr.isatty() and (among_rows or not sys.stdout.isatty()) and not is_quiet()
    if shown:
        return click.progressbar(length=length, label=label, file=sys.stderr, item_show_func=words)
    nothing = open(os.devnull, "w")  # noqa: SIM115  # click prints a label to any other file
    click.get_current_context().call_on_close(nothing.close)
    return click.progressbar(length=length, file=nothing)


def obey_no_color(context: click.Context) -> None:
    """No colour if NO_COLOR is set (https://no-color.org); else click shows colour in a terminal only."""
    if os.environ.get("NO_COLOR"):
        context.color = False


def program() -> str:
    """How to type the command `digitre` here: its path if the shell does not find this installation's."""
    own = Path(sys.executable).with_name("digitre")
    found = shutil.which("digitre")
    if found and own.exists() and os.path.samefile(found, own):
        return "digitre"
    return _shown(own) if own.exists() else f"{_shown(sys.executable)} -m digitre"


def how_to_install(extra: str) -> str:
    """The command that adds an extra to this installation, or to this clone."""
    try:
        importlib.metadata.version("digitre")
        target = f"digitre[{extra}]"  # pip finds what is installed, and asks no index for it
    except importlib.metadata.PackageNotFoundError:
        target = f"{Path(__file__).resolve().parents[2]}[{extra}]"
    return f"{_shown(sys.executable)} -m pip install '{target}'"


def _shown(path: str | Path) -> str:
    """A path as one would type it: relative if it is below the current folder."""
    try:
        return shlex.quote(str(Path(path).relative_to(Path.cwd())))
    except (ValueError, OSError):
        return shlex.quote(str(path))


def blocks(pixels: np.ndarray) -> str:
    """(28, 28) floats in [0, 1] as 28 lines of shades, two characters per pixel."""
    import numpy as np  # `digitre --help` is faster without

    levels = np.rint(np.clip(pixels, 0, 1) * (len(SHADES) - 1)).astype(int)
    return "\n".join("".join(SHADES[level] * 2 for level in line).rstrip() for line in levels)
