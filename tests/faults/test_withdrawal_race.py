"""Withdrawing while an answer is on its way; and what refused reads leave in the log, however many processes refuse them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from consent.access_log import AccessLog
from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from idp.authorizations.store import AuthorizationStore
from idp.composition import compose
from idp.protocol import ending, release
from idp.protocol.release import NotReleased

if TYPE_CHECKING:
    from typing import Any

    from consent.records import Grant
    from tests.support.running import Provider


async def grant_of(provider: Provider) -> Grant:
    found = provider.services
    (siti,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person().email))
    (grant,) = [one for one in await found.consent.ledger.of_person(siti.person) if one.client == provider.application().client_id]
    return grant


async def test_a_permission_withdrawn_between_decision_and_code_gives_neither_code_nor_authorization(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor, person = await provider.visitor(), provider.person()
    await provider.tokens(visitor=visitor)
    grant, issue = await grant_of(provider), AuthorizationStore.issue

    async def after_a_withdrawal(self: AuthorizationStore, *given: Any, **more: Any) -> str:
        assert await ending.withdraw(provider.services, grant.id)
        return await issue(self, *given, **more)

    monkeypatch.setattr(AuthorizationStore, "issue", after_a_withdrawal)
    answer = (await visitor.walk(provider.ask().url, person)).answer
    assert (answer["error"], "code" in answer) == ("access_denied", False)
    assert await provider.services.authorizations.of_person(grant.person, provider.clock()) == []


async def test_refused_attempts_are_one_entry_a_minute_in_all_processes_together(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    await provider.tokens(scope="openid profile")
    grant, found = await grant_of(provider), provider.services
    (authorization,) = await found.authorizations.of_person(grant.person, provider.clock())
    await found.consent.ledger.withdraw(grant.id)

    async def attempts(services: Any, number: int) -> None:
        for _ in range(number):
            assert isinstance(await release.release(services, authorization, "userinfo", frozenset({"name"})), NotReleased)

    async with compose(provider.settings, clock=provider.clock, background=False) as another_process:
        with monkeypatch.context() as patch:
            patch.setattr(AccessLog, "append", _away)
            with pytest.raises(LogUnavailable):
                await attempts(found, 1)
        await attempts(found, 2)  # what could not be written does not count as written
        await attempts(another_process, 2)
        assert len(await found.consent.access_log.history(grant.person, action="denied")) == 1
        provider.clock.move(minutes=1, seconds=1)
        await attempts(another_process, 1)
    assert len(await found.consent.access_log.history(grant.person, action="denied")) == 2


async def _away(*_: object, **__: object) -> None:
    raise LogUnavailable("away")
