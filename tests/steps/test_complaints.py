"""law.md R16, ui.md: "this seems wrong" becomes a complaint with a number; staff answer it; its words die with the account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp.accounts.records import Identifier, IdentifierKind
from idp.complaints.records import ComplaintState
from idp.protocol import complaints, erasure
from idp.protocol.resealing import reseal
from tests.support.mailbox import letters

if TYPE_CHECKING:
    from idp.complaints.records import Complaint
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

WORDS = "Saya tidak pernah ke loket itu."
REASON = "Memeriksa aduan warga"


async def reader(provider: Provider) -> tuple[Visitor, str]:
    """Give somebody whose data a service has read, and the person's id."""
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person().email))
    return visitor, account.person


async def newest(provider: Provider, person: str) -> int:
    return (await provider.services.consent.access_log.history(person, limit=1))[0].index


async def complained(provider: Provider, visitor: Visitor, person: str, text: str = WORDS) -> Page:
    page = await visitor.get(f"/me/history/{await newest(provider, person)}/wrong")
    return await visitor.submit(page, page.forms[-1], text=text)


async def only(provider: Provider, person: str) -> Complaint:
    (complaint,) = await provider.services.complaints.of_person(person)
    return complaint


async def dpo(provider: Provider) -> Visitor:
    visitor = await provider.visitor()
    page = await visitor.sign_in(await visitor.get("/login?next=/complaints"), provider.person("dpo"))
    assert page.path == "/complaints", page.text
    return visitor


async def test_from_the_entry_to_the_answer(provider: Provider) -> None:
    visitor, person = await reader(provider)
    history = await visitor.get("/me/history")
    index = await newest(provider, person)
    assert f"/me/history/{index}/wrong" in history.text
    asked = await visitor.get(f"/me/history/{index}/wrong")
    fields = asked.forms[-1].fields | {"text": WORDS}
    page = await visitor.post(asked.url, fields)
    complaint = await only(provider, person)
    assert (page.path, complaint.number in page.text, WORDS in page.text) == (f"/me/complaints/{complaint.id}", True, True)
    assert (await visitor.post(asked.url, fields)).path == page.path  # sent twice, it is one
    assert (await visitor.get(f"/me/history/{index}/wrong")).path == page.path
    assert [letter.subject for letter in await letters(provider, provider.person().email)][-1] == "Aduan Anda diterima"

    officer = await dpo(provider)
    listed = await officer.get("/complaints")
    assert (complaint.number in listed.text, "Dinas Komunikasi" in listed.text, WORDS in listed.text) == (True, True, False)
    closed = await officer.get(f"/complaints/{complaint.id}")
    assert WORDS not in closed.text
    short = await officer.submit(closed, closed.form("reason"), reason="cek")
    assert (short.status, WORDS in short.text, await newest(provider, person)) == (422, False, index)
    opened = await officer.submit(closed, closed.form("reason"), reason=REASON)
    assert (opened.status, WORDS in opened.text, "Aduan Warga" in opened.text) == (200, True, True)
    assert "Menerima dan menjawab aduan Anda" in opened.text, "the purpose by its title, not by its id"
    look = (await provider.services.consent.access_log.history(person, limit=1))[0]
    assert (look.record["action"], look.record["claims"], look.record["actor"]["type"]) == ("consult", ["complaint"], "dpo")
    assert look.record["reason"] == f"{complaint.number}: {REASON}"
    form = next(form for form in opened.forms if form.action.endswith("/answer"))
    await officer.submit(opened, form, answer="Kami periksa: itu permintaan Anda sendiri.")
    await officer.submit(opened, form, answer="Jawaban yang kedua tidak dipakai.")
    page = await visitor.get(f"/me/complaints/{complaint.id}")
    assert ("itu permintaan Anda sendiri" in page.text, "yang kedua" in page.text) == (True, False)
    assert [letter.subject for letter in await letters(provider, provider.person().email)][-1] == "Aduan Anda dijawab"
    assert REASON in (await visitor.get("/me/history")).text


async def test_an_answer_that_does_not_satisfy_goes_to_the_data_protection_officer_and_so_does_silence(provider: Provider) -> None:
    visitor, person = await reader(provider)
    first = await complained(provider, visitor, person)
    complaint = await only(provider, person)
    found = provider.services
    provider.clock.move(hours=73)
    assert (await complaints.escalate_due(found), await complaints.escalate_due(found)) == (1, 0)
    subjects = [letter.subject for letter in await letters(provider)]
    assert subjects.count("Aduan Anda diteruskan") >= 1
    assert [letter.subject for letter in await letters(provider, provider.person("dpo").email)] == ["Aduan menunggu jawaban Anda"]
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    page = await visitor.get(first.path)
    assert "tidak menjawab dalam 72 jam" in page.text
    assert (await visitor.post(first.path, {})).status == 403
    await found.complaints.answer(await only(provider, person), complaint.text or b"", found.clock(), "P-1")
    assert not (await only(provider, person)).may_escalate


