"""`idp keys`: list signing keys and root versions, rotate the former, rewrap everything under a new one of the latter."""

from __future__ import annotations

import contextlib
import datetime as dt
import getpass
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, refuse, show, table, with_services

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from idp.protocol.services import Services
    from keys.keyring import Keyring
    from keys.rewrap import Progress
    from keys.ring import SigningKey

app = typer.Typer(no_args_is_help=True, add_completion=False, help="List, rotate and rewrap keys.")

By = Annotated[str, typer.Option("--by", help="Who does this, as the access log names it; default: the system's user name.")]


@app.command("list")
def list_keys(as_json: Json = False) -> None:
    """List the signing keys with their states, and the root versions in use and destroyed."""

    async def work(services: Services) -> dict[str, Any]:
        ring = services.keyring
        return {
            "signing_keys": [_key(key) for key in await ring.signing.list()],
            "root_versions": [
                {"version": known.version, "created_at": known.created_at, "wraps": known.version == ring.root.current}
                for known in await ring.store.roots.root_versions()
            ],
            "destroyed_root_versions": [
                {"version": version, "destroyed_at": at} for version, at in await ring.store.roots.destroyed_root_versions()
            ],
            "to_rewrap": await ring.store.wrapped.count_below(ring.root.newest),
        }

    found = with_services(work)
    show(found, as_json=as_json, text=lambda: _listed(found))


@app.command()
def rotate(
    algorithm: Annotated[str | None, typer.Option("--algorithm", help="Only this algorithm; default: all.")] = None,
    at_once: Annotated[
        bool,
        typer.Option("--at-once", help="Sign with the new key now: a key was lost. Services that keep keys for long fail until they look."),
    ] = False,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="KID", help="Also refuse everything that this key signed, from now on.")
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Make the next signing keys. They are published now and sign a day later, when every service has them.

    A key that was lost: `idp keys rotate --algorithm ES256 --at-once --remove KID`.
    """

    async def work(services: Services) -> dict[str, Any]:
        ring = services.keyring
        if algorithm is not None and algorithm not in ring.options.algorithms:
            refuse(f"{algorithm} is none of {', '.join(ring.options.algorithms)}", Exit.USAGE)
        await _known(ring, remove or ())
        making = at_once or not remove
        if making:
            await _record(services, by, f"rotate {algorithm or 'all'}{' at once' if at_once else ''}")
        made = await ring.signing.rotate(algorithm, at_once=at_once) if making else ()
        for kid in remove or ():
            await _record(services, by, f"remove {kid}")
            if not await ring.signing.remove(kid):
                refuse(f"{kid} is active: remove it together with idp keys rotate --at-once")
        return {"successors": [_key(key) for key in made], "removed": remove or []}

    found = with_services(work)
    show(found, as_json=as_json, text=lambda: _rotated(found))


@app.command()
def rewrap(
    new: Annotated[bool, typer.Option("--new", help="First add a new root version to the root key file.")] = False,
    add_only: Annotated[
        bool, typer.Option("--add-only", help="Only add it: bring the file to every machine, then run rewrap without options.")
    ] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Do not destroy root versions that wrap nothing any more.")] = False,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Wrap every key under the newest root version while the provider runs; then destroy the old versions.

    Can be stopped and run again: it goes on where it was. Backups that only a destroyed version could unwrap are unreadable for good.
    """
    from keys import rewrap as rewrapping

    async def work(services: Services) -> dict[str, Any]:
        ring = services.keyring
        if new or add_only:
            await _record(services, by, "add a root version")
            ring.root.add_version()
        done, destroyed = 0, list[int]()
        if not add_only:
            await _record(services, by, f"rewrap under root version {ring.root.newest}")
            with _bar() as advance:
                done = await rewrapping.rewrap(ring, advance)
            destroyed = [] if keep else list(await rewrapping.destroy_old_root_versions(ring))
        return {"root_version": ring.root.newest, "rewrapped": done, "destroyed": destroyed}

    found = with_services(work)
    show(found, as_json=as_json, text=lambda: _rewrapped(found, add_only=add_only))


