"""`idp audit`: export the access log, verify it, and say how it stands."""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.log import succession_value
from idp.cli.terminal import Exit, Json, read_text, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consent.access_log import LogStatus
    from consent.audit import Accounts
    from consent.checkpoint import VerifierKey
    from consent.verify import Verdict
    from idp.protocol.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Export and verify the access log, or say how it stands.")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder, or an earlier export.")], as_json: Json = False
) -> None:
    """Write the log as a tlog-tiles folder: checkpoint, tiles, entries, vkey, and records.jsonl and records.csv that open each entry.

    Nothing in it tells a person. Exit code 5 when there is no signed checkpoint or entries are missing in the database.
    """

    async def work(services: Services) -> dict[str, Any]:
        from consent import export as exporting
        from consent.access_log.tree import TreeBroken

        key = await _key(services)
        await _sign_first(services)
        try:
            with _progress("exporting") as progress:
                done = await exporting.export(services.consent.database, folder, key, progress)
        except (exporting.ExportRefused, TreeBroken) as error:
            refuse(str(error), Exit.LOG if isinstance(error, TreeBroken) else Exit.REFUSED)
        except OSError as error:
            refuse(f"cannot write {folder}: {error.strerror or error}", Exit.USAGE)
        return {"folder": str(folder), "entries": done.size, "root": done.root.hex(), "vkey": str(key)}

    done = with_services(work)
    show(
        done,
        as_json=as_json,
        text=f"{done['entries']} entries in {done['folder']}\nverify: idp audit verify {folder} --vkey '{done['vkey']}'",
    )


