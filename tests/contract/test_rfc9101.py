"""RFC 9101, OIDC Core §6: request objects, by value and by reference, and everything that is wrong with some."""

from __future__ import annotations

import hmac
import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.spec import request_object
from idp.spec.authorization_request import KNOWN
from idp.spec.request_object import Demands
from keys.encoding import encode
from keys.encryption import encrypt
from tests.support.application import CALLBACK, SECRET, Application, parameters
from tests.support.objects import EC, JWKS, RSA, STRANGER, claims, signed

if TYPE_CHECKING:
    from tests.support.visitor import Page

BY_REFERENCE = "https://app.test/request.jwt"


class Host:
    """Where the application keeps its object."""

    def __init__(self) -> None:
        self.body = b""
        self.asked: list[str] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(str(request.url))
        return httpx2.Response(200, content=self.body, headers={"content-type": "application/oauth-authz-req+jwt"})


@pytest.fixture
def host() -> Host:
    return Host()


@pytest.fixture
def provider_network(host: Host) -> httpx2.AsyncBaseTransport:
    return httpx2.MockTransport(host)


@pytest.fixture
async def signer(app: Application) -> Application:
    await app.register("signer", profile="secure", jwks=JWKS)
    await app.register("core", jwks=JWKS, request_uris=[BY_REFERENCE])
    return app


async def send(app: Application, token: str, client_id: str = "signer", **more: str) -> Page:
    return await app.visitor.get(f"/authorize?{urlencode({'client_id': client_id, 'request': token, **more})}")


async def walked(app: Application, page: Page) -> dict[str, str]:
    if page.path == "/login":
        page = await app.visitor.sign_in(page, app.provider.person())
    return (await app.visitor.allow(page) if page.path == "/approve" else page).answer


async def refused(app: Application, token: str, client_id: str = "signer") -> str:
    """Send an object beside a redirect URI that is registered, so that the application is told what is wrong."""
    page = await send(app, token, client_id, redirect_uri=CALLBACK, state="outside")
    assert page.answer["state"] == "outside"
    return page.answer["error"]


# --- what works ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "algorithm"), [(EC, "ES256"), (RSA, "RS256"), (RSA, "PS256")])
async def test_6_a_signed_object_is_the_whole_request(signer: Application, key: Any, algorithm: str) -> None:
    answer = await walked(signer, await send(signer, signed(claims(signer, "signer"), key, algorithm)))
    assert answer["state"] == "st-1"
    assert (await signer.redeem(answer["code"], ("signer", SECRET))).status_code == 200


async def test_6_3_only_what_stands_inside_counts(signer: Application) -> None:
    token = signed(claims(signer, "signer", state=None, scope="openid"))
    answer = await walked(signer, await send(signer, token, state="outside", scope="openid profile", redirect_uri="https://evil.test/cb"))
    assert "state" not in answer
    assert (await signer.redeem(answer["code"], ("signer", SECRET))).json()["scope"] == "openid"


async def test_6_1_of_core_response_type_and_scope_may_stand_outside_for_profile_openid(signer: Application) -> None:
    token = signed(claims(signer, "core", response_type=None, scope=None))
    assert "code" in await walked(signer, await send(signer, token, "core", response_type="code", scope="openid"))
    page = await send(signer, signed(claims(signer, "signer", response_type=None)), response_type="code", redirect_uri=CALLBACK)
    assert page.answer["error"] == "invalid_request"


async def test_6_1_of_core_a_response_type_outside_must_agree(signer: Application) -> None:
    page = await send(signer, signed(claims(signer, "core")), "core", response_type="code token", redirect_uri=CALLBACK)
    assert page.answer["error"] == "invalid_request"


async def test_structures_and_numbers_are_json_inside(signer: Application) -> None:
    payload = claims(signer, "signer", max_age=3600, claims={"id_token": {"acr": None}}, resource=[signer.provider.issuer])
    assert "code" in await walked(signer, await send(signer, signed(payload)))


@pytest.mark.parametrize("algorithm", ["RSA-OAEP-256", "ECDH-ES", "ECDH-ES+A256KW"])
async def test_6_1_an_object_may_be_encrypted_to_us(signer: Application, algorithm: str) -> None:
    published = (await signer.http.get("/jwks.json")).json()
    token = encrypt(signed(claims(signer, "signer")), published, algorithm=algorithm)
    assert "code" in await walked(signer, await send(signer, token))


async def test_an_object_that_is_encrypted_and_not_signed_is_refused(signer: Application) -> None:
    published = (await signer.http.get("/jwks.json")).json()
    for inner in (unsigned(claims(signer, "signer")), json.dumps(claims(signer, "signer")), "\x00\xff"):
        assert await refused(signer, encrypt(inner, published, algorithm="ECDH-ES")) == "invalid_request_object"


