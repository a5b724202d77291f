"""RFC 7592, Dynamic Client Registration Management: an application reads, replaces and removes its own registration, and no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consent.records import GrantState
from idp.cli.clients.documents import checked
from idp.clients.description import document_of
from idp.clients.self_registered import SIGN_IN
from idp.protocol import registrations
from tests.support.application import VERIFIER
from tests.support.registering import CALLBACK, NAME, OTHER_HOST, bearer, own, registered

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"registration": "open"}


async def at(app: Application, method: str, mine: dict[str, Any], **more: Any) -> httpx2.Response:
    """Call the registration's own address."""
    path = mine["registration_client_uri"].removeprefix(app.provider.settings.issuer)
    return await app.http.request(method, path, headers=more.pop("headers", own(mine)), **more)


def document(mine: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"client_id": mine["client_id"], "client_name": NAME, "redirect_uris": [CALLBACK]} | changes


async def signed_in(app: Application, mine: dict[str, Any], **changes: Any) -> dict[str, Any]:
    answer = await app.through(client_id=mine["client_id"], redirect_uri=CALLBACK, **changes)
    response = await app.redeem(answer["code"], (mine["client_id"], mine["client_secret"]))
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def approve(app: Application, mine: dict[str, Any]) -> None:
    """Let it read what the purpose "semua" declares, as `idp clients approve` does."""
    found = app.provider.services
    client = await found.clients.get(mine["client_id"])
    purpose = await found.consent.purposes.get("semua")
    assert client is not None
    assert purpose is not None
    await registrations.approve(found, client, checked(document_of(client), needs_purpose=False), purpose, registrations.COMMAND_LINE)


async def test_reading_gives_what_is_registered_but_not_the_secret(app: Application) -> None:
    """§2.1, §3: of the secret only a digest is kept; the token stays the same."""
    mine = await registered(app, tos_uri="https://app.test/syarat")
    response = await at(app, "GET", mine)
    assert (response.status_code, response.headers["cache-control"]) == (200, "no-store")
    assert response.json() == {name: value for name, value in mine.items() if not name.startswith("client_secret")}


async def test_no_token_and_another_applications_token_open_nothing(app: Application) -> None:
    """§2.1: 401, alike for an application that is not there."""
    mine, other = await registered(app), await registered(app)
    staff = mine | {"registration_client_uri": f"{app.provider.settings.issuer}/register/app"}
    gone = mine | {"registration_client_uri": f"{app.provider.settings.issuer}/register/tidak-ada"}
    for registration, headers in ((mine, {}), (mine, own(other)), (mine, bearer("tebakan")), (staff, own(mine)), (gone, own(mine))):
        for method in ("GET", "PUT", "DELETE"):
            more = {"json": document(registration)} if method == "PUT" else {}
            response = await at(app, method, registration, headers=headers, **more)
            assert response.status_code == 401, (method, response.text)
            assert response.headers["www-authenticate"].startswith("Bearer")
    assert (await at(app, "GET", mine)).status_code == 200
    assert (await at(app, "POST", mine, json={})).status_code == 405
    in_body = await at(app, "GET", mine, headers={}, params={"access_token": mine["registration_access_token"]})
    assert in_body.status_code == 401


async def test_replacing_takes_out_what_is_left_out(app: Application) -> None:
    """§2.2."""
    mine = await registered(app, tos_uri="https://app.test/syarat", contacts=["a@app.test"])
    changed = await at(app, "PUT", mine, json=document(mine, policy_uri="https://app.test/privasi", client_secret=mine["client_secret"]))
    assert changed.status_code == 200, changed.text
    answer = changed.json()
    assert answer["policy_uri"] == "https://app.test/privasi"
    assert not {"tos_uri", "contacts", "client_secret"} & set(answer)
    assert {answer[name] for name in ("client_id", "registration_access_token")} == {mine["client_id"], mine["registration_access_token"]}
    assert (await at(app, "GET", mine)).json() == answer
    await signed_in(app, mine)  # the secret stays
    for wrong, code in (
        ({"client_id": "app"}, "invalid_client_metadata"), ({"client_id": None}, "invalid_client_metadata"),
        ({"client_secret": "dipilih"}, "invalid_client_metadata"), ({"redirect_uris": ["http://app.test"]}, "invalid_redirect_uri"),
        ({"redirect_uris": [CALLBACK, OTHER_HOST]}, "invalid_client_metadata"),
    ):  # fmt: skip
        response = await at(app, "PUT", mine, json=document(mine, **wrong))
        assert (response.status_code, response.json()["error"]) == (400, code), wrong
    assert (await at(app, "GET", mine)).json() == answer


