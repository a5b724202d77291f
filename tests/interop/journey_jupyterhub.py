"""JupyterHub with oauthenticator: sign in, go on by refresh token, and be sent to sign in again when the session ended at the provider."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.interop.support import NODE, PYTHON, environment_of, interpreter, listening, register, siti, visiting
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.server import Server

ACCESS_TOKEN_LIFETIME = 2


@pytest.fixture
def running(server: Callable[..., Server], certificate: tuple[Path, Path]) -> Server:
    """A provider whose access tokens end while one looks."""
    return server(tls=certificate, IDP_ACCESS_TOKEN_LIFETIME=str(ACCESS_TOKEN_LIFETIME))


@pytest.fixture
def hub(running: Server, tmp_path: Path) -> Iterator[str]:
    """JupyterHub with its proxy; its origin."""
    origin = f"http://localhost:{free_port()}"
    client = register(running, "jupyterhub", redirect_uri=f"{origin}/hub/oauth_callback", signed_out=f"{origin}/hub/logout")
    environment = {
        **os.environ, **environment_of(running), "ISSUER": running.issuer, "ORIGIN": origin, "HUB_PORT": str(free_port()),
        "PROXY_PORT": str(free_port()), "PROXY": str(NODE / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"),
        "CLIENT_ID": client["client_id"], "CLIENT_SECRET": client["client_secret"],
        "JUPYTERHUB_CRYPT_KEY": "ab" * 32, "CONFIGPROXY_AUTH_TOKEN": "only-for-this-test",
    }  # fmt: skip
    folder, log = tmp_path / "hub", tmp_path / "hub.log"
    folder.mkdir()
    command = [interpreter("jupyterhub"), "-m", "jupyterhub", "--config", PYTHON / "jupyterhub_config.py"]
    with log.open("wb") as output:
        process = subprocess.Popen([str(part) for part in command], cwd=folder, env=environment, stdout=output, stderr=output)
    try:
        listening(process, f"{origin}/hub/health", log, status=200)
        yield origin
    finally:
        process.terminate()
        process.wait(timeout=20)


async def test_jupyterhub_signs_in_refreshes_and_notices_the_end(running: Server, hub: str) -> None:
    async with visiting(running, hub) as visitor:
        page = await visitor.walk(f"{hub}/hub/home", siti())
        assert (page.status, page.path) == (200, "/hub/home"), page.text
        assert siti().email in page.text
        await asyncio.sleep(ACCESS_TOKEN_LIFETIME + 1)
        page = await visitor.get(f"{hub}/hub/home")
        assert (page.status, page.path) == (200, "/hub/home"), page.text
        signing_out = await visitor.get("/logout")
        await visitor.submit(signing_out, signing_out.forms[-1])
        await asyncio.sleep(ACCESS_TOKEN_LIFETIME + 1)
        assert (await visitor.get(f"{hub}/hub/home")).path == "/login"
