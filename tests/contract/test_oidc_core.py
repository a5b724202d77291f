"""OpenID Connect Core 1.0."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from joserfc import jwt
from joserfc.jwk import KeySet

from tests.support.application import CALLBACK, SECRET, declaration, parameters, part

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page


async def signed_in(app: Application) -> None:
    """Sign Siti in and allow everything, so that plain requests are answered without a page."""
    assert "code" in await app.through(scope="openid profile email address phone")


def asks_for_login(page: Page) -> bool:
    return page.left is None and page.path == "/login"


# --- §2, §3.1.3 the ID Token -----------------------------------------------------------------------------------------------------------


async def test_2_an_id_token_has_its_claims_and_verifies_with_the_published_keys(app: Application) -> None:
    tokens = await app.tokens()
    keys = KeySet.import_key_set((await app.http.get("/jwks.json")).json())
    token = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])
    claims = token.claims
    assert token.header["alg"] == "RS256"
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (app.provider.issuer, "app", "n-1")
    assert claims["exp"] - claims["iat"] == 300
    assert (claims["acr"], claims["amr"]) == ("aal1", ["pwd"])
    assert abs(claims["auth_time"] - claims["iat"]) < 60
    assert claims["sid"]


async def test_3_1_3_6_at_hash_is_the_left_half_of_the_access_tokens_hash(app: Application) -> None:
    tokens = await app.tokens()
    digest = hashlib.sha256(tokens["access_token"].encode()).digest()
    assert part(tokens["id_token"], 1)["at_hash"] == base64.urlsafe_b64encode(digest[:16]).rstrip(b"=").decode()


async def test_5_4_scope_claims_are_not_in_the_id_token(app: Application) -> None:
    claims = part((await app.tokens(scope="openid profile email address phone"))["id_token"], 1)
    assert set(claims) == {"iss", "sub", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid", "nonce", "at_hash"}


async def test_2_clients_choose_the_signature_algorithm(app: Application) -> None:
    for algorithm in ("PS256", "ES256", "EdDSA"):
        name = f"client-{algorithm.lower()}"
        await app.register(name, id_token_signed_response_alg=algorithm)
        response = await app.redeem((await app.through(client_id=name))["code"], (name, SECRET))
        assert part(response.json()["id_token"], 0)["alg"] == algorithm


async def test_a_request_without_openid_yields_no_id_token(app: Application) -> None:
    assert "id_token" not in await app.tokens(scope="profile")


async def test_12_2_a_refreshed_id_token_tells_the_same_authentication_without_nonce(app: Application) -> None:
    tokens = await app.tokens()
    first = part(tokens["id_token"], 1)
    app.provider.clock.move(seconds=100)
    second = part((await app.refresh(tokens["refresh_token"])).json()["id_token"], 1)
    for name in ("iss", "sub", "aud", "auth_time", "acr", "sid"):
        assert first[name] == second[name]
    assert second["iat"] > first["iat"]
    assert "nonce" not in second


# --- §8 subjects -----------------------------------------------------------------------------------------------------------------------


async def test_8_clients_of_one_agency_know_a_person_by_one_name_and_others_by_another(app: Application) -> None:
    await app.register("sister")
    mine = part((await app.tokens())["id_token"], 1)["sub"]
    theirs = await app.redeem((await app.through(client_id="sister"))["code"], ("sister", SECRET))
    assert part(theirs.json()["id_token"], 1)["sub"] == mine
    demo = await app.provider.tokens(app.provider.person(), app.provider.application("aduan"))
    assert part(demo["id_token"], 1)["sub"] != mine


# --- §3.1.2.1 prompt -------------------------------------------------------------------------------------------------------------------


async def test_prompt_none_without_a_session_is_login_required(app: Application) -> None:
    assert (await app.ask(prompt="none")).answer["error"] == "login_required"


async def test_prompt_none_without_consent_is_consent_required(app: Application) -> None:
    await signed_in(app)
    await app.register("new")
    assert (await app.ask(client_id="new", prompt="none")).answer["error"] == "consent_required"


async def test_prompt_none_with_session_and_consent_is_silent(app: Application) -> None:
    await signed_in(app)
    assert "code" in (await app.ask(prompt="none")).answer


async def test_prompt_none_that_needs_a_second_factor_is_interaction_required(app: Application) -> None:
    await signed_in(app)
    assert (await app.ask(prompt="none", acr_values="aal2")).answer["error"] == "interaction_required"


async def test_prompt_none_stands_alone_and_unknown_values_are_refused(app: Application) -> None:
    for prompt in ("none login", "login none consent", "magic", "LOGIN"):
        assert (await app.ask(prompt=prompt)).answer["error"] == "invalid_request"


async def test_prompt_login_asks_again_and_is_settled_by_signing_in(app: Application) -> None:
    await signed_in(app)
    app.provider.clock.move(seconds=2)
    before = app.provider.clock()
    page = await app.ask(prompt="login")
    assert asks_for_login(page)
    done = await app.visitor.sign_in(page, app.provider.person())
    token = (await app.redeem(done.answer["code"])).json()["id_token"]
    assert part(token, 1)["auth_time"] >= int(before.timestamp())


async def test_prompt_login_is_not_settled_by_coming_back_without_signing_in(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(prompt="login")
    interaction = page.url.partition("interaction=")[2]
    for verifier in ("", "&verifier=forged"):
        assert asks_for_login(await app.visitor.get(f"/authorize?interaction={interaction}{verifier}"))


async def test_prompt_select_account_asks_who(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(prompt="select_account")
    assert asks_for_login(page)
    assert "code" in (await app.visitor.sign_in(page, app.provider.person())).answer


async def test_prompt_consent_shows_the_card_again_and_once(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(prompt="consent")
    assert page.path == "/approve"
    assert "code" in (await app.visitor.allow(page)).answer


async def test_prompt_login_and_consent_together_ask_for_both(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(prompt="login consent")
    assert asks_for_login(page)
    page = await app.visitor.sign_in(page, app.provider.person())
    assert page.path == "/approve"
    assert "code" in (await app.visitor.allow(page)).answer


# --- max_age, acr ----------------------------------------------------------------------------------------------------------------------


async def test_max_age_asks_again_when_the_sign_in_is_older(app: Application) -> None:
    await signed_in(app)
    app.provider.clock.move(seconds=30)
    assert "code" in (await app.ask(max_age="100")).answer
    page = await app.ask(max_age="10")
    assert asks_for_login(page)
    assert "code" in (await app.visitor.sign_in(page, app.provider.person())).answer
    assert (await app.ask(max_age="0", prompt="none")).answer["error"] == "login_required"


async def test_max_age_must_be_a_number(app: Application) -> None:
    for value in ("-1", "1.5", "soon", "1e9", "9" * 20, "٣"):
        assert (await app.ask(max_age=value)).answer["error"] == "invalid_request"


async def test_acr_values_any_of_them_will_do_and_unknown_ones_ask_for_nothing(app: Application) -> None:
    await signed_in(app)
    for values in ("aal2 aal1", "aal1", "urn:mace:incommon:iap:silver", "0", "aal3 aal1"):
        assert "code" in (await app.ask(acr_values=values)).answer, values


async def test_acr_aal2_demands_the_second_factor(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(acr_values="aal2")
    assert (page.left, page.path) == (None, "/login/second-factor")
    budi = await app.provider.visitor()
    done = await budi.walk(f"/authorize?{urlencode(parameters(acr_values='aal2'))}", app.provider.person("budi"))
    claims = part((await app.redeem(done.answer["code"])).json()["id_token"], 1)
    assert claims["acr"] == "aal2"
    assert {"pwd", "otp", "mfa"} <= set(claims["amr"])


async def test_5_5_1_1_an_essential_acr_that_cannot_be_met_is_an_error(app: Application) -> None:
    wanted = json.dumps({"id_token": {"acr": {"essential": True, "values": ["aal4"]}}})
    assert (await app.ask(claims=wanted)).answer["error"] == "unmet_authentication_requirements"


# --- hints -----------------------------------------------------------------------------------------------------------------------------


async def test_id_token_hint_of_the_person_signed_in_is_silent_also_when_expired(app: Application) -> None:
    page = await app.visitor.sign_in(await app.ask(), app.provider.person(), remember="yes")
    token = (await app.redeem((await app.visitor.allow(page)).answer["code"])).json()["id_token"]
    app.provider.clock.move(seconds=400)
    assert "code" in (await app.ask(prompt="none", id_token_hint=token)).answer


async def test_on_a_shared_device_after_five_minutes_a_service_first_asks_who_is_there(app: Application) -> None:
    await signed_in(app)
    app.provider.clock.move(seconds=301)
    assert (await app.ask(prompt="none")).answer["error"] == "account_selection_required"
    page = await app.ask()
    assert asks_for_login(page)
    done = await app.visitor.submit(page, page.form("continue"), press="continue")
    assert "code" in done.answer


async def test_id_token_hint_of_another_person_is_login_required(app: Application) -> None:
    token = (await app.tokens())["id_token"]
    await app.visitor.get(f"/logout?id_token_hint={token}")
    await app.through("sukarni")
    assert (await app.ask(prompt="none", id_token_hint=token)).answer["error"] == "login_required"
    page = await app.ask(id_token_hint=token)
    assert asks_for_login(page)
    assert (await app.visitor.sign_in(page, app.provider.person("sukarni"))).answer["error"] == "login_required"
    page = await app.ask(id_token_hint=token)
    assert "code" in (await app.visitor.sign_in(page, app.provider.person("siti"))).answer


async def test_id_token_hints_that_are_none_of_ours_are_refused(app: Application) -> None:
    tokens = await app.tokens()
    head, body, signature = tokens["id_token"].split(".")
    none = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    await app.register("sister")
    for hint in ("x", "a.b.c", f"{none}.{body}.", f"{head}.{body}.{signature[:-4]}AAAA", tokens["access_token"]):
        assert (await app.ask(id_token_hint=hint)).answer["error"] == "invalid_request"
    assert (await app.ask(client_id="sister", id_token_hint=tokens["id_token"])).answer["error"] == "invalid_request"


async def test_login_hint_stands_in_the_field_and_nowhere_in_an_address(app: Application) -> None:
    page = await app.ask(login_hint="siti@example.com")
    assert page.form("identifier").fields["identifier"] == "siti@example.com"
    assert "siti" not in page.url
    evil = await app.ask(login_hint='"><script>alert(1)</script>')
    assert "<script>alert" not in evil.text


async def test_ui_locales_choose_the_language_of_the_pages(app: Application) -> None:
    assert 'lang="en"' in (await app.ask(ui_locales="fr en-GB id")).text[:200]
    stranger = await app.provider.visitor()
    assert 'lang="id"' in (await stranger.get(f"/authorize?{urlencode(parameters(ui_locales='fr'))}")).text[:200]


# --- §5.5 claims -----------------------------------------------------------------------------------------------------------------------


async def test_5_5_claims_ask_for_single_claims_at_userinfo(app: Application) -> None:
    wanted = json.dumps({"userinfo": {"name": {"essential": True}, "phone_number": None, "unknown_claim": None}, "other": {}})
    tokens = await app.tokens(scope="openid", claims=wanted)
    told = (await app.userinfo(tokens["access_token"])).json()
    assert set(told) == {"sub", "name", "phone_number"}


async def test_5_5_claims_in_the_id_token_are_a_recorded_read(app: Application) -> None:
    wanted = json.dumps({"id_token": {"email": None, "auth_time": {"essential": True}}})
    response = await app.redeem((await app.through(scope="openid", claims=wanted))["code"])
    assert part(response.json()["id_token"], 1)["email"] == "siti@example.com"
    entry = response.headers["x-access-log-id"]
    found = app.provider.services
    authorization = await found.authorizations.live(part(response.json()["access_token"], 1)["authorization_id"], "x", found.clock())
    assert authorization is not None
    newest = await found.consent.access_log.last_read(authorization.person)
    assert newest is not None
    assert newest.entry_id == entry
    assert newest.record["channel"] == "id_token"
    assert (await app.userinfo(response.json()["access_token"])).json().keys() == {"sub"}


async def test_5_5_1_a_wanted_sub_must_be_the_one_signed_in(app: Application) -> None:
    subject = part((await app.tokens())["id_token"], 1)["sub"]
    mine = json.dumps({"id_token": {"sub": {"value": subject}}})
    other = json.dumps({"id_token": {"sub": {"value": "somebody"}}})
    assert "code" in (await app.ask(prompt="none", claims=mine)).answer
    assert (await app.ask(prompt="none", claims=other)).answer["error"] == "login_required"


async def test_5_5_malformed_claims_are_refused(app: Application) -> None:
    cases: list[Any] = ["x", "[]", "1", '{"userinfo":[]}', '{"userinfo":{"name":1}}', '{"id_token":{"acr":{"values":"x"}}}', "[" * 5000]
    for text in cases:
        assert (await app.ask(claims=text)).answer["error"] == "invalid_request", text[:50]


# --- §5.3 userinfo, and the purpose ----------------------------------------------------------------------------------------------------


async def test_5_3_2_sub_is_the_id_tokens_and_the_read_is_named(app: Application) -> None:
    tokens = await app.tokens()
    response = await app.userinfo(tokens["access_token"])
    assert response.json()["sub"] == part(tokens["id_token"], 1)["sub"]
    assert response.headers["content-type"] == "application/json"
    assert response.headers["cache-control"] == "no-store"
    assert len(response.headers["x-access-log-id"]) == 22


async def test_openid_alone_signs_in_and_reads_nothing(app: Application) -> None:
    tokens = await app.tokens(scope="openid")
    response = await app.userinfo(tokens["access_token"])
    assert response.json().keys() == {"sub"}
    assert "x-access-log-id" not in response.headers


async def test_what_the_purpose_does_not_declare_is_dropped_and_the_granted_scope_is_told(app: Application) -> None:
    await app.provider.services.consent.purposes.add(declaration("surat", required=("email",)))
    await app.register("letters", purposes=["surat"])
    response = await app.redeem((await app.through(client_id="letters", scope="openid profile email phone"))["code"], ("letters", SECRET))
    assert response.json()["scope"] == "openid email"
    assert (await app.userinfo(response.json()["access_token"])).json().keys() == {"sub", "email", "email_verified"}


async def test_a_purpose_can_be_chosen_by_scope(app: Application) -> None:
    await app.provider.services.consent.purposes.add(declaration("surat", required=("email",)))
    await app.register("both", purposes=["semua", "surat"])
    response = await app.redeem((await app.through(client_id="both", scope="openid profile email purpose:surat"))["code"], ("both", SECRET))
    assert response.json()["scope"] == "openid email purpose:surat"


async def test_optional_claims_that_were_left_off_are_not_read(app: Application) -> None:
    await app.provider.services.consent.purposes.add(declaration("telepon", required=("name",), optional=("phone_number",)))
    await app.register("phone", purposes=["telepon"])
    answer = await app.through(client_id="phone", scope="openid profile phone")
    response = await app.redeem(answer["code"], ("phone", SECRET))
    assert response.json()["scope"] == "openid profile"
    assert (await app.userinfo(response.json()["access_token"])).json().keys() == {"sub", "name", "updated_at"}


# --- §6 request objects, §3.1.2.1 form post ----------------------------------------------------------------------------------------------


async def test_6_request_objects_that_cannot_be_believed_are_refused_and_never_ignored(app: Application) -> None:
    assert (await app.ask(request="e30.e30.")).answer["error"] == "invalid_request_object"
    assert (await app.ask(request_uri="https://app.test/r")).answer["error"] == "request_uri_not_supported"
    assert (await app.ask(registration="{}")).answer["error"] == "registration_not_supported"


async def test_form_post_carries_the_answer_in_a_page_that_escapes_it(app: Application) -> None:
    await signed_in(app)
    page = await app.ask(response_mode="form_post", state='"><script>alert(1)</script>')
    assert (page.left, page.status) == (None, 200)
    form = page.form("code")
    assert (form.method, form.action) == ("post", CALLBACK)
    assert form.fields["state"] == '"><script>alert(1)</script>'
    assert "<script>alert" not in page.text
    assert "https://app.test" in page.response.headers["content-security-policy"]
    assert page.response.headers["cache-control"] == "no-store"
    assert (await app.redeem(form.fields["code"])).status_code == 200


async def test_an_authorization_request_by_post_works(app: Application) -> None:
    page = await app.visitor.post("/authorize", parameters())
    assert asks_for_login(page)


# --- single sign-on and CORS -------------------------------------------------------------------------------------------------------------


async def test_a_second_application_needs_no_password(app: Application) -> None:
    await signed_in(app)
    await app.register("second")
    page = await app.ask(client_id="second")
    assert page.path == "/approve"
    assert "code" in (await app.visitor.allow(page)).answer


async def test_cors_public_clients_registered_origins_only(app: Application) -> None:
    await app.register("spa", token_endpoint_auth_method="none", origins=["https://spa.test"])
    for path in ("/token", "/userinfo", "/revoke"):
        asked = {"origin": "https://spa.test", "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
        allowed = await app.http.options(path, headers=asked)
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == "https://spa.test"
        assert "access-control-allow-credentials" not in allowed.headers
        for origin in ("https://evil.test", "null", "https://spa.test.evil.test", "http://spa.test"):
            refused = await app.http.options(path, headers={**asked, "origin": origin})
            assert "access-control-allow-origin" not in refused.headers
    answered = await app.http.post("/token", data={"grant_type": "x", "client_id": "spa"}, headers={"origin": "https://spa.test"})
    assert answered.headers["access-control-allow-origin"] == "https://spa.test"
    assert "Origin" in answered.headers["vary"]
    assert "access-control-allow-origin" not in (await app.http.options("/introspect", headers={"origin": "https://spa.test"})).headers


async def test_multiple_response_types_2_1_a_code_may_come_in_the_fragment(app: Application) -> None:
    page = await app.ask(response_mode="fragment", prompt="none")
    assert page.left is not None
    assert page.left.startswith(f"{CALLBACK}#error=login_required")
    answer = await app.through(response_mode="fragment")
    assert (await app.redeem(answer["code"])).status_code == 200
    assert "fragment" in (await app.http.get("/.well-known/openid-configuration")).json()["response_modes_supported"]
