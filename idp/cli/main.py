"""The root of the command line. A noun's module is imported only when its command runs, so that `idp --help` is quick."""

from __future__ import annotations

import importlib
from typing import Any

import typer
from typer.core import TyperGroup

from idp import __version__
from idp.cli.terminal import MEANINGS

NOUNS = {
    "serve": "Run the provider.",
    "demo": "Run the provider with three applications and sample citizens, to try it.",
    "database": "Create and migrate the stores, or say where they stand.",
    "keys": "List, rotate and rewrap keys.",
    "clients": "Register, list and change applications.",
    "purposes": "Declare what applications read, and why.",
    "accounts": "Add, show, lock, verify, recover and erase citizens' accounts.",
    "complaints": "Answer citizens' complaints about entries of their history.",
    "log": "Sign the access log's checkpoints.",
    "audit": "Export and verify the access log, or say how it stands.",
    "witness": "Watch transparency logs, ours or others', for a body outside the provider's reach.",
    "doctor": "Say what is wrong and how to mend it.",
}


class LazyNouns(TyperGroup):
    """The group of nouns: each is `idp.cli.<noun>` with a Typer `app`."""

    def list_commands(self, ctx: object) -> list[str]:
        """Give the nouns in the order of a new operator's day."""
        del ctx
        return list(NOUNS)

    def get_command(self, ctx: object, cmd_name: str) -> Any:  # noqa: ANN401 - typer keeps click's types to itself
        """Import the noun."""
        del ctx
        if cmd_name not in NOUNS:
            return None
        module: Any = importlib.import_module(f"idp.cli.{cmd_name}")
        module.app.rich_markup_mode = None  # plain text: quick, and the same in every terminal and log
        command = typer.main.get_command(module.app)
        command.name = cmd_name
        return command

    def format_commands(self, ctx: object, formatter: Any) -> None:  # noqa: ANN401 - the same
        """List the nouns without importing them, then what exit codes mean."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(NOUNS.items()))
        with formatter.section("Exit codes"):
            formatter.write_dl([(str(int(code)), meaning) for code, meaning in MEANINGS.items()])


app = typer.Typer(
    name="idp",
    cls=LazyNouns,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def root(version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Print the version.")) -> None:
    """Gerbang: single sign-on, identity and consent for a city, with a provable record of every read.

    Settings come from IDP_… variables and idp.toml in the data folder (IDP_DATA_DIR); docs/settings.md lists them.
    """
