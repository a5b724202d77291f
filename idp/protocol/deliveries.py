"""Back-Channel Logout §2.5 to §2.8, RFC 8935 §2: sending notices to applications, each application on a lane of its own.

An application that hangs holds up its own notices only: a round starts what is due and waits a moment at most, and the next round leaves
busy applications out. Every attempt signs anew: a logout token lives for two minutes, a key may be gone when its month-old event leaves.
"""

from __future__ import annotations

import asyncio
import json
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import structlog

from idp.notices.records import NoticeKind, NoticeStatus
from idp.protocol.fetcher import FetchRefused
from idp.spec import logout_token, security_event
from idp.spec.security_event import Signal
from idp.web import metrics
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from idp.notices.records import Notice
    from idp.notices.streams.records import Stream
    from idp.protocol.fetcher import Answered
    from idp.protocol.services import Services

PATIENCE: Final = 1.0
TAKEN: Final = frozenset({200, 202, 204})
_FINAL: Final = frozenset({"invalid_request", "invalid_issuer", "invalid_audience"})
"""RFC 8935 §2.4: errors that the same event, sent again, would meet again. Keys and authentication can be mended at the other end."""
_BAD_REQUEST: Final = 400

_log = structlog.get_logger()


class Deliveries:
    """The deliveries of one process."""

    def __init__(self, found: Services, patience: float = PATIENCE) -> None:
        self._found = found
        self._patience = patience
        self._lanes: dict[str, asyncio.Task[None]] = {}

    async def run_once(self) -> int:
        """Start what is due, wait for it a moment; return how many notices were taken."""
        self._lanes = {client: lane for client, lane in self._lanes.items() if not lane.done()}
        notices = await self._found.notices.take(self._found.clock(), busy=self._lanes)
        started = []
        for client, theirs in groupby(sorted(notices, key=lambda notice: notice.client), key=lambda notice: notice.client):
            self._lanes[client] = asyncio.create_task(self._send_all(list(theirs)), name=f"notices to {client}")
            started.append(self._lanes[client])
        if started:
            await asyncio.wait(started, timeout=self._patience)
        return len(notices)

    async def close(self) -> None:
        """Stop; what was under way is taken again when its lease ends."""
        for lane in self._lanes.values():
            lane.cancel()
        await asyncio.gather(*self._lanes.values(), return_exceptions=True)

    async def _send_all(self, notices: Sequence[Notice]) -> None:
        for notice in notices:
            try:
                await self._send(notice)
            except Exception as error:  # noqa: BLE001 - whatever failed, what was promised is tried again, and holds nothing else up
                await self._again(notice, f"not sent: {type(error).__name__}")

    async def _send(self, notice: Notice) -> None:
        try:
            answered = await (self._logout(notice) if notice.kind is NoticeKind.LOGOUT else self._push(notice))
        except FetchRefused as refused:
            await self._again(notice, str(refused))
            return
        if answered is None:
            await self._close(notice, NoticeStatus.REFUSED, "the application has no address for this any more")
        elif answered.status in TAKEN:
            await self._close(notice, NoticeStatus.DELIVERED, f"status {answered.status}")
        elif notice.kind is NoticeKind.SIGNAL and (error := _error(answered)) in _FINAL:
            await self._close(notice, NoticeStatus.REFUSED, f"status {answered.status} {error}")
        else:
            await self._again(notice, f"status {answered.status}")

    async def _close(self, notice: Notice, status: NoticeStatus, answer: str) -> None:
        await self._found.notices.close(notice.id, status, self._found.clock(), answer)
        metrics.NOTICES.labels(notice.kind.value, status.value).inc()

    async def _again(self, notice: Notice, answer: str) -> None:
        kept = await self._found.notices.put_off(notice, self._found.clock(), answer)
        if not kept:
            metrics.NOTICES.labels(notice.kind.value, NoticeStatus.GIVEN_UP.value).inc()
        level = _log.warning if kept else _log.error
        level("notice_put_off" if kept else "notice_given_up", client=notice.client, kind=notice.kind, attempts=notice.attempts)

    async def _logout(self, notice: Notice) -> Answered | None:
        """Send a logout token (§2.5): to where the client now wants it, or, when it was removed, to where it wanted it."""
        content, found = notice.content, self._found
        client = await found.clients.get(notice.client)
        url = content["url"] if client is None else client.backchannel_logout_uri
        if url is None:
            return None
        claims = logout_token.claims(
            issuer=found.settings.issuer,
            client_id=notice.client,
            subject=content["sub"],
            sid=content["sid"],
            now=int(found.clock().timestamp()),
            jti=new_id(),  # a new one each time: §2.6 lets the client refuse one that it has seen, and its first answer may have been lost
        )
        algorithm = content["alg"] if client is None else client.id_token_alg
        token = await found.keyring.signing.sign(claims, algorithm=algorithm, type=logout_token.TYPE)
        body = urlencode({"logout_token": token}).encode()
        return await found.fetcher.exchange(url, content=body, headers={"content-type": "application/x-www-form-urlencoded"})

    async def _push(self, notice: Notice) -> Answered | None:
        """RFC 8935 §2.1: one event in one POST."""
        found = self._found
        stream = await found.notices.streams.get(notice.client)
        if stream is None or stream.url is None:
            return None
        token = await event_token(found, notice)
        headers = _push_headers(stream)
        return await found.fetcher.exchange(stream.url, content=token.encode(), headers=headers)


def _push_headers(stream: Stream) -> dict[str, str]:
    headers = {"content-type": security_event.MEDIA_TYPE, "accept": "application/json"}
    return headers if stream.authorization is None else headers | {"authorization": stream.authorization}


async def event_token(found: Services, notice: Notice) -> str:
    """Sign a security event for its receiver. Its `jti` is the notice's: the same however often it is sent (RFC 8417 §2.2)."""
    content: dict[str, Any] = dict(notice.content)
    claims = security_event.claims(
        issuer=found.settings.issuer,
        audience=notice.client,
        now=content["at"],
        jti=notice.id,
        signal=Signal(notice.event),
        subject=content["subject"],
        details=content["details"],
    )
    client = await found.clients.get(notice.client)
    algorithm = "RS256" if client is None else client.id_token_alg
    token: str = await found.keyring.signing.sign(claims, algorithm=algorithm, type=security_event.TYPE)
    return token


def _error(answered: Answered) -> str | None:
    """RFC 8935 §2.3: the `err` of a JSON answer with status 400, if it is one."""
    if answered.status != _BAD_REQUEST or answered.content_type != "application/json":
        return None
    try:
        content = json.loads(answered.body)
    except (ValueError, RecursionError):
        return None
    error = content.get("err") if isinstance(content, dict) else None
    return error if isinstance(error, str) else None
