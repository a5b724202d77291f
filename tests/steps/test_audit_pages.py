"""The auditors' pages: a role and a second factor open them; every question is on record before its answer; a citizen sees who looked."""

from __future__ import annotations

import base64
import datetime as dt
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from consent.access_log import Actor, Entry, Record, Subject
from consent.access_log.counts import Group
from consent.access_log.search import Wanted, search
from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from idp.housekeeping import count_key_uses, gather_activity
from idp.pages.formats import ZONE
from idp.staff.records import Role

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

PAGES = ("/audit/search", "/audit/results", "/audit/person", "/audit/activity", "/audit/checks", "/audit/export")
REASON = "Pemeriksaan rutin triwulan"


async def person_of(provider: Provider, key: str) -> str:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account.person


async def at_the_desk(provider: Provider, key: str = "auditor") -> Visitor:
    visitor = await provider.visitor()
    page = await visitor.sign_in(await visitor.get("/login?next=/audit/search"), provider.person(key))
    assert page.path == "/audit/search", page.text[:500]
    return visitor


async def newest(provider: Provider) -> dict[str, Any]:
    (found, *_) = (await search(provider.services.consent.database, Wanted(), 1)).records
    return dict(found.record)


async def read_by_a_service(provider: Provider, key: str = "siti") -> None:
    tokens = await provider.tokens(person=provider.person(key))
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200


async def test_to_citizens_and_strangers_there_are_no_pages_of_staff(provider: Provider) -> None:
    stranger, citizen = await provider.visitor(), await provider.visitor()
    await citizen.sign_in(await citizen.get("/login"), provider.person("budi"))  # with a second factor, but without a role
    for path in PAGES:
        assert (await stranger.get(path)).path == "/login", path
        assert (await citizen.get(path)).status == 404, path
        assert (await citizen.post(path, {"reason": REASON})).status in {404, 405}, path


async def test_an_administrator_reads_no_records(provider: Provider) -> None:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person("administrator"))
    assert (await visitor.get("/audit/search")).status == 404


async def test_staff_without_a_second_factor_are_led_to_one_and_see_nothing(provider: Provider) -> None:
    await provider.services.staff.appoint(await person_of(provider, "siti"), Role.AUDITOR, provider.clock(), by="test")
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person("siti"))
    page = await visitor.get("/audit/search")
    assert page.path == "/login/second-factor"
    assert "/security/totp" in page.text
    refused = await visitor.post("/audit/search", {"reason": REASON})
    assert refused.path == "/login/second-factor"


async def test_an_old_sign_in_is_asked_for_anew(provider: Provider) -> None:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login?next=/audit/search"), provider.person("auditor"), remember="yes")
    provider.clock.move(hours=7, minutes=59)
    assert (await visitor.get("/audit/search")).path == "/audit/search"
    provider.clock.move(minutes=2)
    assert (await visitor.get("/audit/search")).path == "/login"


