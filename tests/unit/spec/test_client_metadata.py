"""RFC 7591 §2: registrations, and the field that each refusal names."""

from __future__ import annotations

from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from idp.spec.client_metadata import ClientMetadata, read

GOOD: dict[str, Any] = {"client_name": "Aduan", "redirect_uris": ["https://app.test/cb"], "purposes": ["aduan"]}
KEY = ECKey.generate_key("P-256", {"kid": "1"}, private=True)


def test_a_plain_registration_gets_the_defaults() -> None:
    metadata = read(GOOD)
    assert isinstance(metadata, ClientMetadata)
    assert (metadata.profile, metadata.token_endpoint_auth_method, metadata.default_purpose) == ("secure", "client_secret_basic", "aduan")
    assert metadata.id_token_signed_response_alg == "RS256"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"client_name": None}, "client_name"),
        ({"client_name": "  "}, "client_name"),
        ({"redirect_uris": None}, "redirect_uris"),
        ({"redirect_uris": []}, "redirect_uris"),
        ({"redirect_uris": "https://app.test"}, "redirect_uris"),
        ({"redirect_uris": ["https://app.test/cb#x"]}, "redirect_uris"),
        ({"redirect_uris": ["http://app.test/cb"]}, "redirect_uris"),
        ({"redirect_uris": ["https://app.test/cb"] * 2}, "redirect_uris"),
        ({"post_logout_redirect_uris": ["javascript:x"]}, "post_logout_redirect_uris"),
        ({"purposes": None}, "purposes"),
        ({"default_purpose": "other"}, "default_purpose"),
        ({"token_endpoint_auth_method": "client_secret_jwt"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "jwks"),
        ({"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]}, "grant_types"),
        ({"grant_types": ["implicit"]}, "grant_types"),
        ({"response_types": ["token"]}, "response_types"),
        ({"application_type": "desktop"}, "application_type"),
        ({"subject_type": "public"}, "subject_type"),
        ({"id_token_signed_response_alg": "none"}, "id_token_signed_response_alg"),
        ({"id_token_signed_response_alg": "HS256"}, "id_token_signed_response_alg"),
        ({"jwks_uri": "https://app.test/jwks"}, "jwks_uri"),
        ({"jwks": {"keys": [KEY.as_dict(private=True)]}}, "jwks"),
        ({"jwks": {"keys": [OctKey.generate_key(256).as_dict()]}}, "jwks"),
        ({"jwks": {"keys": "x"}}, "jwks"),
        ({"origins": ["https://app.test"]}, "origins"),
        ({"origins": ["https://app.test/"], "token_endpoint_auth_method": "none"}, "origins"),
        ({"profile": "fast"}, "profile"),
        ({"scope": 'a"b'}, "scope"),
        ({"client_id": "a b"}, "client_id"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_refusal_names_the_field(change: dict[str, Any], field: str) -> None:
    problems = read({name: value for name, value in (GOOD | change).items() if value is not None})
    assert isinstance(problems, tuple), change
    assert field in {problem.field for problem in problems}, problems


def test_all_problems_are_named_at_once() -> None:
    problems = read({"client_name": "", "redirect_uris": "x", "colour": "red"})
    assert isinstance(problems, tuple)
    assert {problem.field for problem in problems} == {"client_name", "redirect_uris", "colour"}


def test_a_native_application_may_have_a_scheme_of_its_own() -> None:
    native = {
        "application_type": "native",
        "token_endpoint_auth_method": "none",
        "redirect_uris": ["id.go.kota.app:/cb", "http://127.0.0.1/cb"],
    }
    assert isinstance(read(GOOD | native), ClientMetadata)