@app.command()
def verify(
    folder: Annotated[Path | None, typer.Argument(metavar="DIR", help="The exported folder.")] = None,
    vkey: Annotated[
        str | None, typer.Option("--vkey", metavar="LINE|FILE", help="The verifier key that you hold; not the one in the folder.")
    ] = None,
    since: Annotated[
        Path | None, typer.Option("--since", metavar="FILE", help="An older checkpoint: it must be the beginning of this log.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Verify the database itself, with the persons' log keys, instead of a folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute everything, and name the first bad index and what is wrong.

    Exit code 0 only when all holds; 1 when something does not; 2 when there is nothing that can be checked.
    """
    if live == (folder is not None):
        refuse("name the exported folder, or say --live", Exit.USAGE)
    if folder is not None and vkey is None:
        refuse("--vkey: the verifier key that you hold (a line, or a file with it) decides whose checkpoint counts", Exit.USAGE)
    verdict, accounts = with_services(_verify_live) if folder is None else (_verify_folder(folder, vkey or "", since), None)
    show(_verdict_value(verdict, accounts), as_json=as_json, text=lambda: _verdict_text(verdict, accounts))
    if not verdict.holds:
        raise typer.Exit(Exit.REFUSED)


@app.command()
def status(as_json: Json = False) -> None:
    """Say where the log stands: entries, newest checkpoints, anchor, and whether anything is in doubt. Exit code 5 when it is."""

    async def work(services: Services) -> tuple[LogStatus, str]:
        return await services.consent.access_log.status(), str(await _key(services))

    found, key = with_services(work)
    value = {
        "size": found.size,
        "root": found.root.hex(),
        "signed": _checkpoint_value(found.signed),
        "published": _checkpoint_value(found.published),
        "anchor_size": found.anchor_size,
        "in_doubt": found.in_doubt,
        "successions": [succession_value(said) for said in found.successions],
        "vkey": key,
    }
    show(value, as_json=as_json, text=lambda: _status_text(found, key))
    if found.in_doubt:
        raise typer.Exit(Exit.LOG)


def _checkpoint_value(state: Any) -> dict[str, Any] | None:  # noqa: ANN401 - CheckpointState, imported by commands only
    return None if state is None else {"size": state.size, "root": state.root.hex(), "time": state.time}


def _status_text(found: LogStatus, key: str) -> str:
    from idp.diagnosis import LOG_MEND

    lines = [f"entries    {found.size}", f"root       {found.root.hex()}"]
    for name, state in (("signed", found.signed), ("published", found.published)):
        lines.append(f"{name:<11}" + ("never" if state is None else f"{state.size} entries at {state.time.isoformat(timespec='seconds')}"))
    lines += [f"anchor     {'none' if found.anchor_size is None else f'{found.anchor_size} entries'}", f"vkey       {key}"]
    lines += [f"succession {said}" for said in found.successions]
    lines.append("in doubt   no" if found.in_doubt is None else f"IN DOUBT   {found.in_doubt}\n           {LOG_MEND}")
    return "\n".join(lines)


async def _key(services: Services) -> VerifierKey:
    """Give this log's verifier key; the signer's first start makes it."""
    key = await services.consent.verifier_key()
    if key is None:
        await services.keyring.log_key.load()
        key = await services.consent.verifier_key()
    if key is None:
        refuse("the keys store does not keep a checkpoint key", Exit.LOG)
    return key


async def _sign_first(services: Services) -> None:
    """Where the server signs by itself, sign what it may not have signed before it stopped; another signer at work does it for us."""
    from consent.signer import SignerRefused

    if services.consent.signer is not None and services.settings.log_signer == "embedded":
        try:
            await services.consent.signer.sign_once()
        except SignerRefused as error:
            typer.echo(f"not signed anew: {error}", err=True)


def _verify_folder(folder: Path, vkey: str, since: Path | None) -> Verdict:
    from consent import verify as verifying
    from consent.checkpoint import NoteInvalid, VerifierKey

    line = vkey if "+" in vkey and not Path(vkey).is_file() else read_text(Path(vkey))
    try:
        key = VerifierKey.parse(line)
        with _progress("verifying") as progress:
            return verifying.verify_folder(folder, key, None if since is None else read_text(since), progress)
    except NoteInvalid as error:
        refuse(f"--vkey: {error}", Exit.USAGE)
    except verifying.Unreadable as error:
        refuse(str(error), Exit.USAGE)


async def _verify_live(services: Services) -> tuple[Verdict, Accounts | None]:
    from consent.access_log.watch import stored
    from consent.audit import verify_live
    from consent.checkpoint import NoteInvalid
    from idp.protocol import erasure

    consent = services.consent
    async with consent.database.read() as connection:
        signed = await stored(connection, "signed")
    anchored = consent.options.anchor_file.read_text() if consent.options.anchor_file and consent.options.anchor_file.exists() else None
    try:
        notes = [await consent.opened(note) for note in (anchored, signed and signed.note) if note]
    except NoteInvalid as error:
        refuse(f"anchor or stored checkpoint: {error}", Exit.LOG)
    with _progress("verifying") as progress:
        return await verify_live(
            consent.database, services.keyring.subject_keys.every_log_key(), notes, progress, partial(erasure.closings, services)
        )


def _verdict_value(verdict: Verdict, accounts: Accounts | None) -> dict[str, Any]:
    value: dict[str, Any] = {
        "holds": verdict.holds,
        "size": verdict.size,
        "root": verdict.root.hex(),
        "first_bad_index": verdict.first_bad,
        "problems": [{"index": problem.index if problem.index >= 0 else None, "what": problem.what} for problem in verdict.problems],
        "more_problems": verdict.more,
        "successions": [succession_value(said) for said in verdict.successions],
    }
    if accounts:
        value["accounts"] = {
            "about_persons": accounts.about_persons,
            "about_nobody": accounts.about_nobody,
            "unopenable": accounts.unopenable,
            "stated_as_erased": accounts.stated,
        }
    return value


def _verdict_text(verdict: Verdict, accounts: Accounts | None) -> str:
    lines = [f"{verdict.size} entries, root {verdict.root.hex()}"]
    if accounts:
        lines.append(
            f"{accounts.about_persons} about persons, {accounts.about_nobody} about nobody, {accounts.unopenable} closed for good "
            f"({accounts.stated} stated by erasures and retention)"
        )
    lines += [str(said) for said in verdict.successions]
    lines += [str(problem) for problem in verdict.problems]
    if verdict.more:
        lines.append(f"and {verdict.more} more problems")
    lines.append("ALL HOLDS" if verdict.holds else "DOES NOT HOLD")
    return "\n".join(lines)


@contextlib.contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal's standard error; say nothing elsewhere."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