async def test_at_par_a_signed_object_is_pushed(signer: Application) -> None:
    form = {"client_id": "signer", "request": signed(claims(signer, "signer")), "scope": "openid address"}
    response = await signer.http.post("/par", data=form, auth=("signer", SECRET))
    assert response.status_code == 201, response.text
    page = await signer.visitor.get(f"/authorize?{urlencode({'client_id': 'signer', 'request_uri': response.json()['request_uri']})}")
    assert (await walked(signer, page))["state"] == "st-1"


async def test_10_5_require_signed_request_object(signer: Application) -> None:
    await signer.register("only", profile="secure", jwks=JWKS, require_signed_request_object=True)
    assert (await signer.ask(client_id="only")).answer["error"] == "invalid_request"
    response = await signer.http.post("/par", data=parameters(client_id="only"), auth=("only", SECRET))
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")
    assert "code" in await walked(signer, await send(signer, signed(claims(signer, "only")), "only"))


# --- by reference --------------------------------------------------------------------------------------------------------------------


async def by_reference(app: Application, uri: str = BY_REFERENCE, client_id: str = "core") -> Page:
    return await app.visitor.get(f"/authorize?{urlencode({'client_id': client_id, 'request_uri': uri, 'redirect_uri': CALLBACK})}")


async def test_5_2_an_object_is_fetched_from_a_registered_address_and_kept_for_a_while(signer: Application, host: Host) -> None:
    host.body = signed(claims(signer, "core")).encode()
    assert "code" in await walked(signer, await by_reference(signer))
    await by_reference(signer)
    assert host.asked == [BY_REFERENCE]


async def test_10_4_1_an_address_that_is_not_registered_is_never_fetched(signer: Application, host: Host) -> None:
    for uri in (f"{BY_REFERENCE}?x", "http://app.test/request.jwt", "https://127.0.0.1/", "file:///etc/passwd", "urn:other"):
        assert (await by_reference(signer, uri)).answer["error"] == "invalid_request_uri"
    assert (await by_reference(signer, client_id="signer")).answer["error"] == "request_uri_not_supported"
    assert host.asked == []


async def test_what_is_fetched_is_believed_no_more_than_what_is_sent(signer: Application, host: Host) -> None:
    for body in (b"", b"<html>", b"\xff" * 50, signed(claims(signer, "core"), STRANGER).encode(), b"x" * 20000):
        host.body = body
        signer.provider.clock.move(hours=1)
        assert (await by_reference(signer)).answer["error"] in {"invalid_request_object", "invalid_request_uri"}


async def test_both_request_and_request_uri_are_refused(signer: Application) -> None:
    page = await send(signer, signed(claims(signer, "core")), "core", request_uri=BY_REFERENCE, redirect_uri=CALLBACK)
    assert page.answer["error"] == "invalid_request"


# --- attacks -------------------------------------------------------------------------------------------------------------------------


def unsigned(payload: dict[str, Any]) -> str:
    return ".".join((encode(b'{"alg":"none"}'), encode(json.dumps(payload).encode()), ""))


def with_hmac(payload: dict[str, Any]) -> str:
    message = encode(b'{"alg":"HS256","kid":"ec-1"}') + "." + encode(json.dumps(payload).encode())
    return f"{message}.{encode(hmac.digest(EC.as_pem(private=False), message.encode(), 'sha256'))}"


def tampered(token: str) -> str:
    header, payload, signature = token.split(".")
    return f"{header}.{payload}.{signature[:-6]}AAAAAA"


