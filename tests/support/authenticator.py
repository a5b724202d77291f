"""A device with keys, in software: answers what our pages ask for as browsers and authenticators do, and lies where a test wants it to."""

from __future__ import annotations

import hashlib
import html
import json
import os
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

if TYPE_CHECKING:
    from tests.support.visitor import Page

PRESENT, VERIFIED, ELIGIBLE, BACKED_UP, ATTESTED = 1, 4, 8, 16, 64


def options_of(page: Page) -> dict[str, Any]:
    """Give what a page asks a device for."""
    found = re.search(r'data-options="([^"]*)"', page.text)
    assert found is not None, page.text[:2000]
    read: dict[str, Any] = json.loads(html.unescape(found[1]))
    return read


def text(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()


def raw(value: str) -> bytes:
    return urlsafe_b64decode(value + "=" * (-len(value) % 4))


@dataclass
class Device:
    """One authenticator with one key. `synced`: its maker copies keys; `count`: uses so far, None for one that does not count."""

    origin: str
    synced: bool = False
    count: int | None = 0
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: os.urandom(32))
    handle: bytes = b""

    def create(self, options: dict[str, Any], **lies: Any) -> str:
        """Answer `navigator.credentials.create()`."""
        self.handle = raw(options["user"]["id"])
        numbers = self.key.public_key().public_numbers()
        public = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        attested = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(public)
        data = self._data(lies.get("rp_id", options["rp"]["id"]), ATTESTED, lies) + attested
        statement = lies.get("attestation", {"fmt": "none", "attStmt": {}})
        response = {
            "clientDataJSON": self._client("webauthn.create", options, lies),
            "attestationObject": text(cbor2.dumps({**statement, "authData": data})),
            "transports": ["internal", "telepathy"],
        }
        return self._answer(response)

    def get(self, options: dict[str, Any], **lies: Any) -> str:
        """Answer `navigator.credentials.get()`."""
        if self.count is not None:
            self.count += 1
        data = self._data(lies.get("rp_id", options["rpId"]), 0, lies)
        client = self._client("webauthn.get", options, lies)
        signature = self.key.sign(data + hashlib.sha256(raw(client)).digest(), ec.ECDSA(hashes.SHA256()))
        handle = lies.get("handle", self.handle)
        response = {"clientDataJSON": client, "authenticatorData": text(data), "signature": text(signature)}
        return self._answer(response | ({"userHandle": text(handle)} if handle else {}))

    def _answer(self, response: dict[str, Any]) -> str:
        name = text(self.credential)
        return json.dumps({
            "id": name, "rawId": name, "type": "public-key", "response": response, "authenticatorAttachment": "platform"
        })  # fmt: skip

    def _data(self, rp_id: str, more: int, lies: dict[str, Any]) -> bytes:
        synced = lies.get("synced", self.synced)
        flags = PRESENT | lies.get("verified", VERIFIED) | (ELIGIBLE | BACKED_UP if synced else 0) | more
        count = lies.get("count", self.count or 0)
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + int(count).to_bytes(4, "big")

    def _client(self, kind: str, options: dict[str, Any], lies: dict[str, Any]) -> str:
        said = {"type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": False}
        return text(json.dumps(said | lies.get("client", {})).encode())
