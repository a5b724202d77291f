"""Requests to addresses that applications registered: where they may go, and what is taken as an answer (RFC 9700, OWASP SSRF)."""

from __future__ import annotations

import asyncio
import datetime as dt
import gzip
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from idp.protocol.destinations import RESOLVING, is_public
from idp.protocol.fetcher import FRESH, POSTS, Fetched, Fetcher, FetchRefused, connections
from tests.support.certificates import Authority

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

JSON = "application/json"
PUBLIC = "93.184.216.34"
URL = "https://keys.app.test/jwks.json"


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)

    def __call__(self) -> dt.datetime:
        return self.now

    def move(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)


class Place:
    """A network of one host: counts requests, answers with `response`."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = list(addresses or [PUBLIC])
        self.seen: list[httpx2.Request] = []
        self.respond: Callable[[httpx2.Request], Any] = lambda _: httpx2.Response(200, json={"keys": []})

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.seen.append(request)
        answer = self.respond(request)
        return await answer if asyncio.iscoroutine(answer) else answer

    async def resolve(self, host: str, port: int) -> list[str]:
        del host, port
        return self.addresses


def fetcher(place: Place, clock: Clock | None = None, **more: Any) -> Fetcher:
    return Fetcher(httpx2.MockTransport(place.handle), clock or Clock(), resolver=place.resolve, **more)


# --- where -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.9.10", "0.0.0.0", "10.0.0.1", "172.16.5.4", "192.168.1.1", "100.64.0.1", "169.254.169.254", "192.0.2.1",
        "198.18.0.1", "203.0.113.9", "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe", "fe80::1", "fe80::1%eth0", "fc00::1",
        "fd12:3456::1", "ff02::1", "2001:db8::1", "2001::1", "100::1", "64:ff9b::10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::10.0.0.1",
        "2002:7f00:1::", "2002:a00:1::1", "fec0::1", "4000::1", "not an address", "",
    ],
)  # fmt: skip
async def test_addresses_that_are_not_public_are_never_connected_to(address: str) -> None:
    assert not is_public(address)
    place = Place(address)
    with pytest.raises(FetchRefused):
        await fetcher(place).get(URL, accept=JSON)
    with pytest.raises(FetchRefused):
        await fetcher(place).post(URL, content=b"", headers={})
    assert place.seen == []


@pytest.mark.parametrize("address", [PUBLIC, "2606:2800:220:1::1", "::ffff:93.184.216.34", "64:ff9b::5db8:d822", "2002:5db8:d822::1"])
async def test_public_addresses_are(address: str) -> None:
    assert is_public(address)
    place = Place(address)
    assert await fetcher(place).get(URL, accept=JSON) == Fetched(b'{"keys":[]}', JSON)
    assert place.seen[0].extensions["address"] == address


async def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    place = Place(PUBLIC, "10.0.0.1")
    with pytest.raises(FetchRefused):
        await fetcher(place).get(URL, accept=JSON)
    assert place.seen == []


async def test_a_name_without_an_address_is_refused() -> None:
    async def nothing(host: str, port: int) -> list[str]:
        raise OSError(host, port)

    with pytest.raises(FetchRefused, match="no address"):
        await Fetcher(httpx2.MockTransport(Place().handle), Clock(), resolver=nothing).get(URL, accept=JSON)


@pytest.mark.parametrize(
    "url",
    [
        "http://keys.app.test/", "HTTP://keys.app.test/", "ftp://keys.app.test/", "file:///etc/passwd", "gopher://x/", "//keys.app.test/",
        "keys.app.test", "", "https://", "https://user@keys.app.test/", "https://user:secret@keys.app.test/", "https://a\nb/", "https://[::1",
        "https://keys.app.test:99999/", "https://keys.app.test/" + "x" * 3000,
    ],
)  # fmt: skip
async def test_what_is_no_https_url_without_a_user_is_refused(url: str) -> None:
    place = Place()
    with pytest.raises(FetchRefused):
        await fetcher(place).get(url, accept=JSON)
    assert place.seen == []


@pytest.mark.parametrize("host", ["2130706433", "0x7f000001", "127.1", "0177.0.0.1", "localhost", "[::1]", "127.0.0.1"])
async def test_this_machine_is_refused_however_it_is_written(host: str) -> None:
    with pytest.raises(FetchRefused):
        await Fetcher(httpx2.MockTransport(Place().handle), Clock()).get(f"https://{host}/", accept=JSON)


async def test_certification_allows_this_machine_and_private_networks() -> None:
    for address in ("127.0.0.1", "10.0.0.1", "::1"):
        assert (await fetcher(Place(address), anywhere=True).get(URL, accept=JSON)).body
    with pytest.raises(FetchRefused):  # still https only
        await fetcher(Place("127.0.0.1"), anywhere=True).get("http://localhost/", accept=JSON)


async def test_another_port_is_allowed_and_resolved_with_it() -> None:
    place = Place()
    await fetcher(place).get("https://keys.app.test:8443/jwks.json", accept=JSON)
    assert place.seen[0].url.port == 8443


# --- what is taken -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("response", "sentence"),
    [
        (httpx2.Response(302, headers={"location": "https://10.0.0.1/"}), "302"),
        (httpx2.Response(307, headers={"location": URL}), "307"),
        (httpx2.Response(404), "404"),
        (httpx2.Response(500), "500"),
        (httpx2.Response(204), "204"),
        (httpx2.Response(200, text="<html>"), "content type text/plain"),
        (httpx2.Response(200, html="<html>"), "content type text/html"),
        (httpx2.Response(200, content=b"{}"), "content type none"),
        (httpx2.Response(200, json={"keys": ["x" * 70000]}), "65536 bytes"),
        (
            httpx2.Response(200, content=gzip.compress(b"0" * 10**7), headers={"content-type": JSON, "content-encoding": "gzip"}),
            "compressed",
        ),
    ],
)
async def test_other_answers_are_refused(response: httpx2.Response, sentence: str) -> None:
    place = Place()
    place.respond = lambda _: response
    with pytest.raises(FetchRefused, match=sentence):
        await fetcher(place).get(URL, accept=JSON)
    assert len(place.seen) == 1
    assert place.seen[0].headers["accept-encoding"] == "identity"


async def test_a_body_without_end_is_left_at_the_limit() -> None:
    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1000
            yield b" " * 1000

    sent, place = 0, Place()
    place.respond = lambda _: httpx2.Response(200, content=endless(), headers={"content-type": JSON})
    with pytest.raises(FetchRefused, match="4000 bytes"):
        await fetcher(place).get(URL, accept=JSON, limit=4000)
    assert sent == 5000


async def test_a_slow_answer_and_a_slow_body_are_given_up() -> None:
    async def dripping() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield b" "

    async def slow() -> httpx2.Response:
        await asyncio.sleep(60)
        return httpx2.Response(200)

    for respond in (lambda _: httpx2.Response(200, content=dripping(), headers={"content-type": JSON}), lambda _: slow()):
        place = Place()
        place.respond = respond
        with pytest.raises(FetchRefused, match="in time"):
            await fetcher(place, seconds=0.2).get(URL, accept=JSON)


async def test_a_slow_resolver_is_given_up() -> None:
    async def slow(host: str, port: int) -> list[str]:
        del host, port
        await asyncio.sleep(60)
        return []

    with pytest.raises(FetchRefused, match="in time"):
        await Fetcher(httpx2.MockTransport(Place().handle), Clock(), resolver=slow, seconds=0.1).get(URL, accept=JSON)


async def test_a_post_gives_the_status_and_follows_nothing() -> None:
    place = Place()
    place.respond = lambda _: httpx2.Response(302, headers={"location": "https://10.0.0.1/"})
    assert await fetcher(place).post(URL, content=b"a=b", headers={"content-type": "application/x-www-form-urlencoded"}) == 302
    assert (place.seen[0].content, place.seen[0].headers["content-type"]) == (b"a=b", "application/x-www-form-urlencoded")


# --- how long ---------------------------------------------------------------------------------------------------------------------------


async def test_receivers_that_hang_leave_room_to_fetch_what_others_need() -> None:
    """Whoever registers applications whose notices hang would else keep everybody's keys from being fetched."""
    place, ends = Place(), asyncio.Event()

    async def hang(_: httpx2.Request) -> httpx2.Response:
        await ends.wait()
        return httpx2.Response(204)

    place.respond = lambda request: hang(request) if request.method == "POST" else httpx2.Response(200, json={"keys": []})
    sender = fetcher(place)
    posts = [asyncio.create_task(sender.post(f"https://h{at}.test/", content=b"", headers={})) for at in range(3 * POSTS)]
    await asyncio.sleep(0.05)
    assert len(place.seen) == POSTS < RESOLVING
    assert (await sender.get(URL, accept=JSON)).content_type == JSON
    ends.set()
    assert await asyncio.gather(*posts) == [204] * 3 * POSTS  # each had its own time, counted from its turn