async def test_a_role_that_is_taken_ends_at_once(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    await provider.services.staff.dismiss(await person_of(provider, "auditor"), Role.AUDITOR)
    assert (await visitor.get("/audit/search")).status == 404


async def test_nobody_at_work_here_erases_the_name_behind_their_pseudonym(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    page = await visitor.get("/me/erase")
    answer = await visitor.submit(page, page.form("password"), password=provider.person("auditor").password)
    assert answer.status == 422
    assert "masih petugas" in answer.text
    assert (await visitor.get("/audit/search")).status == 200


async def test_a_search_is_on_record_under_the_pseudonym_before_its_results(provider: Provider) -> None:
    await read_by_a_service(provider)
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/search")
    short = await visitor.submit(page, page.form("reason"), reason="iseng")
    assert short.status == 422
    assert (await newest(provider))["action"] != "audit"
    found = await visitor.submit(page, page.form("reason"), reason=REASON, client="aduan", claim="name")
    assert found.path == "/audit/results"
    assert "Aduan Warga" in found.text
    record = await newest(provider)
    member = await provider.services.staff.of_person(await person_of(provider, "auditor"))
    assert member is not None
    assert record["actor"] == {"type": "auditor", "pseudonym": member.pseudonym, "role": "auditor", "unit": "Inspektorat Kota"}
    assert record["reason"] == f"{REASON} [client=aduan; claim=name]"
    assert record["acr"] == "aal2"
    assert provider.person("siti").name not in found.text
    assert provider.person("auditor").name not in json.dumps(record)
    assert REASON not in found.url


async def test_what_an_agency_reports_is_marked_so_whatever_it_calls_its_officer(provider: Provider) -> None:
    record = Record(
        action="consult", client="aduan", client_name="Aduan Warga", actor=Actor("officer", "P-12345678"), channel="reported",
        outcome="ok", reported_by="aduan",
    )  # fmt: skip
    await provider.services.consent.access_log.append(Entry(record, Subject(await person_of(provider, "siti"))))
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/search")
    found = await visitor.submit(page, page.form("reason"), reason=REASON, officer="P-12345678")
    assert b"P-12345678" not in base64.urlsafe_b64decode(found.url.partition("search=")[2] + "=="), "a name may be typed there"
    row = found.text.partition("P-12345678</span>")[2].partition("</td>")[0]
    assert all(said in row for said in ("Dilaporkan dinas", "Aduan Warga"))
    await gather_activity(provider.services)  # counted apart: it neither balances what our doors opened nor blames an officer of ours
    async with provider.services.consent.database.read() as connection:
        counted = await connection.execute(sa.text("SELECT action FROM log_activity WHERE officer = 'P-12345678'"))
        assert counted.scalars().all() == ["reported"]
    assert "P-12345678" not in (await visitor.get("/audit/activity?kind=reported")).text


async def test_results_belong_to_who_asked_and_end_after_half_an_hour(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/search")
    found = await visitor.submit(page, page.form("reason"), reason=REASON)
    address = found.url
    other = await at_the_desk(provider, "dpo")
    assert (await other.get(address)).path == "/audit/search"
    assert (await visitor.get(address + "x")).path == "/audit/search"
    assert (await visitor.get(address)).path == "/audit/results"
    provider.clock.move(minutes=14)
    await visitor.get("/audit/search")
    provider.clock.move(minutes=14)
    await visitor.get("/audit/search")
    provider.clock.move(minutes=14)
    assert (await visitor.get(address)).path == "/audit/search"


async def test_with_the_log_down_nothing_is_shown(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    await read_by_a_service(provider)
    visitor = await at_the_desk(provider)
    search_page, person_page, export_page = [await visitor.get(path) for path in ("/audit/search", "/audit/person", "/audit/export")]

    async def down(*_: object, **__: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(provider.services.consent.access_log, "append", down)
    for page, fields in (
        (search_page, {}),
        (person_page, {"identifier": provider.person("siti").email, "case": "ITKO 1/2026"}),
        (export_page, {}),
    ):
        answer = await visitor.submit(page, page.form("reason"), reason=REASON, **fields)
        assert answer.status == 503
        assert "Aduan" not in answer.text


async def test_a_forged_form_asks_nothing(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    size = (await provider.services.consent.access_log.status()).size
    stranger = await provider.visitor()
    foreign = (await stranger.get("/login")).form("identifier").fields["form_token"]
    for path in ("/audit/search", "/audit/person", "/audit/export"):
        for token in ({}, {"form_token": foreign}, {"form_token": "x"}):
            answer = await visitor.post(path, {"reason": REASON, "identifier": "siti@example.com", "case": "1/2026", **token})
            assert answer.status == 403, path
    assert (await provider.services.consent.access_log.status()).size == size


QUESTIONS = (
    ("client", "a b"), ("client", '"},{'), ("claim", "x" * 65), ("officer", "x" * 81), ("officer", 'P-1"},{'), ("since", "2026-13-01"),
    ("since", "99999-01-01"), ("until", "0001-01-01"), ("reason", "x" * 301), ("reason", "  a   b   c  "),
)  # fmt: skip


async def test_a_question_that_is_none_is_told_so_and_not_recorded(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    size = (await provider.services.consent.access_log.status()).size
    page = await visitor.get("/audit/search")
    for field, value in QUESTIONS:
        answer = await visitor.submit(page, page.form("reason"), **{"reason": REASON, field: value})
        assert answer.status == 422, (field, value)
    assert (await provider.services.consent.access_log.status()).size == size


async def test_one_citizen_is_found_for_a_case_only_and_sees_it(provider: Provider) -> None:
    await read_by_a_service(provider)
    siti = await person_of(provider, "siti")
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/person")
    email = provider.person("siti").email
    for missing in ({"case": ""}, {"case": "!"}, {"reason": "x"}, {"identifier": ""}):
        fields = {"identifier": email, "case": "ITKO 700/2026", "reason": REASON} | missing
        assert (await visitor.submit(page, page.form("case"), **fields)).status == 422
    shown = await visitor.submit(page, page.form("case"), identifier=email, case="ITKO 700/2026", reason=REASON)
    assert (shown.status, shown.url) == (200, page.url)
    assert "Aduan Warga" in shown.text
    assert email not in shown.text
    assert provider.person("siti").name not in shown.text
    assert "no-store" in shown.response.headers["cache-control"]
    (entry, *_) = await provider.services.consent.access_log.history(siti, limit=1)
    assert (entry.action, entry.record["legal_ref"], entry.record["reason"]) == ("audit", "ITKO 700/2026", REASON)
    citizen = await provider.visitor()
    await citizen.sign_in(await citizen.get("/login"), provider.person("siti"))
    history = (await citizen.get("/me/history")).text
    assert "Auditor memeriksa" in history
    assert REASON in history


async def test_looking_for_nobody_is_on_record_too(provider: Provider) -> None:
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/person")
    answer = await visitor.submit(page, page.form("case"), identifier="tidak-ada@example.com", case="ITKO 1/2026", reason=REASON)
    assert answer.status == 404
    assert "tidak-ada" not in answer.text
    record = await newest(provider)
    assert (record["action"], record["outcome"]) == ("audit", "nobody")
    assert "tidak-ada" not in json.dumps(record)


async def test_more_of_a_citizen_is_another_entry_and_its_place_cannot_be_made_up(provider: Provider) -> None:
    siti = await person_of(provider, "siti")
    record = Record(action="consult", actor=Actor("officer", "P-1"), claims=("name",), channel="counter", outcome="ok", reason="x")
    for _ in range(55):
        await provider.services.consent.access_log.append(Entry(record, Subject(siti)))
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/person")
    fields = {"identifier": provider.person("siti").email, "case": "ITKO 700/2026", "reason": REASON}
    shown = await visitor.submit(page, page.form("case"), **fields)
    size = (await provider.services.consent.access_log.status()).size
    more = await visitor.submit(shown, shown.form("more"))
    assert more.status == 200
    assert (await provider.services.consent.access_log.status()).size == size + 1
    forged = await visitor.submit(shown, shown.form("more"), more="eyJwZXJzb24iOiJ4In0.x.y")
    assert forged.status == 422


async def test_unusual_days_night_and_lasting_reads_are_marked(provider: Provider) -> None:
    database, today = provider.services.consent.database, provider.clock().astimezone(ZONE).date()
    for back in range(1, 40):
        hours = [0] * 24
        hours[3 if back == 4 else 10] = 400 if back == 4 else 20 + back % 3
        group = Group((today - dt.timedelta(days=back)).isoformat(), "disclose", "lama", "diskominfo", "aduan", "a", "", back % 2)
        values = {**group._asdict(), "hours": " ".join(map(str, hours))}
        async with database.statement() as connection:
            await connection.execute(sa.text(
                "INSERT INTO log_activity (day, action, client, agency, purpose, basis, officer, lasting, hours) "
                "VALUES (:day, :action, :client, :agency, :purpose, :basis, :officer, :lasting, :hours)"
            ), values)  # fmt: skip
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/activity?days=30&sort=night")
    assert page.status == 200
    assert page.text.count('class="badge attention"') == 1
    assert "1 hari di luar kebiasaan" in page.text
    assert "Kegiatan: lama" in (await visitor.get("/audit/activity?service=lama")).text, "also of an application that was removed"
    for address in ("?service=aduan", "?sort=name&kind=denied", "?days=9999999&kind=x&service=%22&sort=__class__"):
        assert (await visitor.get(f"/audit/activity{address}")).status == 200, address


async def test_reads_are_balanced_against_entries(provider: Provider) -> None:
    await read_by_a_service(provider)
    await gather_activity(provider.services)
    await count_key_uses(provider.services)
    visitor = await at_the_desk(provider)
    fine = await visitor.get("/audit/checks")
    assert "melebihi catatannya" not in fine.text
    yesterday = (provider.clock().astimezone(ZONE) - dt.timedelta(days=1)).date().isoformat()
    async with provider.services.consent.database.statement() as connection:
        await connection.execute(sa.text("INSERT INTO key_uses (day, what, times) VALUES (:day, 'service', 7)"), {"day": yesterday})
    async with provider.services.consent.database.statement() as connection:
        day = (provider.clock().astimezone(ZONE) - dt.timedelta(days=1)).date()
        old = [{"day": (day - dt.timedelta(days=back)).isoformat(), "times": 20 if back else 9000} for back in range(40)]
        await connection.execute(sa.text("INSERT INTO key_uses (day, what, times) VALUES (:day, 'unwraps', :times)"), old)
    assert (await visitor.get("/audit/checks")).text.count("Janggal") == 1
    assert "1 hitungan melebihi catatannya" in (await visitor.get("/audit/checks")).text


async def test_the_export_is_on_record_and_is_what_the_command_writes(provider: Provider) -> None:
    await read_by_a_service(provider)
    visitor = await at_the_desk(provider)
    page = await visitor.get("/audit/export")
    assert (await visitor.submit(page, page.form("reason"), reason=REASON)).status == 503  # nothing was ever signed here
    signer = provider.services.consent.signer
    assert signer is not None
    await signer.sign_once()
    answer = await visitor.submit(page, page.form("reason"), reason=REASON)
    assert answer.response.headers["content-type"] == "application/gzip"
    with tarfile.open(fileobj=io.BytesIO(answer.response.content)) as archive:
        names = {name.removeprefix("gerbang-log/") for name in archive.getnames()}
        assert {"checkpoint", "vkey", "records.jsonl", "records.csv"} <= names
        lines = archive.extractfile("gerbang-log/records.jsonl")
        assert lines is not None
        assert f"{REASON} [export]" in lines.read().decode()
