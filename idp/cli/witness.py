"""`idp witness`: a witness of transparency logs (C2SP tlog-witness), for a body outside the provider's reach: no store, no setting."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, read_text, refuse, show

if TYPE_CHECKING:
    from consent.checkpoint import VerifierKey
    from consent.witness.folder import Opened

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Watch transparency logs, and cosign what they truly continue.")

Folder = Annotated[Path, typer.Option("--dir", metavar="DIR", help="The witness' own folder: key, vkey and memory.")]
Name = Annotated[
    str | None, typer.Option("--name", help="The first time: its name, an address without scheme, like witness.university.example/gerbang.")
]


@app.callback()
def witness() -> None:
    """Watch transparency logs, and cosign what they truly continue."""


@app.command()
def serve(
    folder: Folder,
    log: Annotated[list[str] | None, typer.Option("--log", metavar="VKEY|FILE", help="A log's verifier key; several may be named.")] = None,
    name: Name = None,
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 lets the system choose.")] = 8010,
    tls_certificate: Annotated[Path | None, typer.Option(help="Serve https with this certificate chain (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The private key of that certificate (PEM).")] = None,
) -> None:
    """Take checkpoints of these logs and cosign them, until stopped. The first start makes the key; its line is for the log's operator.

    Never put DIR back from a backup: if it is lost, begin in a new folder under a new name.
    """
    from consent.witness.endpoint import application
    from consent.witness.witness import Witness

    logs = _logs(log or [])
    if not logs:
        refuse("--log: the verifier key of the log to watch (a line, or a file with one a line)", Exit.USAGE)
    if (tls_certificate is None) != (tls_key is None):
        refuse("--tls-certificate and --tls-key go together", Exit.USAGE)
    opened = _opened(folder, name)
    typer.echo(f"{opened.key}", err=True)
    served = Witness(opened.key, opened.signer, opened.memory, logs, time.time)
    try:
        _run(application(served), host, port, tls_certificate, tls_key)
    finally:
        opened.memory.close()


def _run(application: Any, host: str, port: int, certificate: Path | None, key: Path | None) -> None:  # noqa: ANN401 - an ASGI application
    import uvicorn

    from idp.web import logs

    logs.configure("info")
    uvicorn.run(
        application, host=host, port=port, ws="none", lifespan="off", access_log=False, log_level="warning", proxy_headers=False,
        server_header=False, timeout_keep_alive=120, limit_concurrency=64, ssl_certfile=certificate, ssl_keyfile=key,
    )  # fmt: skip


@app.command()
def key(folder: Folder, name: Name = None, as_json: Json = False) -> None:
    """Print the witness' verifier key, for policies; make it the first time."""
    opened = _opened(folder, name)
    opened.memory.close()
    show({"name": opened.key.name, "vkey": str(opened.key)}, as_json=as_json, text=str(opened.key))


@app.command()
def evidence(folder: Folder, as_json: Json = False) -> None:
    """Print every two heads of one size that a log signed: proof that it showed different things to different people.

    Exit code 1 when there is any.
    """
    opened = _opened(folder, None)
    found = opened.memory.evidence()
    opened.memory.close()
    value = [one._asdict() for one in found]
    text = "\n".join(f"{one.origin}, {one.size} entries, cosigned:\n{one.cosigned or '(lost)'}\nrefused:\n{one.refused}" for one in found)
    show(value, as_json=as_json, text=text or "none")
    if found:
        raise typer.Exit(Exit.REFUSED)


def _opened(folder: Path, name: str | None) -> Opened:
    import sqlite3

    from consent.notes import NoteInvalid
    from consent.witness.folder import FolderRefused, open_folder
    from keys.errors import KeysError

    try:
        return open_folder(folder, name)
    except (FolderRefused, KeysError, NoteInvalid) as error:
        refuse(str(error))
    except sqlite3.Error as error:
        refuse(f"the memory in {folder} cannot be used: {error}")


def _logs(given: list[str]) -> dict[str, list[VerifierKey]]:
    """Read the keys of logs: a line, or a file with one a line."""
    from consent.checkpoint import VerifierKey
    from consent.notes import NoteInvalid

    lines = [line for one in given for line in ([one] if "+" in one and not Path(one).is_file() else read_text(Path(one)).splitlines())]
    logs: dict[str, list[VerifierKey]] = {}
    try:
        for line in lines:
            if line.strip() and not line.startswith("#"):
                parsed = VerifierKey.parse(line)
                logs.setdefault(parsed.name, []).append(parsed)
    except NoteInvalid as error:
        refuse(f"--log: {error}", Exit.USAGE)
    return logs
