"""`idp clients test` over the network, and the same sentences on the page of a failed request."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import structlog
from joserfc.jwk import ECKey, RSAKey

from idp.authorize import refused
from idp.protocol.client_walk.walk import walk
from tests.support.application import Application, application
from tests.support.registering import Places, png

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.protocol.client_walk.findings import Finding
    from tests.support.running import Provider

EC = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"}, private=True)
RSA = RSAKey.generate_key(2048, {"kid": "2", "use": "enc"}, private=True)
JWKS_URI, OUT = "https://app.test/jwks", "https://app.test/keluar"


@pytest.fixture
def kind() -> str:
    return "sqlite"


@pytest.fixture
def places() -> Places:
    return Places()


@pytest.fixture
def provider_network(places: Places) -> httpx2.AsyncBaseTransport:
    async def answer(request: httpx2.Request) -> httpx2.Response:
        if request.url.host == "mati.test":
            raise httpx2.ConnectError("nobody", request=request)
        return httpx2.Response(400) if request.method == "POST" and str(request.url) == OUT else places.answer(request)

    return httpx2.MockTransport(answer)


@pytest.fixture
async def app(provider: Provider) -> Application:
    return await application(provider)


async def told(app: Application, client_id: str, *asked: str) -> Sequence[Finding]:
    app.provider.services.clients.forget()
    app.provider.clock.move(minutes=2)
    client = await app.provider.services.clients.get(client_id)
    assert client is not None
    return await walk(app.provider.services, client, asked=asked)


def wrong(findings: Sequence[Finding]) -> list[str]:
    return [finding.subject for finding in findings if finding.grade == "wrong"]


async def test_a_sound_application_has_nothing_wrong(app: Application, places: Places) -> None:
    places.put(JWKS_URI, {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]})
    more: dict[str, Any] = {
        "profile": "secure", "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": JWKS_URI, "backchannel_logout_uri": OUT,
        "id_token_encrypted_response_alg": "RSA-OAEP-256", "logo_uri": places.put("https://app.test/l.png", png(), "image/png"),
    }  # fmt: skip
    await app.register("sehat", secret=None, **more)
    findings = await told(app, "sehat", "openid", "profile")
    assert [finding for finding in findings if finding.grade != "ok"] == []
    assert {"redirect_uris", "jwks_uri", "backchannel_logout_uri", "logo_uri", "purposes", "code_challenge"} <= {
        finding.subject for finding in findings
    }


async def test_what_an_integrator_got_wrong_is_said(app: Application, places: Places) -> None:
    more: dict[str, Any] = {
        "token_endpoint_auth_method": "private_key_jwt", "jwks_uri": JWKS_URI, "backchannel_logout_uri": "https://app.test/tidak-ada",
        "redirect_uris": ["https://mati.test/cb"], "userinfo_encrypted_response_alg": "ECDH-ES", "logo_uri": "https://app.test/x.svg",
        "default_acr_values": ["aal1"],
    }  # fmt: skip
    await app.register("sakit", secret=None, **more)
    assert sorted(wrong(await told(app, "sakit", "openid", "nik"))) == ["backchannel_logout_uri", "jwks_uri", "redirect_uris", "scope"]
    places.put(JWKS_URI, {"keys": [RSA.as_dict(private=False), {"kty": "RSA"}, {"kty": "EC", "kid": "2"}]})
    findings = await told(app, "sakit")
    assert wrong(findings).count("jwks_uri") == 3  # a kid stands twice, nothing signs, nothing can be encrypted to
    assert "logo_uri" in {finding.subject for finding in findings if finding.grade == "warning"}


async def test_the_page_of_a_failed_request_tells_both_readers(app: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    logger = structlog.wrap_logger(
        structlog.PrintLogger(written), processors=[structlog.processors.JSONRenderer()], wrapper_class=structlog.BoundLogger
    )
    monkeypatch.setattr(refused, "_log", logger)
    page = await app.visitor.get("/authorize?client_id=app&client_id=lain&redirect_uri=https://app.test/cb")
    assert (page.status, page.left) == (400, None)
    assert "these came more than once: client_id." in page.text
    assert page.text.index('<p class="lead">') < page.text.index("<details>") < page.text.index("more than once")
    reference = re.search(r'Nomor rujukan: <span class="mono">([\w-]+)<', page.text)
    assert reference is not None
    assert reference[1] in written.getvalue()
    assert "more than once" in written.getvalue()
    address = await app.ask(redirect_uri="https://app.test/cb/")
    assert "the final slash" in address.text
    assert "https://app.test/cb" not in address.text
    unknown = await app.ask(client_id="<script>alert(1)</script>")
    assert "alert(1)" not in unknown.text
