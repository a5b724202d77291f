"""Something long, encrypted to one recipient in parts: each line is a compact JWE (RFC 7516), ECDH-ES+A256KW with A256GCM.

Its protected header says of which parcel it is which part (`parcel`, `part`, `last`) and until when it may be opened (`exp`), so that no
part can be dropped, swapped, taken from another parcel, or made to last longer. Encryption proves nothing about who wrote it: whatever is
inside has to prove itself.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry

from keys.compact import read_object
from keys.encoding import decode
from keys.errors import TokenInvalid
from keys.recipients import ALGORITHM, CONTENT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from keys.recipients import Recipient, RecipientKey

LONGEST: Final = 4 * 1024 * 1024
"""Bytes of one line at most, so that a file of a stranger cannot fill the memory."""
_HEADER: Final = 2048


class _Parts(JWERegistry):
    max_protected_header_length = _HEADER
    max_ciphertext_length = LONGEST


_REGISTRY: Final = _Parts(algorithms=[ALGORITHM, CONTENT], strict_check_header=False)


class ParcelBroken(ValueError):
    """A part is missing, in the wrong place, damaged, or not encrypted to this key. The message says which."""


class ParcelExpired(Exception):
    """Its time is over."""

    def __init__(self, until: dt.datetime) -> None:
        super().__init__(until)
        self.until = until


@dataclass(frozen=True, slots=True)
class Address:
    """On every part: the parcel's id, whom it is for, what it holds (`cty`), until when it may be opened."""

    parcel: str
    recipient: Recipient
    holds: str
    until: dt.datetime


def seal(address: Address, parts: Iterable[bytes]) -> Iterator[bytes]:
    """Encrypt parts as they come; each is a line, its newline included. There must be one at least."""
    key = address.recipient.key
    waiting: bytes | None = None
    number = 0
    for payload in parts:
        if waiting is not None:
            yield _sealed(address, key, number, waiting, last=False)
            number += 1
        waiting = payload
    yield _sealed(address, key, number, waiting or b"", last=True)


def _sealed(address: Address, key: RecipientKey, number: int, payload: bytes, *, last: bool) -> bytes:
    header: dict[str, Any] = {
        "alg": ALGORITHM,
        "enc": CONTENT,
        "kid": address.recipient.thumbprint,
        "cty": address.holds,
        "parcel": address.parcel,
        "part": number,
        "last": last,
        "exp": int(address.until.timestamp()),
    }
    return jwe.encrypt_compact(header, payload, key, registry=_REGISTRY).encode() + b"\n"


def open_parts(lines: Iterable[bytes], key: RecipientKey, holds: str, now: dt.datetime) -> Iterator[bytes]:
    """Open the parts one after another. What came is to be thrown away unless the end is reached.

    Raises: ParcelBroken, ParcelExpired.
    """
    parcel: object = None
    last = False
    for number, line in enumerate(lines):
        if last:
            raise ParcelBroken("something follows its last part")
        header, payload = _opened(line, key)
        if header.get("cty") != holds:
            raise ParcelBroken(f"it does not hold {holds}")
        parcel = header.get("parcel") if number == 0 else parcel
        if header.get("part") != number or header.get("parcel") != parcel:
            raise ParcelBroken(f"part {number + 1} is missing, or not in its place")
        _require_time(header, now)
        last = header.get("last") is True
        yield payload
    if not last:
        raise ParcelBroken("its last part is missing")


def _opened(line: bytes, key: RecipientKey) -> tuple[Mapping[str, Any], bytes]:
    token = line.strip()
    head = token.partition(b".")[0]
    if len(token) > LONGEST or len(head) > _HEADER:
        raise ParcelBroken("a part is longer than any we make")
    try:
        header = read_object(decode(head.decode("ascii")))
        _require_ours(header, key)
        opened = jwe.decrypt_compact(token, key, registry=_REGISTRY)
    except ParcelBroken:
        raise
    except (JoseError, TokenInvalid, ValueError, TypeError, KeyError):
        raise ParcelBroken("a part is damaged") from None
    return header, opened.plaintext or b""


def _require_ours(header: Mapping[str, Any], key: RecipientKey) -> None:
    if (header.get("alg"), header.get("enc")) != (ALGORITHM, CONTENT):
        raise ParcelBroken("it is not encrypted as we do it")
    if header.get("kid") != key.thumbprint():
        raise ParcelBroken(f"it is encrypted to the key {header.get('kid')}, this one is {key.thumbprint()}")


def _require_time(header: Mapping[str, Any], now: dt.datetime) -> None:
    """RFC 7519 §4.1.4: "MUST NOT be accepted for processing" on or after it."""
    until = header.get("exp")
    if type(until) is not int:
        raise ParcelBroken("it does not say until when it may be opened")
    if now.timestamp() >= until:
        raise ParcelExpired(dt.datetime.fromtimestamp(until, dt.UTC))
