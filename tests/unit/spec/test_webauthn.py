"""WebAuthn Level 3 §5.4, §5.5: what pages ask a device for."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from idp.spec import webauthn


@dataclass(frozen=True)
class Known:
    """A credential as the store knows it."""

    credential: bytes = b"\xff\xfe"
    transports: tuple[str, ...] = ("usb",)


@pytest.mark.parametrize(
    ("issuer", "host"),
    [("https://masuk.kota.go.id", "masuk.kota.go.id"), ("http://localhost:8000", "localhost"), ("https://a.id:8443", "a.id")],
)
def test_the_relying_party_is_the_host_and_no_domain_above_it(issuer: str, host: str) -> None:
    assert webauthn.rp_id(issuer) == host


def test_a_key_verifies_its_owner_tells_no_make_and_names_nobody() -> None:
    asked = webauthn.creation("https://a.id", challenge="c", algorithms=(-7,), handle=b"\x00\xff", number="12345678", known=[Known()])
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert asked["user"] == {"id": "AP8", "name": "12345678", "displayName": "12345678"}
    assert asked["excludeCredentials"] == [{"type": "public-key", "id": "__4", "transports": ["usb"]}]


def test_a_use_verifies_the_owner_too() -> None:
    asked = webauthn.request("https://a.id", challenge="c", allowed=[])
    assert (asked["userVerification"], asked["allowCredentials"], asked["rpId"]) == ("required", [], "a.id")
