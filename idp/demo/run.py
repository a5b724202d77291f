"""Runs the provider and the three applications in one process, and tells where to click."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
import socket
from typing import TYPE_CHECKING, Any

import uvicorn

from idp.app import create_app
from idp.demo import agency_app
from idp.demo.applications import APPLICATIONS
from idp.demo.people import ADMINISTRATOR, AUDITOR, CITIZENS, DPO
from idp.demo.seed import seed
from idp.server import options

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp

    from idp.demo.derived import DemoKey
    from idp.demo.people import SamplePerson
    from idp.protocol.services import Services
    from idp.settings import Settings


class PortTaken(Exception):
    """Another program listens on a port that the demonstration needs."""

    def __init__(self, port: int) -> None:
        super().__init__(f"port {port} is in use")
        self.port = port


class FolderNotOurs(Exception):
    """A folder that is not empty and holds no demonstration: nothing in it is touched."""


def prepare_folder(folder: Path, issuer: str, port: int, *, fresh: bool) -> None:
    """Make the folder, with an `idp.toml` so that every command works on it; `fresh` empties an old demonstration.

    Raises: FolderNotOurs.
    """
    if folder.exists() and any(folder.iterdir()) and not (folder / "demo.key").exists():
        raise FolderNotOurs(f"{folder} is not empty and holds no demonstration; name another with --dir")
    if fresh and folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    toml = folder / "idp.toml"
    wanted = f'issuer = "{issuer}"\nport = {port}\noperator_name = "Pemerintah Kota Balikpapan (contoh)"\ndpo_contact = "dpo@example.com"\n'
    if not toml.exists():
        toml.write_text(wanted, encoding="utf-8")
    elif f'issuer = "{issuer}"' not in toml.read_text(encoding="utf-8"):
        raise FolderNotOurs(f"{folder} was made for another port, and its log for another address; add --fresh, or name another --dir")


async def run(settings: Settings, key: DemoKey, port: int, announce: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGINT or SIGTERM; call `announce` with the whole description once everything answers. Raises: PortTaken."""
    provider = create_app(settings)
    applications = [_application(index, settings.issuer, key, port) for index in range(len(APPLICATIONS))]
    with _listening([port, *(port + app.offset for app in APPLICATIONS)]) as sockets:
        async with _serving([provider, *applications], sockets, settings) as stopped:
            services: Services = provider.state.services
            await seed(services, key, port)
            announce(await description(services, key, port))
            await stopped.wait()


def _application(index: int, issuer: str, key: DemoKey, port: int) -> ASGIApp:
    application = APPLICATIONS[index]
    return agency_app.create(
        application,
        issuer=issuer,
        base_url=application.base_url(port),
        client_secret=key.token(f"client/{application.client_id}"),
        cookie_key=key.token(f"cookie/{application.client_id}"),
    )


class _Server(uvicorn.Server):
    """One of several servers in a loop: the loop's owner handles signals."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield


@contextlib.contextmanager
def _listening(ports: Sequence[int]) -> Iterator[list[list[socket.socket]]]:
    """Listen on localhost, over IPv4 and, where there is one, IPv6: browsers take either."""
    with contextlib.ExitStack() as stack:
        yield [[stack.enter_context(one) for one in _localhost(port)] for port in ports]


def _localhost(port: int) -> list[socket.socket]:
    try:
        found = [socket.create_server(("127.0.0.1", port))]
    except OSError as error:
        raise PortTaken(port) from error
    with contextlib.suppress(OSError):
        found.append(socket.create_server(("::1", port), family=socket.AF_INET6))
    return found


@contextlib.asynccontextmanager
async def _serving(apps: Sequence[ASGIApp], sockets: Sequence[list[socket.socket]], settings: Settings) -> AsyncIterator[asyncio.Event]:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    servers = [_Server(uvicorn.Config(app, **{**options(settings), "lifespan": "auto"})) for app in apps]
    running = [asyncio.create_task(server.serve(sockets=own)) for server, own in zip(servers, sockets, strict=True)]
    try:
        while not all(server.started for server in servers):
            if any(task.done() for task in running):
                raise RuntimeError("a server of the demonstration did not start")
            await asyncio.sleep(0.02)
        yield stopped
    finally:
        for server in servers:
            server.should_exit = True
        await asyncio.gather(*running, return_exceptions=True)


async def description(services: Services, key: DemoKey, port: int) -> dict[str, Any]:
    """Describe everything: what `idp demo --json` prints."""
    await services.keyring.log_key.load()
    return {
        "issuer": services.settings.issuer,
        "applications": [
            {
                "name": application.name,
                "base_url": application.base_url(port),
                "client_id": application.client_id,
                "client_secret": key.token(f"client/{application.client_id}"),
                "redirect_uris": [f"{application.base_url(port)}/callback"],
            }
            for application in APPLICATIONS
        ],
        "citizens": [_person(person, key) for person in CITIZENS],
        "auditor": _person(AUDITOR, key),
        "administrator": _person(ADMINISTRATOR, key),
        "dpo": _person(DPO, key),
        "log_vkey": str(await services.consent.verifier_key()),
        "data_dir": str(services.settings.data_dir),
    }


def _person(person: SamplePerson, key: DemoKey) -> dict[str, str | None]:
    return {
        "name": person.name,
        "nik": person.nik,
        "email": person.email,
        "phone": person.phone,
        "password": key.password(person.key),
        "totp_secret": key.totp_secret(person.key) if person.totp else None,
    }
