"""OpenID Connect Front-Channel Logout 1.0, and the rows of the Foundation's plan oidcc-frontchannel-rp-initiated-logout."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.support.application import AFTER_LOGOUT, SECRET, part

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page

CALLBACK = "https://front.test/cb"
URI = "https://front.test/frame"


@pytest.fixture
async def tokens(app: Application) -> dict[str, Any]:
    """Siti is signed in at "front", which signs out in a frame, and at "app", which does not."""
    await app.register("front", redirect_uris=[CALLBACK], frontchannel_logout_uri=URI, frontchannel_logout_session_required=True)
    await app.tokens()
    answer = await app.through(client_id="front", redirect_uri=CALLBACK)
    found: dict[str, Any] = (await app.redeem(answer["code"], ("front", SECRET), redirect_uri=CALLBACK)).json()
    return found


async def logout(app: Application, **parameters: str) -> Page:
    return await app.visitor.get(f"/logout?{urlencode(parameters)}")


def frames(page: Page) -> list[str]:
    return [unescape(address) for address in re.findall(r'<iframe src="([^"]*)"', page.text)]


def policy(page: Page) -> dict[str, str]:
    parts = (part_.strip().partition(" ") for part_ in page.response.headers["content-security-policy"].split(";"))
    return {name: value for name, _, value in parts}


async def test_oidcc_frontchannel_logout_discovery_endpoint_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["frontchannel_logout_supported"] is True
    assert document["frontchannel_logout_session_supported"] is True
    assert document["end_session_endpoint"]


async def test_oidcc_frontchannel_rp_initiated_logout(app: Application, tokens: dict[str, Any]) -> None:
    page = await logout(app, id_token_hint=tokens["id_token"], post_logout_redirect_uri=AFTER_LOGOUT, state="s-1")
    (address,) = frames(page)
    parts = urlsplit(address)
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == URI
    assert parse_qs(parts.query) == {"iss": [app.provider.issuer], "sid": [part(tokens["id_token"], 1)["sid"]]}
    onward = f"{AFTER_LOGOUT}?state=s-1"
    assert re.search(rf'<a class="button" href="{re.escape(onward)}" data-onward>', page.text)
    assert f'<noscript><meta http-equiv="refresh" content="5;url={onward}"></noscript>' in page.text
    assert (await app.ask(prompt="none")).answer["error"] == "login_required"


async def test_the_page_frames_exactly_those_origins_and_is_framed_by_nobody(app: Application, tokens: dict[str, Any]) -> None:
    page = await logout(app, id_token_hint=tokens["id_token"])
    assert policy(page)["frame-src"] == "https://front.test"
    assert policy(page)["frame-ancestors"] == "'none'"
    assert page.response.headers["x-frame-options"] == "DENY"
    assert "frame-src" not in policy(await app.visitor.get("/"))


async def test_without_session_required_the_address_is_left_as_it_is(app: Application) -> None:
    await app.register("plain", redirect_uris=[CALLBACK], frontchannel_logout_uri=f"{URI}?app=1&x=2")
    answer = await app.through(client_id="plain", redirect_uri=CALLBACK)
    hint = (await app.redeem(answer["code"], ("plain", SECRET), redirect_uri=CALLBACK)).json()["id_token"]
    assert frames(await logout(app, id_token_hint=hint)) == [f"{URI}?app=1&x=2"]


async def test_keluar_on_our_pages_loads_the_frames_too(app: Application, tokens: dict[str, Any]) -> None:
    del tokens
    page = await logout(app)
    assert frames(page) == []  # nothing is signed out before the person said so
    assert len(frames(await app.visitor.submit(page, page.forms[-1]))) == 1


async def test_a_session_that_no_such_service_took_part_in_leads_on_at_once(app: Application) -> None:
    hint = (await app.tokens())["id_token"]
    await app.register("front", redirect_uris=[CALLBACK], frontchannel_logout_uri=URI)
    assert (await logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)).left == AFTER_LOGOUT


async def test_an_address_of_another_origin_than_the_redirect_uris_cannot_be_registered(app: Application) -> None:
    """§2: "The domain, port, and scheme of this URL MUST be the same as that of a registered Redirection URI value"."""
    with pytest.raises(AssertionError, match="frontchannel_logout_uri"):
        await app.register("evil", redirect_uris=[CALLBACK], frontchannel_logout_uri="https://elsewhere.test/frame")
