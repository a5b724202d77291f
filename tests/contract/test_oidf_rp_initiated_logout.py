"""OpenID Connect RP-Initiated Logout 1.0, and the rows of the Foundation's plan oidcc-rp-initiated-logout."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import urlencode

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.support.application import AFTER_LOGOUT, SECRET, part

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page


@pytest.fixture
async def hint(app: Application) -> str:
    """Siti is signed in; the ID Token she got."""
    return str((await app.tokens())["id_token"])


async def logout(app: Application, **parameters: str) -> Page:
    return await app.visitor.get(f"/logout?{urlencode(parameters)}")


async def signed_in(app: Application) -> bool:
    return "code" in (await app.ask(prompt="none")).answer


async def confirm(app: Application, page: Page) -> Page:
    return await app.visitor.submit(page, page.forms[-1])  # the first one is the "Keluar" of every page


def asks(page: Page) -> bool:
    return page.left is None and page.status == 200 and "Keluar dari Gerbang?" in page.text


async def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(app: Application) -> None:
    document = (await app.http.get("/.well-known/openid-configuration")).json()
    assert document["end_session_endpoint"] == f"{app.provider.issuer}/logout"


async def test_oidcc_rp_initiated_logout(app: Application, hint: str) -> None:
    page = await logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="s-1")
    assert page.left == f"{AFTER_LOGOUT}?state=s-1"
    assert (await app.ask(prompt="none")).answer["error"] == "login_required"


async def test_oidcc_rp_initiated_logout_no_state(app: Application, hint: str) -> None:
    assert (await logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)).left == AFTER_LOGOUT
    assert not await signed_in(app)


async def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(app: Application, hint: str) -> None:
    page = await logout(app, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER_LOGOUT}?foo=bar", state="s")
    assert asks(page)
    assert (await confirm(app, page)).left is None


@pytest.mark.parametrize("uri", ["https://evil.test/", AFTER_LOGOUT + "/", "//evil.test", "javascript:alert(1)"])
async def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(app: Application, hint: str, uri: str) -> None:
    page = await logout(app, id_token_hint=hint, post_logout_redirect_uri=uri, state="s")
    assert asks(page)
    assert await signed_in(app)
    done = await confirm(app, page)
    assert (done.left, done.status) == (None, 200)
    assert not await signed_in(app)


async def test_oidcc_rp_initiated_logout_modified_id_token_hint(app: Application, hint: str) -> None:
    none = base64.urlsafe_b64encode(json.dumps({"alg": "none"}).encode()).rstrip(b"=").decode()
    page = await logout(app, id_token_hint=f"{none}.{hint.split('.')[1]}.", post_logout_redirect_uri=AFTER_LOGOUT)
    assert asks(page)
    assert (await confirm(app, page)).left is None


async def test_oidcc_rp_initiated_logout_bad_id_token_hint(app: Application, hint: str) -> None:
    key = RSAKey.generate_key(2048, {"kid": part(hint, 0)["kid"]}, private=True)
    forged = jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, part(hint, 1), key)
    page = await logout(app, id_token_hint=forged, post_logout_redirect_uri=AFTER_LOGOUT)
    assert asks(page)
    assert (await confirm(app, page)).left is None


async def test_an_access_token_is_no_hint(app: Application) -> None:
    tokens = await app.tokens()
    assert asks(await logout(app, id_token_hint=tokens["access_token"], post_logout_redirect_uri=AFTER_LOGOUT))


async def test_oidcc_rp_initiated_logout_no_id_token_hint(app: Application, hint: str) -> None:
    del hint
    for parameters in ({}, {"client_id": "app"}):
        page = await logout(app, post_logout_redirect_uri=AFTER_LOGOUT, **parameters)
        assert asks(page)
        assert await signed_in(app)
    assert (await confirm(app, page)).left is None


async def test_oidcc_rp_initiated_logout_no_params(app: Application, hint: str) -> None:
    del hint
    page = await logout(app)
    assert asks(page)
    done = await confirm(app, page)
    assert (done.left, done.status) == (None, 200)
    assert "Anda sudah keluar" in done.text
    assert not await signed_in(app)
    assert (await logout(app)).status == 200  # nobody is signed in: nothing to ask


async def test_oidcc_rp_initiated_logout_only_state(app: Application, hint: str) -> None:
    del hint
    page = await logout(app, state="s")
    assert asks(page)
    assert "Anda sudah keluar" in (await confirm(app, page)).text
    assert not await signed_in(app)


async def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(app: Application, hint: str) -> None:
    page = await logout(app, id_token_hint=hint)
    assert (page.left, page.status) == (None, 200)
    assert not await signed_in(app)


async def test_2_an_expired_hint_of_the_current_session_is_taken(app: Application, hint: str) -> None:
    app.provider.clock.move(minutes=10)
    assert (await logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT)).left == AFTER_LOGOUT


async def test_2_ui_locales_chooses_the_language_and_logout_hint_proves_nothing(app: Application, hint: str) -> None:
    page = await logout(app, logout_hint=app.provider.person().email, ui_locales="fr en")
    assert "Sign out of Gerbang?" in page.text  # a hint about somebody is no proof of them
    assert app.provider.person().email not in page.text + page.url.partition("?")[0]
    assert await signed_in(app)
    left = (await logout(app, id_token_hint=hint, logout_hint="somebody", ui_locales="id", post_logout_redirect_uri=AFTER_LOGOUT)).left
    assert left == AFTER_LOGOUT


async def test_2_a_post_with_our_cookies_is_the_same_as_a_get(app: Application, hint: str) -> None:
    form = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s-2"}
    response = await app.visitor.client.post("/logout", data=form)
    assert (response.status_code, response.headers["location"]) == (303, f"{AFTER_LOGOUT}?state=s-2")
    assert not await signed_in(app)


async def test_2_client_id_must_agree_with_the_hint(app: Application, hint: str) -> None:
    await app.register("other")
    assert asks(await logout(app, id_token_hint=hint, client_id="other", post_logout_redirect_uri=AFTER_LOGOUT))
    assert (await logout(app, id_token_hint=hint, client_id="app", post_logout_redirect_uri=AFTER_LOGOUT)).left == AFTER_LOGOUT


async def test_2_the_hint_of_another_person_asks_first(app: Application, hint: str) -> None:
    await app.visitor.get(f"/logout?id_token_hint={hint}")
    await app.through("sukarni")
    page = await logout(app, id_token_hint=hint, post_logout_redirect_uri=AFTER_LOGOUT, state="s")
    assert asks(page)
    assert await signed_in(app)
    assert (await confirm(app, page)).left == f"{AFTER_LOGOUT}?state=s"


async def test_2_post_works_and_a_cross_site_one_without_cookie_ends_the_session_that_the_hint_names(app: Application, hint: str) -> None:
    form = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT}
    response = await app.http.post("/logout", data=form)
    assert (response.status_code, response.headers["location"]) == (303, AFTER_LOGOUT)
    assert not await signed_in(app)


@pytest.mark.parametrize("with_hint", [False, True])
async def test_a_form_of_another_site_signs_nobody_out_unasked(app: Application, hint: str, with_hint: bool) -> None:  # noqa: FBT001
    """Browsers send no cookie along (SameSite=Lax) and obey an answer that deletes one: the person is asked, and the cookie stays."""
    del hint  # Siti is signed in
    stranger = await app.provider.visitor()
    own = (await app.provider.tokens(person=app.provider.person("budi"), visitor=stranger))["id_token"]  # any ID Token, of anybody
    form = {"id_token_hint": own} if with_hint else {"state": "s"}
    response = await app.http.post("/logout", data=form)
    assert "set-cookie" not in response.headers
    if not with_hint:
        assert response.status_code == 303
        page = await app.visitor.get(response.headers["location"])  # a redirect brings the cookies along
        assert asks(page)
    assert await signed_in(app)


async def test_logout_ends_tokens_of_all_services_and_spares_offline_access(app: Application, hint: str) -> None:
    await app.register("second")
    second = (await app.redeem((await app.through(client_id="second"))["code"], ("second", SECRET))).json()
    await logout(app, id_token_hint=hint)
    assert (await app.userinfo(second["access_token"])).status_code == 401


async def test_a_forged_confirmation_is_refused(app: Application, hint: str) -> None:
    del hint
    response = await app.visitor.client.post("/logout", data={"form_token": "x"})
    assert response.status_code == 403
    assert await signed_in(app)


async def test_bad_requests_are_pages(app: Application) -> None:
    assert (await app.visitor.get("/logout?state=a&state=b")).status == 400
    assert (await app.http.post("/logout", json={})).status_code == 415
    assert (await app.http.put("/logout")).status_code == 405
