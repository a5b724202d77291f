"""`idp log`: the one signer of the access log's checkpoints, and the successions of its key."""

from __future__ import annotations

import getpass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, read_text, refuse, show, with_services

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consent.signer import LogSigner
    from consent.succession import Succession
    from consent.transition import Change, Transition
    from idp.protocol.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Sign the access log's checkpoints, and change the key that does.")

Why = Annotated[str, typer.Option("--reason", help="Why; it stands in the log for everybody to read.")]
By = Annotated[str, typer.Option("--by", help="Who does this, as the log names it; default: the system's user name.")]


@app.callback()
def log() -> None:
    """Sign the access log's checkpoints, and change the key that does."""


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
        if signer.publisher:
            await signer.publisher.publish_once()
    except (SignerRefused, NoteInvalid, TreeBroken) as error:
        refuse(str(error), Exit.LOG)
    except OSError as error:
        refuse(f"the anchor cannot be written: {error}", Exit.LOG)
    return {"origin": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex()}


@app.command("rotate-key")
def rotate_key(reason: Why, by: By = "", as_json: Json = False) -> None:
    """Let the log go on under a new checkpoint key and origin. The old key signs that it is so; nothing is lost, and servers go on.

    Stop the signer first (on the embedded default, the server). Auditors who hold the old key line can still verify; hand over the new one.
    """

    async def act(transition: Transition, change: Change) -> Succession:
        return await transition.rotate(change)

    _succeed(act, reason, by, as_json=as_json)


@app.command()
def succeed(
    reason: Why,
    lost: Annotated[bool, typer.Option("--lost", help="Entries that were signed are lost for good.")] = False,
    known: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="The newest checkpoint that anybody holds, if newer than the anchor's."),
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """After a true loss: let the log go on from what was restored, under a new origin. Its first entry says how many entries are gone.

    Stop all servers first, and start them afterwards. Exit code 5 when nothing is lost, or other entries than the signed ones are there.
    """
    if not lost:
        refuse("--lost: only a loss needs this; for a planned change: idp log rotate-key", Exit.USAGE)
    note = None if known is None else read_text(known)

    async def act(transition: Transition, change: Change) -> Succession:
        return await transition.after_loss(change, note)

    _succeed(act, reason, by, as_json=as_json)


def _succeed(act: Callable[[Transition, Change], Awaitable[Succession]], reason: str, by: str, *, as_json: bool) -> None:
    """Do it, and say which key must be handed over on paper from now on."""
    if not reason.strip():
        refuse("--reason must not be empty: it stands in the log for everybody to read", Exit.USAGE)

    async def work(services: Services) -> Succession:
        from consent.access_log.records import Actor
        from consent.access_log.tree import TreeBroken
        from consent.anchor import AnchorMoved
        from consent.checkpoint import NoteInvalid
        from consent.signer import SignerRefused
        from consent.transition import Change

        if services.consent.transition is None:
            refuse("no anchor file is set: IDP_LOG_ANCHOR_FILE names it", Exit.USAGE)
        actor = Actor("administrator", pseudonym=by or getpass.getuser(), role="command line")
        try:
            return await act(services.consent.transition, Change(actor, reason))
        except (SignerRefused, AnchorMoved, NoteInvalid, TreeBroken) as error:
            refuse(str(error), Exit.LOG)
        except OSError as error:
            refuse(f"the anchor cannot be written: {error}", Exit.LOG)

    said = with_services(work)
    value = succession_value(said) | {"vkey": str(said.new), "fingerprint": said.new.fingerprint}
    text = f"{said}\nnew key: {said.new}\nhand its fingerprint over on paper: {said.new.fingerprint}"
    show(value, as_json=as_json, text=text)


def succession_value(said: Succession) -> dict[str, Any]:
    """Give a succession as JSON."""
    ended = said.ended
    return {
        "kind": said.kind,
        "entry": said.size,
        "lost": said.lost,
        "old": {"origin": ended.origin, "size": ended.size, "root": ended.root.hex()},
        "new_origin": said.new.name,
        "signed_by_old_key": said.signed,
        "reason": said.words,
    }
