"""OpenID Connect Session Management 1.0, and the rows of the plan oidcc-session-management; the browser's part is in tests/browser."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest

from idp.web.headers import content_security_policy
from tests.support.application import AFTER_LOGOUT, CALLBACK, SECRET

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

ORIGIN = "https://app.test"
COOKIE = "gerbang_state"


def browser_state(app: Application) -> str:
    """Read the cookie as the frame's script does."""
    return app.visitor.client.cookies[COOKIE]


def asked(app: Application, session_state: str, client_id: str = "app", origin: str = ORIGIN) -> str:
    """Answer as static/session.js does."""
    salt = session_state.split(".")[1]
    text = f"{client_id} {origin} {browser_state(app)} {salt}"
    return "unchanged" if f"{hashlib.sha256(text.encode()).hexdigest()}.{salt}" == session_state else "changed"


async def test_oidcc_session_management_discovery_endpoint_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["check_session_iframe"] == f"{app.provider.issuer}/session/check"
    assert document["end_session_endpoint"]


async def test_oidcc_session_management_rp_initiated_logout(app: Application) -> None:
    answer = await app.through()
    hint = (await app.redeem(answer["code"])).json()["id_token"]
    state = answer["session_state"]
    assert " " not in state
    assert asked(app, state) == "unchanged"
    silent = (await app.ask(prompt="none")).answer["session_state"]
    assert silent != state  # salted anew
    assert asked(app, silent) == "unchanged"
    await app.visitor.get(f"/logout?{urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': AFTER_LOGOUT})}")
    assert asked(app, state) == asked(app, silent) == "changed"
    again = await app.through()
    assert asked(app, state) == "changed"
    assert asked(app, again["session_state"]) == "unchanged"


async def test_3_the_state_is_of_one_client_and_origin(app: Application) -> None:
    state = (await app.through())["session_state"]
    assert asked(app, state, client_id="other") == "changed"
    assert asked(app, state, origin="https://evil.test") == "changed"


async def test_an_application_without_a_web_origin_gets_none(app: Application) -> None:
    await app.register(
        "native", secret=None, redirect_uris=["id.go.contoh:/cb"], application_type="native", token_endpoint_auth_method="none"
    )
    assert "session_state" not in await app.through(client_id="native", redirect_uri="id.go.contoh:/cb")


async def test_an_error_carries_none_and_a_session_that_ran_out_counts_as_changed(app: Application) -> None:
    state = (await app.through())["session_state"]
    app.provider.clock.move(minutes=20)
    page = await app.ask()
    assert page.path == "/login"
    assert asked(app, state) == "changed"
    assert "session_state" not in (await app.ask(prompt="none")).answer


async def test_the_cookie_can_be_read_by_our_script_in_a_frame_and_opens_nothing(app: Application) -> None:
    from idp.web import cookies

    await app.through()
    (header,) = [value for value in (await _signed_in_again(app)).get_list("set-cookie") if value.startswith(f"{COOKIE}=")]
    assert "httponly" not in header.lower()
    secure = app.provider.settings.model_copy(update={"issuer": "https://masuk.contoh.go.id"})
    assert cookies.cookie_name(secure, "state") == "__Host-gerbang_state"
    stranger = await app.provider.visitor()
    stranger.client.cookies.set(COOKIE, browser_state(app))
    assert (await stranger.get("/security")).path == "/login"


async def _signed_in_again(app: Application) -> httpx2.Headers:
    page = await app.visitor.get("/login?again=1")
    form = page.form("identifier", "password")
    person = app.provider.person()
    fields = {**form.fields, "identifier": person.email, "password": person.password}
    response = await app.visitor.client.post(page.url, data=fields, headers={"origin": app.provider.issuer})
    return response.headers


async def test_the_page_may_be_framed_by_registered_origins_alone(app: Application) -> None:
    await app.register("second", redirect_uris=["https://second.test:8443/cb"])
    response = await app.http.get("/session/check")
    assert response.status_code == 200
    assert "x-frame-options" not in response.headers
    assert "set-cookie" not in response.headers
    framed = re.search(r"frame-ancestors ([^;]*)", response.headers["content-security-policy"])
    assert framed is not None
    assert {ORIGIN, "https://second.test:8443"} <= set(framed[1].split())
    assert "https://evil.test" not in framed[1]
    assert "'unsafe" not in response.headers["content-security-policy"]
    script = re.search(r'<script src="([^"]+)"', response.text)
    assert script is not None
    assert (await app.http.get(script[1])).headers["content-type"].startswith("text/javascript")
    assert "*" not in framed[1]


@pytest.mark.parametrize("source", ["https://a.test;script-src *", "https://a.test 'unsafe-inline'", "*", "data:", "'self'"])
def test_no_registered_address_adds_a_directive(source: str) -> None:
    policy = content_security_policy(frames=[source, "https://b.test"], framed_by=[source])
    assert "frame-src https://b.test" in policy
    assert "frame-ancestors 'none'" in policy
    assert policy.count("script-src") == 1


async def test_the_sign_in_at_another_service_leaves_the_state(app: Application) -> None:
    state = (await app.through())["session_state"]
    await app.register("second")
    answer = await app.through(client_id="second", redirect_uri=CALLBACK)
    assert (await app.redeem(answer["code"], ("second", SECRET))).status_code == 200
    assert asked(app, state) == "unchanged"