async def test_nobody_complains_of_anothers_entry_nor_reads_anothers_complaint(provider: Provider) -> None:
    visitor, person = await reader(provider)
    page = await complained(provider, visitor, person)
    other = await provider.visitor()
    await other.sign_in(await other.get("/login"), provider.person("dewi"))
    index = await newest(provider, person)
    assert [(await other.get(path)).status for path in (page.path, f"/me/history/{index}/wrong", "/me/history/999999/wrong")] == [404] * 3
    assert (await other.get(f"/complaints/{page.path.rpartition('/')[2]}")).status == 404
    assert (await other.get("/complaints")).status == 404
    assert (await visitor.post(f"/me/history/{index}/wrong", {"text": WORDS})).status == 403


async def test_a_text_that_is_none_is_refused_and_kept_in_the_form_and_there_is_an_end_to_complaints(provider: Provider) -> None:
    visitor, person = await reader(provider)
    page = await complained(provider, visitor, person, "abc")
    assert (page.status, ">\nabc</textarea>" in page.text) == (422, True)
    assert await provider.services.complaints.of_person(person) == []
    for _ in range(10):
        await provider.services.limits.complaint(person)
    page = await complained(provider, visitor, person)
    assert (page.status, WORDS in page.text, await provider.services.complaints.of_person(person)) == (429, True, [])


async def test_the_words_rest_sealed_follow_a_newer_key_and_die_with_the_account(provider: Provider) -> None:
    visitor, person = await reader(provider)
    await complained(provider, visitor, person)
    found = provider.services
    before = await only(provider, person)
    assert WORDS.encode() not in (before.text or b"")
    await found.keyring.subject_keys.rotate(person)
    provider.clock.move(hours=1)
    await reseal(found)
    after = await only(provider, person)
    assert after.text != before.text
    assert (await complaints.own_words(found, after)).text == WORDS
    await erasure.erase(found, person)
    gone = await found.complaints.by_number(before.number)
    assert gone
    assert (gone.person, gone.entry_id, gone.text, gone.state) == (None, None, None, ComplaintState.CLOSED)


async def test_an_officer_answers_for_the_own_agency_only_and_not_what_went_on(provider: Provider) -> None:
    from idp.handling.rules import may_handle
    from idp.staff.records import Appointment, Role

    visitor, person = await reader(provider)
    await complained(provider, visitor, person)
    complaint = await only(provider, person)
    now = provider.clock()
    theirs, others = (Appointment(Role.OFFICER, agency, None, now, "r") for agency in (complaint.agency, "lain"))
    assert (may_handle(theirs, complaint), may_handle(others, complaint)) == (True, False)
    passed = await complaints.escalate(provider.services, complaint)
    assert passed
    assert (may_handle(theirs, passed), may_handle(Appointment(Role.DPO, None, None, now, "r"), passed)) == (False, True)
    assert not may_handle(Appointment(Role.AUDITOR, complaint.agency, None, now, "r"), complaint)


async def test_nobody_answers_a_complaint_about_themselves(provider: Provider) -> None:
    visitor, person = await reader(provider)
    await complained(provider, visitor, person)
    staff = await dpo(provider)
    complaint = await only(provider, person)
    page = await staff.get(f"/complaints/{complaint.id}")
    await staff.submit(page, page.form("reason"), reason=REASON)  # a look that is an entry of the citizen
    await complained(provider, visitor, person, "Mengapa Anda melihat aduan saya?")
    (about_look,) = [one for one in await provider.services.complaints.of_person(person) if one.id != complaint.id]
    page = await staff.get(f"/complaints/{about_look.id}")
    page = await staff.submit(page, page.form("reason"), reason=REASON)
    refused = await staff.submit(page, page.form("answer"), answer="Itu tugas saya, tidak apa-apa.")
    assert (refused.status, "Orang lain" in refused.text) == (403, True)
    page = await staff.get(f"/complaints/{complaint.id}")
    page = await staff.submit(page, page.form("reason"), reason=REASON)
    assert (await staff.submit(page, page.form("answer"), answer="Sudah kami periksa.")).status == 200