async def test_a_secret_comes_only_when_a_new_method_needs_one(app: Application) -> None:
    mine = await registered(app, token_endpoint_auth_method="none")
    changed = (await at(app, "PUT", mine, json=document(mine, token_endpoint_auth_method="client_secret_post"))).json()
    assert len(changed["client_secret"]) >= 43
    again = (await at(app, "PUT", mine, json=document(mine, token_endpoint_auth_method="client_secret_basic"))).json()
    assert "client_secret" not in again
    public = (await at(app, "PUT", mine, json=document(mine, token_endpoint_auth_method="none"))).json()
    assert "client_secret" not in public


async def test_what_only_staff_may_say_cannot_be_assigned_later_either(app: Application) -> None:
    mine = await registered(app)
    changes = {"purposes": ["semua"], "default_purpose": "semua", "profile": "secure", "agency": "dinas", "self_registered": False}
    await at(app, "PUT", mine, json=document(mine, **changes))
    client = await app.provider.services.clients.get(mine["client_id"])
    assert client is not None
    assert (client.purposes, client.profile, client.agency.code, client.self_registered) == ((SIGN_IN,), "openid", "self-registered", True)


async def test_removing_ends_tokens_and_grants(app: Application) -> None:
    """§2.3."""
    mine = await registered(app)
    tokens = await signed_in(app, mine)
    assert (await app.userinfo(tokens["access_token"])).status_code == 200
    response = await at(app, "DELETE", mine)
    assert (response.status_code, response.content) == (204, b"")
    assert (await app.userinfo(tokens["access_token"])).status_code == 401
    assert (await at(app, "GET", mine)).status_code == 401
    person = await _person(app)
    grants = await app.provider.services.consent.ledger.of_person(person)
    assert [grant.state for grant in grants if grant.client == mine["client_id"]] == [GrantState.INVALIDATED]
    assert (await app.ask(client_id=mine["client_id"], redirect_uri=CALLBACK)).left is None


async def test_an_approved_application_reads_until_it_puts_on_another_face(app: Application) -> None:
    """Whoever approved it saw this name and these addresses: with others it starts anew."""
    mine = await registered(app)
    assert (await signed_in(app, mine))["scope"] == "openid"
    await approve(app, mine)
    tokens = await signed_in(app, mine, prompt="consent")
    assert (await app.userinfo(tokens["access_token"])).json()["name"]
    assert (await at(app, "PUT", mine, json=document(mine, contacts=["a@app.test"]))).status_code == 200
    assert (await app.userinfo(tokens["access_token"])).json()["name"]
    assert (await at(app, "PUT", mine, json=document(mine, client_name="Dinas Kesehatan"))).status_code == 200
    assert (await app.userinfo(tokens["access_token"])).status_code == 401
    assert (await signed_in(app, mine))["scope"] == "openid"


async def test_who_moves_to_another_host_takes_no_living_token_along(app: Application) -> None:
    """A token from before must not tell under which name the other host knows the person (pairwise subjects)."""
    grants = {"grant_types": ["authorization_code", "refresh_token"]}
    mine = await registered(app, **grants)
    tokens = await signed_in(app, mine, scope="openid offline_access", prompt="consent")
    assert (await at(app, "PUT", mine, json=document(mine, redirect_uris=[OTHER_HOST], **grants))).status_code == 200
    assert (await app.userinfo(tokens["access_token"])).status_code == 401
    refreshed = await app.refresh(tokens["refresh_token"], (mine["client_id"], mine["client_secret"]), code_verifier=VERIFIER)
    assert refreshed.json()["error"] == "invalid_grant"


async def test_an_address_that_is_taken_out_gets_nothing_more_of_requests_on_their_way(app: Application) -> None:
    mine = await registered(app, redirect_uris=[CALLBACK, f"{CALLBACK}2"])
    page = await app.ask(client_id=mine["client_id"], redirect_uri=f"{CALLBACK}2")
    assert (await at(app, "PUT", mine, json=document(mine))).status_code == 200
    ended = await app.visitor.sign_in(page, app.provider.person("siti"))
    assert (ended.left, ended.status) == (None, 400)


async def _person(app: Application) -> str:
    from idp.accounts.records import Identifier, IdentifierKind

    found = await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person("siti").email))
    return found[0].person
