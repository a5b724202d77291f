"""Requests of ours to addresses that applications registered: keys, request objects, sector lists, notices. Bounded in every direction.

RFC 9111 §5.2 is heard between a minute and an hour: an application cannot make us forget at once, nor keep an old key alive for days.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import re
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from weakref import WeakValueDictionary

import httpx2

from idp.protocol.destinations import FetchRefused, Pinned, address_of, read_url, resolve

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping

    from idp.protocol.destinations import Resolver

__all__ = ("Answered", "FetchRefused", "Fetched", "Fetcher", "connections")

SECONDS: Final = 5
SHORTEST, USUAL, LONGEST = dt.timedelta(minutes=1), dt.timedelta(minutes=5), dt.timedelta(hours=1)
FRESH: Final = dt.timedelta(seconds=30)
"""How old an answer may be that counts as fresh: whoever sends unknown key ids makes us fetch twice a minute, not more."""
POSTS: Final = 16
"""How many notices are on their way at once, of `_CONNECTIONS`: receivers that hang must leave room to fetch the keys of others."""
_CONNECTIONS: Final = 50
_REFUSED_FOR: Final = dt.timedelta(seconds=10)
_KEPT: Final = 256
_MAX_AGE: Final = re.compile(r"(?:^|[,\s])max-age=\"?(\d{1,9})")
_IDENTITY: Final = {"accept-encoding": "identity", "user-agent": "Gerbang"}


@dataclass(frozen=True, slots=True)
class Fetched:
    """An answer: its body, and its media type in lower case without parameters."""

    body: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer to a POST, whatever its status: media type in lower case without parameters, and the beginning of the body."""

    status: int
    content_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class _Kept:
    outcome: Fetched | FetchRefused
    at: dt.datetime
    until: dt.datetime


def connections(verify: ssl.SSLContext) -> httpx2.AsyncBaseTransport:
    """Give the transport of a fetcher.

    No connection is kept: one that was opened for a name must not serve another name at the same address.
    """
    limits = httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=0)
    return Pinned(httpx2.AsyncHTTPTransport(verify=verify, trust_env=False, limits=limits))


class Fetcher:
    """Fetches and posts. `anywhere` (IDP_CERTIFICATION): also from private networks and this machine."""

    def __init__(
        self,
        transport: httpx2.AsyncBaseTransport,
        clock: Callable[[], dt.datetime],
        *,
        resolver: Resolver = resolve,
        anywhere: bool = False,
        seconds: float = SECONDS,
    ) -> None:
        self._client = httpx2.AsyncClient(transport=transport, timeout=seconds, follow_redirects=False, trust_env=False)
        self._clock = clock
        self._resolver = resolver
        self._anywhere = anywhere
        self._seconds = seconds
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._posts = asyncio.Semaphore(POSTS)
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get(self, url: str, *, accept: str, limit: int = 65536, fresh: bool = False, anew: bool = False) -> Fetched:
        """Fetch, or give what was fetched before. `accept`: media types, separated by commas; `*/*` takes any. `limit`: bytes.

        `fresh`: an answer that is at most `FRESH` old; `anew`: one that was not given before. Raises: FetchRefused.
        """
        key = (url, accept)
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:  # many that ask for the same wait for one answer
            kept = None if anew else self._remembered(key, fresh=fresh)
            if kept is None:
                kept = await self._fetch(url, accept, limit)
                self._remember(key, kept)
        if isinstance(kept.outcome, FetchRefused):
            raise FetchRefused(str(kept.outcome))
        return kept.outcome

    async def post(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> int:
        """Post, and give the status of the answer; its body is not read. Raises: FetchRefused, when there was none."""
        return (await self.exchange(url, content=content, headers=headers, limit=0)).status

    async def exchange(self, url: str, *, content: bytes, headers: Mapping[str, str], limit: int = 4096) -> Answered:
        """Post, and give the answer with at most `limit` bytes of its body; the rest is not waited for. Raises: FetchRefused."""
        try:
            async with self._posts, asyncio.timeout(self._seconds):  # the time counts from one's turn
                request = await self._request("POST", url, headers, content)
                response = await self._client.send(request, stream=True)
                try:
                    body = await _beginning(response, limit)
                finally:
                    await response.aclose()
        except (TimeoutError, httpx2.HTTPError) as error:
            raise _unreachable(error) from None
        return Answered(response.status_code, _media_type(response), body)

    def _remembered(self, key: tuple[str, str], *, fresh: bool) -> _Kept | None:
        kept, now = self._kept.get(key), self._clock()
        if kept is None or kept.until <= now:
            return None
        return None if fresh and isinstance(kept.outcome, Fetched) and now - kept.at >= FRESH else kept

    def _remember(self, key: tuple[str, str], kept: _Kept) -> None:
        self._kept[key] = kept
        self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)

    async def _fetch(self, url: str, accept: str, limit: int) -> _Kept:
        now, cache_control = self._clock(), ""
        try:
            async with asyncio.timeout(self._seconds):
                request = await self._request("GET", url, {"accept": accept}, None)
                response = await self._client.send(request, stream=True)
                try:
                    outcome: Fetched | FetchRefused = await _taken(response, accept, limit)
                finally:
                    await response.aclose()
            cache_control = response.headers.get("cache-control", "")
        except FetchRefused as refused:
            outcome = refused
        except (TimeoutError, httpx2.HTTPError) as error:
            outcome = _unreachable(error)
        return _Kept(outcome, now, now + (_lifetime(cache_control) if isinstance(outcome, Fetched) else _REFUSED_FOR))

    async def _request(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> httpx2.Request:
        read = read_url(url)
        address = await address_of(read, self._resolver, anywhere=self._anywhere)
        sent = {**_IDENTITY, **headers}
        return self._client.build_request(method, read, headers=sent, content=content, extensions={"address": address})


async def _taken(response: httpx2.Response, accept: str, limit: int) -> Fetched:
    """Take an answer. Raises: FetchRefused for redirects, errors, other media types, compressed and oversized bodies."""
    if response.status_code != httpx2.codes.OK:
        raise FetchRefused(f"The address answered with status {response.status_code} instead of 200.")
    if response.headers.get("content-encoding", "identity").lower() != "identity":
        raise FetchRefused("The address answered with a compressed body, which was not asked for.")
    kind = _media_type(response)
    allowed = {item.partition(";")[0].strip().lower() for item in accept.split(",")}
    if not allowed & {kind, "*/*"}:
        raise FetchRefused(f"The address answered with content type {kind[:60] or 'none'}; it must be {accept}.")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > limit:
            raise FetchRefused(f"The address answered with more than {limit} bytes.")
    return Fetched(bytes(body), kind)


async def _beginning(response: httpx2.Response, limit: int) -> bytes:
    """Read the body up to `limit`; of one that is compressed, which was not asked for, nothing."""
    body = bytearray()
    if limit and response.headers.get("content-encoding", "identity").lower() == "identity":
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) >= limit:
                break
    return bytes(body[:limit])


def _media_type(response: httpx2.Response) -> str:
    kind: str = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind


def _unreachable(error: BaseException) -> FetchRefused:
    slow = isinstance(error, TimeoutError | httpx2.TimeoutException)
    return FetchRefused("The address did not answer in time." if slow else "The address cannot be reached over https.")


def _lifetime(cache_control: str) -> dt.timedelta:
    lowered = cache_control.lower()
    if "no-store" in lowered or "no-cache" in lowered:
        return SHORTEST
    stated = _MAX_AGE.search(lowered)
    return min(max(dt.timedelta(seconds=int(stated[1])), SHORTEST), LONGEST) if stated else USUAL
