"""Whom an ending concerns, and what each application is told: a logout token (Back-Channel Logout §2.4), a security event (RFC 8417), both.

An application learns of somebody only under the name that its own sector knows. Nothing is sent here: notices are kept, and
`protocol.deliveries` sends them, so that no citizen waits for an application.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from consent.records import GrantState
from idp.notices.records import NewNotice, NoticeKind
from idp.protocol import issue
from idp.spec import security_event
from idp.spec.security_event import Signal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from idp.clients.records import Client
    from idp.notices.streams.records import Stream
    from idp.protocol.services import Services
    from idp.sessions.records import Participant


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happened, told once for each `cause`. `details`: members of the event; `logout`: whether applications must sign out too."""

    signal: Signal
    cause: str
    details: Mapping[str, Any] = field(default_factory=dict)
    logout: bool = True


@dataclass(frozen=True, slots=True)
class _Receiver:
    """One application, whom it is told about, and in which sessions of its own; none: everywhere."""

    client: Client
    stream: Stream | None
    person: str
    sids: tuple[str, ...]


async def sessions_ended(found: Services, participants: Sequence[Participant], *, by: str) -> None:
    """Tell every service that took part in a session, each by its own `sid`. `by`: CAEP §2 initiating_entity."""
    receivers = await _receivers(found, {(one.client, one.person, one.session): (one.sid,) for one in participants})
    notices: list[NewNotice] = []
    for (_, _, session), receiver in receivers.items():
        happening = Happening(signal=Signal.SESSION_REVOKED, cause=session, details={"initiating_entity": by})
        notices += _notices(found, receiver, happening, one_session=True)
    await found.notices.add(notices, found.clock())


async def client_removed(found: Services, client: str) -> None:
    """Tell one service, which is about to be removed, to sign out everybody whose session it takes part in."""
    await sessions_ended(found, await found.sessions.participants(client=client), by="admin")


async def person_changed(found: Services, person: str, happening: Happening, *, past: bool = False) -> None:
    """Tell every service that may read something of somebody (`past`: or ever might) what happened to their account."""
    grants = await found.consent.ledger.of_person(person)
    clients = {grant.client for grant in grants if grant.state is GrantState.ACTIVE or (past and grant.given_at is not None)}
    await _tell(found, person, clients, happening)


async def client_told(found: Services, person: str, client: str, happening: Happening) -> None:
    """Tell one service."""
    await _tell(found, person, [client], happening)


async def _tell(found: Services, person: str, clients: Iterable[str], happening: Happening) -> None:
    participants = await found.sessions.participants(person=person)
    sids = {client: tuple(one.sid for one in participants if one.client == client) for client in clients}
    receivers = await _receivers(found, {(client, person, ""): known for client, known in sids.items()})
    notices = [notice for receiver in receivers.values() for notice in _notices(found, receiver, happening, one_session=False)]
    await found.notices.add(notices, found.clock())


async def _receivers(found: Services, asked: Mapping[tuple[str, str, str], tuple[str, ...]]) -> Mapping[tuple[str, str, str], _Receiver]:
    names = {client for client, _, _ in asked}
    streams = await found.notices.streams.of(names) if names else {}
    clients = {name: await found.clients.get(name) for name in names}
    return {
        key: _Receiver(client, streams.get(key[0]), key[1], sids)
        for key, sids in asked.items()
        if (client := clients[key[0]]) is not None and key[1] not in found.erased
    }


def _notices(found: Services, receiver: _Receiver, happening: Happening, *, one_session: bool) -> Iterable[NewNotice]:
    client, stream = receiver.client, receiver.stream
    subject = issue.subject(found, client, receiver.person)
    if happening.logout and client.backchannel_logout_uri is not None:
        yield from _logouts(receiver, happening, subject, one_session=one_session)
    if stream is not None and happening.signal.value in stream.events:
        yield NewNotice(
            client=client.id,
            kind=NoticeKind.SIGNAL,
            event=happening.signal.value,
            cause=happening.cause,
            held=stream.held,
            content={
                "at": int(found.clock().timestamp()),
                "subject": security_event.about(found.settings.issuer, subject, receiver.sids[0] if one_session else None),
                "details": {"event_timestamp": int(found.clock().timestamp()), **happening.details},
            },
        )


def _logouts(receiver: _Receiver, happening: Happening, subject: str, *, one_session: bool) -> Iterable[NewNotice]:
    """Write the logout tokens' contents: without sid, a token means all sessions of the person (§2.4), where the client takes that."""
    client = receiver.client
    each: Sequence[str | None] = receiver.sids if one_session or client.backchannel_logout_session_required else (None,)
    for sid in each:
        yield NewNotice(
            client=client.id,
            kind=NoticeKind.LOGOUT,
            event=happening.signal.value,
            cause=happening.cause if sid is None or one_session else f"{happening.cause}:{sid}",
            content={"url": client.backchannel_logout_uri, "alg": client.id_token_alg, "sub": subject, "sid": sid},
        )