@pytest.mark.parametrize(
    ("cache_control", "seconds"),
    [
        ("max-age=600", 600), ("public, max-age=600", 600), ("max-age=1", 60), ("no-store", 60), ("max-age=0, no-cache", 60),
        ("max-age=99999999", 3600), ("", 300), ("max-age=x", 300), ("s-maxage=5", 300),
    ],
)  # fmt: skip
async def test_answers_are_kept_as_long_as_they_say_between_a_minute_and_an_hour(cache_control: str, seconds: int) -> None:
    place, clock = Place(), Clock()
    place.respond = lambda _: httpx2.Response(200, json={}, headers={"cache-control": cache_control})
    fetching = fetcher(place, clock)
    for moved, requests in ((0, 1), (seconds - 1, 1), (1, 2)):
        clock.move(moved)
        await fetching.get(URL, accept=JSON)
        assert len(place.seen) == requests


async def test_fresh_fetches_again_but_not_more_than_twice_a_minute() -> None:
    place, clock = Place(), Clock()
    fetching = fetcher(place, clock)
    for moved, requests in ((0, 1), (1, 1), (FRESH.total_seconds() - 1, 2), (1, 2)):
        clock.move(moved)
        for _ in range(10):
            await fetching.get(URL, accept=JSON, fresh=True)
        assert len(place.seen) == requests


