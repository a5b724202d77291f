"""RFC 8693: one service hands a citizen's authorization on to another, for the same purpose, and no further than an administrator said."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.spec.token_exchange import ACCESS_TOKEN, GRANT_TYPE
from tests.support.application import part

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application

PORTAL, ARCHIVE, STRANGER = ("portal", "rahasia"), ("arsip", "rahasia"), ("orang-lain", "rahasia")


@pytest.fixture
async def town(app: Application) -> Application:
    """A portal that may hand citizens on to the archive, the archive on to the vault; and a stranger."""
    grants = ["authorization_code", "refresh_token", GRANT_TYPE]
    await app.register("brankas")
    await app.register("arsip", grant_types=[*grants, "client_credentials"], exchange_audiences=["brankas"])
    await app.register("portal", grant_types=grants, exchange_audiences=["arsip"], resources=["https://api.arsip.test/"])
    await app.register("orang-lain", grant_types=grants, exchange_audiences=["arsip"])
    return app


async def access_token(app: Application, client: str = "portal") -> str:
    code = (await app.through(client_id=client))["code"]
    token: str = (await app.redeem(code, (client, "rahasia"))).json()["access_token"]
    return token


async def exchange(app: Application, token: str, auth: tuple[str, str] = PORTAL, **changes: object) -> httpx2.Response:
    usual: dict[str, object] = {"grant_type": GRANT_TYPE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": "arsip"}
    return await app.token(usual | changes, auth)


async def exchanged(app: Application, token: str, auth: tuple[str, str] = PORTAL, **changes: object) -> dict[str, Any]:
    response = await exchange(app, token, auth, **changes)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def test_2_2_1_the_answer_is_an_access_token_for_the_other_service(town: Application) -> None:
    token = await access_token(town)
    found = await exchanged(town, token)
    assert set(found) == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert found["issued_token_type"] == ACCESS_TOKEN
    claims = part(found["access_token"], 1)
    assert claims["aud"] == "arsip"
    assert claims["act"] == {"sub": "portal"}
    assert claims["sub"] == part(token, 1)["sub"]
    assert claims["exp"] <= part(token, 1)["exp"]


async def test_the_other_service_learns_the_citizen_in_its_own_sector_and_the_purpose(town: Application) -> None:
    found = await exchanged(town, await access_token(town))
    told = await town.introspect(found["access_token"], ARCHIVE)
    assert told["active"] is True
    assert told["purpose"] == "semua"
    assert told["act"] == {"sub": "portal"}
    own = await town.introspect(await access_token(town, "arsip"), ARCHIVE)
    assert told["sub"] == own["sub"]


async def test_an_exchanged_token_opens_no_userinfo(town: Application) -> None:
    found = await exchanged(town, await access_token(town))
    assert (await town.userinfo(found["access_token"])).status_code == 401


async def test_it_ends_with_the_permission_that_it_stands_on(town: Application) -> None:
    found = await exchanged(town, await access_token(town))
    page = await town.visitor.get("/me/permissions")
    grant = next(grant for grant in await grants_of(town) if grant.client == "portal")
    del page
    await town.provider.services.consent.ledger.withdraw(grant.id)
    await town.provider.services.authorizations.revoke_by_grant(grant.id, town.provider.clock())
    assert await town.introspect(found["access_token"], ARCHIVE) == {"active": False}


async def grants_of(app: Application) -> Any:
    from idp.accounts import identifiers

    person = (await app.provider.services.accounts.find(identifiers.parse(app.provider.person("siti").email)))[0].person
    return await app.provider.services.consent.ledger.of_person(person)


async def test_4_1_who_received_it_may_hand_it_on_and_the_chain_is_told(town: Application) -> None:
    first = await exchanged(town, await access_token(town))
    second = await exchanged(town, first["access_token"], ARCHIVE, audience="brankas")
    assert part(second["access_token"], 1)["act"] == {"sub": "arsip", "act": {"sub": "portal"}}


async def test_a_token_of_somebody_else_is_not_handed_on(town: Application) -> None:
    response = await exchange(town, await access_token(town), STRANGER)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


@pytest.mark.parametrize("audience", ["brankas", "tidak-ada", "portal"])
async def test_2_2_2_a_service_that_was_not_registered_for_it_is_invalid_target(town: Application, audience: str) -> None:
    response = await exchange(town, await access_token(town), audience=audience)
    assert (response.status_code, response.json()["error"]) == (400, "invalid_target")


async def test_a_resource_is_reached_when_it_is_registered(town: Application) -> None:
    token = await access_token(town)
    found = await exchanged(town, token, audience=None, resource="https://api.arsip.test/")
    assert part(found["access_token"], 1)["aud"] == "https://api.arsip.test/"
    response = await exchange(town, token, audience=None, resource="https://api.other.test/")
    assert response.json()["error"] == "invalid_target"


async def test_the_scope_is_narrowed_and_never_widened(town: Application) -> None:
    token = await access_token(town)
    assert (await exchanged(town, token, scope="openid"))["scope"] == "openid"
    response = await exchange(town, token, scope="openid nik")
    assert response.json()["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token": "nonsense"}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"audience": None}, "invalid_target"),
        ({"scope": 'op"en'}, "invalid_scope"),
    ],
)
async def test_2_2_2_a_bad_request_is_refused(town: Application, changes: dict[str, object], error: str) -> None:
    response = await exchange(town, await access_token(town), **changes)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_other_tokens_pass_for_no_subject_token(town: Application) -> None:
    code = (await town.through(client_id="portal"))["code"]
    found = (await town.redeem(code, PORTAL)).json()
    for other in (found["id_token"], found["refresh_token"]):
        assert (await exchange(town, other)).json()["error"] == "invalid_request"
    own = (await town.token({"grant_type": "client_credentials"}, ARCHIVE)).json()["access_token"]
    assert (await exchange(town, own, ARCHIVE, audience="brankas")).json()["error"] == "invalid_request"


async def test_an_application_that_is_not_registered_for_it_is_refused(town: Application) -> None:
    response = await exchange(town, await access_token(town, "app"), ("app", "rahasia"))
    assert response.json()["error"] == "unauthorized_client"


async def test_a_chain_ends(town: Application) -> None:
    await town.register("cermin", grant_types=["authorization_code", GRANT_TYPE], exchange_audiences=["cermin"])
    token = await access_token(town, "cermin")
    for _ in range(5):
        token = (await exchanged(town, token, ("cermin", "rahasia"), audience="cermin"))["access_token"]
    response = await exchange(town, token, ("cermin", "rahasia"), audience="cermin")
    assert (response.status_code, response.json()["error"]) == (400, "invalid_request")


async def test_rfc7009_2_1_what_was_handed_on_ends_with_the_token_it_came_from(town: Application) -> None:
    """In whatever generation: a portal that learns of a theft revokes its own token, and knows nothing of those further on."""
    token = await access_token(town)
    first = (await exchanged(town, token))["access_token"]
    second = (await exchanged(town, first, ARCHIVE, audience="brankas"))["access_token"]
    beside = (await exchanged(town, await access_token(town)))["access_token"]
    assert (await town.http.post("/revoke", data={"token": token}, auth=PORTAL)).status_code == 200
    assert await town.introspect(first, ARCHIVE) == {"active": False}
    assert await town.introspect(second, ("brankas", "rahasia")) == {"active": False}
    assert (await exchange(town, first, ARCHIVE, audience="brankas")).json()["error"] == "invalid_request"
    assert (await town.introspect(beside, ARCHIVE))["active"] is True
