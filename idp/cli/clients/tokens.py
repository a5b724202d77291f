"""`idp clients token add`, `list`, `revoke`: who may register an application (RFC 7591 §3, initial access tokens)."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.terminal import Exit, Json, refuse, show, table, with_services

if TYPE_CHECKING:
    from idp.clients.tokens.records import Issued
    from idp.protocol.services import Services

app = typer.Typer(add_completion=False, help="Initial access tokens: who may register an application.", no_args_is_help=True)

MOST, LONGEST = 1000, 366


@app.command()
def add(
    note: Annotated[str, typer.Option(help="Whom it is given to.")],
    count: Annotated[int, typer.Option(help="How many applications it may register.")] = 1,
    days: Annotated[int, typer.Option(help="For how many days it is good.")] = 7,
    as_json: Json = False,
) -> None:
    """Make a token that lets its holder register applications. It is printed this once."""
    if not note.strip() or not 1 <= count <= MOST or not 1 <= days <= LONGEST:
        refuse(f"--note says whom it is given to; --count is 1 to {MOST}, --days 1 to {LONGEST}", Exit.USAGE)

    async def work(services: Services) -> Issued:
        now = services.clock()
        return await services.clients.tokens.issue(note.strip(), count, now, now + dt.timedelta(days=days))

    issued = with_services(work)
    told = f"id: {issued.known.id}\ninitial_access_token: {issued.token}\nIt is sent as Authorization: Bearer …, and cannot be shown again."
    show(asdict(issued.known) | {"initial_access_token": issued.token}, as_json=as_json, text=told)


@app.command(name="list")
def list_(as_json: Json = False) -> None:
    """List the tokens that were made, with how much is left of each."""
    found = with_services(lambda services: services.clients.tokens.list())
    rows = [(known.id, known.note, known.remaining, f"{known.expires_at:%Y-%m-%d %H:%M} UTC") for known in found]
    show([asdict(known) for known in found], as_json=as_json, text=lambda: table(("id", "given to", "left", "until"), rows))


@app.command()
def revoke(token_id: str, as_json: Json = False) -> None:
    """Take a token back. Applications that it registered stay; remove them by idp clients remove."""
    if not with_services(lambda services: services.clients.tokens.revoke(token_id)):
        refuse(f"there is no initial access token {token_id}; see idp clients token list")
    show({"id": token_id, "revoked": True}, as_json=as_json, text=f"{token_id} was taken back.")
