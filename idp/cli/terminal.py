"""How every command speaks: what it prints, what it exits with, and how it reads files and settings.

Exit codes, the same for all commands, shown by `idp --help`:
"""

from __future__ import annotations

import asyncio
import enum
import json
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Mapping, Sequence
    from pathlib import Path

    from idp.protocol.services import Services
    from idp.settings import Settings

Result = TypeVar("Result")

Json = Annotated[bool, typer.Option("--json", help="Print one JSON value instead of text.")]
"""The option of every command that prints: `def show(…, as_json: Json = False)`."""


class Exit(enum.IntEnum):
    """The exit codes."""

    OK = 0
    REFUSED = 1
    USAGE = 2
    NOT_READY = 3
    ROOT_KEY = 4
    LOG = 5
    UNEXPECTED = 70
    INTERRUPTED = 130


MEANINGS: Mapping[Exit, str] = {
    Exit.OK: "done; for a check: all holds",
    Exit.REFUSED: "refused, not found, or a check that does not hold; the message says why",
    Exit.USAGE: "wrong options, settings or input file",
    Exit.NOT_READY: "a store cannot be reached or was not migrated (idp database upgrade)",
    Exit.ROOT_KEY: "the root key is absent, readable by others, or not the one that wrapped the keys",
    Exit.LOG: "the access log could not write, or is in doubt (idp audit status)",
    Exit.UNEXPECTED: "a fault of the program",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}


class CommandRefused(Exception):
    """A command ends here: `message` is printed to standard error, `code` is the exit code."""

    def __init__(self, message: str, code: Exit = Exit.REFUSED) -> None:
        super().__init__(message)
        self.message = message
        self.code = code


def refuse(message: str, code: Exit = Exit.REFUSED) -> NoReturn:
    """End the command with a sentence that says what to do next. Raises: CommandRefused."""
    raise CommandRefused(message, code)


def show(value: Any, *, as_json: bool, text: str | Callable[[], str]) -> None:  # noqa: ANN401 - whatever JSON can say
    """Print a result: `value` as JSON (datetimes in ISO 8601), or `text` for people."""
    if as_json:
        sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=_plain) + "\n")
    else:
        sys.stdout.write((text if isinstance(text, str) else text()).rstrip("\n") + "\n")
    sys.stdout.flush()


def table(headings: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Lay rows out in columns of plain text."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max([len(heading), *(len(row[i]) for row in cells)]) for i, heading in enumerate(headings)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in [list(headings), *cells]
    )


def settings(**overrides: object) -> Settings:
    """Read the settings; options given on the command line win. Raises: SettingsRefused (`idp.__main__` prints it)."""
    from idp.settings import load

    return load(**overrides)


def run(work: Coroutine[Any, Any, Result], *, log_level: str = "warning") -> Result:
    """Run a coroutine to its end; Ctrl-C ends the command in order. The program's own log goes to standard error."""
    from idp.web import logs

    logs.configure(log_level)
    try:
        return asyncio.run(work)
    except KeyboardInterrupt:
        refuse("stopped", Exit.INTERRUPTED)


def with_services(work: Callable[[Services], Coroutine[Any, Any, Result]]) -> Result:
    """Open the stores and keys as the server does, without its background tasks; run `work` with them; close.

    Raises: StoreUnavailable, NotMigrated, RootKeyMissing and others, which `idp.__main__` turns into exit codes.
    """

    async def open_and_work() -> Result:
        from idp.composition import compose

        async with compose(settings(), background=False) as services:
            return await work(services)

    return run(open_and_work())


def read_text(path: Path) -> str:
    """Read a file named on the command line (`-` is standard input)."""
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        refuse(f"cannot read {path}: {error.strerror or error}", Exit.USAGE)
    except UnicodeDecodeError:
        refuse(f"{path} is not UTF-8 text", Exit.USAGE)


def read_json(path: Path) -> Any:  # noqa: ANN401 - whatever the file says
    """Read a JSON file named on the command line."""
    try:
        return json.loads(read_text(path))
    except json.JSONDecodeError as error:
        refuse(f"{path} is not valid JSON: {error}", Exit.USAGE)


def _plain(value: object) -> object:
    import datetime as dt

    if isinstance(value, dt.datetime):
        return value.isoformat()
    if isinstance(value, (set, frozenset, tuple)):
        return sorted(value) if isinstance(value, (set, frozenset)) else list(value)
    return str(value)
