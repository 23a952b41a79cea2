"""The command line: `digitre --help`.

Each command's module is imported when the command is asked for: `digitre read` needs no database,
and nothing but training needs TensorFlow.
"""

from __future__ import annotations

import importlib
import io
import sys

import click

from digitre import __version__

# Each command, the module that has it, and its one line in `digitre --help`.
COMMANDS = {
    "read": ("read", "Read pictures: files, folders, a pipe."),
    "serve": ("serve", "Serve the page and the API with gunicorn."),
    "train": ("training", "Train a network (needs the extra train)."),
    "evaluate": ("training", "Measure the network (needs the extra train)."),
    "compare": ("compare", "The published demos' networks beside ours, in one table."),
    "explore": ("explore", "A report with pictures: the data, and a trained network."),
    "drawings": ("drawings", "The drawings that people saved: list, judge, export, copy."),
    "models": ("models", "The networks that are here: list, promote, roll back."),
}


class Commands(click.Group):
    """The commands of the table, each imported at need."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        return getattr(importlib.import_module(f"digitre.cli.{COMMANDS[name][0]}"), name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, about) for name, (_, about) in COMMANDS.items()])


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="digitre")
def main() -> None:
    """Reads handwritten digits.

    Example: digitre read seven.png

    Completion of names: eval "$(_DIGITRE_COMPLETE=bash_source digitre)", or zsh_source, fish_source.
    """
    # A file's name, or a shade of grey, that a terminal cannot show is no reason to stop.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def settings() -> dict:
    """The settings of the environment; a wrong one ends the command with its message."""
    from digitre import config

    try:
        return config.load()
    except ValueError as error:
        raise click.ClickException(str(error)) from None
