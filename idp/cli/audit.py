"""`idp audit`: export the access log, verify it, and say how it stands."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.audit_affected import affected
from idp.cli.audit_openings import app as openings
from idp.cli.audit_receipt import verify_receipt
from idp.cli.audit_verify import progress_bar, verify
from idp.cli.log import succession_value
from idp.cli.terminal import Exit, Json, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.access_log import LogStatus
    from consent.checkpoint import VerifierKey
    from consent.service import WitnessStanding
    from idp.protocol.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Export and verify the access log, or say how it stands.")


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or new folder, or an earlier export.")], as_json: Json = False
) -> None:
    """Write the log as a tlog-tiles folder: checkpoint, tiles, entries, vkey, and records.jsonl and records.csv that open each entry.

    verify.html beside them checks all of it in a browser without a network.
    Nothing in it tells a person. Exit code 5 when there is no signed checkpoint or entries are missing in the database.
    """

    async def work(services: Services) -> dict[str, Any]:
        from consent import export as exporting
        from consent.access_log.tree import TreeBroken
        from idp.audit import offline_page

        key = await _key(services)
        if key is None:
            refuse("no checkpoint was signed yet: idp log sign", Exit.LOG)
        await _sign_first(services)
        try:
            with progress_bar("exporting", quiet=as_json) as progress:
                done = await exporting.export(services.consent.database, folder, key, progress)
            (folder / offline_page.NAME).write_bytes(offline_page.offline_page())
        except (exporting.ExportRefused, TreeBroken) as error:
            refuse(str(error), Exit.LOG if isinstance(error, TreeBroken) else Exit.REFUSED)
        except OSError as error:
            refuse(f"cannot write {folder}: {error.strerror or error}", Exit.USAGE)
        return {"folder": str(folder), "entries": done.size, "root": done.root.hex(), "vkey": str(key)}

    done = with_services(work)
    show(
        done,
        as_json=as_json,
        text=f"{done['entries']} entries in {done['folder']}\n"
        f"verify: idp audit verify {folder} --vkey '{done['vkey']}'\n"
        f"or open {folder / 'verify.html'} in a browser",
    )


app.command()(verify)
app.command()(verify_receipt)
app.command()(affected)
app.add_typer(openings, name="openings")


@app.command()
def status(as_json: Json = False) -> None:
    """Say where the log stands: entries, newest checkpoints, anchor, and whether anything is in doubt. Exit code 5 when it is."""

    async def work(services: Services) -> tuple[LogStatus, VerifierKey | None, Sequence[WitnessStanding]]:
        return await services.consent.access_log.status(), await _key(services), await services.consent.witnesses()

    found, key, witnesses = with_services(work)
    value = {
        "size": found.size,
        "root": found.root.hex(),
        "signed": _checkpoint_value(found.signed),
        "published": _checkpoint_value(found.published),
        "anchor_size": found.anchor_size,
        "unsigned_since": found.unsigned_since,
        "in_doubt": found.in_doubt,
        "successions": [succession_value(said) for said in found.successions],
        "vkey": str(key) if key else None,
        "witnesses": [_witness_value(one) for one in witnesses],
    }
    show(value, as_json=as_json, text=lambda: _status_text(found, key, witnesses))
    if found.in_doubt:
        raise typer.Exit(Exit.LOG)


def _witness_value(standing: WitnessStanding) -> dict[str, Any]:
    state = standing.state
    return {
        "name": standing.witness.name,
        "vkey": str(standing.witness.key),
        "size": state.size if state else None,
        "cosigned_at": state.cosigned_at if state else None,
        "late": standing.late,
        "outcome": state.outcome if state else None,
        "problem": state.problem if state else None,
    }


def _checkpoint_value(state: Any) -> dict[str, Any] | None:  # noqa: ANN401 - CheckpointState, imported by commands only
    return None if state is None else {"size": state.size, "root": state.root.hex(), "time": state.time}


def _status_text(found: LogStatus, key: VerifierKey | None, witnesses: Sequence[WitnessStanding]) -> str:
    from idp.diagnosis import LOG_MEND

    lines = [f"entries    {found.size}", f"root       {found.root.hex()}"]
    for name, state in (("signed", found.signed), ("published", found.published)):
        lines.append(f"{name:<11}" + ("never" if state is None else f"{state.size} entries at {state.time.isoformat(timespec='seconds')}"))
    if found.unsigned_since:
        count = found.size - (found.signed.size if found.signed else 0)
        lines.append(f"unsigned   {count} entries, the oldest of {found.unsigned_since.isoformat(timespec='seconds')}")
    lines.append(f"anchor     {'none' if found.anchor_size is None else f'{found.anchor_size} entries'}")
    lines.append(f"vkey       {key or 'none yet: the signer makes it when it first runs (idp log sign)'}")
    lines += [f"succession {said}" for said in found.successions]
    lines += [f"witness    {standing}" for standing in witnesses]
    lines.append("in doubt   no" if found.in_doubt is None else f"IN DOUBT   {found.in_doubt}\n           {LOG_MEND}")
    return "\n".join(lines)


async def _key(services: Services) -> VerifierKey | None:
    """Give this log's verifier key. Where the server signs by itself it is made when it is not there; else only its signer makes it."""
    key = await services.consent.verifier_key()
    if key is None and services.settings.log_signer == "embedded":
        await services.keyring.log_key.load()
        key = await services.consent.verifier_key()
    return key


async def _sign_first(services: Services) -> None:
    """Where the server signs by itself, sign what it may not have signed before it stopped; another signer at work does it for us."""
    from consent.signer import SignerRefused

    if services.consent.signer is not None and services.settings.log_signer == "embedded":
        try:
            await services.consent.signer.sign_once()
        except SignerRefused as error:
            typer.echo(f"not signed anew: {error}", err=True)
