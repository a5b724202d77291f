"""`idp database`: create and migrate the stores, or say where they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.terminal import Exit, Json, refuse, run, show, table
from idp.cli.terminal import settings as read_settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.provisioning import Standing, Upgraded
    from idp.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Create and migrate the stores, or say where they stand.")

Url = Annotated[
    str | None, typer.Option("--url", help="Database URL of the owner role, which may create tables; the server's own role need not.")
]
ConsentUrl = Annotated[str | None, typer.Option("--consent-url", help="The same for the consent store, where it is a database of its own.")]
KeysUrl = Annotated[str | None, typer.Option("--keys-url", help="The same for the keys store, where it is a database of its own.")]

AppRole = Annotated[
    str | None,
    typer.Option(
        "--app-role",
        metavar="NAME",
        help="PostgreSQL role of the server: it gets the rights it needs on rows, no other. Say it at every upgrade.",
    ),
]


@app.command()
def upgrade(
    url: Url = None, consent_url: ConsentUrl = None, keys_url: KeysUrl = None, app_role: AppRole = None, as_json: Json = False
) -> None:
    """Bring all three stores to the newest revision. Safe to repeat. Makes the root key file with a first keys store."""
    from idp import provisioning
    from migrations.roles import RoleRefused

    try:
        done = run(provisioning.upgrade(_settings(url, consent_url, keys_url), app_role))
    except RoleRefused as error:
        refuse(f"--app-role: {error}", Exit.USAGE)
    value = {"applied": done.applied, "root_key_made": done.root_key_made, "app_role": app_role}
    show(value, as_json=as_json, text=lambda: _told(done, app_role))


def _told(done: Upgraded, app_role: str | None) -> str:
    lines = [
        f"{store}: {'applied ' + ', '.join(revisions) if revisions else 'already at the newest revision'}"
        for store, revisions in done.applied.items()
    ]
    if app_role is not None:
        lines.append(f"{app_role} may work with rows, change no table, and only add to the access log.")
    if done.root_key_made:
        lines.append(
            f"A new root key is in {done.root_key_made}. Keep a copy offline, apart from backups: without it nothing can be read again."
        )
    return "\n".join(lines)


@app.command()
def status(url: Url = None, consent_url: ConsentUrl = None, keys_url: KeysUrl = None, as_json: Json = False) -> None:
    """Say at which revision each store stands. Exit code 3 when one is not at the newest."""
    from idp import provisioning

    found = run(provisioning.standings(_settings(url, consent_url, keys_url)))
    value = [{"store": one.store, "revision": one.revision, "newest": one.newest, "current": one.current} for one in found]
    show(value, as_json=as_json, text=lambda: _listed(found))
    if not all(one.current for one in found):
        raise typer.Exit(Exit.NOT_READY)


def _settings(url: str | None, consent_url: str | None, keys_url: str | None) -> Settings:
    return read_settings(database_url=url, consent_database_url=consent_url, keys_database_url=keys_url)


def _listed(found: Sequence[Standing]) -> str:
    rows = [
        (one.store, one.revision or "never migrated", one.newest, "yes" if one.current else "no: run idp database upgrade") for one in found
    ]
    return table(("store", "revision", "newest", "current"), rows)
