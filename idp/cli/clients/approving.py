"""`idp clients approve`: an administrator lets an application ask for a purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.clients.documents import checked
from idp.cli.clients.showing import shown, unknown
from idp.cli.terminal import Json, refuse, show, with_services

if TYPE_CHECKING:
    from idp.clients.records import Client
    from idp.protocol.services import Services


def approve(
    client_id: str,
    purpose: Annotated[str, typer.Option(help="Id of the declared purpose.")],
    by: Annotated[str, typer.Option(help="Who approves, as the access log shall name it.")],
    as_json: Json = False,
) -> None:
    """Let an application that registered itself read under a declared purpose. The approval stands in the access log first.

    Look at the application, at who runs it, and at the declaration before: from now on citizens are asked for their data.
    """

    async def work(services: Services) -> Client:
        from consent.access_log.records import Actor
        from idp.clients.description import document_of
        from idp.protocol import registrations

        client = await services.clients.get(client_id) or refuse(unknown(client_id))
        declared = await services.consent.purposes.get(purpose)
        if declared is None:
            refuse(f"{purpose} is not declared; declare it first: idp purposes add FILE")
        if not client.self_registered and declared.agency != client.agency.code:
            refuse(f"{purpose} is a declaration of {declared.agency}, and {client_id} an application of {client.agency.code}")
        administrator = Actor("administrator", by, role="command line")
        metadata = checked(document_of(client), needs_purpose=False)
        approved = await registrations.approve(services, client, metadata, declared, administrator)
        return (approved or refuse(unknown(client_id))).client

    client = with_services(work)
    show(
        shown(client),
        as_json=as_json,
        text=f"{client.name} ({client.id}) may ask for {purpose} now; a running server knows it within 30 seconds.",
    )
