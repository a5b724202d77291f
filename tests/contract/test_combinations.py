"""Several specifications in one flow: pushed, signed, bound, narrowed and detailed requests, from browsers, devices and counters."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest
from joserfc import jwe, jwt
from joserfc.jwk import KeySet, RSAKey

from idp.spec import backchannel, device, token_exchange
from tests.support.application import AUTH, CALLBACK, VERIFIER, declaration, parameters, part
from tests.support.fapi import FapiClient
from tests.support.objects import claims, signed
from tests.support.proofs import Holder

if TYPE_CHECKING:
    from tests.support.application import Application
    from tests.support.visitor import Page

API, OTHER_API = "https://api.surat.test/", "https://api.arsip.test/"
DETAILS = json.dumps([{"type": "gerbang-purpose", "purpose": "surat", "claims": ["email"]}])
SEALED = RSAKey.generate_key(2048, {"use": "enc", "kid": "rsa", "alg": "RSA-OAEP-256"}, private=True)


@pytest.fixture
async def town(app: Application) -> Application:
    """With a second purpose, "surat", which details of a request can name."""
    await app.provider.services.consent.purposes.add(declaration("surat", required=("email",), optional=("phone_number",)))
    return app


def sealed_keys(client: FapiClient) -> dict[str, Any]:
    """Registration of a client whose ID Tokens are encrypted, and which asks for two purposes and two resources."""
    return {
        "jwks": {"keys": [client.key.as_dict(private=False), SEALED.as_dict(private=False)]},
        "id_token_encrypted_response_alg": "RSA-OAEP-256", "purposes": ["semua", "surat"], "resources": [API, OTHER_API],
    }  # fmt: skip


def opened(token: str) -> dict[str, Any]:
    """Decrypt an ID Token; the claims of what is inside."""
    registry = jwe.JWERegistry(algorithms=["RSA-OAEP-256", "A256GCM"])
    return part((jwe.decrypt_compact(token, SEALED, registry=registry).plaintext or b"").decode(), 1)


async def finish(app: Application, page: Page, person: str = "siti") -> Page:
    """Do whatever is asked."""
    for _ in range(4):
        if page.left is None and page.path == "/login":
            page = await app.visitor.sign_in(page, app.provider.person(person))
        elif page.left is None and page.path == "/approve":
            page = await app.visitor.allow(page)
    return page


async def test_pushed_signed_request_signed_answer_bound_tokens_details_and_resource(town: Application) -> None:
    client = FapiClient(town, "whole")
    await client.register(
        **sealed_keys(client), require_signed_request_object=True, authorization_signed_response_alg="ES256"
    )  # fmt: skip
    object_ = signed(
        claims(town, "whole", scope="openid", response_mode="form_post.jwt", authorization_details=json.loads(DETAILS), resource=API,
               max_age=600, dpop_jkt=client.holder.thumbprint),
        client.key, kid="fapi",
    )  # fmt: skip
    pushed = await town.http.post(
        "/par", data={"client_id": "whole", "request": object_, **client.credentials()},
        headers={"dpop": client.holder.proof("POST", "/par")},
    )  # fmt: skip
    assert pushed.status_code == 201, pushed.text
    query = urlencode({"client_id": "whole", "request_uri": pushed.json()["request_uri"]})
    page = await finish(town, await town.visitor.get(f"/authorize?{query}"))
    form = page.form("response")
    assert (form.action, set(form.fields)) == (CALLBACK, {"response"})
    keys = KeySet.import_key_set((await town.http.get("/jwks.json")).json())
    answer = jwt.decode(form.fields["response"], keys, algorithms=["ES256"]).claims
    assert (answer["iss"], answer["aud"], answer["state"]) == (town.provider.issuer, "whole", "st-1")
    stolen = await client.redeem(answer["code"], proof=Holder(town.provider).proof())
    assert stolen.json()["error"] == "invalid_grant"


async def test_all_of_it_gives_tokens_that_say_so(town: Application) -> None:
    client = FapiClient(town, "whole")
    await client.register(**sealed_keys(client))
    code = await client.code(
        proof=client.holder.proof("POST", "/par"), scope="openid", authorization_details=DETAILS, resource=API, max_age="600",
        acr_values="aal1", claims=json.dumps({"id_token": {"email": None}}),
    )  # fmt: skip
    answer = (await client.redeem(code)).json()
    token = part(answer["access_token"], 1)
    assert (token["aud"], token["cnf"]) == (API, {"jkt": client.holder.thumbprint})
    assert answer["authorization_details"][0]["purpose"] == "surat"
    identity = opened(answer["id_token"])
    assert (identity["nonce"], identity["email"]) == ("n-1", town.provider.person().email)
    again = (await client.refresh(answer["refresh_token"])).json()
    assert (part(again["access_token"], 1)["aud"], again["token_type"]) == (API, "DPoP")
    assert again["authorization_details"] == answer["authorization_details"]
    wrong = await client.send({"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], "resource": OTHER_API})
    assert wrong.json()["error"] == "invalid_target"


async def begun_by_device(app: Application, client: FapiClient, **form: str) -> str:
    """Ask as a device does, and let Siti answer; the device code."""
    sent = {"scope": "openid", "client_id": client.client_id, **form, **client.credentials()}
    response = await app.http.post("/device_authorization", data=sent)
    assert response.status_code == 200, response.text
    page = await app.visitor.get("/device")
    page = await app.visitor.submit(page, page.form("user_code"), user_code=response.json()["user_code"])
    page = await finish(app, await app.visitor.submit(page, page.form("continue"), press="continue"))
    assert page.path == "/device/done", page.text
    return str(response.json()["device_code"])


async def begun_at_counter(app: Application, client: FapiClient, **form: str) -> str:
    """Ask as a counter does, and let Siti answer; the auth_req_id."""
    sent = {"scope": "openid", "login_hint": app.provider.person("siti").email, **form, **client.credentials()}
    response = await app.http.post("/backchannel_authentication", data=sent)
    assert response.status_code == 200, response.text
    page = await app.visitor.get("/me/requests")
    page = await app.visitor.sign_in(page, app.provider.person("siti")) if page.path == "/login" else page
    page = await finish(app, await app.visitor.submit(page, page.form("open"), press="open"))
    assert page.path == "/device/done", page.text
    return str(response.json()["auth_req_id"])


WAYS = [
    pytest.param(device.GRANT_TYPE, "device_code", begun_by_device, id="device"),
    pytest.param(backchannel.GRANT_TYPE, "auth_req_id", begun_at_counter, id="ciba"),
]


@pytest.mark.parametrize(("grant", "name", "begin"), WAYS)
async def test_an_answer_from_elsewhere_is_bound_sealed_narrowed_and_detailed(town: Application, grant: str, name: str, begin: Any) -> None:
    client = FapiClient(town, "alat")
    await client.register(**sealed_keys(client), grant_types=[grant, "refresh_token"], redirect_uris=None, profile="secure")
    code = await begin(town, client, authorization_details=DETAILS, resource=API, acr_values="aal1")
    town.provider.clock.move(seconds=6)
    response = await client.send({"grant_type": grant, name: code})
    assert response.status_code == 200, response.text
    answer = response.json()
    token = part(answer["access_token"], 1)
    assert (answer["token_type"], token["aud"], token["cnf"]) == ("DPoP", API, {"jkt": client.holder.thumbprint})
    assert answer["authorization_details"][0]["purpose"] == "surat"
    assert opened(answer["id_token"])["aud"] == "alat"


async def test_a_counter_may_ask_for_a_sign_in_of_this_minute(town: Application) -> None:
    client = await FapiClient(town, "alat").register(grant_types=[backchannel.GRANT_TYPE], redirect_uris=None, profile="secure")
    who = town.provider.person("siti")
    sent = {"scope": "openid", "login_hint": who.email, "max_age": "60", **client.credentials()}
    assert (await town.http.post("/backchannel_authentication", data=sent)).status_code == 200
    page = await town.visitor.sign_in(await town.visitor.get("/me/requests"), who)
    town.provider.clock.move(seconds=90)
    assert (await town.visitor.submit(page, page.form("open"), press="open")).path == "/login"


async def test_token_exchange_takes_a_bound_token_from_its_holder_only_and_binds_the_new_one(town: Application) -> None:
    client = FapiClient(town, "portal")
    grants = ["authorization_code", "refresh_token", token_exchange.GRANT_TYPE]
    await town.register("arsip")
    await client.register(grant_types=grants, exchange_audiences=["arsip"])
    subject = (await client.tokens())["access_token"]
    form: dict[str, object] = {
        "grant_type": token_exchange.GRANT_TYPE, "subject_token": subject, "subject_token_type": token_exchange.ACCESS_TOKEN,
        "audience": "arsip",
    }  # fmt: skip
    refused = await client.send(form, proof=Holder(town.provider).proof())
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")
    answer = (await client.send(form)).json()
    assert answer["token_type"] == "DPoP"
    assert part(answer["access_token"], 1)["cnf"] == {"jkt": client.holder.thumbprint}
    told = await town.introspect(answer["access_token"], ("arsip", "rahasia"))
    assert (told["active"], told["cnf"], told["act"]) == (True, {"jkt": client.holder.thumbprint}, {"sub": "portal"})


async def test_the_grace_of_a_bound_refresh_token_is_for_its_key_and_gives_the_same_successor(town: Application) -> None:
    await town.register("umum", secret=None, token_endpoint_auth_method="none", dpop_bound_access_tokens=True)
    holder = Holder(town.provider)

    async def send(proof: str, **form: object) -> dict[str, Any]:
        found: dict[str, Any] = (await town.token({"client_id": "umum", **form}, None, headers={"dpop": proof})).json()
        return found

    code = (await town.through(client_id="umum", scope="openid offline_access", prompt="consent"))["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    old = (await send(holder.proof(), **form))["refresh_token"]
    refresh = {"grant_type": "refresh_token", "refresh_token": old}
    successor = (await send(holder.proof(), **refresh))["refresh_token"]
    town.provider.clock.move(seconds=5)
    assert (await send(Holder(town.provider).proof(), **refresh))["error"] == "invalid_grant"
    assert (await send(holder.proof(), **refresh))["refresh_token"] == successor
    assert "access_token" in await send(holder.proof(), grant_type="refresh_token", refresh_token=successor)


def essential(acr: str | None) -> str | None:
    """Ask for a level as essential (OIDC Core §5.5.1.1)."""
    return acr and json.dumps({"id_token": {"acr": {"essential": True, "value": acr}}})


def expected(prompt: str | None, max_age: str | None, acr: str | None) -> set[str]:
    """Say where a citizen lands who signed in 30 seconds ago by password and allowed everything."""
    if prompt == "login" or max_age in {"0", "10"}:
        return {"login_required"} if prompt == "none" else {"/login"}
    if acr == "aal2":
        return {"interaction_required"} if prompt == "none" else {"/login/second-factor"}
    return {"/approve"} if prompt == "consent" else {"code"}


async def test_prompt_max_age_hint_and_acr_mean_the_same_pushed_or_not(town: Application) -> None:
    hint = (await town.tokens())["id_token"]
    town.provider.clock.move(seconds=30)
    for prompt, max_age, known, acr in itertools.product(
        (None, "none", "login", "consent"), (None, "0", "10", "1000"), (None, hint), (None, "aal1", "aal2")
    ):
        asked = {"prompt": prompt, "max_age": max_age, "id_token_hint": known, "claims": essential(acr)}
        pushed = await town.http.post("/par", data=parameters(**asked), auth=AUTH)
        query = urlencode({"client_id": "app", "request_uri": pushed.json()["request_uri"]})
        for page in (await town.ask(**asked), await town.visitor.get(f"/authorize?{query}")):
            landed = page.path if page.left is None else page.answer.get("error", "code")
            assert landed in expected(prompt, max_age, acr), asked
