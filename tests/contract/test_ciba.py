"""CIBA Core 1.0, poll mode: a counter names the citizen, who answers on the own telephone; nobody learns who has an account."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from idp.protocol.outbox import outbox
from idp.spec.backchannel import GRANT_TYPE
from tests.support.application import part

if TYPE_CHECKING:
    import httpx2

    from tests.support.application import Application
    from tests.support.visitor import Page

COUNTER = ("loket", "rahasia")
LIFETIME, INTERVAL = 300, 5


@pytest.fixture
async def counter(app: Application) -> Application:
    """The application "loket", registered for CIBA."""
    await app.register("loket", grant_types=[GRANT_TYPE], redirect_uris=None, client_name="Loket Kecamatan")
    return app


async def send(app: Application, **form: str) -> httpx2.Response:
    whole = {"scope": "openid profile", "login_hint": app.provider.person("siti").email, "binding_message": "Antrean A-17"} | form
    return await app.http.post("/backchannel_authentication", data={name: value for name, value in whole.items() if value}, auth=COUNTER)


async def ask(app: Application, **form: str) -> dict[str, Any]:
    response = await send(app, **form)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def poll(app: Application, request: str, auth: tuple[str, str] = COUNTER) -> httpx2.Response:
    return await app.token({"grant_type": GRANT_TYPE, "auth_req_id": request}, auth)


async def open_requests(app: Application, who: str = "siti") -> Page:
    page = await app.visitor.get("/me/requests")
    return await app.visitor.sign_in(page, app.provider.person(who)) if page.path == "/login" else page


async def test_7_3_the_answer_names_the_request_and_the_rhythm(counter: Application) -> None:
    begun = await ask(counter)
    assert set(begun) == {"auth_req_id", "expires_in", "interval"}
    assert (begun["expires_in"], begun["interval"]) == (LIFETIME, INTERVAL)
    assert (await poll(counter, begun["auth_req_id"])).json()["error"] == "authorization_pending"


async def test_the_citizen_finds_the_request_with_its_message_allows_it_and_the_counter_gets_its_tokens(counter: Application) -> None:
    begun = await ask(counter)
    page = await open_requests(counter)
    assert "Loket Kecamatan" in page.text
    assert "Antrean A-17" in page.text
    assert "1 permintaan masuk menunggu" in (await counter.visitor.get("/")).text
    page = await counter.visitor.submit(page, page.form("open"), press="open")
    assert page.path == "/approve"
    page = await counter.visitor.allow(page)
    assert page.path == "/device/done"
    counter.provider.clock.move(seconds=INTERVAL + 1)
    tokens = (await poll(counter, begun["auth_req_id"])).json()
    assert part(tokens["id_token"], 1)["aud"] == "loket"
    assert (await counter.userinfo(tokens["access_token"])).json()["name"]
    assert "menunggu jawaban" not in (await counter.visitor.get("/")).text


async def test_the_citizen_is_told_in_a_message_without_a_link(counter: Application) -> None:
    await ask(counter)
    await outbox(counter.provider.services).run_once()
    folder = counter.provider.services.settings.data_dir / "outbox"
    sent = "".join(file.read_text("utf-8") for file in folder.rglob("*") if file.is_file())
    assert "Loket Kecamatan meminta Anda masuk" in sent
    assert "http" not in sent.split("meminta Anda masuk")[1][:200]


async def test_no_is_access_denied(counter: Application) -> None:
    begun = await ask(counter)
    page = await open_requests(counter)
    await counter.visitor.submit(page, page.form("deny"), press="deny")
    assert (await poll(counter, begun["auth_req_id"])).json()["error"] == "access_denied"


async def test_somebody_else_neither_sees_nor_answers_the_request(counter: Application) -> None:
    begun = await ask(counter, login_hint=counter.provider.person("budi").email)
    page = await open_requests(counter)
    assert "Loket Kecamatan" not in page.text
    request = await counter.provider.services.deferred.of_person(await person_of(counter, "budi"), counter.provider.clock())
    empty = await counter.visitor.get("/me/requests")
    assert not any("request" in form.fields for form in empty.forms)
    await ask(counter)
    page = await open_requests(counter)
    late = await counter.visitor.submit(page, page.form("open"), press="open", request=request[0].id)
    assert late.status == 410
    assert (await poll(counter, begun["auth_req_id"])).json()["error"] == "authorization_pending"


async def person_of(app: Application, who: str) -> str:
    from idp.accounts import identifiers

    return (await app.provider.services.accounts.find(identifiers.parse(app.provider.person(who).email)))[0].person


async def test_a_hint_that_names_nobody_looks_like_one_that_names_somebody(counter: Application) -> None:
    known, unknown = await send(counter), await send(counter, login_hint="nobody@example.id")
    assert known.status_code == unknown.status_code == 200
    assert set(known.json()) == set(unknown.json())
    assert len(known.json()["auth_req_id"]) == len(unknown.json()["auth_req_id"])
    assert (await poll(counter, unknown.json()["auth_req_id"])).json()["error"] == "authorization_pending"
    counter.provider.clock.move(seconds=LIFETIME + 1)
    assert (await poll(counter, unknown.json()["auth_req_id"])).json()["error"] == "expired_token"


async def test_15_nobody_is_worn_down_by_requests(counter: Application) -> None:
    for _ in range(8):
        await ask(counter)
    page = await open_requests(counter)
    assert page.text.count("Antrean A-17") == 5


async def test_an_answer_given_on_another_account_is_refused(counter: Application) -> None:
    await ask(counter)
    page = await open_requests(counter)
    page = await counter.visitor.submit(page, page.form("open"), press="open")
    assert page.path == "/approve"
    card = page
    home = await counter.visitor.get("/")
    await counter.visitor.submit(home, home.forms[0])  # signs out
    page = await counter.visitor.get("/me/data")
    await counter.visitor.sign_in(page, counter.provider.person("budi"))
    page = await counter.visitor.submit(card, card.form("approve"), press="approve")
    if page.status == 409:  # the card is shown anew, to the person who is signed in now
        page = await counter.visitor.allow(page)
    assert page.status == 403
    assert "orang lain" in page.text


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"login_hint": ""}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"login_hint": "", "login_hint_token": "x"}, "invalid_request"),
        ({"binding_message": "x" * 81}, "invalid_binding_message"),
        ({"binding_message": "A\u202eB"}, "invalid_binding_message"),
        ({"binding_message": "A\r\nB"}, "invalid_binding_message"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "1e3"}, "invalid_request"),
        ({"scope": "openid purpose:nobody"}, "invalid_scope"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": ""}, "invalid_scope"),
        ({"request": "eyJhbGciOiJub25lIn0.e30."}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
    ],
)
async def test_13_a_bad_request_is_refused_at_once(counter: Application, form: dict[str, str], error: str) -> None:
    response = await send(counter, **form)
    assert (response.status_code, response.json()["error"]) == (400, error)


async def test_7_1_requested_expiry_is_honoured_up_to_the_longest(counter: Application) -> None:
    assert (await ask(counter, requested_expiry="30"))["expires_in"] == 30
    assert (await ask(counter, requested_expiry="999999"))["expires_in"] == LIFETIME


async def test_a_request_is_bound_to_its_client_and_fetched_once(counter: Application) -> None:
    await counter.register("loket-2", grant_types=[GRANT_TYPE], redirect_uris=None)
    begun = await ask(counter)
    page = await open_requests(counter)
    page = await counter.visitor.submit(page, page.form("open"), press="open")
    await counter.visitor.allow(page)
    assert (await poll(counter, begun["auth_req_id"], ("loket-2", "rahasia"))).json()["error"] == "invalid_grant"
    assert (await poll(counter, begun["auth_req_id"])).status_code == 200
    assert (await poll(counter, begun["auth_req_id"])).json()["error"] == "invalid_grant"


async def test_a_client_that_is_not_registered_for_it_is_refused(counter: Application) -> None:
    form = {"scope": "openid", "login_hint": "x@example.id"}
    response = await counter.http.post("/backchannel_authentication", data=form, auth=("app", "rahasia"))
    assert response.json()["error"] == "unauthorized_client"


async def test_4_the_metadata_says_so(counter: Application) -> None:
    found = (await counter.http.get("/.well-known/openid-configuration")).json()
    assert found["backchannel_authentication_endpoint"] == "http://localhost:8000/backchannel_authentication"
    assert found["backchannel_token_delivery_modes_supported"] == ["poll"]
    assert GRANT_TYPE in found["grant_types_supported"]
