"""The command line: `digitre --help`.

Each command's module is imported when the command is called: `digitre read` needs no database, and only
training needs TensorFlow.
"""

from __future__ import annotations

import difflib
import errno
import importlib
import io
import shlex
import sys
from pathlib import Path
from typing import Any

import click

from digitre import __version__
from digitre.cli import terminal

# Each command's line in `digitre --help`. The command is in the module of the same name.
COMMANDS = {
    "read": "Read images: files, folders, a pipe.",
    "bulk": "Read any number of pictures into Parquet files, on one machine or many.",
    "serve": "Serve the page and the API with gunicorn.",
    "drawings": "Manage saved drawings: list, review, export, copy.",
    "models": "Manage networks: list, promote, roll back.",
    "doctor": "Say what is installed, what works, and what is missing.",
    "compare": "Compare the published demos' networks with ours.",
    "train": "Train the network that Digitre serves.",
    "retrain": "Train with saved drawings, and promote the network if it is no worse.",
    "evaluate": "Measure the network, and compare it with its targets.",
    "report": "Measure the network again, and write its card and report.",
    "teacher": "Train the network that the shipped one learns from.",
    "baseline": "Train the network of a published demo.",
    "explore": "Write a report with pictures: the data, and a trained network.",
}
TRAINING = {"train", "retrain", "evaluate", "report", "teacher", "baseline", "explore"}


# What `train.py`, and `digitre train` in earlier versions, call by an option is a command now.
OPTIONS = {
    "--evaluate": ["evaluate"],
    "--report": ["report"],
    "--page": ["report", "--page"],
    "--teacher": ["teacher"],
    "--drawings": ["retrain"],
    "--network": ["baseline"],
}


class Group(click.Group):
    """A group that says which command a mistyped one may be."""

    def resolve_command(self, context: click.Context, words: list[str]) -> tuple[Any, Any, Any]:
        if not context.resilient_parsing and self.get_command(context, words[0]) is None:
            context.fail(self._unknown(context, words[0]))
        return super().resolve_command(context, words)

    def _unknown(self, context: click.Context, word: str) -> str:
        message = f"No such command {word!r}."
        if alike := difflib.get_close_matches(word, self.list_commands(context), 1):
            return f"{message} Did you mean {alike[0]}?"
        if isinstance(self, Commands) and Path(word).exists():
            return f"{message} To read this file: {terminal.program()} read {shlex.quote(word)}"
        return message


class Commands(Group):
    """The commands of the table, each imported when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command = getattr(importlib.import_module(f"digitre.cli.{name}"), name)
        _add_verbosity(command)
        return command

    def resolve_command(self, context: click.Context, words: list[str]) -> tuple[Any, Any, Any]:
        if words[:1] == ["train"]:
            words = translate(words[1:])
        return super().resolve_command(context, words)

    def invoke(self, context: click.Context) -> Any:
        """Run the command. An error that no command expects is one line too, unless --verbose asks for more."""
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            # A pipe that was closed is for click to handle.
            if terminal.is_verbose() or getattr(error, "errno", None) == errno.EPIPE:
                raise
            if isinstance(error, (OSError, ValueError)):
                raise click.ClickException(" ".join(str(error).split())) from None
            kind = type(error).__name__
            raise click.ClickException(f"{kind}: {error} (--verbose shows where)") from None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([row for row in COMMANDS.items() if row[0] not in TRAINING])
        with formatter.section(f"Training commands ({terminal.how_to_install('train')})"):
            formatter.write_dl([row for row in COMMANDS.items() if row[0] in TRAINING])


class SettingError(click.ClickException):
    """A setting with a value that it cannot have."""

    exit_code = 2


def _add_verbosity(command: click.Command) -> None:
    """Let a command, and those in it, take --verbose and --quiet after its name too."""
    if terminal.VERBOSITY[0] not in command.params:
        command.params.extend(terminal.VERBOSITY)
    if isinstance(command, click.Group):
        for each in command.commands.values():
            _add_verbosity(each)


@click.group(
    cls=Commands,
    params=list(terminal.VERBOSITY),
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="digitre")
@click.pass_context
def main(context: click.Context) -> None:
    """Digitre reads handwritten digits.

    Example: digitre read seven.png

    Shell completion: eval "$(_DIGITRE_COMPLETE=bash_source digitre)", or zsh_source, fish_source.
    """
    terminal.obey_no_color(context)
    # A file name, or a shade of grey, that a terminal cannot show must not stop a command.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def translate(words: list[str]) -> list[str]:
    """The words after `train.py` as those after `digitre`: `--report --json` is `report --json`.

    Raises:
        click.UsageError: if they ask for two commands.
    """
    words = [
        part
        for word in words
        for part in (word.split("=", 1) if word.startswith("--network=") else [word])
    ]
    if "--network" in words:
        at = words.index("--network")
        if words[at + 1 : at + 2] == ["digitre"]:  # the network that `train` trains
            del words[at : at + 2]
    options = [option for option in OPTIONS if option in words]
    if not options:
        return ["train", *words]
    if len(options) > 1:
        raise click.UsageError(f"{options[0]} and {options[1]} cannot be combined")
    words.remove(options[0])
    return [*OPTIONS[options[0]], *words]


def settings() -> dict[str, Any]:
    """The settings from the environment. An invalid one ends the command with a message."""
    from digitre import config

    try:
        return config.load()
    except ValueError as error:
        raise SettingError(str(error)) from None
