"""Encodings, digests, indexes, subjects, opaque values, boxes, caches."""

from __future__ import annotations

import base64
import hashlib
import hmac

import pytest

from keys import encoding
from keys.blind_index import KINDS, BlindIndex
from keys.boxes import open_box, seal_box
from keys.cache import ExpiringCache
from keys.digests import Digests
from keys.encoding import length_prefixed
from keys.errors import SealBroken
from keys.opaque import new_code, new_id, new_token, open_successor, seal_successor
from keys.pairwise import Pairwise
from keys.secrets import Secrets

KEY = bytes(range(32))


def test_parts_that_join_alike_are_told_apart() -> None:
    assert length_prefixed("ab", "c") != length_prefixed("a", "bc") != length_prefixed("abc")
    assert length_prefixed("é") == b"\x00\x00\x00\x02\xc3\xa9"


@pytest.mark.parametrize("text", ["QQ==", "QR", "Q", "Q Q", "Q+", "QQ\n", "é"])
def test_base64url_has_one_spelling(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        encoding.decode(text)
    assert encoding.decode("QQ") == b"A"


def test_a_digest_is_keyed_and_apart_for_each_purpose() -> None:
    digests = Digests(KEY)
    expected = hmac.new(KEY, b"\x00\x00\x00\x04code\x00\x00\x00\x01x", hashlib.sha256).digest()
    assert digests.digest("code", "x") == expected
    assert digests.digest("refresh", "x") != expected != Digests(bytes(32)).digest("code", "x")
    assert digests.digest("cod", "ex") != expected


def test_a_blind_index_has_a_key_per_kind_and_no_others() -> None:
    index = BlindIndex({kind: hashlib.sha256(kind.encode()).digest() for kind in KINDS})
    found = {index.index(kind, "6471010101900001") for kind in KINDS}
    assert len(found) == len(KINDS)
    assert all(len(value) == 32 for value in found)
    with pytest.raises(KeyError):
        index.index("name", "x")


def test_a_subject_is_stable_and_unlinkable_between_sectors() -> None:
    pairwise = Pairwise(KEY)
    assert pairwise.subject("dinkes", "p1") == Pairwise(KEY).subject("dinkes", "p1")
    assert len({pairwise.subject(sector, "p1") for sector in ("dinkes", "dinke", "dukcapil")}) == 3
    assert pairwise.subject("dinkes", "p1") != pairwise.subject("dinkesp", "1")
    assert len(pairwise.subject("dinkes", "p1")) == 43


def test_opaque_values_have_their_size() -> None:
    assert len(base64.urlsafe_b64decode(new_token() + "=")) == 32
    assert len(new_id()) == 22
    assert len({new_id() for _ in range(100)}) == 100
    assert not any(new_id().startswith("-") for _ in range(1000))
    codes = [new_code(6) for _ in range(200)]
    assert all(len(code) == 6 and code.isdigit() for code in codes)


def test_only_the_presented_token_opens_its_successor() -> None:
    old, new = new_token(), new_token()
    cell = seal_successor(old, new)
    assert open_successor(old, cell) == new
    assert new.encode() not in cell
    with pytest.raises(SealBroken):
        open_successor(new, cell)


def test_a_secret_opens_only_for_its_purpose_and_row() -> None:
    secrets = Secrets(KEY)
    cell = secrets.seal("totp", ("p1",), b"seed")
    assert Secrets(KEY).open("totp", ("p1",), cell) == b"seed"
    for purpose, binding in (("request", ("p1",)), ("totp", ("p2",)), ("totp", ("p1", "")), ("totp", ())):
        with pytest.raises(SealBroken):
            secrets.open(purpose, binding, cell)


def test_a_box_and_a_secret_are_one_format() -> None:
    assert open_box(KEY, "totp", ("p1",), Secrets(KEY).seal("totp", ("p1",), b"seed")) == b"seed"


@pytest.mark.parametrize("box", [b"", b"\x01\x01", b"\x02\x01" + bytes(40), b"\x01\x02" + bytes(40), bytes(41)])
def test_what_is_no_box_does_not_open(box: bytes) -> None:
    with pytest.raises(SealBroken):
        open_box(KEY, "p", (), box)


def test_every_seal_is_another() -> None:
    assert seal_box(KEY, "p", (), b"x") != seal_box(KEY, "p", (), b"x")


class Ticking:
    """A clock that stands until told."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_cache_forgets_after_its_seconds_and_never_later() -> None:
    clock = Ticking()
    cache: ExpiringCache[int] = ExpiringCache(10, 60, clock)
    cache.put("a", 1)
    clock.time = 59.9
    assert cache.get("a") == 1
    clock.time = 60
    assert cache.get("a") is None
    assert len(cache) == 0


def test_a_cache_stays_within_its_size_and_drops_the_least_used() -> None:
    cache: ExpiringCache[int] = ExpiringCache(2, 60, Ticking())
    cache.put("a", 1)
    cache.put("b", 2)
    assert cache.get("a") == 1
    cache.put("c", 3)
    assert (cache.get("a"), cache.get("b"), cache.get("c"), len(cache)) == (1, None, 3, 2)
    cache.clear()
    assert len(cache) == 0
