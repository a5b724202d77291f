"""ui.md: officers' looks are told at once and everything once a month; law.md R14: what is frozen is not read, and the attempt is kept."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest

from consent.disclosure import Disclosed, Disclosure, Withheld
from idp.accounts.records import Identifier, IdentifierKind
from idp.protocol import counter, told_reads
from idp.protocol.counter import Officer
from idp.wishes.records import Wishes
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from idp.accounts.records import Account
    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

RINA = Officer("Rina", "Cek KTP-el", unit="Loket 3")


async def siti(provider: Provider) -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person().email))
    return account


async def subjects(provider: Provider) -> list[str]:
    return [letter.subject for letter in await letters(provider, provider.person().email)]


async def test_a_look_by_an_officer_is_told_at_once_over_the_chosen_channel_and_not_without_end(provider: Provider) -> None:
    found, account = provider.services, await siti(provider)
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    page = await visitor.get("/me/told")
    page = await visitor.submit(page, page.forms[-1], channel="mail")
    assert "Pilihan tersimpan" in page.text
    await counter.look(found, RINA, account, ["name"])
    (letter,) = [one for one in await letters(provider) if one.subject != "Cara kami mengabari Anda diubah"]
    assert (letter.to, letter.subject) == (provider.person().email, "Petugas melihat data Anda")
    assert ("Loket 3" in letter.text, "Siti" in letter.text, "http" in letter.text, "Rina" in letter.text) == (True, False, False, False)
    form = (await visitor.get("/me/told")).forms[-1]
    await visitor.submit(page, form, channel="fax")
    assert (await found.wishes.of(account.person)).channel == "mail"
    await counter.look(found, dataclasses.replace(RINA, unit=None), account, ["gender"])
    assert (await letters(provider))[-1].text.startswith("Gerbang: petugas"), "who has no unit is not called by a code"
    for _ in range(12):  # trifles that are to use up the day's notices …
        await counter.look(found, RINA, account, ["name"])
    assert (await subjects(provider)).count("Petugas melihat data Anda") == 4
    await counter.look(found, RINA, account, ["name", "birthdate"])  # … before the look that matters
    assert (await subjects(provider)).count("Petugas melihat data Anda") == 5
    provider.clock.move(hours=3)
    assert (await subjects(provider)).count("Data Anda dibaca lebih sering") == 1, "what was not told one by one is told together"
    assert await found.events.outbox.waiting() == 0


async def test_a_months_letter_says_until_when_how_many_entries_once_and_to_nobody_who_had_none(provider: Provider) -> None:
    found, account = provider.services, await siti(provider)
    tokens = await provider.tokens()
    await provider.userinfo(tokens["access_token"])
    total = len(await found.consent.access_log.history(account.person))
    provider.clock.move(days=32)
    while await told_reads.write_digests(found):
        pass
    assert await told_reads.write_digests(found) == 0
    sent = [letter for letter in await letters(provider) if letter.subject == "Siapa membaca data Anda bulan lalu"]
    assert {letter.to for letter in sent} == {provider.person().email, provider.person().phone}
    assert f": {total} catatan" in sent[0].text
    await found.wishes.tell_by(account.person, "all", digest=False)
    provider.clock.move(days=31)
    await told_reads.write_digests(found)
    assert len([one for one in await letters(provider) if one.subject == "Siapa membaca data Anda bulan lalu"]) == len(sent)


async def test_what_is_frozen_is_not_read_and_the_attempt_is_an_entry_until_it_is_opened_again(provider: Provider) -> None:
    account, visitor = await siti(provider), await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    assert "email" in (await provider.userinfo(tokens["access_token"])).json()
    page = await visitor.get("/me/freeze")
    assert (await visitor.post("/me/freeze", {"wish": "on"})).status == 403
    form = page.forms[-1]
    frozen = await visitor.submit(page, form)
    await visitor.submit(page, form)
    assert (frozen.path, "dibekukan" in frozen.text) == ("/me/permissions", True)
    answer = await provider.userinfo(tokens["access_token"])
    assert (answer.status_code, set(answer.json())) == (200, {"sub"})
    history = await provider.services.consent.access_log.history(account.person)
    assert [(one.action, one.record["outcome"]) for one in history[:2]] == [("denied", "frozen"), ("update", "frozen")]
    assert sum(one.record["outcome"] == "frozen" and one.action == "update" for one in history) == 1
    assert "sedang Anda bekukan" in (await visitor.get("/me/history")).text
    page = await visitor.get("/me/freeze")
    await visitor.submit(page, page.forms[-1])
    assert await subjects(provider) == ["Data Anda dibekukan", "Pembekuan data dibuka"]
    provider.clock.move(seconds=1)
    assert "email" in (await provider.userinfo(tokens["access_token"])).json()
    newest = (await provider.services.consent.access_log.history(account.person, limit=2))[1]
    assert (newest.record["outcome"], newest.time > provider.clock() - dt.timedelta(days=1)) == ("unfrozen", True)


async def test_data_frozen_between_decision_and_commit_do_not_leave(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    account, tokens, found = await siti(provider), await provider.tokens(), provider.services
    to_service = Disclosure.to_service

    async def after_a_freeze(self: Disclosure, *given: Any) -> Disclosed | Withheld:
        await found.consent.freezes.freeze(account.person)
        return await to_service(self, *given)

    monkeypatch.setattr(Disclosure, "to_service", after_a_freeze)
    answer = await provider.userinfo(tokens["access_token"])
    assert (answer.status_code, set(answer.json())) == (200, {"sub"})
    (denied, _) = await found.consent.access_log.history(account.person, limit=2)
    assert (denied.action, denied.record["outcome"]) == ("denied", "frozen")


async def test_an_open_session_alone_neither_thaws_nor_silences(provider: Provider) -> None:
    found, account, visitor = provider.services, await siti(provider), await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    told, freeze = await visitor.get("/me/told"), await visitor.get("/me/freeze")
    provider.clock.move(minutes=14)
    assert (await visitor.get("/me/data")).status == 200
    provider.clock.move(minutes=2)
    assert (await visitor.submit(freeze, freeze.forms[-1])).path == "/me/permissions", "freezing must be easy"
    asked = await visitor.submit(told, told.forms[-1], channel="phone")
    assert (asked.path, await found.wishes.of(account.person)) == ("/login", Wishes())
    assert (await visitor.get("/me/freeze")).path == "/login"
    assert (await visitor.post("/me/freeze", {**dict(freeze.forms[-1].fields), "wish": "off"})).path == "/login"
    assert await found.consent.freezes.of(account.person) is not None
    await visitor.sign_in(await visitor.get("/me/freeze"), provider.person())
    page = await visitor.get("/me/freeze")
    await visitor.submit(page, page.forms[-1])
    assert await found.consent.freezes.of(account.person) is None
    told = await visitor.get("/me/told")
    await visitor.submit(told, told.forms[-1], channel="phone")
    assert (await subjects(provider))[-1] == "Cara kami mengabari Anda diubah", "by mail too, although it is left out from now on"
