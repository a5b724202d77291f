"""Two-person decisions on their pages: who may propose, who may decide, what is on record, and what is told once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from consent.access_log.search import Wanted, search
from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from idp.staff.records import Member, Role
from tests.support.registering import NAME

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])

LIST = "/console/proposals"
REASON = "Dugaan penyalahgunaan, ITKO 700/2026"


@pytest.fixture
def provider_settings() -> dict[str, Any]:
    return {"registration": "open"}


async def person_of(provider: Provider, key: str) -> str:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account.person


async def at_the_desk(provider: Provider, key: str) -> Visitor:
    visitor = await provider.visitor()
    page = await visitor.sign_in(await visitor.get(f"/login?next={LIST}"), provider.person(key))
    assert page.path == LIST
    return visitor


async def an_officer(provider: Provider, key: str = "dewi") -> Member:
    member = await provider.services.staff.appoint(
        await person_of(provider, key), Role.OFFICER, provider.clock(), by="test", agency="dinkes"
    )
    assert isinstance(member, Member)
    return member


async def proposed(visitor: Visitor, about: str, **more: str) -> Page:
    page = await visitor.get(f"{LIST}/new/unseal")
    return await visitor.submit(page, page.form("pseudonym"), **{"pseudonym": about, "law": "UU 27/2022 Art. 31", "reason": REASON} | more)


async def decided(visitor: Visitor, path: str, decision: str) -> Page:
    """Press a button, also one that the page does not offer."""
    page = await visitor.get(path)
    for form in page.forms:
        if "decision" in form.buttons:
            return await visitor.post(path, {**form.fields, "decision": decision})
    return page


async def records(provider: Provider) -> list[str]:
    found = await search(provider.services.consent.database, Wanted(), 50)
    return [f"{one.record['action']} {one.record.get('reason', '')}" for one in found.records]


async def confirmed_once(provider: Provider) -> bool:
    """Tell whether the log has one confirmation more than it takes back: who came too late is said to have."""
    said = await records(provider)
    return sum("[confirms " in line for line in said) == 1 + sum("[came too late to confirm " in line for line in said)


async def test_a_name_is_told_once_when_two_people_wanted_it_and_its_owner_sees_it(provider: Provider) -> None:
    officer = await an_officer(provider)
    auditor, administrator = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "administrator")
    page = await proposed(auditor, officer.pseudonym)
    assert page.path.startswith(f"{LIST}/")
    assert "decision" in page.form("decision").buttons
    assert (await decided(auditor, page.path, "confirm")).status == 403  # never one's own
    assert (await decided(auditor, page.path, "open")).status == 409
    assert (await decided(administrator, page.path, "confirm")).path == page.path
    assert (await decided(administrator, page.path, "open")).status in {200, 409}  # only its proposer is shown the name
    name = provider.person("dewi").name
    assert name not in (await administrator.get(page.path)).text
    shown = await decided(auditor, page.path, "open")
    assert name in shown.text
    again = await auditor.get(page.path)
    assert name not in again.text
    told = await records(provider)
    assert sum(line.startswith("audit") and "proposes unseal" in line for line in told) == 1
    assert sum("confirms unseal" in line and "proposed by P-" in line for line in told) == 1
    (entry, *_) = await provider.services.consent.access_log.history(await person_of(provider, "dewi"), limit=1)
    assert (entry.action, entry.claims, entry.record["legal_ref"]) == ("consult", ("name",), "UU 27/2022 Art. 31")
    assert "confirmed by P-" in entry.record["reason"]


async def test_of_two_who_confirm_at_once_one_does(provider: Provider) -> None:
    officer = await an_officer(provider)
    auditor = await at_the_desk(provider, "auditor")
    page = await proposed(auditor, officer.pseudonym)
    others = [await at_the_desk(provider, "administrator"), await at_the_desk(provider, "dpo")]
    answers = await asyncio.gather(*(decided(other, page.path, "confirm") for other in others))
    assert sorted(answer.status for answer in answers) == [200, 409]
    assert await confirmed_once(provider)


async def test_whose_name_it_is_has_no_say(provider: Provider) -> None:
    administrator = await provider.services.staff.of_person(await person_of(provider, "administrator"))
    assert administrator is not None
    auditor, himself = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "administrator")
    page = await proposed(auditor, administrator.pseudonym)
    form = page.form("decision")
    assert not any("decision" in form.buttons for form in (await himself.get(page.path)).forms)
    another = await proposed(auditor, (await an_officer(provider)).pseudonym)
    token = (await himself.get(another.path)).form("decision").fields
    for decision in ("confirm", "refuse"):
        assert (await himself.post(page.path, {**token, "decision": decision})).status == 403
    assert (await auditor.post(page.path, {**form.fields, "decision": "refuse"})).status == 200  # who proposed it takes it back


async def test_what_is_refused_stays_refused(provider: Provider) -> None:
    officer = await an_officer(provider)
    auditor, dpo = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "dpo")
    page = await proposed(auditor, officer.pseudonym)
    form = page.form("decision")
    assert (await decided(dpo, page.path, "refuse")).status == 200
    for decision, status in (("confirm", 403), ("open", 409), ("refuse", 409), ("", 400), ("delete", 400)):
        assert (await auditor.post(page.path, {**form.fields, "decision": decision})).status == status


async def test_a_proposal_that_cannot_be_is_told_so_and_not_recorded(provider: Provider) -> None:
    officer = await an_officer(provider)
    auditor = await at_the_desk(provider, "auditor")
    size = (await provider.services.consent.access_log.status()).size
    for wrong in ({"pseudonym": "P-00000000"}, {"pseudonym": "Dewi"}, {"law": ""}, {"law": "<b>"}, {"reason": "iseng"}):
        assert (await proposed(auditor, officer.pseudonym, **wrong)).status == 422
    assert (await provider.services.consent.access_log.status()).size == size
    assert list(await provider.services.proposals.newest()) == []


async def test_with_the_log_down_nothing_is_proposed_decided_or_told(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    officer = await an_officer(provider)
    auditor, dpo = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "dpo")
    page = await proposed(auditor, officer.pseudonym)
    new = await auditor.get(f"{LIST}/new/unseal")

    async def down(*_: object, **__: object) -> None:
        raise LogUnavailable("down")

    with monkeypatch.context() as patch:
        patch.setattr(provider.services.consent.access_log, "append", down)
        fields = {"pseudonym": officer.pseudonym, "law": "UU 27/2022", "reason": REASON}
        assert (await auditor.submit(new, new.form("pseudonym"), **fields)).status == 503
        assert (await decided(dpo, page.path, "confirm")).status == 503
    assert len(await provider.services.proposals.newest()) == 1
    await decided(dpo, page.path, "confirm")
    with monkeypatch.context() as patch:
        patch.setattr(provider.services.consent.access_log, "append", down)
        assert (await decided(auditor, page.path, "open")).status == 503
    assert provider.person("dewi").name in (await decided(auditor, page.path, "open")).text  # it was not used up by the failure


async def test_only_their_roles_propose_and_strangers_see_no_page(provider: Provider) -> None:
    auditor, administrator = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "administrator")
    assert (await auditor.get(f"{LIST}/new/purpose")).status == 404
    assert (await administrator.get(f"{LIST}/new/unseal")).status == 404
    assert (await auditor.get(f"{LIST}/new/nothing")).status == 404
    assert (await auditor.get(f"{LIST}/AAAAAAAAAAAAAAAAAAAAAA")).status == 404
    citizen = await provider.visitor()
    await citizen.sign_in(await citizen.get("/login"), provider.person("budi"))
    for path in (LIST, f"{LIST}/new/unseal", f"{LIST}/AAAAAAAAAAAAAAAAAAAAAA"):
        assert (await citizen.get(path)).status == 404
        assert (await citizen.post(path, {"decision": "confirm"})).status in {404, 405}


async def test_deciding_wants_a_sign_in_of_the_last_half_hour_and_a_form_of_this_browser(provider: Provider) -> None:
    officer = await an_officer(provider)
    auditor, dpo = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "dpo")
    page = await proposed(auditor, officer.pseudonym)
    form = page.form("decision")
    assert (await dpo.post(page.path, {"decision": "confirm"})).status == 403
    assert (await dpo.post(page.path, {**form.fields, "decision": "confirm"})).status == 403  # the auditor's token
    for _ in range(3):
        provider.clock.move(minutes=12)
        await dpo.get(LIST)
    assert (await dpo.get(page.path)).path == "/login"


async def test_a_purpose_is_approved_when_another_confirms(provider: Provider) -> None:
    client = await provider.client()
    document = {"client_name": NAME, "redirect_uris": ["https://app.test/cb"]}
    registered = (await client.post("/register", json=document)).json()["client_id"]
    administrator, dpo = await at_the_desk(provider, "administrator"), await at_the_desk(provider, "dpo")
    page = await administrator.get(f"{LIST}/new/purpose")
    page = await administrator.submit(page, page.form("client"), client=registered, purpose="antrean", reason=REASON)
    assert (await administrator.submit(page, page.form("decision"), press="decision")).path == page.path  # takes it back
    page = await administrator.get(f"{LIST}/new/purpose")
    assert (await administrator.submit(page, page.form("client"), client="aduan", purpose="antrean", reason=REASON)).status == 422
    page = await administrator.submit(page, page.form("client"), client=registered, purpose="antrean", reason=REASON)
    assert "antrean" not in _purposes(await provider.services.clients.get(registered))
    assert (await decided(administrator, page.path, "confirm")).status == 403
    seen = (await dpo.get(page.path)).text
    assert (NAME in seen, "https://app.test/cb" in seen) == (True, True)
    done = await decided(dpo, page.path, "confirm")
    assert "Selesai" in done.text
    provider.services.clients.forget()
    assert "antrean" in _purposes(await provider.services.clients.get(registered))
    told = await records(provider)
    assert any("confirms purpose" in line for line in told)
    assert any(line == "update purpose approved" for line in told)


async def test_an_application_that_changed_its_registration_meanwhile_is_not_approved(provider: Provider) -> None:
    client = await provider.client()
    document: dict[str, Any] = {"client_name": NAME, "redirect_uris": ["https://app.test/cb"]}
    mine = (await client.post("/register", json=document)).json()
    administrator, dpo = await at_the_desk(provider, "administrator"), await at_the_desk(provider, "dpo")
    page = await administrator.get(f"{LIST}/new/purpose")
    page = await administrator.submit(page, page.form("client"), client=mine["client_id"], purpose="antrean", reason=REASON)
    path = mine["registration_client_uri"].removeprefix(provider.settings.issuer)
    changed = document | {"client_id": mine["client_id"], "redirect_uris": ["https://thief.test/cb"]}
    token = {"authorization": f"Bearer {mine['registration_access_token']}"}
    assert (await client.put(path, json=changed, headers=token)).status_code == 200
    assert (await decided(dpo, page.path, "confirm")).status == 409
    provider.services.clients.forget()
    assert "antrean" not in _purposes(await provider.services.clients.get(mine["client_id"]))


def _purposes(client: Any) -> tuple[str, ...]:
    purposes: tuple[str, ...] = client.purposes
    return purposes
