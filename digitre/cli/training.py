"""`digitre train` and `digitre evaluate`: what `python train.py` does, after an installation."""

from __future__ import annotations

import inspect

import click

PASSED_ON = {"ignore_unknown_options": True, "help_option_names": []}


def _command(arguments: tuple[str, ...], name: str) -> None:
    shown = click.get_current_context()
    helped = "--help" in arguments or "-h" in arguments
    if helped:
        click.echo(f"{inspect.cleandoc(shown.command.help or '')}\n")
    try:
        import keras  # noqa: F401
    except ImportError:
        if helped:
            click.echo("Its options can be shown once pip install 'digitre[train]' was run.")
            raise SystemExit(0) from None
        raise click.ClickException(
            "training needs TensorFlow: pip install 'digitre[train]'"
        ) from None
    from digitre.training import command

    raise SystemExit(command.main(list(arguments), program=name))


@click.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def train(options: tuple[str, ...]) -> None:
    """Train a network: all options of train.py.

    Example: digitre train --network mlp-256
    """
    _command(options, "digitre train")


@click.command(context_settings=PASSED_ON, add_help_option=False)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def evaluate(options: tuple[str, ...]) -> None:
    """Measure the network: train.py --evaluate.

    Example: digitre evaluate --json
    """
    _command(("--evaluate", *options), "digitre evaluate")
