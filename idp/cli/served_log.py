"""Reading a log over HTTP for `idp audit verify URL`: a client of C2SP tlog-tiles that asks little, waits, and believes no length."""

from __future__ import annotations

import ipaddress
import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, Self

import httpx2

from consent import tiles
from idp import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future

TOGETHER: Final = 8
"""How many files are asked for at once."""
TRIES: Final = 4
LONGEST_WAIT: Final = 30.0
TIMEOUT: Final = httpx2.Timeout(30, connect=10)
HEADERS: Final = {"user-agent": f"gerbang-audit/{__version__} (+idp audit verify)", "accept-encoding": "gzip, identity"}
NOTE_BYTES: Final = 1 << 16
BUNDLE_BYTES: Final = tiles.WIDTH * (2 + tiles.LARGEST_ENTRY)
_NOT_NOW: Final = frozenset({429, 500, 502, 503, 504})


class NotServed(Exception):
    """The log cannot be read there: the address, the connection, or the answer is not what it must be. Nothing was checked."""


class ServedLog:
    """One log by the URL prefix of its files. `pause` waits for seconds; `transport` is another network than the machine's."""

    def __init__(self, prefix: str, *, transport: httpx2.BaseTransport | None = None, pause: Callable[[float], None] = time.sleep) -> None:
        self._prefix = read_prefix(prefix)
        self._client = httpx2.Client(headers=HEADERS, timeout=TIMEOUT, transport=transport, follow_redirects=False)
        self._pool = ThreadPoolExecutor(TOGETHER)
        self._pause = pause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._client.close()

    def checkpoint(self) -> str:
        """Fetch the newest public checkpoint. Raises: NotServed."""
        found = self._fetch("checkpoint", NOTE_BYTES)
        if found is None:
            raise NotServed(f"{self._prefix}/checkpoint is not there: name the log's own prefix (it ends in /log here), or wait a minute")
        try:
            return found.decode()
        except UnicodeDecodeError as error:
            raise NotServed("the checkpoint is not text") from error

    def files(self, size: int) -> Iterator[bytes | None]:
        """Fetch every bundle and tile of a tree in the order of `tiles.paths_of`, some ahead of what is taken. Raises: NotServed."""
        ahead: deque[Future[bytes | None]] = deque()
        for path in tiles.paths_of(size):
            ahead.append(self._pool.submit(self._file, path))
            if len(ahead) > 2 * TOGETHER:
                yield ahead.popleft().result()
        while ahead:
            yield ahead.popleft().result()

    def _file(self, path: str) -> bytes | None:
        """Fetch one. tlog-tiles: clients "MAY fetch the full tile … as a fallback in case the partial tile is not available anymore"."""
        entries = path.startswith("tile/entries/")
        limit = BUNDLE_BYTES if entries else tiles.WIDTH * tiles.HASH
        found = self._fetch(path, limit)
        whole, partial, width = path.partition(".p/")
        if found is not None or not partial:
            return found
        full = self._fetch(whole, limit)
        if full is None:
            return None
        return _first_entries(full, int(width)) if entries else full[: int(width) * tiles.HASH]

    def _fetch(self, path: str, limit: int) -> bytes | None:
        """Fetch a file; None when it is not there. What cannot be had now is asked for again, as late as the answer says."""
        for attempt in range(TRIES):
            try:
                wait, found = self._once(path, limit)
            except httpx2.HTTPError as error:
                wait, found, why = 2.0**attempt, None, str(error) or type(error).__name__
            else:
                why = "the server cannot answer now"
            if wait is None:
                return found
            if attempt < TRIES - 1:
                self._pause(min(wait, LONGEST_WAIT))
        raise NotServed(f"{self._prefix}/{path}: {why}")

    def _once(self, path: str, limit: int) -> tuple[float | None, bytes | None]:
        """Ask once; give the seconds to wait before asking again, or None and what was found."""
        with self._client.stream("GET", f"{self._prefix}/{path}") as answer:
            if answer.status_code in _NOT_NOW:
                after = answer.headers.get("retry-after", "")
                return (float(after) if after.isascii() and after.isdigit() else 2.0), None
            if answer.status_code in {404, 410}:
                return None, None
            if answer.status_code != 200:  # noqa: PLR2004 - OK
                raise NotServed(f"{self._prefix}/{path}: the answer is {answer.status_code}")
            body = bytearray()
            for chunk in answer.iter_bytes():
                body += chunk
                if len(body) > limit:
                    raise NotServed(f"{self._prefix}/{path}: the answer is longer than such a file can be")
            return None, bytes(body)


def read_prefix(text: str) -> str:
    """Read the URL of a log: https, or http on this machine, since a checkpoint is signed but what hides it is not. Raises: NotServed."""
    try:
        url = httpx2.URL(text)
    except (httpx2.InvalidURL, ValueError) as error:
        raise NotServed(f"not a URL: {error}") from error
    if not url.host or url.query or url.fragment or url.userinfo:
        raise NotServed("name the log by its prefix alone, such as https://id.example/log")
    if url.scheme != "https" and not _is_here(url.host):
        raise NotServed("only https: over http, whoever is in between could show you another log")
    return str(url).rstrip("/")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _first_entries(bundle: bytes, width: int) -> bytes:
    try:
        return tiles.encode_bundle(tiles.decode_bundle(bundle)[:width])
    except tiles.TileBroken:
        return bundle  # whoever checks it says what is wrong with it
