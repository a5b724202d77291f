"""RFC 7591 §2: registrations, and the field that each refusal names."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey

from idp.clients.records import Client
from idp.spec.client_metadata import ClientMetadata, read
from idp.spec.client_metadata.reading import MORE
from idp.spec.client_metadata.vocabulary import CIBA, TLS_NAMES

GOOD: dict[str, Any] = {"client_name": "Aduan", "redirect_uris": ["https://app.test/cb"], "purposes": ["aduan"]}
KEY = ECKey.generate_key("P-256", {"kid": "1"}, private=True)
JWKS = {"keys": [KEY.as_dict(private=False)]}
FAPI: dict[str, Any] = GOOD | {"profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt", "jwks": JWKS}


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
        ({"jwks_uri": "http://app.test/jwks"}, "jwks_uri"),
        ({"jwks_uri": "https://app.test/jwks", "jwks": JWKS}, "jwks_uri"),
        ({"sector_identifier_uri": "http://app.test/sector"}, "sector_identifier_uri"),
        ({"initiate_login_uri": "http://app.test/login"}, "initiate_login_uri"),
        ({"initiate_login_uri": "http://localhost/login"}, "initiate_login_uri"),
        ({"request_uris": ["http://app.test/r"]}, "request_uris"),
        ({"request_uris": ["file:///etc/passwd"]}, "request_uris"),
        ({"logo_uri": "javascript:alert(1)"}, "logo_uri"),
        ({"policy_uri": "data:text/html,x"}, "policy_uri"),
        ({"tos_uri": "http://app.test/tos"}, "tos_uri"),
        ({"client_uri": "https://user@app.test/"}, "client_uri"),
        ({"policy_uri#en": "javascript:x"}, "policy_uri#en"),
        ({"colour#en": "red"}, "colour#en"),
        ({"client_name": "Aduan\u202eTXT"}, "client_name"),
        ({"client_name": "Aduan\u0000"}, "client_name"),
        ({"client_name": "A\u200bduan"}, "client_name"),
        ({"client_name": "\u0410duan Kota"}, "client_name"),
        ({"client_name": "a\u0301\u0301\u0301\u0301"}, "client_name"),
        ({"client_name": "x" * 101}, "client_name"),
        ({"client_name#en": "Aduan\u2066"}, "client_name#en"),
        ({"contacts": ["a\nb"]}, "contacts"),
        ({"default_max_age": -1}, "default_max_age"),
        ({"default_max_age": True}, "default_max_age"),
        ({"default_max_age": "60"}, "default_max_age"),
        ({"require_auth_time": "true"}, "require_auth_time"),
        ({"default_acr_values": ["loa-9"]}, "default_acr_values"),
        ({"backchannel_logout_uri": "http://app.test/out"}, "backchannel_logout_uri"),
        ({"backchannel_logout_uri": "https://app.test/out#x"}, "backchannel_logout_uri"),
        ({"frontchannel_logout_uri": "https://other.test/out"}, "frontchannel_logout_uri"),
        ({"frontchannel_logout_uri": "https://app.test:8443/out"}, "frontchannel_logout_uri"),
        ({"id_token_encrypted_response_alg": "RSA1_5", "jwks": JWKS}, "id_token_encrypted_response_alg"),
        ({"id_token_encrypted_response_alg": "ECDH-ES"}, "jwks"),
        (
            {"id_token_encrypted_response_alg": "ECDH-ES", "id_token_encrypted_response_enc": "A128CBC-HS256"},
            "id_token_encrypted_response_enc",
        ),
        ({"userinfo_encrypted_response_enc": "A256GCM"}, "userinfo_encrypted_response_enc"),
        ({"userinfo_signed_response_alg": "none"}, "userinfo_signed_response_alg"),
        ({"introspection_signed_response_alg": "HS256"}, "introspection_signed_response_alg"),
        ({"authorization_signed_response_alg": "none"}, "authorization_signed_response_alg"),
        ({"request_object_signing_alg": "none"}, "request_object_signing_alg"),
        ({"require_signed_request_object": True}, "jwks"),
        ({"token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg"),
        ({"token_endpoint_auth_method": "tls_client_auth"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "tls_client_auth"} | dict.fromkeys(TLS_NAMES[:2], "x"), "token_endpoint_auth_method"),
        ({"tls_client_auth_san_dns": "app.test"}, "tls_client_auth_san_dns"),
        ({"token_endpoint_auth_method": "self_signed_tls_client_auth"}, "jwks"),
        ({"dpop_bound_access_tokens": True, "tls_client_certificate_bound_access_tokens": True}, "dpop_bound_access_tokens"),
        ({"response_types": ["code"], "grant_types": ["client_credentials"]}, "grant_types"),
        ({"response_types": ["id_token"], "grant_types": ["implicit"]}, "response_types"),
        ({"grant_types": ["refresh_token"]}, "grant_types"),
        ({"grant_types": ["urn:openid:params:grant-type:ciba"], "token_endpoint_auth_method": "none"}, "grant_types"),
        ({"backchannel_token_delivery_mode": "push"}, "backchannel_token_delivery_mode"),
        ({"authorization_details_types": ["a b"]}, "authorization_details_types"),
        ({"self_registered": False}, "self_registered"),
        ({"sector": "agency:dinas"}, "sector"),
        ({"jwks": {"keys": []}}, "jwks"),
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


def test_every_further_field_has_its_place_in_the_record() -> None:
    assert set(MORE) <= {field.name for field in fields(Client)}


def test_every_field_of_the_specifications_is_taken() -> None:
    whole = GOOD | {
        "token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.test", "jwks_uri": "https://app.test/jwks",
        "tls_client_certificate_bound_access_tokens": True, "contacts": ["admin@app.test"], "software_id": "x", "software_version": "1",
        "client_uri": "https://app.test", "logo_uri": "https://app.test/l.png", "policy_uri": "https://app.test/p",
        "tos_uri": "https://app.test/t", "client_name#en": "Complaints", "sector_identifier_uri": "https://app.test/s.json",
        "default_max_age": 0, "require_auth_time": True, "default_acr_values": ["aal2"], "initiate_login_uri": "https://app.test/login",
        "request_uris": ["https://app.test/r#GkurKxf5T0Y-mnPFCHqWOMiZi4VS138cQO_V7PZHAdM"], "request_object_signing_alg": "ES256",
        "require_signed_request_object": True, "require_pushed_authorization_requests": True, "userinfo_signed_response_alg": "PS256",
        "id_token_encrypted_response_alg": "RSA-OAEP-256", "backchannel_logout_uri": "https://app.test/out",
        "backchannel_logout_session_required": True, "frontchannel_logout_uri": "https://app.test/front", "subject_type": "pairwise",
        "grant_types": ["authorization_code", CIBA], "authorization_details_types": ["gerbang-purpose"], "resources": ["https://data.test/"],
    }  # fmt: skip
    metadata = read(whole)
    assert isinstance(metadata, ClientMetadata), metadata
    assert metadata.more["id_token_encrypted_response_enc"] == "A256GCM"
    assert metadata.more["backchannel_token_delivery_mode"] == "poll"
    assert metadata.more["default_max_age"] == 0
    assert metadata.localized == {"client_name#en": "Complaints"}


@pytest.mark.parametrize("types", [["id_token"], ["id_token token"], ["token id_token"], ["code id_token"]])
def test_implicit_response_types_are_taken_where_they_are_switched_on(types: list[str]) -> None:
    grants = ["implicit", "authorization_code"] if "code" in types[0] else ["implicit"]
    document = GOOD | {"response_types": types, "grant_types": grants}
    assert isinstance(read(document, implicit=True), ClientMetadata)
    assert isinstance(read(document), tuple)


def test_who_registers_by_himself_needs_no_purpose() -> None:
    assert isinstance(read({"client_name": "x", "redirect_uris": ["https://app.test/cb"]}, needs_purpose=False), ClientMetadata)


def test_profile_fapi2_sets_what_it_demands() -> None:
    metadata = read(FAPI)
    assert isinstance(metadata, ClientMetadata)
    assert (metadata.id_token_signed_response_alg, metadata.more["dpop_bound_access_tokens"]) == ("PS256", True)
    assert metadata.more["require_pushed_authorization_requests"] is True


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "none"}, "token_endpoint_auth_method"),
        ({"require_pushed_authorization_requests": False}, "require_pushed_authorization_requests"),
        ({"dpop_bound_access_tokens": False}, "dpop_bound_access_tokens"),
        ({"id_token_signed_response_alg": "RS256"}, "id_token_signed_response_alg"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
        ({"authorization_signed_response_alg": "RS256"}, "authorization_signed_response_alg"),
        ({"redirect_uris": ["http://localhost/cb"]}, "redirect_uris"),
    ],
)
def test_profile_fapi2_refuses_what_contradicts_it(change: dict[str, Any], field: str) -> None:
    problems = read(FAPI | change)
    assert isinstance(problems, tuple)
    assert field in {problem.field for problem in problems}, problems
