"""The card in a whole provider: what it shows, what an answer does, and that nobody is left standing in front of it."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from consent.errors import LogUnavailable
from consent.records import GrantState

if TYPE_CHECKING:
    from consent.records import Grant
    from tests.support.running import Asked, Person, Provider
    from tests.support.visitor import Page, Visitor


async def at_the_card(
    provider: Provider, application: str = "aduan", person: Person | None = None, **parameters: str | None
) -> tuple[Visitor, Page, Asked]:
    visitor, asked = await provider.visitor(), provider.ask(provider.application(application), **parameters)
    page = await visitor.sign_in(await visitor.get(asked.url), person or provider.person())
    assert page.path == "/approve", page.text
    return visitor, page, asked


async def grants(provider: Provider, person: Person | None = None) -> list[Grant]:
    from idp.accounts.records import Identifier, IdentifierKind

    person = person or provider.person()
    account = (await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, person.email)))[0]
    return list(await provider.services.consent.ledger.of_person(account.person))


def seen(page: Page) -> str:
    """The text of a page as it is read."""
    body = re.sub(r"<(script|style).*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


async def test_the_consent_card_says_who_asks_for_what_with_the_values_and_what_a_no_means(provider: Provider) -> None:
    _, page, _ = await at_the_card(provider)
    text = seen(page)
    for part in (
        "Izinkan Aduan Warga membaca data Anda?",
        "Dinas Komunikasi dan Informatika",
        provider.person().name,
        "siti@example.com",
        "Diperiksa petugas",
        "Agar petugas tahu siapa yang mengadu.",
        "0812-5000-0001",
        "Dua tahun setelah aduan selesai",
        "UU 27/2022 Pasal 20",
        "Izin berlaku satu tahun.",
        "Izin dapat dicabut kapan saja",
        "Petugas aduan dan dinas",
        provider.settings.dpo_contact,
        "Tidak ada data yang dibaca.",
    ):
        assert part in text, part
    form = page.form("approve", "deny")
    assert form.switches == {"allow-phone_number": "on"}
    assert page.text.count('id="approve"') == page.text.count('id="deny"') == 1


async def test_every_line_of_the_kept_text_stands_on_the_card(provider: Provider) -> None:
    for application in ("aduan", "izin"):
        for language in ("id", "en"):
            visitor, page, _ = await at_the_card(provider, application)
            page = await visitor.get(f"{page.url}&lang={language}")
            await visitor.allow(page)
            grant = next(grant for grant in await grants(provider) if grant.client == application)
            event = (await provider.services.consent.ledger.events(grant.id))[-1]
            text = await provider.services.consent.ledger.text_of(event.text_hash or "")
            assert text is not None
            assert event.language == language
            shown = seen(page)
            for line in filter(None, text.splitlines()):
                for part in re.split(r": |\* |\[|\] ?", line):
                    assert part.strip(" :") in shown, part
            assert provider.person().name not in text
            await provider.services.consent.ledger.withdraw(grant.id)


async def test_the_notice_card_names_the_law_shows_the_nik_by_its_ends_and_has_no_false_choice(provider: Provider) -> None:
    _, page, _ = await at_the_card(provider, "izin")
    text = seen(page)
    assert "Wajib menurut PP 5/2021" in text
    assert "6471••••••••0001" in text
    assert provider.person().nik not in page.text
    assert "Izinkan" not in text
    assert page.form("approve", "deny").switches == {}


async def test_a_notice_of_public_service_leaves_the_optional_to_the_citizen(provider: Provider) -> None:
    _, page, _ = await at_the_card(provider, "antrean")
    assert "Boleh Anda izinkan juga" in seen(page)
    assert page.form("approve").switches == {"allow-phone_number": "on"}


async def test_yes_lands_back_with_a_code_and_only_what_was_switched_on(provider: Provider) -> None:
    visitor, page, asked = await at_the_card(provider)
    answer = (await visitor.allow(page)).answer
    assert answer["state"] == asked.state
    assert answer["code"]
    grant = (await grants(provider))[0]
    assert grant.state is GrantState.ACTIVE
    assert grant.claims == {"name", "email"}
    assert grant.offered == {"name", "email", "phone_number"}


async def test_what_is_switched_on_is_allowed(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.submit(page, page.form("approve"), press="approve", **{"allow-phone_number": "on"})
    assert (await grants(provider))[0].claims == {"name", "email", "phone_number"}


async def test_a_switch_that_was_not_on_the_card_does_nothing(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.submit(page, page.form("approve"), press="approve", **{"allow-nik": "on", "allow-address": "on"})
    assert (await grants(provider))[0].claims == {"name", "email"}


async def test_no_tells_the_service_and_is_remembered(provider: Provider) -> None:
    visitor, page, asked = await at_the_card(provider)
    answer = (await visitor.deny(page)).answer
    assert (answer["error"], answer["state"]) == ("access_denied", asked.state)
    assert (await grants(provider))[0].state is GrantState.REFUSED


async def test_no_works_while_the_log_is_down_and_yes_says_come_back(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor, page, _ = await at_the_card(provider)

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(provider.services.consent.access_log, "append", down)
    refused = await visitor.allow(page)
    assert refused.status == 503
    assert "Tidak ada data Anda yang dibagikan" in seen(refused)
    assert (await visitor.deny(page)).answer["error"] == "access_denied"


async def test_the_second_time_there_is_no_card(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    assert (await visitor.get(provider.ask().url)).answer["code"]


async def test_prompt_consent_shows_the_card_again_and_then_goes_on(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    page = await visitor.get(provider.ask(prompt="consent").url)
    assert page.path == "/approve"
    assert (await visitor.allow(page)).answer["code"]


async def test_after_withdrawal_and_after_twelve_months_the_card_comes_back(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    await provider.services.consent.ledger.withdraw((await grants(provider))[0].id)
    page = await visitor.get(provider.ask().url)
    assert page.path == "/approve"
    await visitor.allow(page)
    provider.clock.move(days=365)
    page = await visitor.sign_in(await visitor.get(provider.ask().url), provider.person())
    assert page.path == "/approve"


async def test_a_new_version_of_the_purpose_shows_the_card_again(provider: Provider) -> None:
    from idp.demo.seed import PURPOSES

    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    changed = (PURPOSES / "aduan.toml").read_text(encoding="utf-8").replace("Dua tahun setelah", "Lima tahun setelah")
    await provider.services.consent.purposes.add(changed)
    page = await visitor.get(provider.ask().url)
    assert page.path == "/approve"
    assert "Lima tahun setelah" in seen(page)


async def test_an_answer_to_a_text_that_changed_meanwhile_shows_the_new_text_first(provider: Provider) -> None:
    from idp.demo.seed import PURPOSES

    visitor, page, _ = await at_the_card(provider)
    changed = (PURPOSES / "aduan.toml").read_text(encoding="utf-8").replace("Dua tahun setelah", "Lima tahun setelah")
    await provider.services.consent.purposes.add(changed)
    again = await visitor.allow(page)
    assert (again.status, again.path) == (409, "/approve")
    assert "baru saja berubah" in seen(again)
    assert (await visitor.allow(again)).answer["code"]


async def test_the_card_can_be_read_in_english_and_answered_so(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    page = await visitor.get(f"{page.url}&lang=en")
    assert "Allow Aduan Warga to read your data?" in seen(page)
    assert (await visitor.allow(page)).answer["code"]
    assert (await grants(provider))[0].language == "en"


async def test_a_double_submit_is_one_permission_and_leads_on(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    form = page.form("approve")
    fields = {**form.fields, "approve": "yes"}
    first = await visitor.client.post(form.action, data=fields)
    second = await visitor.client.post(form.action, data=fields)
    assert first.status_code == second.status_code == 303
    assert urlsplit(second.headers["location"]).path == "/authorize"
    grant = (await grants(provider))[0]
    kinds = [event.kind.value for event in await provider.services.consent.ledger.events(grant.id)]
    assert kinds == ["requested", "given"]
    assert (await visitor.get(second.headers["location"])).answer["code"]


async def test_the_back_button_after_the_answer_leads_on_with_a_sentence(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    back = await visitor.get(page.url)
    assert back.status == 409
    assert "<a " in back.text


async def test_a_second_tab_that_was_answered_in_the_first_goes_on_without_asking(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    other = await visitor.get(provider.ask().url)
    assert other.path == "/approve"
    assert (await visitor.allow(page)).answer["code"]
    assert (await visitor.get(other.url)).answer["code"]
    assert len(await grants(provider)) == 1


async def test_answering_the_second_tab_too_goes_on_without_a_second_permission(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    other = await visitor.get(provider.ask().url)
    await visitor.allow(page)
    assert (await visitor.allow(other)).answer["code"]
    assert len(await provider.services.consent.ledger.events((await grants(provider))[0].id)) == 2


async def test_an_expired_card_says_so(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    provider.clock.move(hours=10)
    late = await visitor.get(page.url)
    assert late.status == 410
    assert "<a " in late.text


async def test_another_browser_does_not_see_the_card(provider: Provider) -> None:
    _, page, _ = await at_the_card(provider)
    stranger = await provider.visitor()
    await stranger.get("/login")
    foreign = await stranger.get(page.url)
    assert foreign.status == 403
    assert provider.person().name not in foreign.text


async def test_a_made_up_interaction_is_refused(provider: Provider) -> None:
    visitor, _, _ = await at_the_card(provider)
    for query in ("", "?interaction=", "?interaction=x", "?interaction=" + "x" * 5000):
        page = await visitor.get(f"/approve{query}")
        assert page.status in {400, 403, 410}, query


async def test_an_answer_without_the_pages_own_token_changes_nothing(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    form = page.form("approve")
    refused = await visitor.post(form.action, {"approve": "yes", "card": form.fields["card"]})
    assert refused.status == 403
    assert (await grants(provider))[0].state is GrantState.REQUESTED


async def test_an_answer_that_is_neither_yes_nor_no_shows_the_card(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    again = await visitor.post(page.form("approve").action, page.form("approve").fields)
    assert again.path == "/approve"
    assert (await grants(provider))[0].state is GrantState.REQUESTED


async def test_with_a_new_sign_in_demanded_nobodys_values_are_shown(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    await visitor.allow(page)
    login = await visitor.get(provider.ask(provider.application("antrean"), prompt="login").url)
    interaction = parse_qs(urlsplit(login.url).query)["interaction"][0]
    straight = await visitor.get(f"/approve?interaction={interaction}")
    assert straight.path == "/login"


async def test_signed_out_meanwhile_the_card_leads_to_sign_in(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider)
    for name in list(visitor.client.cookies):
        if "session" in name:
            visitor.client.cookies.delete(name)
    assert (await visitor.get(page.url)).path == "/login"


async def test_a_nik_that_nobody_checked_sends_to_the_counter_with_place_and_papers(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider, "izin", provider.person("dewi"))
    text = seen(page)
    assert page.status == 403
    assert "Disdukcapil" in text
    assert "KTP-el asli" in text
    assert "PP 5/2021" in text
    answer = (await visitor.deny(page)).answer
    assert answer["error"] == "access_denied"


async def test_pressing_yes_against_the_counter_page_changes_nothing(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider, "izin", provider.person("dewi"))
    form = page.form("deny")
    again = await visitor.post(form.action, {**form.fields, "approve": "yes"})
    assert again.status == 403
    assert [grant.state for grant in await grants(provider, provider.person("dewi"))] in ([], [GrantState.REQUESTED])


async def test_a_sign_in_that_asks_for_no_data_says_so(provider: Provider) -> None:
    visitor, page, _ = await at_the_card(provider, scope="openid")
    assert "tidak membaca data pribadi" in seen(page)
    assert (await visitor.allow(page)).answer["code"]


async def test_a_single_word_name_is_a_name(provider: Provider) -> None:
    _, page, _ = await at_the_card(provider, person=provider.person("sukarni"))
    assert "Sukarni" in seen(page)


@pytest.mark.parametrize("purpose", ["aduan", "antrean", "izin-usaha"])
async def test_every_purpose_has_a_public_page_in_both_languages(provider: Provider, purpose: str) -> None:
    visitor = await provider.visitor()
    for language, word in (("id", "Hak Anda"), ("en", "Your rights")):
        page = await visitor.get(f"/purposes/{purpose}?lang={language}")
        assert page.status == 200
        assert word in seen(page)
    assert f"/purposes/{purpose}" in (await visitor.get("/purposes")).text


@pytest.mark.parametrize("path", ["/purposes/none", "/purposes/aduan?version=9", "/purposes/aduan?version=x", "/purposes/aduan?version=-1"])
async def test_a_purpose_that_was_not_declared_has_no_page(provider: Provider, path: str) -> None:
    page = await (await provider.visitor()).get(path)
    assert page.status == 404
    assert "<a " in page.text


async def test_an_old_version_stays_readable_and_says_that_it_is_old(provider: Provider) -> None:
    from idp.demo.seed import PURPOSES

    changed = (PURPOSES / "aduan.toml").read_text(encoding="utf-8").replace("Dua tahun setelah", "Lima tahun setelah")
    await provider.services.consent.purposes.add(changed)
    page = await (await provider.visitor()).get("/purposes/aduan?version=1")
    assert "Dua tahun setelah" in seen(page)
    assert "bukan versi terbaru" in seen(page)


async def test_a_card_that_somebody_else_was_shown_is_shown_again_and_gives_nothing(provider: Provider) -> None:
    """One browser, two people: what Siti left open in one tab, Sukarni does not allow by accident in her own name."""
    visitor, page, _ = await at_the_card(provider)
    home = await visitor.get("/")
    await visitor.submit(home, next(form for form in home.forms if form.action == "/logout"))
    sukarni = provider.person("sukarni")
    await visitor.sign_in(await visitor.get("/login"), sukarni)
    answered = await visitor.allow(page)
    assert answered.status == 409
    assert sukarni.name in seen(answered)
    assert not [grant for grant in await grants(provider, sukarni) if grant.state is GrantState.ACTIVE]
    assert "code" in (await visitor.allow(answered)).answer