async def test_a_place_that_is_down_is_asked_every_ten_seconds_not_at_every_request() -> None:
    place, clock = Place(), Clock()
    place.respond = lambda _: httpx2.Response(503)
    fetching = fetcher(place, clock)
    for moved, requests in ((0, 1), (9, 1), (1, 2)):
        clock.move(moved)
        for fresh in (False, True):
            with pytest.raises(FetchRefused):
                await fetching.get(URL, accept=JSON, fresh=fresh)
        assert len(place.seen) == requests


async def test_many_that_ask_for_the_same_make_one_request() -> None:
    place = Place()
    fetching = fetcher(place)
    await asyncio.gather(*(fetching.get(URL, accept=JSON, fresh=True) for _ in range(50)))
    assert len(place.seen) == 1


async def test_what_is_kept_does_not_grow_without_end() -> None:
    place = Place()
    fetching = fetcher(place)
    for number in range(300):
        await fetching.get(f"{URL}?{number}", accept=JSON)
    assert len(fetching._kept) == 256
    assert not fetching._locks


# --- the real network -------------------------------------------------------------------------------------------------------------------


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


async def _serve(authority: Authority, name: str, seen: list[bytes]) -> tuple[asyncio.Server, int]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}")
        await writer.drain()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=authority.server_context(name))
    return server, server.sockets[0].getsockname()[1]


async def test_the_connection_goes_to_the_address_that_was_checked_whatever_the_name_says_next(authority: Authority) -> None:
    """DNS rebinding: the name is asked once; TLS and Host still carry it."""
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        del port
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.255.255.1"]

    seen: list[bytes] = []
    server, port = await _serve(authority, "keys.app.test", seen)
    fetching = Fetcher(connections(authority.client_context()), Clock(), resolver=rebinding, anywhere=True)
    async with server:
        assert (await fetching.get(f"https://keys.app.test:{port}/a?b", accept=JSON)).body == b"{}"
        await fetching.aclose()
    assert asked == ["keys.app.test"]
    assert seen[0].startswith(b"GET /a?b HTTP/1.1\r\n")
    assert f"host: keys.app.test:{port}".encode() in seen[0].lower()


async def test_a_certificate_of_another_name_or_authority_is_refused(authority: Authority, tmp_path: Path) -> None:
    async def local(host: str, port: int) -> list[str]:
        del host, port
        return ["127.0.0.1"]

    server, port = await _serve(authority, "other.test", [])
    (tmp_path / "stranger").mkdir()
    contexts: list[ssl.SSLContext] = [authority.client_context(), Authority(tmp_path / "stranger").client_context()]
    async with server:
        for context, name in zip(contexts, ("keys.app.test", "other.test"), strict=True):
            fetching = Fetcher(connections(context), Clock(), resolver=local, anywhere=True)
            with pytest.raises(FetchRefused, match="https"):
                await fetching.get(f"https://{name}:{port}/", accept=JSON)
            await fetching.aclose()
