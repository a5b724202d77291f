"""oauth2-proxy (Go): sign in with PKCE, renew by refresh token, sign out here and at the provider, notice an end elsewhere."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from tests.interop.support import OAUTH2_PROXY, environment_of, listening, register, siti, visiting
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.server import Server
    from tests.support.visitor import Visitor


@pytest.fixture
def running(server: Callable[..., Server], certificate: tuple[Path, Path]) -> Server:
    return server(tls=certificate)


@pytest.fixture
def proxy(running: Server, tmp_path: Path) -> Iterator[str]:
    """The proxy, which protects an empty page; its origin."""
    port = free_port()
    origin = f"http://localhost:{port}"
    client = register(running, "oauth2-proxy", redirect_uri=f"{origin}/oauth2/callback", signed_out=f"{origin}/oauth2/sign_in")
    options = {
        "provider": "oidc", "oidc-issuer-url": running.issuer, "client-id": client["client_id"], "client-secret": client["client_secret"],
        "redirect-url": f"{origin}/oauth2/callback", "http-address": f"localhost:{port}", "upstream": "static://202",
        "scope": "openid email", "code-challenge-method": "S256", "cookie-secret": "0123456789abcdef0123456789abcdef",
        "cookie-secure": "false", "cookie-refresh": "1s", "email-domain": "*", "skip-provider-button": "true",
        "insecure-oidc-skip-nonce": "false",
        "provider-ca-file": str(running.tls[0]) if running.tls else "", "whitelist-domain": running.issuer.partition("//")[2],
    }  # fmt: skip
    log = tmp_path / "proxy.log"
    command = [str(OAUTH2_PROXY), *(f"--{name}={value}" for name, value in options.items())]
    with log.open("wb") as output:
        process = subprocess.Popen(command, env={**os.environ, **environment_of(running)}, stdout=output, stderr=output)
    try:
        listening(process, f"{origin}/ping", log, status=200)
        yield origin
    finally:
        process.terminate()
        process.wait(timeout=10)


def session_of(visitor: Visitor) -> list[str | None]:
    """The proxy's session, which it keeps in a cookie (or several, when it is long) and writes anew after a refresh."""
    return [cookie.value for cookie in visitor.client.cookies.jar if cookie.name.startswith("_oauth2_proxy") and "csrf" not in cookie.name]


async def test_oauth2_proxy_signs_in_renews_signs_out_and_notices_the_end(running: Server, proxy: str) -> None:
    async with visiting(running, proxy) as visitor:
        page = await visitor.walk(f"{proxy}/", siti())
        assert (page.status, page.url) == (202, f"{proxy}/"), page.text
        known = json.loads((await visitor.get(f"{proxy}/oauth2/userinfo")).text)
        assert known["email"] == siti().email
        before = session_of(visitor)
        await asyncio.sleep(2)
        assert (await visitor.get(f"{proxy}/")).status == 202
        assert session_of(visitor) != before, "it did not refresh"

        page = await visitor.get(f"{proxy}/oauth2/sign_out?{urlencode({'rd': f'{running.issuer}/logout'})}")
        await visitor.submit(page, page.forms[-1])
        page = await visitor.get(f"{proxy}/")
        assert page.path == "/login"
        page = await visitor.walk(f"{proxy}/", siti())
        assert page.status == 202

        page = await visitor.get("/logout")
        await visitor.submit(page, page.forms[-1])
        await asyncio.sleep(2)
        assert (await visitor.get(f"{proxy}/")).path == "/login"
