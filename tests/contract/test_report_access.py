"""log.md, reads reported by agencies: signed for, one entry for one report, other content is 409, marked as reported."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
import json
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from joserfc import jwt
from joserfc.jwk import ECKey

from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from idp.pages.formats import Formats
from idp.protocol import issue, sectors
from idp.report_access.rules import OLDEST
from idp.spec import client_assertion
from tests.support.application import SECRET, Application
from tests.support.delays import put_order
from tests.support.mailbox import letters

if TYPE_CHECKING:
    import httpx2

    from consent.access_log.records import HistoryEntry

EC = ECKey.generate_key("P-256", {"kid": "ec-1", "use": "sig", "alg": "ES256"}, private=True)
CLINIC = "klinik"


@pytest.fixture
async def clinic(app: Application) -> Application:
    """An application that signs in with a key of its own, and that Siti once allowed to read."""
    keys = {"keys": [EC.as_dict(private=False)]}
    await app.register(CLINIC, secret=None, token_endpoint_auth_method="private_key_jwt", jwks=keys)
    await app.through(client_id=CLINIC)
    return app


async def siti(app: Application) -> str:
    (account,) = await app.provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, app.provider.person().email))
    return account.person


async def fields(app: Application, **changes: str) -> dict[str, str]:
    found = app.provider.services
    client = await found.clients.get(CLINIC)
    assert client is not None
    occurred = found.clock() - dt.timedelta(hours=3)
    usual = {
        "report_id": "rekam-medis:17",
        "sub": issue.subject(found, client, await siti(app)),
        "claims": "name email",
        "occurred": occurred.isoformat(),
        "actor": "dr-04",
        "role": "dokter",
    }
    return {name: value for name, value in (usual | changes).items() if value}


async def send(app: Application, form: dict[str, str], client: str = CLINIC) -> httpx2.Response:
    now = int(app.provider.clock().timestamp())
    claims = {"iss": client, "sub": client, "aud": app.provider.issuer, "exp": now + 60, "iat": now, "jti": uuid4().hex}
    assertion = jwt.encode({"alg": "ES256", "kid": EC.kid}, claims, EC, algorithms=["ES256"])
    signed = {"client_assertion_type": client_assertion.TYPE, "client_assertion": assertion}
    return await app.http.post("/report-access", data={**form, **signed})


async def entries(app: Application) -> list[HistoryEntry]:
    return list(await app.provider.services.consent.access_log.history(await siti(app)))


def content(receipt: str) -> dict[str, Any]:
    body = receipt.split(".")[1]
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    return found


async def test_a_report_is_an_entry_of_the_person_that_says_who_reported_and_when_it_was(clinic: Application) -> None:
    form = await fields(clinic)
    answer = await send(clinic, form)
    assert answer.status_code == 201
    newest = (await entries(clinic))[0]
    record = newest.record
    assert (newest.entry_id, newest.index) == (answer.json()["access_log_id"], answer.json()["index"])
    assert (record["action"], record["client"], record["reported_by"], record["channel"]) == ("consult", CLINIC, CLINIC, "reported")
    assert (record["claims"], record["actor"]["pseudonym"], record["actor"]["role"]) == (["email", "name"], "dr-04", "dokter")
    assert dt.datetime.fromisoformat(record["occurred"]) == dt.datetime.fromisoformat(form["occurred"])
    assert newest.grant is not None
    letter = (await letters(clinic.provider, clinic.provider.person().email))[-1]
    assert Formats("id").when(dt.datetime.fromisoformat(form["occurred"])) in letter.text, (
        "told by when it was, not by when it was reported"
    )
    assert (await clinic.provider.services.consent.access_log.check_person(await siti(clinic))).whole


async def test_the_receipt_is_signed_and_names_the_leaf(clinic: Application) -> None:
    answer = (await send(clinic, await fields(clinic))).json()
    receipt = await clinic.provider.services.keyring.signing.verify(
        answer["receipt"], algorithms=["ES256"], type="access-report-receipt+jwt", outlived=True
    )
    assert (receipt["aud"], receipt["jti"], receipt["index"]) == (CLINIC, answer["access_log_id"], answer["index"])
    assert len(base64.urlsafe_b64decode(receipt["leaf"] + "==")) == 65


async def test_sent_again_it_is_the_same_entry_and_other_content_is_a_conflict(clinic: Application) -> None:
    form = await fields(clinic)
    first = await send(clinic, form)
    count = len(await entries(clinic))
    zone = dt.datetime.fromisoformat(form["occurred"]).astimezone(dt.timezone(dt.timedelta(hours=8))).isoformat()
    again = await send(clinic, {**form, "claims": "email name", "occurred": zone})
    assert (again.status_code, content(again.json()["receipt"])) == (200, content(first.json()["receipt"]))
    other = await send(clinic, {**form, "claims": "name"})
    assert (other.status_code, other.json()["error"]) == (409, "invalid_request")
    assert len(await entries(clinic)) == count


async def test_of_many_at_once_one_is_entered(clinic: Application) -> None:
    form, before = await fields(clinic, report_id="sekaligus"), len(await entries(clinic))
    answers = await asyncio.gather(*(send(clinic, form) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
    assert len({answer.json()["access_log_id"] for answer in answers}) == 1
    assert len(await entries(clinic)) == before + 1


WRONG: list[tuple[dict[str, str], int]] = [
    ({"report_id": ""}, 400),
    ({"report_id": "a b"}, 400),
    ({"sub": "x" * 256}, 400),
    ({"sub": "siapa-ini"}, 404),
    ({"claims": ""}, 400),
    ({"claims": "name fingerprint"}, 400),
    ({"occurred": "kemarin"}, 400),
    ({"occurred": "2026-11-24T10:15:00"}, 400),
    ({"occurred": "2999-01-01T00:00:00Z"}, 400),
    ({"occurred": "1999-01-01T00:00:00Z"}, 400),
    ({"purpose": "antrean-lain"}, 400),
    ({"reason": "a\nb"}, 400),
    ({"actor": "x" * 65}, 400),
]


async def test_what_is_missing_or_wrong_is_said_and_nothing_is_entered(clinic: Application) -> None:
    before = len(await entries(clinic))
    for changes, status in WRONG:
        answer = await send(clinic, await fields(clinic, **changes))
        assert (answer.status_code, answer.json()["error"]) == (status, "invalid_request"), changes
        assert answer.json()["error_description"]
    assert len(await entries(clinic)) == before


async def test_only_who_signs_may_report_and_only_under_its_own_sector(clinic: Application) -> None:
    form = await fields(clinic)
    answer = await clinic.http.post("/report-access", data=form, auth=("app", SECRET))
    assert (answer.status_code, answer.json()["error"]) == (403, "unauthorized_client")
    assert (await clinic.http.post("/report-access", data={**form, "client_id": CLINIC})).status_code == 401
    assert (await clinic.http.post("/report-access", json=form)).status_code in {401, 415}


async def test_while_the_log_cannot_write_the_report_is_not_taken(clinic: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    form = await fields(clinic)

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr(clinic.provider.services.consent.access_log, "append", down)
        assert (await send(clinic, form)).status_code == 503
    assert (await send(clinic, form)).status_code == 201


async def test_the_citizen_sees_that_it_was_reported_and_when_it_happened(clinic: Application) -> None:
    await send(clinic, await fields(clinic, reason="kontrol rutin"))
    page = await clinic.visitor.get("/me/history")
    assert "Dilaporkan dinas" in page.text
    assert "Membaca salinan" in page.text
    assert "kontrol rutin" in page.text


async def test_the_agencys_number_of_a_read_is_not_kept(clinic: Application) -> None:
    assert (await send(clinic, await fields(clinic, report_id="6471012503900003"))).status_code == 201
    async with clinic.provider.services.consent.database.read() as connection:
        (row,) = await connection.execute(sa.text("SELECT * FROM reported_reads"))
    assert "6471012503900003" not in str(row)


async def test_a_number_is_remembered_as_long_as_its_report_could_be_sent_again(clinic: Application) -> None:
    found, clock = clinic.provider.services, clinic.provider.clock
    form = await fields(clinic)
    assert (await send(clinic, form)).status_code == 201
    clock.move(days=OLDEST.days - 1)
    assert await found.consent.reports.sweep(clock()) == 0
    assert (await send(clinic, form)).status_code == 200
    clock.move(days=3)
    assert (await found.consent.reports.sweep(clock()), await found.consent.reports.sweep(clock())) == (1, 0)
    assert (await send(clinic, form)).status_code == 400, "what could be taken twice is too old by now"


async def test_people_who_answered_a_card_before_names_were_noted_are_known_too(clinic: Application) -> None:
    found = clinic.provider.services
    async with found.database.transaction() as transaction:
        await transaction.execute(sa.text("DELETE FROM sector_subjects"))
        await transaction.commit()
    form = await fields(clinic)
    assert (await send(clinic, form)).status_code == 404
    assert await sectors.note_earlier(found) > 0
    assert await sectors.note_earlier(found) == 0, "once"
    assert (await send(clinic, form)).status_code == 201
    assert (await send(clinic, await fields(clinic, sub="", report_id="2"))).status_code == 400, "the mark of a sector is nobody"


async def test_an_application_that_reports_too_much_is_told_when_to_go_on(clinic: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clinic.provider.services.arrivals.reports, "take", {CLINIC: 2.5}.__getitem__)
    refused = await send(clinic, await fields(clinic))
    assert (refused.status_code, refused.json()["error"], refused.headers["retry-after"]) == (429, "temporarily_unavailable", "3")
    assert [one.action for one in await entries(clinic) if one.record.get("reported_by")] == []


async def test_a_reported_read_is_delayed_as_any_other_of_that_application(clinic: Application) -> None:
    found, person = clinic.provider.services, await siti(clinic)
    await put_order(found, person, CLINIC)
    before, form = await entries(clinic), await fields(clinic)
    answer = await send(clinic, form)
    assert answer.status_code == 201
    assert await entries(clinic) == before
    (newest, *_) = await found.consent.access_log.history(person, whole=True)
    assert (newest.entry_id, newest.record["visibility"]) == (answer.json()["access_log_id"], "delayed")
    again = await send(clinic, form)
    assert (again.status_code, again.json()["access_log_id"]) == (200, newest.entry_id)
    clinic.provider.clock.move(days=11)
    assert newest.entry_id in {entry.entry_id for entry in await entries(clinic)}
