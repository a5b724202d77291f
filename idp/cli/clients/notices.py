"""`idp clients deliveries` and `signals`: what an application was told, and how it receives security events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.clients.showing import unknown
from idp.cli.terminal import Exit, Json, refuse, show, table, with_services

if TYPE_CHECKING:
    import datetime as dt

    from idp.notices.records import Delivery
    from idp.notices.streams.records import Stream
    from idp.protocol.services import Services


def deliveries(
    client_id: str,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """Show what an application was told of endings, and whether it took it: logout tokens and security events."""

    async def work(services: Services) -> list[Delivery]:
        return list(await services.notices.of_client(client_id, limit))

    found = with_services(work)
    headings = ("time", "kind", "event", "status", "attempts", "next attempt", "answer")
    rows = [
        (_at(one.created_at), one.kind, one.event, one.status, one.attempts, _at(one.next_attempt_at), one.answer or "") for one in found
    ]
    show([_described(one) for one in found], as_json=as_json, text=lambda: table(headings, rows))


def signals(
    client_id: str,
    push: Annotated[str | None, typer.Option(help="https address to which events are pushed (RFC 8935).")] = None,
    poll: Annotated[bool, typer.Option("--poll", help="The application fetches events itself (RFC 8936).")] = False,
    event: Annotated[list[str] | None, typer.Option(help="An event it is told of; may be repeated; default: all.")] = None,
    authorization_env: Annotated[
        str | None, typer.Option(help="Environment variable with the Authorization header that the push address wants.")
    ] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Send a verification event.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="End the stream.")] = False,
    as_json: Json = False,
) -> None:
    """Show, set up, try or end an application's stream of security events (CAEP, RISC)."""
    if sum((push is not None, poll, remove)) > 1:
        refuse("choose one of --push, --poll and --remove", Exit.USAGE)
    if authorization_env and push is None:
        refuse("--authorization-env goes with --push", Exit.USAGE)
    wanted = _wanted(client_id, push, event, authorization_env) if push is not None or poll else None

    async def work(services: Services) -> Stream | None:
        from idp.protocol import streams

        if await services.clients.get(client_id) is None:
            refuse(unknown(client_id))
        if remove:
            await services.notices.streams.remove(client_id)
        if wanted is not None:
            await streams.put(services, wanted)
        stream = await services.notices.streams.get(client_id)
        if verify and stream is not None:
            await streams.verify(services, stream)
        return stream

    found = with_services(work)
    if verify and found is None:
        refuse(f"{client_id} has no stream; set one up with --push URL or --poll")
    show(_stream(client_id, found), as_json=as_json, text=lambda: _told(client_id, found))


def _wanted(client_id: str, push: str | None, events: list[str] | None, authorization_env: str | None) -> Stream:
    import os

    from idp.notices.streams.records import Stream
    from idp.protocol import streams

    authorization = None
    if authorization_env is not None:
        authorization = os.environ.get(authorization_env) or refuse(f"{authorization_env} is not set, or empty", Exit.USAGE)
    stream = Stream(client_id, frozenset(events or streams.EVENTS), push, authorization)
    problem = streams.problem(stream)
    return stream if problem is None else refuse(problem, Exit.USAGE)


def _stream(client_id: str, stream: Stream | None) -> dict[str, Any]:
    if stream is None:
        return {"client_id": client_id, "delivery": None}
    described = {"client_id": client_id, "delivery": "poll" if stream.held else "push", "events": sorted(stream.events)}
    return described | ({} if stream.held else {"url": stream.url, "authorization": stream.authorization is not None})


def _told(client_id: str, stream: Stream | None) -> str:
    if stream is None:
        return f"{client_id} receives no security events; set up a stream with --push URL or --poll"
    way = "fetches events at /signals/poll" if stream.held else f"is pushed events to {stream.url}"
    return f"{client_id} {way}: {', '.join(sorted(stream.events))}"


def _described(one: Delivery) -> dict[str, Any]:
    return {
        "id": one.id, "kind": one.kind, "event": one.event, "status": one.status, "attempts": one.attempts, "created_at": one.created_at,
        "last_attempt_at": one.last_attempt_at, "next_attempt_at": one.next_attempt_at, "answer": one.answer,
    }  # fmt: skip


def _at(moment: dt.datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%SZ")
