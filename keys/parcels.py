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


class Sealer:
    """Encrypts one part after another; the last one says that it is."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._key = address.recipient.key
        self._next = 0

    def part(self, payload: bytes, *, last: bool = False) -> bytes:
        """Encrypt the next part. Returns: a line, its newline included."""
        header: dict[str, Any] = {
            "alg": ALGORITHM,
            "enc": CONTENT,
            "kid": self._address.recipient.thumbprint,
            "cty": self._address.holds,
            "parcel": self._address.parcel,
            "part": self._next,
            "last": last,
            "exp": int(self._address.until.timestamp()),
        }
        self._next += 1
        return jwe.encrypt_compact(header, payload, self._key, registry=_REGISTRY).encode() + b"\n"


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
