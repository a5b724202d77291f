"""`idp audit verify`: check what the log says without trusting whoever keeps it."""

from __future__ import annotations

import contextlib
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from idp.cli.audit_policy import Witnessed, examined, read_policy
from idp.cli.log import succession_value
from idp.cli.terminal import Exit, Json, read_text, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consent.checkpoint import VerifierKey
    from consent.findings import Verdict
    from consent.policy import Policy
    from consent.verify_openings import Accounts
    from idp.protocol.services import Services

_HASHES_ONLY = "only hashes are served, and only they were checked; records stay with the operator: idp audit export opens them\n"


class Held(NamedTuple):
    """What the reader holds, and how they want to be told."""

    key: VerifierKey
    since: str | None
    openings: Path | None
    complete: bool
    quiet: bool
    policy: Policy | None = None


def is_url(place: str) -> bool:
    """Whether this names a served log, not a folder."""
    return place.startswith(("https://", "http://"))


def verify(
    place: Annotated[
        str | None, typer.Argument(metavar="DIR|URL", help="The exported folder, or the URL of a served log (https://id.example/log).")
    ] = None,
    vkey: Annotated[
        str | None, typer.Option("--vkey", metavar="LINE|FILE", help="The verifier key that you hold; not the one in the folder.")
    ] = None,
    since: Annotated[
        Path | None,
        typer.Option(
            "--since", metavar="FILE", help="An older checkpoint, or a citizen's history that bears one: the beginning of this log."
        ),
    ] = None,
    openings: Annotated[
        Path | None, typer.Option("--openings", metavar="FILE", help="Subject openings: who entries are about, as far as you may know.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="The openings are everybody's: what they leave closed must equal what erasures state.")
    ] = False,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="Whose cosignatures you demand (C2SP tlog-policy).")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Verify the database itself, with the persons' log keys, instead of a folder.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Recompute everything, and name the first bad index and what is wrong. At a URL there are only hashes: records are not served.

    Exit code 0 only when all holds; 1 when something does not; 2 when there is nothing that can be checked.
    """
    demanded = None if policy is None else read_policy(policy)
    own = demanded.logs[0] if demanded and len(demanded.logs) == 1 else None
    keyed = vkey is not None or own is not None
    _require_sense(place, live=live, keyed=keyed, demanding=demanded is not None, opened=openings is not None, complete=complete)
    if place is None:
        verdict, accounts = with_services(partial(_verify_live, as_json=as_json))
        witnessed = Witnessed(verdict)
    else:
        key = own if vkey is None and own else held_key(vkey or "")
        held = Held(key, None if since is None else _older(since), openings, complete, as_json, demanded)
        witnessed = _verify_served(place, held) if is_url(place) else _verify_folder(Path(place), held)
        verdict, accounts = witnessed.verdict, witnessed.verdict.accounts
    checked: dict[str, Any] = {"checked": "hashes" if place and is_url(place) else "records", "cosigned": witnessed.cosigned}
    text = (_HASHES_ONLY if place and is_url(place) else "") + witnessed.text
    show(_verdict_value(verdict, accounts) | checked, as_json=as_json, text=lambda: text + _verdict_text(verdict, accounts))
    if not verdict.holds:
        raise typer.Exit(Exit.REFUSED)


def held_key(vkey: str) -> VerifierKey:
    """Read the verifier key that a reader names, as a line or as a file with it. Raises: CommandRefused."""
    from consent.checkpoint import NoteInvalid, VerifierKey

    try:
        return VerifierKey.parse(vkey if "+" in vkey and not _is_file(vkey) else read_text(Path(vkey)))
    except NoteInvalid as error:
        refuse(f"--vkey: {error}", Exit.USAGE)


def _older(file: Path) -> str:
    """Read an older checkpoint: the note itself, or the one that a citizen's history file bears."""
    from consent import history_file

    text = read_text(file)
    try:
        return history_file.read(text.encode())[0] if text.startswith("{") else text
    except history_file.HistoryBroken as error:
        refuse(f"{file}: {error}", Exit.USAGE)


def _is_file(text: str) -> bool:
    """Tell whether a file has this name; a text too long to be a name is none."""
    try:
        return Path(text).is_file()
    except OSError:
        return False


def _verify_folder(folder: Path, held: Held) -> Witnessed:
    from consent import verify as verifying

    try:
        with progress_bar("verifying", quiet=held.quiet) as progress:
            extras = verifying.Extras(held.since, held.openings, held.complete, progress)
            verdict = verifying.verify_folder(folder, held.key, extras=extras)
        return examined(verdict, held.policy, (folder / "checkpoint").read_text(encoding="utf-8"), held.since, folder)
    except verifying.Unreadable as error:
        refuse(str(error), Exit.USAGE)


def _verify_served(url: str, held: Held) -> Witnessed:
    from consent.checkpoint import NoteInvalid
    from consent.verify_public import verify_public
    from idp.cli.served_log import NotServed, ServedLog

    try:
        with ServedLog(url) as log, progress_bar("verifying", quiet=held.quiet) as progress:
            note = log.checkpoint()
            return examined(verify_public(note, log.files, held.key, held.since, progress), held.policy, note, held.since)
    except (NotServed, NoteInvalid) as error:
        refuse(str(error), Exit.USAGE)


async def _verify_live(services: Services, *, as_json: bool) -> tuple[Verdict, Accounts | None]:
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
    with progress_bar("verifying", quiet=as_json) as progress:
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
        closed = "closed for good" if verdict.accounts is None else "not opened"
        lines.append(
            f"{accounts.about_persons} about persons, {accounts.about_nobody} about nobody, {accounts.unopenable} {closed} "
            f"({accounts.stated} stated by erasures and retention)"
        )
    lines += [str(said) for said in verdict.successions]
    lines += [str(problem) for problem in verdict.problems]
    if verdict.more:
        lines.append(f"and {verdict.more} more problems")
    lines.append("ALL HOLDS" if verdict.holds else "DOES NOT HOLD")
    return "\n".join(lines)


def _require_sense(place: str | None, *, live: bool, keyed: bool, demanding: bool, opened: bool, complete: bool) -> None:
    """Refuse options that do not go together, before anything is read."""
    contradictions = (
        (live == (place is not None), "name the exported folder, or say --live"),
        (
            place is not None and not keyed,
            "--vkey: the verifier key that you hold (a line, or a file with it) decides whose checkpoint counts",
        ),
        (demanding and place is None, "--policy judges what is public: name an exported folder or a URL"),
        (complete and not opened, "--complete says something about --openings"),
        (opened and place is not None and is_url(place), "--openings belong to an exported folder: a URL serves only hashes"),
    )
    for wrong, sentence in contradictions:
        if wrong:
            refuse(sentence, Exit.USAGE)


@contextlib.contextmanager
def progress_bar(what: str, *, quiet: bool = False) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on a terminal's standard error, with the time that is left; say nothing elsewhere, or when `quiet`."""
    if quiet or not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, whole: bar.update(task, completed=done, total=whole)
