"""`idp log`: the one signer of the access log's checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, refuse, show, with_services

if TYPE_CHECKING:
    from consent.signer import LogSigner
    from idp.protocol.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Sign the access log's checkpoints.")


@app.callback()
def log() -> None:
    """Sign the access log's checkpoints."""


@app.command()
def sign(
    once: Annotated[bool, typer.Option("--once", help="Sign what is there now, and end.")] = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="The anchor is gone on purpose: begin it anew from the database.")] = False,
    as_json: Json = False,
) -> None:
    """Sign the log within a second of its growth, until stopped; needed where IDP_LOG_SIGNER is `separate`.

    Exit code 5 when the database's log does not continue what was signed before, or the anchor is gone.
    """

    async def work(services: Services) -> dict[str, Any] | None:
        signer = services.consent.signer
        if signer is None:
            refuse("no anchor file is set: IDP_LOG_ANCHOR_FILE names it", Exit.USAGE)
        if once or adopt:
            return await _once(signer, adopt=adopt)
        await signer.run()
        return None

    done = with_services(work)
    if done:
        show(done, as_json=as_json, text=f"signed: {done['size']} entries, root {done['root']}")


async def _once(signer: LogSigner, *, adopt: bool) -> dict[str, Any]:
    from consent.access_log.tree import TreeBroken
    from consent.checkpoint import NoteInvalid
    from consent.signer import SignerRefused

    try:
        checkpoint = await signer.sign_once(adopt=adopt)
    except (SignerRefused, NoteInvalid, TreeBroken) as error:
        refuse(str(error), Exit.LOG)
    except OSError as error:
        refuse(f"the anchor cannot be written: {error}", Exit.LOG)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}
