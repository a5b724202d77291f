"""Reading through the door in a whole provider: what a service gets, what it never gets, and the entry behind each read."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from consent.errors import LogBusy, LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind

if TYPE_CHECKING:
    from consent.access_log.records import HistoryEntry
    from tests.support.running import Person, Provider


async def account_of(provider: Provider, person: Person | None = None) -> str:
    email = (person or provider.person()).email
    return (await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, email)))[0].person


async def entries(provider: Provider, action: str, person: Person | None = None) -> list[HistoryEntry]:
    return list(await provider.services.consent.access_log.history(await account_of(provider, person), action=action))


async def withdraw(provider: Provider) -> None:
    for grant in await provider.services.consent.ledger.of_person(await account_of(provider)):
        await provider.services.consent.ledger.withdraw(grant.id)


async def test_a_service_gets_what_was_allowed_and_the_entry_stands_before_it_has_the_answer(provider: Provider) -> None:
    tokens = await provider.tokens()
    answer = await provider.userinfo(tokens["access_token"])
    claims = answer.json()
    assert claims.pop("sub")
    assert claims.pop("updated_at") <= provider.clock().timestamp()
    assert claims == {"name": "Siti Rahmawati", "email": "siti@example.com", "email_verified": True}
    entry = (await entries(provider, "disclose"))[0]
    assert entry.entry_id == answer.headers["x-access-log-id"]
    assert entry.claims == ("email", "name")
    assert entry.record["client"] == "aduan"
    assert entry.record["channel"] == "userinfo"


async def test_the_nik_goes_where_a_law_demands_it_and_the_address_is_an_object(provider: Provider) -> None:
    izin = provider.application("izin")
    claims = (await provider.userinfo((await provider.tokens(app=izin))["access_token"])).json()
    assert claims["nik"] == provider.person().nik
    assert claims["address"]["locality"] == "Balikpapan"
    assert (await entries(provider, "disclose"))[0].record["legal_ref"].startswith("PP 5/2021")


async def test_asking_for_the_nik_elsewhere_yields_none(provider: Provider) -> None:
    asked = '{"userinfo": {"nik": {"essential": true}, "birthdate": null}}'
    claims = (await provider.userinfo((await provider.tokens(claims=asked))["access_token"])).json()
    assert "nik" not in claims
    assert "birthdate" not in claims


async def test_a_paused_nik_is_not_read_and_everything_else_is(provider: Provider) -> None:
    tokens = await provider.tokens(app=provider.application("izin"))
    await provider.services.accounts.pause_nik(await account_of(provider), provider.clock() + dt.timedelta(hours=24))
    claims = (await provider.userinfo(tokens["access_token"])).json()
    assert "nik" not in claims
    assert claims["name"] == "Siti Rahmawati"
    assert "nik" not in (await entries(provider, "disclose"))[0].claims


async def test_after_withdrawal_nothing_is_read_and_the_attempt_is_an_entry_once_a_minute(provider: Provider) -> None:
    tokens = await provider.tokens()
    await withdraw(provider)
    for _ in range(3):
        answer = await provider.userinfo(tokens["access_token"])
        assert answer.status_code in {401, 403}
        assert "siti" not in answer.text.lower()
    assert await entries(provider, "disclose") == []
    denied = await entries(provider, "denied")
    assert [entry.record["outcome"] for entry in denied] == ["withdrawn"]


async def test_an_attempt_is_an_entry_too_when_the_page_has_ended_the_authorization_and_none_after_signing_out(provider: Provider) -> None:
    """The page ends authorizations at once, so that a service that goes on asking meets that end, not the permission's."""
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    (grant,) = await provider.services.consent.ledger.of_person(await account_of(provider))
    await provider.services.authorizations.revoke_by_grant(grant.id, provider.clock())  # as signing out does
    assert (await provider.userinfo(tokens["access_token"])).status_code == 401
    assert await entries(provider, "denied") == []
    page = await visitor.get(f"/me/permissions/{grant.id}")
    await visitor.submit(page, page.forms[-1])
    for _ in range(2):
        assert (await provider.userinfo(tokens["access_token"])).status_code == 401
    (denied,) = await entries(provider, "denied")
    assert (denied.record["outcome"], denied.claims, denied.grant) == ("withdrawn", ("email", "name", "phone_number"), grant.id)


async def test_after_the_grants_time_nothing_is_read(provider: Provider) -> None:
    tokens = await provider.tokens(scope="openid profile email offline_access", prompt="consent")
    provider.clock.move(days=29)
    renewed = (await provider.refresh(tokens["refresh_token"])).json()
    grant = (await provider.services.consent.ledger.of_person(await account_of(provider)))[0]
    assert grant.expires_at is not None
    ahead = grant.expires_at - provider.clock()
    await provider.services.consent.ledger.invalidate(grant.id, None)
    assert ahead > dt.timedelta()
    assert (await provider.userinfo(renewed["access_token"])).status_code in {401, 403}


@pytest.mark.parametrize("error", [LogUnavailable("down"), LogBusy(2)])
async def test_with_the_log_down_the_answer_is_503_and_holds_nothing(
    provider: Provider, monkeypatch: pytest.MonkeyPatch, error: LogUnavailable
) -> None:
    tokens = await provider.tokens()

    async def down(*_: object) -> None:
        raise error

    monkeypatch.setattr(provider.services.consent.access_log, "append", down)
    answer = await provider.userinfo(tokens["access_token"])
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) > 0
    assert "siti" not in answer.text.lower()


async def test_a_person_without_the_value_has_no_claim_and_no_false_entry(provider: Provider) -> None:
    tokens = await provider.tokens(person=provider.person("sukarni"), claims='{"userinfo": {"nickname": null}}')
    claims = (await provider.userinfo(tokens["access_token"])).json()
    assert "nickname" not in claims
    assert (await entries(provider, "disclose", provider.person("sukarni")))[0].claims == ("email", "name")


async def test_a_newer_declaration_takes_away_at_once_and_adds_nothing(provider: Provider) -> None:
    from idp.demo.seed import PURPOSES

    tokens = await provider.tokens()
    text = (PURPOSES / "aduan.toml").read_text(encoding="utf-8").replace('claim = "email"', 'claim = "gender"')
    await provider.services.consent.purposes.add(text)
    claims = (await provider.userinfo(tokens["access_token"])).json()
    assert "email" not in claims
    assert "gender" not in claims
    assert claims["name"] == "Siti Rahmawati"


async def test_a_sign_in_without_data_reads_nothing_and_writes_no_read(provider: Provider) -> None:
    tokens = await provider.tokens(scope="openid")
    answer = await provider.userinfo(tokens["access_token"])
    assert set(answer.json()) == {"sub"}
    assert "x-access-log-id" not in answer.headers
    assert await entries(provider, "disclose") == []
