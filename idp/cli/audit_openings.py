"""`idp audit openings`: a key pair for an auditor, writing a package that two people wanted, opening it on the auditor's own machine."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.account_options import By
from idp.cli.audit_verify import progress_bar
from idp.cli.terminal import Exit, Json, read_text, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from idp.openings.records import Package
    from idp.protocol.openings import Making
    from idp.protocol.services import Services
    from keys.recipients import RecipientKey

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Who entries are about, for auditors: on a request of two people.")

KEY, PUBLIC = "openings-key.jwe", "openings-public.json"
Passphrase = Annotated[
    Path | None, typer.Option("--passphrase-file", metavar="FILE", help="A file with the passphrase; without it you are asked.")
]


@app.command()
def key(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put the two files.")],
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Make a key pair on your own machine: openings-key.jwe is secret and locked by a passphrase, openings-public.json is to be pasted."""
    from keys.recipients import PASSPHRASE, new_pair

    words = _passphrase(passphrase_file, confirm=True)
    if len(words) < PASSPHRASE:
        refuse(f"the passphrase must have {PASSPHRASE} letters at least: four words are good", Exit.USAGE)
    locked, public = new_pair(words)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for name, text, mode in ((KEY, locked, 0o600), (PUBLIC, json.dumps(dict(public.jwk)), 0o644)):
            with _created(folder / name, mode) as file:
                file.write(text.encode() + b"\n")
    except OSError as error:
        refuse(f"cannot write to {folder}: {error.strerror or error}", Exit.USAGE)
    value = {"key": str(folder / KEY), "public": str(folder / PUBLIC), "thumbprint": public.thumbprint, "jwk": dict(public.jwk)}
    text = (
        f"{folder / KEY}: secret. Keep it, and its passphrase; nobody can replace either.\n"
        f"{folder / PUBLIC}: paste this into the form:\n{json.dumps(dict(public.jwk))}\n"
        f"fingerprint, to be read to whoever confirms: {public.thumbprint}"
    )
    show(value, as_json=as_json, text=text)


@app.command()
def write(
    proposal: Annotated[str, typer.Argument(metavar="PROPOSAL", help="The number of a confirmed proposal, as its page shows it.")],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to put the package, encrypted to the auditor.")],
    officer: By,
    as_json: Json = False,
) -> None:
    """Carry out a confirmed proposal of any size into a file. Each person concerned sees that their entries were opened, and for whom.

    Exit code 1 when it is not confirmed, out of time, or carried out already; 5 when the log could not write.
    """
    if not officer.strip():
        refuse("--officer must not be empty: the log names who carried it out", Exit.USAGE)
    if file.exists():
        refuse(f"{file} exists already", Exit.USAGE)

    done = with_services(lambda services: _carry_out(services, proposal, officer.strip(), file, quiet=as_json))
    value = {
        "file": str(file),
        "opened": done.opened,
        "left_closed": done.left,
        "people": done.people,
        "complete": done.complete,
        "until": done.expires_at,
    }
    show(
        value,
        as_json=as_json,
        text=f"{file}: {done.opened} entries of {done.people} people opened, {done.left} stay closed; "
        f"to be opened by {done.expires_at:%Y-%m-%d %H:%M}Z",
    )


async def _carry_out(services: Services, proposal: str, officer: str, file: Path, *, quiet: bool) -> Package:
    """Make the package of a confirmed proposal. Raises: Refused, LogUnavailable, LogBusy: nothing was released, it may be tried again."""
    from consent.access_log.records import Actor
    from consent.access_log.tree import TreeBroken
    from idp.proposals.records import ProposalKind
    from idp.protocol import openings

    asked = await services.proposals.get(proposal)
    if asked is None or asked.kind is not ProposalKind.OPENINGS:
        refuse("there is no proposal of openings with this number")
    hand = openings.Hand(Actor("administrator", officer, "command line"), channel="command_line")
    try:
        async with services.proposals.carrying_out(proposal, services.clock()) as taken:
            if taken is None:
                refuse("it is not confirmed, was carried out already, or its time is over")
            await openings.sign(services)
            making = openings.Making(services, taken, await openings.stretch(services, openings.asked(taken)), hand)
            await _write_package(making, file, quiet=quiet)
    except openings.Unsettled:
        refuse("an account is being erased at this moment, and the account would not add up: try again in a minute")
    except TreeBroken as error:
        refuse(str(error), Exit.LOG)
    return making.package