FORGED: dict[str, Any] = {
    "alg none": unsigned,
    "alg none, upper case": lambda good: ".".join((encode(b'{"alg":"NONE"}'), encode(json.dumps(good).encode()), "")),
    "alg switched to HMAC under the public key": with_hmac,
    "signed by a stranger under a known kid": lambda good: signed(good, STRANGER),
    "signature cut": lambda good: tampered(signed(good)),
    "no signature": lambda good: signed(good).rpartition(".")[0] + ".",
    "kid that names a file": lambda good: signed(good, EC, kid="../../dev/null"),
    "kid that is no text": lambda good: signed(good, EC, kid=7),
    "key in the header": lambda good: signed(good, STRANGER, jwk=STRANGER.as_dict(private=False)),
    "address of keys in the header": lambda good: signed(good, STRANGER, jku="https://evil.test/jwks"),
    "critical extension": lambda good: signed(good, EC, crit=["b64"], b64=False),
    "typ of an access token": lambda good: signed(good, EC, typ="at+jwt"),
    "typ of a logout token": lambda good: signed(good, EC, typ="logout+jwt"),
    "typ of a proof": lambda good: signed(good, EC, typ="dpop+jwt"),
    "a client assertion": lambda good: signed({**good, "sub": "signer"}),
    "wrong aud": lambda good: signed({**good, "aud": "https://other.test"}),
    "no aud": lambda good: signed({name: value for name, value in good.items() if name != "aud"}),
    "wrong iss": lambda good: signed({**good, "iss": "app"}),
    "no iss": lambda good: signed({name: value for name, value in good.items() if name != "iss"}),
    "another client_id": lambda good: signed({**good, "client_id": "app"}),
    "expired": lambda good: signed({**good, "exp": good["iat"] - 300}),
    "not valid yet": lambda good: signed({**good, "nbf": good["iat"] + 120}),
    "made in the future": lambda good: signed({**good, "iat": good["iat"] + 120}),
    "exp that is no number": lambda good: signed({**good, "exp": "tomorrow"}),
    "endless exp": lambda good: signed(json.dumps(good).replace(f'"exp": {good["exp"]}', '"exp": 1e400')),
    "duplicated claim": lambda good: signed(json.dumps(good)[:-1] + ', "state": "twice"}'),
    "nested request": lambda good: signed({**good, "request": signed(good)}),
    "nested request_uri": lambda good: signed({**good, "request_uri": BY_REFERENCE}),
    "a token in a token": lambda good: signed(signed(good), EC, cty="JWT"),
    "claims that are a list": lambda good: signed(json.dumps([good])),
    "half a surrogate pair": lambda good: signed(json.dumps({**good, "state": "\ud800"})),
    "a NUL": lambda good: signed({**good, "nonce": "a\0b"}),
    "deeply nested": lambda _good: signed('{"a":' * 1500 + "1" + "}" * 1500),
    "not a token": lambda _good: "....",
    "empty parts": lambda _good: "..",
}


async def test_attacks_on_request_objects_are_refused(signer: Application) -> None:
    """One provider for the whole table: what is made for each case is the object, not the provider."""
    good = claims(signer, "signer")
    assert (await send(signer, signed(good))).path == "/login"
    wrong = {}
    for name, forge in FORGED.items():
        token = forge(good)
        if (error := await refused(signer, token)) != "invalid_request_object":
            wrong[name] = error
    assert wrong == {}


async def test_a_huge_object_is_a_page(signer: Application) -> None:
    page = await send(signer, signed(claims(signer, "signer", nonce="n" * 13000)), redirect_uri=CALLBACK)
    assert (page.status, page.left) == (400, None)


async def test_an_object_that_is_refused_without_a_registered_address_outside_is_a_page(signer: Application) -> None:
    for more in ({}, {"redirect_uri": "https://evil.test/cb"}):
        page = await send(signer, signed(claims(signer, "signer"), STRANGER), **more)
        assert (page.status, page.left) == (400, None)
        assert "its signature does not hold" in page.text  # for the developer


async def test_an_id_token_of_ours_is_no_request_object(signer: Application) -> None:
    tokens = await signer.tokens()
    assert await refused(signer, tokens["id_token"]) == "invalid_request_object"
    assert await refused(signer, tokens["access_token"]) == "invalid_request_object"


async def test_10_2_unsigned_objects_are_for_clients_that_registered_so(app: Application) -> None:
    await app.register("bare", request_object_signing_alg="none")
    token = unsigned(claims(app, "bare"))
    assert "code" in await walked(app, await send(app, token, "bare"))
    await app.register("other")
    assert await refused(app, unsigned(claims(app, "other")), "other") == "request_not_supported"


async def test_10_1_the_registered_algorithm_only(app: Application) -> None:
    await app.register("es256", jwks=JWKS, request_object_signing_alg="ES256")
    assert await refused(app, signed(claims(app, "es256"), RSA, "RS256"), "es256") == "invalid_request_object"
    assert (await send(app, signed(claims(app, "es256")), "es256")).path == "/login"


# --- the claims, whatever they are ---------------------------------------------------------------------------------------------------

DEMANDS = Demands("c", "https://i", 1_000_000, whole=False, short_lived=False)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["iss", "aud", "exp", "nbf", "iat", "client_id", "state", "claims", "resource", "max_age", "request", "sub", "x"])


@given(st.dictionaries(NAMES, JSON, max_size=8), st.tuples(st.booleans(), st.booleans()))
def test_any_claims_are_read_or_refused_with_a_sentence(found: dict[str, Any], strict: tuple[bool, bool]) -> None:
    read = request_object.read(found, Demands("c", "https://i", 1_000_000, whole=strict[0], short_lived=strict[1]))
    if isinstance(read, str):
        assert read
        return
    assert set(read) <= KNOWN | {"registration"}
    for text in read.values():
        text.encode()
        assert text
        assert "\0" not in text


@given(st.integers(-4000, 8000), st.integers(-4000, 8000))
def test_fapi_times(nbf: int, exp: int) -> None:
    now = DEMANDS.now
    read = request_object.read({"nbf": now + nbf, "exp": now + exp}, Demands("c", "https://i", now, whole=False, short_lived=True))
    holds = -3600 <= nbf <= 60 and 0 < exp <= nbf + 3600
    assert isinstance(read, dict) == holds
