"""Delayed visibility through the pages (law.md R17): two people order it, the citizen sees nothing before its day, and everything after."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from consent.access_log.search import Wanted, search
from consent.delays import OrderState
from idp.housekeeping import gather_activity
from idp.me import own_data
from idp.pages.formats import ZONE
from idp.protocol import breach, counter, erasure, told_reads
from idp.protocol.outbox import outbox
from tests.steps.test_history_file import public, taken
from tests.steps.test_proposals import at_the_desk, confirmed_once, person_of
from tests.support.delays import put_order
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from consent.access_log.forgetting import Closing
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

LIST = "/console/proposals"
REASON = "Permintaan tertulis penyidik Polresta"


def day(provider: Provider, days: int) -> str:
    return (provider.clock().astimezone(ZONE).date() + dt.timedelta(days=days)).isoformat()


async def proposed(provider: Provider, visitor: Visitor, **more: str) -> Page:
    about = {
        "identifier": provider.person().email, "case": "B/12/XI/2026", "client": provider.application().client_id,
        "code": "law_enforcement", "law": "KUHAP Pasal 38", "until": day(provider, 90), "reason": REASON,
    }  # fmt: skip
    page = await visitor.get(f"{LIST}/new/delay")
    return await visitor.submit(page, page.form("identifier"), **about | more)


async def decided(visitor: Visitor, path: str, decision: str, identifier: str = "") -> Page:
    page = await visitor.get(path)
    token = next((form.fields for form in page.forms if "decision" in form.buttons), None)
    token = token or next(form.fields for form in page.forms if form.fields)
    return await visitor.post(path, {**token, "decision": decision, "identifier": identifier})


async def ordered(provider: Provider) -> tuple[Visitor, Visitor, str]:
    """Give the two who ordered it, and the page of the order."""
    dpo, auditor = await at_the_desk(provider, "dpo"), await at_the_desk(provider, "auditor")
    page = await proposed(provider, dpo)
    assert page.path.startswith(f"{LIST}/")
    confirmed = await decided(auditor, page.path, "confirm", provider.person().email)
    assert confirmed.status == 200
    return dpo, auditor, page.path


async def test_the_citizen_sees_nothing_before_the_day_and_everything_after_it(provider: Provider) -> None:
    found, siti = provider.services, await person_of(provider, "siti")
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    await ordered(provider)
    log = found.consent.access_log
    before = [entry.index for entry in await log.history(siti)]
    mail = len(await letters(provider))
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    newest = (await log.history(siti, whole=True))[0]
    assert (newest.action, newest.record["visibility"]) == ("disclose", "delayed")
    assert [entry.index for entry in await log.history(siti)] == before
    await public(provider)
    page = await visitor.get("/me/history")
    assert "KUHAP" not in page.text
    assert (await visitor.get(f"/me/history/{newest.index}/wrong")).status == 404
    for kind in ("json", "csv", "print"):
        content = (await taken(visitor, kind)).text
        assert "KUHAP" not in content
        assert newest.entry_id not in content
    assert (await log.last_read(siti)) is None
    assert len(await letters(provider)) == mail
    assert all(count == 0 for _, count in await log.reads_per_month(siti))
    checked = await log.check_person(siti)
    assert (checked.whole, checked.entries) == (True, len(await log.history(siti)))
    # counted at once for everybody else
    while await gather_activity(found):
        pass
    provider.clock.move(minutes=1)  # a code is good once
    checks = await (await at_the_desk(provider, "auditor")).get("/audit/checks?lang=en")
    assert "KUHAP Pasal 38" in checks.text
    assert "No order" not in checks.text
    provider.clock.move(days=91)
    visitor = await at_home(provider)
    page = await visitor.get("/me/history?lang=en")
    assert "This was withheld from you until" in page.text
    assert "KUHAP Pasal 38" in page.text
    assert (await visitor.get(f"/me/history/{newest.index}/wrong")).status == 200
    shown = await log.history(siti)
    words = [entry.record.get("reason", "") for entry in shown if entry.delay]
    assert any(REASON in word and "confirms delay" in word and "proposed by P-" in word for word in words)
    assert (await log.last_read(siti)) is not None
    assert (await log.check_person(siti)).whole
    await public(provider)
    assert newest.entry_id in (await taken(visitor, "csv")).text
    account = await found.accounts.get(siti)
    assert account is not None
    assert (await own_data.gather(found, account)).entries == len(await log.history(siti))


async def at_home(provider: Provider) -> Visitor:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    return visitor


async def test_what_may_not_be_ordered_is_refused(provider: Provider) -> None:
    dpo = await at_the_desk(provider, "dpo")
    wrong: list[dict[str, str]] = [
        {"until": day(provider, 0)},
        {"until": day(provider, -5)}, {"until": day(provider, 366)}, {"until": "kelak"}, {"until": "9999-12-31"},
        {"client": "nobody-knows"}, {"code": "curiosity"}, {"law": ""}, {"case": ""}, {"reason": "iseng"}, {"identifier": ""},
        {"identifier": "nobody@example.com"}, {"identifier": provider.person("dpo").email},
    ]  # fmt: skip
    for one in wrong:
        page = await proposed(provider, dpo, **one)
        assert page.status == 422, one
        assert provider.person().email not in page.text
    assert list(await provider.services.proposals.newest()) == []
    for other in ("auditor", "administrator"):
        assert (await (await at_the_desk(provider, other)).get(f"{LIST}/new/delay")).status == 404


async def test_only_somebody_else_who_names_the_same_person_confirms(provider: Provider) -> None:
    dpo, auditor = await at_the_desk(provider, "dpo"), await at_the_desk(provider, "auditor")
    administrator = await at_the_desk(provider, "administrator")
    path = (await proposed(provider, dpo)).path
    own, siti = provider.person("auditor").email, provider.person().email
    page = await auditor.get(path)
    assert siti not in page.text
    token = page.form("decision").fields
    for typed in (own, provider.person("dewi").email, "nobody@example.com", ""):
        assert (await decided(auditor, path, "confirm", typed)).status == 409
    assert (await decided(auditor, path, "end")).status == 409
    assert (await decided(auditor, path, "open")).status == 409
    for other, status in ((dpo, 403), (administrator, 403)):
        assert (await decided(other, path, "confirm", siti)).status == status
    assert token
    assert list(await provider.services.consent.delays.newest()) == []
    assert (await decided(auditor, path, "confirm", siti)).status == 200
    (order,) = await provider.services.consent.delays.newest()
    assert order.state(provider.clock()) is OrderState.IN_FORCE
    found = await search(provider.services.consent.database, Wanted(action="audit"), 50)
    assert sum(one.record["outcome"] == "other" for one in found.records) == 4
    assert all(order.chain is not None and order.chain.hex() not in json.dumps(dict(one.record)) for one in found.records)


async def test_a_denied_attempt_is_delayed_as_a_read_is_and_the_public_counts_both(provider: Provider) -> None:
    found, siti = provider.services, await person_of(provider, "siti")
    token = (await provider.tokens())["access_token"]
    await ordered(provider)
    before = [entry.index for entry in await found.consent.access_log.history(siti)]
    assert (await provider.userinfo(token)).status_code == 200
    (grant,) = await found.consent.ledger.of_person(siti)
    await found.consent.ledger.withdraw(grant.id)
    assert (await provider.userinfo(token)).status_code == 401
    newest = await found.consent.access_log.history(siti, whole=True)
    assert [(one.action, one.record["visibility"]) for one in newest if one.action in {"denied", "disclose"}][:2] == [
        ("denied", "delayed"), ("disclose", "delayed"),
    ]  # fmt: skip
    shown = [entry for entry in await found.consent.access_log.history(siti) if entry.index not in before]
    assert {entry.action for entry in shown} <= {"consent"}
    while await gather_activity(found):
        pass
    provider.clock.move(days=1)
    page = await (await provider.visitor()).get("/transparansi?lang=en")
    assert "&lt;5" in page.text.partition("Of these, shown to the citizen later")[2][:80]


async def test_a_breach_concerns_whom_delayed_reads_are_about_and_the_letter_tells_no_number_of_them(provider: Provider) -> None:
    found, siti = provider.services, await person_of(provider, "siti")
    token = (await provider.tokens())["access_token"]
    await put_order(found, siti, provider.application().client_id)
    assert (await provider.userinfo(token)).status_code == 200
    client = await found.clients.get(provider.application().client_id)
    assert client is not None
    now = provider.clock()
    what = breach.Breach(
        client=client, claims=frozenset({"email"}), since=now - dt.timedelta(days=1), until=now + dt.timedelta(days=1), noticed=now,
        happened="Sandi dicuri.", measures="Diganti.",
    )  # fmt: skip
    whom = await breach.concerned(found, counter.Officer("rina", "Insiden 12/2026"), what)
    assert whom.people[siti].times == 1
    (letter,) = (await breach.letters(found, counter.Officer("rina", "Insiden 12/2026"), what, whom.people)).values()
    assert "1 kali" not in letter
    assert "KUHAP" not in letter
    assert "1" in breach.form(found, what, whom)


async def test_of_two_who_confirm_at_once_one_does(provider: Provider) -> None:
    dpo = await at_the_desk(provider, "dpo")
    path = (await proposed(provider, dpo)).path
    visitors = [await at_the_desk(provider, "auditor")]
    provider.clock.move(minutes=1)  # a code is good once
    visitors.append(await at_the_desk(provider, "auditor"))
    answers = await asyncio.gather(*(decided(one, path, "confirm", provider.person().email) for one in visitors))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert await confirmed_once(provider)
    assert len(await provider.services.consent.delays.newest()) == 1


async def test_an_order_ended_early_delays_nothing_more_and_erasing_lets_it_name_nobody(provider: Provider) -> None:
    siti = await person_of(provider, "siti")
    tokens = await provider.tokens()
    dpo, auditor, path = await ordered(provider)
    token = (await dpo.get(path)).form("decision").fields
    assert (await decided(auditor, path, "end")).status == 200
    assert (await dpo.post(path, {**token, "decision": "end"})).status == 409
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    (newest, *_) = await provider.services.consent.access_log.history(siti)
    assert (newest.action, newest.record["visibility"]) == ("disclose", "open")
    await erasure.erase(provider.services, siti)
    (order,) = await provider.services.consent.delays.newest()
    assert order.chain is None
    closings = await erasure.closings(provider.services)
    assert len(closings) == 2
    assert min(count or 0 for count in closings.values()) == 2  # confirmed, erased
    assert await erasure.unready(provider.services) == []
    (proposal,) = await provider.services.proposals.newest()
    assert "chain" not in proposal.subject


async def test_what_a_crash_left_confirmed_does_not_name_somebody_who_was_erased_since(provider: Provider) -> None:
    found, siti = provider.services, await person_of(provider, "siti")
    dpo, auditor = await at_the_desk(provider, "dpo"), await at_the_desk(provider, "auditor")
    path = (await proposed(provider, dpo)).path
    assert await found.proposals.confirm(path.rpartition("/")[2], "P-00000001", provider.clock())
    await erasure.erase(found, siti)
    assert (await decided(auditor, path, "open")).status == 409
    assert list(await found.consent.delays.newest()) == []


async def test_of_two_runs_of_one_erasure_neither_leaves_a_chain_out_of_the_journal(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, siti = provider.services, await person_of(provider, "siti")
    await ordered(provider)
    log, waits, goes_on = found.consent.access_log, asyncio.Event(), asyncio.Event()
    closing = log.closing

    async def slow(person: str, *, second: bool = False) -> Closing:
        if second and not waits.is_set():
            waits.set()
            await goes_on.wait()
        return await closing(person, second=second)

    monkeypatch.setattr(log, "closing", slow)
    asked = asyncio.create_task(erasure.erase(found, siti))
    await asyncio.wait_for(waits.wait(), 10)  # its second entry is written, not yet its line in the journal
    assert await outbox(found).run_once()  # the errand of the same erasure, to its end
    goes_on.set()
    await asked
    (erased,) = erasure.journal(found).read()
    assert erased.first is not None
    assert erased.second is not None
    written = [one.record for one in (await search(found.consent.database, Wanted(action="erase"), 5)).records]
    assert [record["visibility"] for record in written] == ["delayed", "open"]
    assert erased.second.entry == erased.first.entry + 1


async def test_a_proposal_that_nobody_confirms_keeps_nothing_from_the_citizen(provider: Provider) -> None:
    siti = await person_of(provider, "siti")
    await proposed(provider, await at_the_desk(provider, "dpo"))
    history = provider.services.consent.access_log.history
    assert await history(siti, whole=True) == await history(siti)


async def test_the_month_in_which_something_appears_has_a_letter_that_says_so(provider: Provider) -> None:
    await ordered(provider)
    provider.clock.move(days=125)
    while await told_reads.write_digests(provider.services):
        pass
    while await outbox(provider.services).run_once():
        pass
    assert any("ditunda menurut hukum" in letter.text for letter in await letters(provider, provider.person().email))
