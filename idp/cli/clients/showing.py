"""`idp clients list` and `show`: what is registered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from idp.cli.terminal import Json, refuse, show, table, with_services

if TYPE_CHECKING:
    from idp.clients.records import Client


def list_(as_json: Json = False) -> None:
    """List all applications."""
    found = with_services(lambda services: services.clients.list())
    rows = [(client.id, client.name, client.agency.code, client.auth_method, client.profile) for client in found]
    show(
        [shown(client) for client in found],
        as_json=as_json,
        text=lambda: table(("client_id", "name", "agency", "authenticates by", "profile"), rows),
    )


def show_(client_id: str, as_json: Json = False) -> None:
    """Show one application. Its secret is not stored, so it cannot be shown."""
    client = with_services(lambda services: services.clients.get(client_id)) or refuse(unknown(client_id))
    described = shown(client)
    show(described, as_json=as_json, text=lambda: "\n".join(f"{name}: {_plain(value)}" for name, value in described.items() if value))


def shown(client: Client) -> dict[str, Any]:
    """Describe an application in the words of RFC 7591, with whose it is."""
    from idp.clients.description import described

    return described(client) | {"agency": client.agency.code, "self_registered": client.self_registered}


def unknown(client_id: str) -> str:
    """Say that there is no such application."""
    return f"there is no application {client_id}; see idp clients list"


def _plain(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
