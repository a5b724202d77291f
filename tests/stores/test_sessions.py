"""Sessions: how long they live, with which amr (RFC 8176), who may go on with them, and what a new sign-in does to an old one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from idp.schema import metadata
from idp.sessions.labels import label
from idp.sessions.records import Participant, Session, SignIn
from tests.support.people import People, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName


@pytest.fixture
async def town(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    async with people(stores) as found:
        yield found


async def started(town: People, *, remembered: bool = False, replaces: str | None = None, person: str = "p") -> tuple[Session, str]:
    return await town.sessions.start(
        person=person, acr="aal1", amr=("pwd",), now=town.clock(), remembered=remembered, label="Chrome, Android", replaces=replaces
    )


async def test_a_token_finds_its_session_and_rests_only_as_a_digest(town: People, stores: dict[StoreName, Database]) -> None:
    session, token = await started(town)
    assert await town.sessions.by_token(token, town.clock()) == session
    assert await town.sessions.by_token(token + "x", town.clock()) is None
    async with stores["idp"].read() as connection:
        (row,) = (await connection.execute(sa.select(metadata.tables["sessions"]))).all()
    assert token not in str(row)


async def test_on_a_shared_device_a_session_ends_after_fifteen_idle_minutes(town: People) -> None:
    _, token = await started(town)
    assert await town.sessions.by_token(token, town.clock.move(minutes=4)) is not None
    assert await town.sessions.by_token(token, town.clock.move(minutes=16)) is None


async def test_use_keeps_a_session_alive_until_its_absolute_end(town: People) -> None:
    _, token = await started(town)
    for _ in range(12 * 60 // 4 - 1):
        assert await town.sessions.by_token(token, town.clock.move(minutes=4)) is not None
    assert await town.sessions.by_token(token, town.clock.move(minutes=4)) is None


async def test_after_five_idle_minutes_a_shared_device_is_unattended_until_somebody_says_who_is_there(town: People) -> None:
    _, token = await started(town)
    found = await town.sessions.by_token(token, town.clock.move(minutes=6))
    assert found is not None
    assert found.unattended
    again = await town.sessions.by_token(token, town.clock.move(minutes=2))
    assert again is not None
    assert again.unattended  # a look does not touch it
    await town.sessions.seen(again, town.clock())
    attended = await town.sessions.by_token(token, town.clock())
    assert attended is not None
    assert not attended.unattended


async def test_a_service_in_use_keeps_the_session_but_not_the_person_at_the_screen(town: People) -> None:
    session, token = await started(town)
    await town.sessions.touch(session.id, town.clock.move(minutes=14))
    assert (await town.sessions.get(session.id, town.clock.move(minutes=14))) is not None
    assert await town.sessions.by_token(token, town.clock()) is None  # whoever sits there now is not the person who left


async def test_a_remembered_device_is_never_unattended_and_lives_for_a_month_of_rest(town: People) -> None:
    _, token = await started(town, remembered=True)
    found = await town.sessions.by_token(token, town.clock.move(days=29))
    assert found is not None
    assert not found.unattended
    assert await town.sessions.by_token(token, town.clock.move(days=31)) is None


async def test_signing_in_again_changes_the_token_and_keeps_what_services_know(town: People) -> None:
    first, old = await started(town)
    sid = await town.sessions.sid(first.id, "aduan")
    second, new = await started(town, replaces=first.id)
    assert second.id == first.id
    assert await town.sessions.by_token(old, town.clock()) is None
    assert await town.sessions.by_token(new, town.clock()) is not None
    assert await town.sessions.sid(second.id, "aduan") == sid


async def test_somebody_else_signing_in_ends_the_session_before(town: People) -> None:
    first, old = await started(town)
    second, _ = await started(town, replaces=first.id, person="q")
    assert second.id != first.id
    assert await town.sessions.by_token(old, town.clock()) is None
    assert await town.sessions.of_person("p", town.clock()) == []


async def test_a_step_up_changes_the_token(town: People) -> None:
    session, old = await started(town)
    raised = await town.sessions.raise_to(session.id, "aal2", ("pwd", "otp", "mfa"), town.clock.move(minutes=1))
    assert raised is not None
    assert (raised[0].acr, raised[0].auth_time) == ("aal2", town.clock())
    assert await town.sessions.by_token(old, town.clock()) is None
    await town.sessions.end(session.id, town.clock())
    assert await town.sessions.raise_to(session.id, "aal2", ("pwd",), town.clock()) is None


async def test_all_sessions_but_this_one_can_be_ended(town: People) -> None:
    here, _ = await started(town)
    others = {(await started(town))[0].id for _ in range(3)}
    assert set(await town.sessions.end_all("p", town.clock(), except_id=here.id)) == others
    assert [session.id for session in await town.sessions.of_person("p", town.clock())] == [here.id]
    assert not await town.sessions.end(others.pop(), town.clock())


async def test_a_service_knows_a_session_by_an_id_of_its_own_also_when_requests_race(town: People) -> None:
    session, _ = await started(town)
    sids = set(await asyncio.gather(*(town.sessions.sid(session.id, "aduan") for _ in range(20))))
    assert len(sids) == 1
    other = await town.sessions.sid(session.id, "antrean")
    assert other not in sids
    found = await town.sessions.by_sid(other)
    assert found is not None
    assert (found.session, found.client) == (session.id, "antrean")
    assert await town.sessions.clients_of(session.id) == ["aduan", "antrean"]


async def test_a_half_finished_sign_in_is_of_one_browser_and_finished_once(town: People) -> None:
    waiting = SignIn("", "p", ("pwd",), remembered=True, interaction="i", next="/me/history")
    waiting_id = await town.sessions.await_factor(waiting, "browser-a", town.clock())
    found = await town.sessions.sign_in(waiting_id, "browser-a", town.clock())
    assert found is not None
    assert (found.person, found.amr, found.remembered, found.interaction, found.next) == ("p", ("pwd",), True, "i", "/me/history")
    assert await town.sessions.sign_in(waiting_id, "browser-b", town.clock()) is None
    finished = await asyncio.gather(*(town.sessions.finish_sign_in(waiting_id) for _ in range(20)))
    assert sum(finished) == 1
    late = await town.sessions.await_factor(waiting, "browser-a", town.clock())
    assert await town.sessions.sign_in(late, "browser-a", town.clock.move(minutes=11)) is None


async def test_an_expired_session_is_noticed_by_one_of_many_processes(town: People) -> None:
    session, _ = await started(town)
    living, _ = await started(town, remembered=True)
    assert await town.sessions.expired(town.clock.move(minutes=14), 9) == []
    which = await town.sessions.expired(town.clock.move(minutes=2), 9)
    assert which == [session.id]
    noticed = await asyncio.gather(*(town.sessions.end_expired([*which, living.id], town.clock()) for _ in range(8)))
    assert sorted(map(len, noticed)) == [0] * 7 + [1]
    assert await town.sessions.expired(town.clock(), 9) == []


async def test_participants_are_found_by_session_person_and_client(town: People) -> None:
    session, _ = await started(town)
    other, _ = await started(town, person="q")
    sid = await town.sessions.sid(session.id, "aduan")
    await town.sessions.sid(other.id, "aduan")
    await town.sessions.end(other.id, town.clock())
    mine = Participant(session.id, "p", "aduan", sid)
    assert await town.sessions.participants(sessions_=[session.id]) == [mine]
    assert await town.sessions.participants(person="p") == [mine]
    assert await town.sessions.participants(client="aduan") == [mine]  # the other one ended
    assert len(await town.sessions.participants(person="q")) == 1  # and is still known, to be told of
    assert await town.sessions.participants(sessions_=[]) == []


async def test_what_is_over_is_swept(town: People, stores: dict[StoreName, Database]) -> None:
    session, _ = await started(town)
    await town.sessions.sid(session.id, "aduan")
    await town.sessions.await_factor(SignIn("", "p", ("pwd",), remembered=False, interaction=None, next=None), "b", town.clock())
    assert await town.sessions.sweep(town.clock.move(days=2)) == 1  # whoever was at the session must still be told that it ended
    assert await town.sessions.end_expired(await town.sessions.expired(town.clock(), 9), town.clock()) == [session.id]
    assert await town.sessions.sweep(town.clock.move(days=2)) == 1
    async with stores["idp"].read() as connection:
        for table in ("sessions", "session_clients", "sign_ins"):
            assert (await connection.execute(sa.select(sa.func.count()).select_from(metadata.tables[table]))).scalar_one() == 0


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (
            "Mozilla/5.0 (Linux; Android 9; Redmi) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "Chrome, Android",
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1 Version/17.0 Mobile Safari/604.1", "Safari, iPhone"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox, Linux"),
        ("curl/8", ""),
        (None, ""),
    ],
)
def test_devices_are_named_coarsely(agent: str | None, words: str) -> None:
    assert label(agent) == words
