"""RFC 6749: the OAuth 2.0 authorization framework."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from tests.conftest import KINDS
from tests.support.application import AUTH, CALLBACK, SECRET, Application, parameters, part

if TYPE_CHECKING:
    import httpx2

pytestmark = pytest.mark.parametrize("kind", KINDS)
CREDENTIALS = {"grant_type": "client_credentials"}


def error(response: httpx2.Response, status: int = 400) -> str:
    """Give the error code of a refusal, after the rules of §5.2."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    body = response.json()
    assert set(body["error_description"]) <= {chr(code) for code in range(0x20, 0x7F)} - {'"', "\\"}
    return str(body["error"])


# --- §2.3, §3.2.1 client authentication ----------------------------------------------------------------------------------------------


async def test_2_3_1_basic_with_the_registered_secret_is_accepted(app: Application) -> None:
    await app.register("own", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan")
    assert (await app.token(CREDENTIALS, ("own", SECRET))).status_code == 200


async def test_2_3_1_client_id_and_secret_are_form_encoded_within_basic(app: Application) -> None:
    await app.register("own.client", secret="a+b%/é", grant_types=["client_credentials"], redirect_uris=None, purposes=None)
    encoded = base64.b64encode(f"own.client:{quote('a+b%/é', safe='')}".encode()).decode()
    response = await app.token(CREDENTIALS, None, headers={"authorization": f"bAsIc {encoded}"})
    assert response.status_code == 200, response.text


async def test_5_2_wrong_credentials_are_invalid_client_401_with_a_challenge(app: Application) -> None:
    cases: Any = [
        ({}, None),
        ({"client_id": "app"}, None),
        ({"client_id": "nobody"}, None),
        ({}, ("app", "salah")),
        ({}, ("nobody", SECRET)),
        ({}, ("app", "")),
        ({"client_id": "app", "client_secret": SECRET}, None),  # registered for basic
    ]
    for form, auth in cases:
        response = await app.token({"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK, **form}, auth)
        assert error(response, 401) == "invalid_client"
        assert response.headers["www-authenticate"].startswith("Basic ")


async def test_2_3_1_a_malformed_authorization_header_is_invalid_client(app: Application) -> None:
    cases: Any = [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no-colon").decode(),
        "Basic " + base64.b64encode(b"\xff:\xff").decode(),
        "Digest x",
    ]
    for header in cases:
        assert error(await app.token(CREDENTIALS, None, headers={"authorization": header}), 401) == "invalid_client"


async def test_2_3_two_methods_in_one_request_are_refused(app: Application) -> None:
    assert error(await app.token({**CREDENTIALS, "client_id": "app", "client_secret": SECRET})) == "invalid_request"
    twice = [("authorization", "Basic " + base64.b64encode(b"app:rahasia").decode())] * 2
    assert error(await app.token(CREDENTIALS, None, headers=twice)) == "invalid_request"


async def test_2_3_client_id_beside_basic_must_name_the_same_client(app: Application) -> None:
    assert error(await app.token({**CREDENTIALS, "client_id": "other"})) == "invalid_request"


async def test_2_3_1_client_secret_post_only_where_registered(app: Application) -> None:
    await app.register(
        "post", token_endpoint_auth_method="client_secret_post", grant_types=["client_credentials"], redirect_uris=None, purposes=None
    )
    assert (await app.token({**CREDENTIALS, "client_id": "post", "client_secret": SECRET}, None)).status_code == 200
    assert error(await app.token(CREDENTIALS, ("post", SECRET)), 401) == "invalid_client"


# --- §3.1 authorization endpoint: before it is safe to redirect ------------------------------------------------------------------------


async def test_4_1_2_1_an_unknown_client_or_redirect_uri_is_a_page_and_never_a_redirect(app: Application) -> None:
    cases: Any = [
        {"client_id": None},
        {"client_id": "nobody"},
        {"client_id": "' OR 1=1 --"},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.test/cb"},
        {"redirect_uri": CALLBACK + "/"},
        {"redirect_uri": CALLBACK + "?x=1"},
        {"redirect_uri": CALLBACK + "#x"},
        {"redirect_uri": CALLBACK.upper()},
        {"redirect_uri": "https://app.test@evil.test/cb"},
        {"redirect_uri": "https://app.test/cb/../evil"},
        {"redirect_uri": "https://app.test:443/cb"},
        {"redirect_uri": "http://app.test/cb"},
        {"redirect_uri": "//app.test/cb"},
        {"redirect_uri": "javascript:alert(1)"},
        {"redirect_uri": CALLBACK + "\r\nx: y"},
    ]
    for changes in cases:
        page = await app.ask(**changes)
        assert page.left is None
        assert page.path == "/authorize"
        assert page.status == 400
        assert page.response.headers["content-type"].startswith("text/html")
        assert 'href="https://evil' not in page.text


async def test_3_1_a_repeated_client_id_or_redirect_uri_is_a_page(app: Application) -> None:
    cases: Any = ["client_id", "redirect_uri"]
    for name in cases:
        query = urlencode([*parameters().items(), (name, parameters()[name])])
        page = await app.visitor.get(f"/authorize?{query}")
        assert (page.left, page.status) == (None, 400)


async def test_3_1_a_query_that_cannot_be_read_is_a_page(app: Application) -> None:
    cases: Any = ["client_id=%ff", "client_id=app&redirect_uri=%00", "a=" + "x" * 20000, "&".join(f"p{n}=1" for n in range(200))]
    for query in cases:
        page = await app.visitor.get(f"/authorize?{query}")
        assert (page.left, page.status) == (None, 400)


# --- §4.1.2.1: from here on the application is told ------------------------------------------------------------------------------------


async def test_4_1_2_1_errors_are_told_by_redirect_with_state(app: Application) -> None:
    cases: Any = [
        ({"response_type": None}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": "code id_token"}, "unsupported_response_type"),
        ({"response_type": "CODE"}, "unsupported_response_type"),
        ({"response_mode": "web_message"}, "invalid_request"),
        ({"scope": 'open"id'}, "invalid_scope"),
        ({"scope": "openid purpose:unknown"}, "invalid_scope"),
        ({"scope": "openid purpose:semua purpose:lain"}, "invalid_scope"),
        ({"nonce": "n" * 2000}, "invalid_request"),
    ]
    for changes, expected in cases:
        page = await app.ask(**changes)
        assert page.answer["error"] == expected
        assert page.answer["state"] == "st-1"
        assert "code" not in page.answer


async def test_3_1_a_repeated_parameter_is_told_and_a_repeated_state_is_not_echoed(app: Application) -> None:
    query = urlencode([*parameters().items(), ("state", "other")])
    answer = (await app.visitor.get(f"/authorize?{query}")).answer
    assert answer["error"] == "invalid_request"
    assert "state" not in answer


async def test_a_state_that_may_not_be_echoed_is_refused(app: Application) -> None:
    cases: Any = ["x" * 3000, "st\r\nset-cookie: a=b", "státe"]
    for state in cases:
        answer = (await app.ask(state=state)).answer
        assert answer["error"] == "invalid_request"
        assert "state" not in answer


async def test_4_1_2_state_comes_back_as_it_was(app: Application) -> None:
    state = "a b+c&d=e%20;/?:@"
    assert (await app.through(state=state))["state"] == state
    assert "state" not in await app.through(state=None)


async def test_3_1_unknown_parameters_are_ignored_and_empty_ones_are_missing(app: Application) -> None:
    query = urlencode({**parameters(), "extra": "foobar", "prompt": "", "claims": ""})
    page = await app.visitor.get(f"/authorize?{query}")
    assert page.path == "/login"


async def test_4_1_2_1_a_client_that_is_not_registered_for_codes_is_unauthorized(app: Application) -> None:
    await app.register("machine", grant_types=["client_credentials"], purposes=None)
    assert (await app.ask(client_id="machine")).answer["error"] == "unauthorized_client"


async def test_3_1_2_the_query_of_a_registered_redirect_uri_is_kept(app: Application) -> None:
    await app.register("query", redirect_uris=["https://app.test/cb?a=1&b=x%20y"])
    page = await app.ask(client_id="query", redirect_uri="https://app.test/cb?a=1&b=x%20y", response_type=None)
    assert {"a": "1", "b": "x y"}.items() <= page.answer.items()
    assert (await app.ask(client_id="query", redirect_uri="https://app.test/cb?a=2&b=x%20y")).left is None


async def test_3_1_other_methods_are_405(app: Application) -> None:
    cases: Any = ["PUT", "DELETE", "PATCH"]
    for method in cases:
        assert (await app.http.request(method, "/authorize")).status_code == 405


async def test_3_1_a_post_of_another_content_type_is_415(app: Application) -> None:
    assert (await app.http.post("/authorize", json=parameters())).status_code == 415


# --- RFC 8252 §7.3: loopback ---------------------------------------------------------------------------------------------------------


async def test_rfc8252_7_3_native_clients_may_use_any_loopback_port(app: Application) -> None:
    await app.register(
        "native",
        application_type="native",
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/cb", "http://localhost:7000/cb"],
    )
    assert (await app.ask(client_id="native", redirect_uri="http://127.0.0.1:51234/cb")).path == "/login"
    assert (await app.ask(client_id="native", redirect_uri="http://127.0.0.1:51234/other")).status == 400
    assert (await app.ask(client_id="native", redirect_uri="http://127.0.0.2:51234/cb")).status == 400
    assert (await app.ask(client_id="native", redirect_uri="http://localhost:51234/cb")).status == 400


async def test_rfc8252_7_3_web_clients_may_not(app: Application) -> None:
    await app.register("web", redirect_uris=["http://127.0.0.1:5000/cb"])
    assert (await app.ask(client_id="web", redirect_uri="http://127.0.0.1:5001/cb")).status == 400
    assert (await app.ask(client_id="web", redirect_uri="http://127.0.0.1:5000/cb")).path == "/login"


# --- §3.2, §4.1.3 token endpoint -----------------------------------------------------------------------------------------------------


async def test_5_1_a_token_answer_has_its_members_and_is_not_stored(app: Application) -> None:
    response = await app.redeem((await app.through())["code"])
    body = response.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("Bearer", 300, "openid profile email")
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["pragma"] == "no-cache"


async def test_5_2_errors_of_the_token_endpoint(app: Application) -> None:
    cases: Any = [
        ({"scope": "openid"}, "invalid_request"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x"}, "invalid_request"),
        ({"grant_type": "authorization_code", "code": "x", "redirect_uri": CALLBACK}, "invalid_grant"),
        ({"grant_type": "refresh_token"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "client_credentials"}, "unauthorized_client"),
    ]
    for form, expected in cases:
        assert error(await app.token(form)) == expected


async def test_3_2_a_body_that_cannot_be_read_is_refused(app: Application) -> None:
    cases: Any = [
        (b'{"grant_type":"client_credentials"}', "application/json", 415),
        (b"grant_type=client_credentials", "text/plain", 415),
        (b"grant_type=client_credentials", "application/x-www-form-urlencoded; charset=utf-16", 415),
        (b"grant_type=client_credentials&grant_type=client_credentials", "application/x-www-form-urlencoded", 400),
        (b"grant_type=%ff", "application/x-www-form-urlencoded", 400),
        (b"grant_type=a%00b", "application/x-www-form-urlencoded", 400),
        (b"code=" + b"x" * 20000, "application/x-www-form-urlencoded", 400),
        (b"&".join(b"p%d=1" % n for n in range(200)), "application/x-www-form-urlencoded", 400),
        (b"a=" + b"x" * 100000, "application/x-www-form-urlencoded", 413),
    ]
    for content, kind, status in cases:
        response = await app.http.post("/token", content=content, headers={"content-type": kind}, auth=AUTH)
        assert response.status_code == status
        assert response.json()["error"] == "invalid_request"


async def test_3_2_an_empty_request_without_a_content_type_is_one_that_lacks_parameters(app: Application) -> None:
    for path in ("/token", "/revoke", "/introspect"):
        response = await app.http.post(path, auth=AUTH)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_request"), path


async def test_3_2_only_post(app: Application) -> None:
    cases: Any = ["GET", "PUT", "DELETE"]
    for method in cases:
        response = await app.http.request(method, "/token", auth=AUTH)
        assert response.status_code == 405
        assert "POST" in response.headers["allow"]
        assert response.json()["error"] == "invalid_request"


async def test_3_2_parameters_in_the_query_are_not_read(app: Application) -> None:
    response = await app.http.post("/token?grant_type=client_credentials", data={"x": "y"}, auth=AUTH)
    assert error(response) == "invalid_request"


async def test_4_1_3_the_redirect_uri_must_be_the_same(app: Application) -> None:
    code = (await app.through())["code"]
    assert error(await app.redeem(code, redirect_uri=CALLBACK + "2")) == "invalid_grant"
    assert error(await app.redeem(code)) == "invalid_grant"  # used up by the wrong attempt


async def test_4_1_3_a_code_is_bound_to_its_client(app: Application) -> None:
    await app.register("other")
    code = (await app.through())["code"]
    assert error(await app.redeem(code, ("other", SECRET))) == "invalid_grant"
    assert (await app.redeem(code)).status_code == 200


async def test_4_1_2_a_code_expires_after_sixty_seconds(app: Application) -> None:
    code = (await app.through())["code"]
    app.provider.clock.move(seconds=61)
    assert error(await app.redeem(code)) == "invalid_grant"


async def test_4_1_2_a_code_used_twice_revokes_what_was_issued_for_it(app: Application) -> None:
    code = (await app.through())["code"]
    first = (await app.redeem(code)).json()
    assert error(await app.redeem(code)) == "invalid_grant"
    assert (await app.userinfo(first["access_token"])).status_code == 401
    assert error(await app.refresh(first["refresh_token"])) == "invalid_grant"
    assert await app.introspect(first["access_token"]) == {"active": False}


async def test_4_1_2_reuse_revokes_the_tokens_and_never_the_consent(app: Application) -> None:
    code = (await app.through())["code"]
    await app.redeem(code)
    await app.redeem(code)
    assert "code" in (await app.ask()).answer  # no card: the permission stands


# --- §4.4 client credentials -----------------------------------------------------------------------------------------------------------


async def test_4_4_a_client_acts_for_itself_without_a_refresh_token(app: Application) -> None:
    await app.register(
        "machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan.baca laporan.tulis openid"
    )
    body = (await app.token({**CREDENTIALS, "scope": "laporan.baca"}, ("machine", SECRET))).json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert body["scope"] == "laporan.baca"
    assert part(body["access_token"], 1)["sub"] == "machine"
    assert (await app.token(CREDENTIALS, ("machine", SECRET))).json()["scope"] == "laporan.baca laporan.tulis"


async def test_4_4_only_registered_scopes_that_concern_no_citizen(app: Application) -> None:
    await app.register(
        "machine", grant_types=["client_credentials"], redirect_uris=None, purposes=None, scope="laporan.baca openid profile"
    )
    for scope in ("openid", "laporan.hapus", "profile", 'a"b'):
        assert error(await app.token({**CREDENTIALS, "scope": scope}, ("machine", SECRET))) == "invalid_scope"


# --- §6 refresh ------------------------------------------------------------------------------------------------------------------------


async def test_6_refresh_tokens_rotate_and_the_new_one_works(app: Application) -> None:
    first = await app.tokens()
    second = (await app.refresh(first["refresh_token"])).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert (await app.userinfo(second["access_token"])).status_code == 200
    assert (await app.refresh(second["refresh_token"])).status_code == 200


async def test_6_within_the_grace_a_lost_answer_is_given_again(app: Application) -> None:
    first = await app.tokens()
    answers = [(await app.refresh(first["refresh_token"])).json() for _ in range(2)]
    assert answers[0]["refresh_token"] == answers[1]["refresh_token"]


async def test_6_a_refresh_token_used_after_the_grace_revokes_everything(app: Application) -> None:
    first = await app.tokens()
    second = (await app.refresh(first["refresh_token"])).json()
    app.provider.clock.move(seconds=61)
    assert error(await app.refresh(first["refresh_token"])) == "invalid_grant"
    assert (await app.userinfo(second["access_token"])).status_code == 401
    assert error(await app.refresh(second["refresh_token"])) == "invalid_grant"


async def test_6_another_client_cannot_use_a_refresh_token(app: Application) -> None:
    await app.register("other")
    first = await app.tokens()
    assert error(await app.refresh(first["refresh_token"], ("other", SECRET))) == "invalid_grant"
    assert (await app.refresh(first["refresh_token"])).status_code == 200


async def test_6_scope_may_narrow_and_not_widen(app: Application) -> None:
    first = await app.tokens()
    narrow = (await app.refresh(first["refresh_token"], scope="openid email")).json()
    assert narrow["scope"] == "openid email"
    told = (await app.userinfo(narrow["access_token"])).json()
    assert set(told) == {"sub", "email", "email_verified"}
    wider = (await app.refresh(narrow["refresh_token"], scope="openid email phone")).json()
    assert wider["scope"] == "openid email"  # §3.3: what was not granted is ignored, and the answer says so
    assert "phone_number" not in (await app.userinfo(wider["access_token"])).json()
    assert error(await app.refresh(wider["refresh_token"], scope="phone")) == "invalid_scope"


async def test_6_a_client_without_the_grant_type_gets_no_refresh_token(app: Application) -> None:
    await app.register("short", grant_types=["authorization_code"])
    body = (await app.redeem((await app.through(client_id="short"))["code"], ("short", SECRET))).json()
    assert "refresh_token" not in body


async def test_10_4_a_refresh_token_ends_with_its_session_unless_offline(app: Application) -> None:
    online = await app.tokens()
    offline = await app.tokens(scope="openid offline_access", prompt="consent")
    assert "offline_access" in offline["scope"]
    page = await app.visitor.get(f"/logout?id_token_hint={online['id_token']}")
    assert page.status == 200
    assert error(await app.refresh(online["refresh_token"])) == "invalid_grant"
    assert (await app.refresh(offline["refresh_token"])).status_code == 200


# --- the answer goes out once ------------------------------------------------------------------------------------------------------------


async def test_a_verifier_is_worthless_in_another_browser_and_the_answer_goes_out_once(app: Application) -> None:
    page = await app.ask()
    interaction = page.url.partition("interaction=")[2]
    stranger = await app.provider.visitor()
    foreign = await stranger.get(f"/authorize?interaction={interaction}")
    assert (foreign.left, foreign.status) == (None, 400)  # no cookie at all
    await stranger.get(f"/authorize?{urlencode(parameters())}")
    foreign = await stranger.get(f"/authorize?interaction={interaction}")
    assert (foreign.left, foreign.status) == (None, 403)
    page = await app.visitor.allow(await app.visitor.sign_in(page, app.provider.person()))
    assert "code" in page.answer
    again = await app.visitor.get(f"/authorize?interaction={interaction}")
    assert (again.left, again.status) == (None, 409)


async def test_an_interaction_expires_with_a_page_that_leads_on(app: Application) -> None:
    page = await app.ask()
    interaction = page.url.partition("interaction=")[2]
    app.provider.clock.move(minutes=31)
    late = await app.visitor.get(f"/authorize?interaction={interaction}")
    assert (late.left, late.status) == (None, 410)
    assert (await app.visitor.get("/authorize?interaction=never-was")).status == 410


async def test_saying_no_is_access_denied_and_ends_the_request(app: Application) -> None:
    card = await app.visitor.sign_in(await app.ask(), app.provider.person())
    assert card.path == "/approve"
    denied = await app.visitor.deny(card)
    assert (denied.answer["error"], denied.answer["state"]) == ("access_denied", "st-1")
    assert (await app.visitor.get(card.url)).status == 409


async def test_two_tabs_are_two_requests(app: Application) -> None:
    first, second = await app.ask(state="one"), await app.ask(state="two")
    done = await app.visitor.allow(await app.visitor.sign_in(second, app.provider.person()))
    assert done.answer["state"] == "two"
    interaction = first.url.partition("interaction=")[2]
    assert (await app.visitor.get(f"/authorize?interaction={interaction}")).answer["state"] == "one"