@app.command()
def reseal(
    older_than: Annotated[
        int | None, typer.Option("--older-than", metavar="DAYS", min=0, help="First make a new data key for people whose newest is older.")
    ] = None,
    by: By = "",
    as_json: Json = False,
) -> None:
    """Seal values anew under people's newest data keys, and destroy the older keys; the server does the same, a part every ten minutes.

    Can be stopped and run again. A key that was just superseded stays two minutes, since a running server may still seal under it.
    """

    async def work(services: Services) -> dict[str, Any]:
        from idp.protocol import resealing

        rotated = 0 if older_than is None else await _rotate_data_keys(services, by, older_than)
        done = await resealing.reseal(services, sys.maxsize, _count if sys.stderr.isatty() else None)
        left = bool(await services.keyring.subject_keys.superseded("", 1))
        return {"rotated": rotated, "people": done.people, "cells": done.cells, "keys_destroyed": done.keys, "left": left}

    found = with_services(work)
    later = "; older keys are left: run it again in two minutes" if found["left"] else ""
    text = f"{found['rotated']} data keys made, {found['cells']} values sealed anew, {found['keys_destroyed']} older keys destroyed{later}"
    show(found, as_json=as_json, text=text)


def _count(people: int) -> None:
    """Say how far it is, in one line that is written over: how many there will be is not known."""
    sys.stderr.write(f"\r{people} people …")


async def _rotate_data_keys(services: Services, by: str, days: int) -> int:
    await _record(services, by, f"rotate data keys older than {days} days")
    rotated, before = 0, await services.keyring.database.now() - dt.timedelta(days=days)
    while count := await services.keyring.subject_keys.rotate_older(before, 500):
        rotated += count
    return rotated


async def _known(ring: Keyring, kids: Sequence[str]) -> None:
    known = {key.kid for key in await ring.signing.list() if key.state != "removed"}
    for kid in kids:
        if kid not in known:
            refuse(f"{kid} is no key that could be removed; see: idp keys list")


async def _record(services: Services, by: str, what: str) -> None:
    """Enter the act in the access log before it happens: an act without its entry must not exist."""
    from consent.access_log.records import Actor, Entry, Record

    actor = Actor("administrator", pseudonym=by or getpass.getuser(), role="command line")
    await services.consent.access_log.append(Entry(Record(action="key", actor=actor, channel="command-line", outcome="done", reason=what)))


def _key(key: SigningKey) -> dict[str, Any]:
    return {
        "kid": key.kid,
        "algorithm": key.algorithm,
        "state": str(key.state),
        "created_at": key.created_at,
        "not_before": key.not_before,
        "retires_at": key.retires_at,
        "removes_at": key.removes_at,
    }


def _table(keys: Sequence[dict[str, Any]]) -> str:
    rows = [(key["algorithm"], key["state"], _day(key["not_before"]), _day(key["retires_at"]), key["kid"]) for key in keys]
    return table(("algorithm", "state", "signs from", "until", "kid"), rows)


def _rotated(found: dict[str, Any]) -> str:
    lines = [f"removed {kid}" for kid in found["removed"]]
    return "\n".join([_table(found["successors"]), *lines] if found["successors"] else lines)


def _listed(found: dict[str, Any]) -> str:
    lines = [_table(found["signing_keys"]), ""]
    lines += [f"root version {one['version']}{' wraps' if one['wraps'] else ''}" for one in found["root_versions"]]
    lines += [f"root version {one['version']} destroyed {_day(one['destroyed_at'])}" for one in found["destroyed_root_versions"]]
    if found["to_rewrap"]:
        lines.append(f"{found['to_rewrap']} keys are wrapped by an older root version: idp keys rewrap")
    return "\n".join(lines)


def _rewrapped(found: dict[str, Any], *, add_only: bool) -> str:
    if add_only:
        return f"root version {found['root_version']} added; bring the root key file to every machine, then run: idp keys rewrap"
    destroyed = ", ".join(str(version) for version in found["destroyed"]) or "none"
    return f"{found['rewrapped']} keys rewrapped under root version {found['root_version']}; destroyed versions: {destroyed}"


def _day(value: Any) -> str:  # noqa: ANN401 - a time or nothing
    return "" if value is None else f"{value:%Y-%m-%d %H:%M}Z"


@contextlib.contextmanager
def _bar() -> Iterator[Callable[[Progress], None] | None]:
    """Show a bar on a terminal; elsewhere say nothing."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rewrapping")
        yield lambda progress: bar.update(task, completed=progress.done, total=progress.total)