async def _write_package(making: Making, file: Path, *, quiet: bool) -> None:
    """Write to a draft beside the file, which gets its name once it is whole."""
    await making.announce()
    draft = file.with_name(f".{file.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with _created(draft, 0o600) as out, progress_bar("opening", quiet=quiet) as progress:
            async for part in making.parts(progress):
                out.write(part)
            out.flush()
            os.fsync(out.fileno())
        draft.replace(file)
    except OSError as error:
        refuse(f"cannot write {file}: {error.strerror or error}", Exit.USAGE)
    finally:
        draft.unlink(missing_ok=True)


@app.command()
def decrypt(
    package: Annotated[Path, typer.Argument(metavar="PACKAGE", help="The file that you downloaded, or were given.")],
    key_file: Annotated[Path, typer.Option("--key", metavar="FILE", help="Your secret key: openings-key.jwe, or a PEM of your own.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where to put the openings.")] = Path("openings.jsonl"),
    passphrase_file: Passphrase = None,
    as_json: Json = False,
) -> None:
    """Open a package with your key, and write openings.jsonl, readable by you alone, for `idp audit verify --openings`.

    Refused once its time is over. A copy that was opened before stays open: delete it when the case is closed.
    """
    from keys.parcels import ParcelBroken, ParcelExpired

    if out.exists():
        refuse(f"{out} exists already: name another file with --out", Exit.USAGE)
    secret = _private(key_file, passphrase_file)
    draft = out.with_name(f".{out.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with package.open("rb") as lines, _created(draft, 0o600) as opened:
            covered = _opened_into(opened, lines, secret)
        draft.replace(out)
    except ParcelExpired as over:
        refuse(f"its time was over at {over.until:%Y-%m-%d %H:%M}Z: propose it again")
    except ParcelBroken as error:
        refuse(f"{package}: {error}")
    except OSError as error:
        refuse(f"{error.filename or package}: {error.strerror or error}", Exit.USAGE)
    finally:
        draft.unlink(missing_ok=True)
    scope = "everybody's, of the whole log" if covered.get("complete") else "of a part of the log"
    last = covered.get("end", 0) - 1
    show(
        {"file": str(out), **covered},
        as_json=as_json,
        text=f"{out}: openings {scope}, entries {covered.get('first')} to {last}; case {covered.get('case')}\n"
        f"verify: idp audit verify DIR --vkey FILE --openings {out}\nIt says who entries are about: delete it when the case is closed.",
    )


def _opened_into(file: BinaryIO, lines: BinaryIO, secret: RecipientKey) -> dict[str, Any]:
    """Write what a package holds; give what its first line says it covers. Raises: ParcelBroken, ParcelExpired."""
    from idp.openings.records import HOLDS
    from keys import parcels

    said = b""
    for part in parcels.open_parts(_lines(lines), secret, HOLDS, dt.datetime.now(dt.UTC)):
        said = said or part
        file.write(part)
    try:
        covered: dict[str, Any] = json.loads(said)["openings"]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise parcels.ParcelBroken("it does not say what it covers") from None
    return covered


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Read lines, never more of one than a part may have."""
    from keys.parcels import LONGEST

    while line := file.readline(LONGEST + 2):
        yield line


def _private(file: Path, passphrase_file: Path | None) -> RecipientKey:
    from keys.recipients import KeyFileRefused, needs_passphrase, read_private

    text = read_text(file)
    try:
        return read_private(text, _passphrase(passphrase_file) if needs_passphrase(text) else None)
    except KeyFileRefused as error:
        refuse(f"{file}: {error}")


def _passphrase(file: Path | None, *, confirm: bool = False) -> str:
    if file is not None:
        return read_text(file).rstrip("\r\n")
    words: str = typer.prompt("Passphrase", hide_input=True, confirmation_prompt=confirm, err=True)
    return words


def _created(path: Path, mode: int) -> BinaryIO:
    """Open a new file that only its owner may read. Raises: FileExistsError, and others of OSError."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode), "wb")
