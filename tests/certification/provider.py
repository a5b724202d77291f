"""The provider that is tested: `idp serve` over https on a data folder of its own, with a citizen who has every standard claim."""

from __future__ import annotations

import asyncio
import contextlib
import json
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from cryptography.x509 import DNSName

from idp.demo.people import SITI
from idp.provisioning import upgrade
from keys.database import store_urls
from tests.certification.plans import ALIAS, HERE, client_document
from tests.support import running
from tests.support.certificates import issue
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.certification.plans import Plan


class Tested:
    """A provider on `folder`, which fetches from the suite at `suite`, and knows a new application for every place of a plan."""

    def __init__(self, folder: Path, suite: str) -> None:
        self.folder, self.suite = folder, suite
        urls = store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None)
        trusted = folder / "trusted.pem"
        trusted.write_text(self._certificate_of_suite())
        more = {"IDP_CERTIFICATION": "on", "IDP_CA_FILE": str(trusted)}
        self.server = Server(
            urls, folder, more=more, tls=issue("localhost", names=[DNSName("localhost")], ca=True).files(folder, "localhost")
        )
        asyncio.run(self._fill(urls))

    @property
    def values(self) -> dict[str, str]:
        """What fills the places in the JSON files."""
        return {
            "issuer": self.server.issuer,
            "identifier": SITI.email,
            "password": running.KEY.password(SITI.key),
            "suite": self.suite,
            "callback": f"{self.suite}/test/a/{ALIAS}/callback",
            "after_logout": f"{self.suite}/test/a/{ALIAS}/post_logout_redirect",
        }

    def configuration(self, plan: Plan) -> dict[str, Any]:
        """Register the plan's applications; give the part of the suite's configuration that names them and the server."""
        clients = {place: self._register(name) for place, name in plan.clients.items()}
        discovery = f"{self.server.issuer}/.well-known/openid-configuration"
        return {"alias": ALIAS, "description": plan.title, "server": {"discoveryUrl": discovery}, **clients}

    def _register(self, name: str) -> dict[str, Any]:
        document = client_document(name, self.values) | {"agency": "certification", "purposes": ["certification"]}
        file = self.folder / f"{name}.json"
        file.write_text(json.dumps(document))
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
