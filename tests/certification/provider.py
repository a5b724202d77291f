"""The provider that is tested: `idp serve` over https on a data folder of its own, with a citizen who has every standard claim."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
import time
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx2
from cryptography.x509 import DNSName

from idp.demo.people import SITI
from idp.provisioning import upgrade
from keys.database import store_urls
from tests.certification.credentials import credentials
from tests.certification.plans import HERE, browser, client_document
from tests.support import running
from tests.support.certificates import Authority, issue
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.certification.plans import Plan

SECONDS_TO_PUBLISH = 60


class Tested:
    """A provider on `folder`, which fetches from the suite at `suite`, and knows a new application for every place of a plan."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder, self.suite = folder, suite
        self.authority = Authority(folder)
        urls = store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None)
        trusted = folder / "trusted.pem"
        trusted.write_text(self._certificate_of_suite())
        more = {"IDP_CERTIFICATION": "on", "IDP_CA_FILE": str(trusted), "IDP_CLIENT_AUTHORITIES_FILE": str(self.authority.file)}
        certificate = issue("localhost", names=[DNSName("localhost")], ca=True)
        self.server = Server(urls, folder, more=more, tls=certificate.files(folder, "localhost"))
        asyncio.run(self._fill(urls))

    @property
    def alias(self) -> str:
        """The name of our corner of the suite: a run of its own for every provider."""
        return f"gerbang-{self.server.port}"

    @property
    def values(self) -> dict[str, str]:
        """What fills the places in the JSON files."""
        return {
            "issuer": self.server.issuer,
            "identifier": SITI.email,
            "password": running.KEY.password(SITI.key),
            "suite": self.suite,
            "callback": f"{self.suite}/test/a/{self.alias}/callback",
            "logout_channel": f"{self.suite}/test/a/{self.alias}",
            "after_logout": f"{self.suite}/test/a/{self.alias}/post_logout_redirect",
        }

    def configuration(self, plan: Plan) -> dict[str, Any]:
        """Register the plan's applications; give the suite's configuration with them, the server and the browser's steps.

        A module in `plan.fresh` has applications of its own, to which nobody has allowed anything yet.
        """
        configuration: dict[str, Any] = {
            "alias": self.alias,
            "description": plan.title,
            "server": {"discoveryUrl": f"{self.server.issuer}/.well-known/openid-configuration"},
            "resource": {"resourceUrl": f"{self.server.issuer}/userinfo"},
            "options": {"browsercontrol_css_enable": False},
        }
        steps = {"override": {}} if plan.person else browser(self.values)
        configuration |= self._clients(plan) | steps | dict(plan.more)
        for module in plan.fresh:
            configuration["override"][module] = configuration["override"].get(module, {}) | self._clients(plan)
        return configuration

    def rotate_keys(self) -> None:
        """Rotate as an operator does, an RSA key since the module compares only RSA and EC keys; return when the new one is published."""
        address = f"{self.server.issuer}/jwks.json"
        before = httpx2.get(address, verify=False).json()
        self.server.run("keys", "rotate", "--algorithm", "RS256")
        deadline = time.monotonic() + SECONDS_TO_PUBLISH
        while httpx2.get(address, verify=False).json() == before and time.monotonic() < deadline:
            time.sleep(1)

    def _clients(self, plan: Plan) -> dict[str, Any]:
        parts: dict[str, Any] = {}
        for place, name in plan.clients.items():
            document, secrets = credentials(client_document(name, self.values), place, self.authority)
            parts[place] = {**self._register(document), **secrets.pop("client", {}), **plan.client}
            parts |= secrets
        return parts

    def _register(self, document: dict[str, Any]) -> dict[str, Any]:
        file = self.folder / "client.json"
        file.write_text(json.dumps(document | {"agency": "certification", "purposes": ["certification"]}))
        added = json.loads(self.server.run("clients", "add", str(file), "--json").stdout)
        return {part: added[part] for part in ("client_id", "client_secret") if part in added}

    async def _fill(self, urls: Mapping[Any, str]) -> None:
        await upgrade(running.settings_for(urls, self.folder))
        await running.fill(urls, self.folder)

    def _certificate_of_suite(self) -> str:
        parts = urlsplit(self.suite)
        return ssl.get_server_certificate((parts.hostname or "", parts.port or 443))


@contextlib.contextmanager
def tested(folder: Path, suite: str) -> Iterator[Tested]:
    """Start the provider, declare the purpose; stop it at the end."""
    provider = Tested(folder, suite)
    provider.server.start()
    try:
        provider.server.run("purposes", "add", str(HERE / "purpose.toml"))
        yield provider
    finally:
        provider.server.stop()
