"""Andmejälgija, OpenAPI 2.0.0: /v2/findUsage, /v2/usagePeriod, /v2/heartbeat, for portals; only with the citizen's yes, and on record."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from tests.support.application import SECRET, Application
from tests.support.consent import DEMO
from tests.support.delays import put_order

if TYPE_CHECKING:
    import httpx2

PORTAL = "portal"
HISTORY = """
[[optional]]
claim = "access_history"
relevance.id = "Agar Anda melihat riwayat di portal."
relevance.en = "So that you see the history in the portal."
"""


@pytest.fixture
async def portal(app: Application) -> Application:
    """A portal that may show the history elsewhere, beside an application that read before."""
    declaration = (DEMO / "aduan.toml").read_text(encoding="utf-8")
    agency = await app.provider.services.clients.get("app")
    assert agency is not None
    text = declaration.replace('id = "aduan"', 'id = "portal"', 1).replace('agency = "diskominfo"', f'agency = "{agency.agency.code}"')
    await app.provider.services.consent.purposes.add(text + HISTORY)
    await app.register(PORTAL, purposes=["portal"], scope="openid access_history")
    await app.userinfo((await app.tokens())["access_token"])
    return app


async def person(app: Application) -> str:
    (account,) = await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    return account.person


async def token(app: Application, scope: str = "openid access_history", **switches: str) -> str:
    page = await app.ask(client_id=PORTAL, scope=scope)
    if page.path == "/login":
        page = await app.visitor.sign_in(page, app.provider.person())
    if page.left is None:
        page = await app.visitor.submit(page, page.form("approve"), press="approve", **switches)
    found: str = (await app.redeem(page.answer["code"], (PORTAL, SECRET))).json()["access_token"]
    return found


async def usage(app: Application, access_token: str, headers: dict[str, str] | None = None, **query: object) -> httpx2.Response:
    sent = {"authorization": f"Bearer {access_token}", **(headers or {})}
    return await app.http.get("/v2/findUsage", params={name: str(value) for name, value in query.items()}, headers=sent)


async def test_the_history_is_told_newest_first_and_the_asking_is_an_entry(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    answer = await usage(portal, access_token)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    newest, older = found["usages"][0], found["usages"][1]
    assert found["totalUsages"] == len(found["usages"]) == 2
    assert {"logtime", "action", "receiverCode", "receiverSystem"} <= set(newest)
    assert dt.datetime.fromisoformat(newest["logtime"]).utcoffset() == dt.timedelta(hours=8)
    assert ("Riwayat" in newest["action"], "Nama" in older["action"]) == (True, True)
    assert answer.headers["x-access-log-id"]
    assert (await usage(portal, access_token)).json()["totalUsages"] == 3


async def test_pages_and_periods_are_kept(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    second = (await usage(portal, access_token, offset=1, limit=1)).json()
    assert (second["totalUsages"], len(second["usages"])) == (2, 1)
    future = (await usage(portal, access_token, periodStart="2999-01-01T00:00:00")).json()
    assert future == {"totalUsages": 0, "usages": []}
    for wrong in ({"limit": 1001}, {"offset": -1}, {"periodStart": "kemarin"}, {"limit": "٣"}):
        assert (await usage(portal, access_token, **wrong)).status_code == 400
    twice = await portal.http.get("/v2/findUsage?limit=1&limit=2", headers={"authorization": f"Bearer {access_token}"})
    assert twice.status_code == 400


async def test_nobody_else_s_history_is_told(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    assert (await usage(portal, access_token, userCode="EE12345678901")).status_code == 403
    assert (await usage(portal, access_token, {"x-road-userid": "EE12345678901"})).status_code == 403


async def test_without_the_citizen_s_yes_it_is_refused(portal: Application) -> None:
    size = (await portal.provider.services.consent.access_log.status()).size
    answer = await usage(portal, await token(portal))
    assert (answer.status_code, 'scope="access_history"' in answer.headers["www-authenticate"]) == (403, True)
    assert (await portal.http.get("/v2/findUsage")).status_code == 401
    plain = await portal.tokens()
    assert (await usage(portal, plain["access_token"])).status_code == 403
    assert (await portal.provider.services.consent.access_log.status()).size > size


async def test_what_an_order_delays_is_told_from_its_day_on(portal: Application) -> None:
    services, access_token = portal.provider.services, await token(portal, **{"allow-access_history": "on"})
    plain = (await portal.tokens())["access_token"]
    await put_order(services, await person(portal), "app", dt.timedelta(minutes=2))
    before = (await usage(portal, access_token)).json()["totalUsages"]
    assert (await portal.userinfo(plain)).status_code == 200
    assert (await usage(portal, access_token)).json()["totalUsages"] == before + 1  # the asking before
    portal.provider.clock.move(minutes=3)
    assert (await usage(portal, access_token)).json()["totalUsages"] == before + 3


async def test_after_a_withdrawal_it_is_refused(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    services = portal.provider.services
    (grant,) = [one for one in await services.consent.ledger.of_person(await person(portal)) if one.client == PORTAL]
    await services.consent.ledger.withdraw(grant.id)
    assert (await usage(portal, access_token)).status_code == 401


async def test_while_the_log_cannot_write_nothing_is_told(portal: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(portal.provider.services.consent.access_log, "append", down)
    answer = await usage(portal, access_token)
    assert (answer.status_code, "usages" in answer.text) == (503, False)


async def test_period_and_heartbeat_tell_nothing_about_anybody(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    period = await portal.http.get("/v2/usagePeriod", headers={"authorization": f"Bearer {access_token}"})
    assert dt.datetime.fromisoformat(period.json()["periodStart"]) <= portal.provider.services.clock()
    assert (await portal.http.get("/v2/usagePeriod")).status_code == 401
    assert (await portal.http.get("/v2/heartbeat")).json()["status"] == "OK"


async def test_frozen_data_are_refused_and_signing_in_again_would_not_help(portal: Application) -> None:
    access_token = await token(portal, **{"allow-access_history": "on"})
    await portal.provider.services.consent.freezes.freeze(await person(portal))
    answer = await usage(portal, access_token)
    assert (answer.status_code, answer.json()["error"]) == (403, "access_denied")
