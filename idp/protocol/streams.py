"""SSF 1.0 §7, §8: setting up an application's stream of security events, and trying whether it works."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.notices.records import NewNotice, NoticeKind
from idp.protocol.destinations import FetchRefused, read_url
from idp.spec.security_event import SUBSCRIBABLE, Signal
from keys.opaque import new_id

if TYPE_CHECKING:
    from idp.notices.streams.records import Stream
    from idp.protocol.services import Services

EVENTS: Final = tuple(signal.value for signal in SUBSCRIBABLE)
MAX_HEADER: Final = 4096


def problem(stream: Stream) -> str | None:
    """Say what is wrong with a stream, and what to write instead; None when nothing is."""
    unknown = sorted(stream.events - set(EVENTS))
    if unknown or not stream.events:
        return f"event: choose among {', '.join(EVENTS)}"
    header = stream.authorization or ""
    if len(header) > MAX_HEADER or not header.isascii() or not header.isprintable():
        return "authorization: it cannot be the value of a header"
    try:
        if stream.url is not None:
            read_url(stream.url)
    except FetchRefused as refused:
        return f"push: {refused}"
    return None


async def put(found: Services, stream: Stream) -> None:
    """Set a stream up or change it; what already waits goes the new way."""
    now = found.clock()
    await found.notices.streams.put(stream, now)
    await found.notices.redirect(stream.client, now, held=stream.held)


async def verify(found: Services, stream: Stream, state: str | None = None) -> None:
    """Send a verification event down a stream (SSF 1.0 §8.1.4.1), with the receiver's own `state`."""
    notice = NewNotice(
        client=stream.client,
        kind=NoticeKind.SIGNAL,
        event=Signal.VERIFICATION.value,
        cause=new_id(),
        held=stream.held,
        content={
            "at": int(found.clock().timestamp()),
            "subject": {"format": "opaque", "id": stream.client},
            "details": {} if state is None else {"state": state},
        },
    )
    await found.notices.add([notice], found.clock())
