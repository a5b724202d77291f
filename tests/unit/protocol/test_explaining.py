"""What the programmer of an application reads when a request of theirs ended at a page."""

from __future__ import annotations

import datetime as dt

import pytest

from idp.clients.records import Agency, Client
from idp.protocol.asked import Asked
from idp.protocol.client_walk import explaining
from idp.protocol.client_walk.findings import of_registration, reachable_from_outside
from idp.web import parameters

NOW = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)


def client(*uris: str, **more: object) -> Client:
    usual: dict[str, object] = {
        "id": "app", "name": "Aplikasi", "agency": Agency("dinas", {"id": "Dinas"}), "auth_method": "client_secret_basic",
        "application_type": "web", "profile": "secure", "redirect_uris": uris, "post_logout_redirect_uris": (),
        "grant_types": ("authorization_code",), "scopes": ("openid",), "purposes": (), "default_purpose": None, "sector": "agency:dinas",
    }  # fmt: skip
    return Client(**(usual | more))  # type: ignore[arg-type]


def asked(query: str, known: Client | None = None) -> Asked:
    return Asked(parameters.parse(query.encode()), known)


@pytest.mark.parametrize(
    ("sent", "named"),
    [
        ("http://app.test/cb", "scheme"),
        ("https://lain.test/cb", "host"),
        ("https://app.test:8443/cb", "port"),
        ("https://app.test/cb/", "the final slash"),
        ("https://app.test/CB", "capital letters of the path"),
        ("https://app.test/cb?x=1", "query"),
        ("https://APP.test/cb", "capital letters, or a default port"),
        ("https://app.test:x/cb", "characters that no URI has"),
    ],
)
def test_the_difference_to_the_nearest_registered_address_is_named_but_not_the_address(sent: str, named: str) -> None:
    known = client("https://app.test/cb", "https://rahasia.internal/lain/panjang?x=y")
    (sentence,) = explaining.why(asked(f"client_id=app&redirect_uri={sent}", known), "service_address")
    assert named in sentence
    assert "rahasia" not in sentence
    assert "app.test" not in sentence


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("client_id=a&client_id=b", "bad_request", "more than once: client_id."),
        ("client_id=%ff", "bad_request", "UTF-8"),
        ("&" * 200, "bad_request", "too many"),
        ("x=1", "service_unknown", "client_id is missing"),
        ("client_id=salah", "service_unknown", "client_id salah"),
        ("client_id=Hubungi+0812", "service_unknown", "not one that this provider gives"),
        ("client_id=app", "service_address", "redirect_uri is missing"),
    ],
)
def test_each_refusal_is_explained(query: str, code: str, named: str) -> None:
    sentences = explaining.why(asked(query, client("https://app.test/cb")), code)  # type: ignore[arg-type]
    assert any(named in sentence for sentence in sentences), sentences
    assert not any("Hubungi" in sentence for sentence in sentences)


def test_what_is_registered_is_walked() -> None:
    bare = client(profile="openid", auth_method="none", redirect_uris=("http://localhost/cb",), scopes=("openid", "phone"))
    told = {(finding.subject, finding.grade) for finding in of_registration(bare, {"aduan": None}, ())}
    assert told >= {
        ("redirect_uris", "warning"), ("post_logout_redirect_uris", "warning"), ("backchannel_logout_uri", "warning"),
        ("purposes", "wrong"), ("scope", "warning"), ("origins", "wrong"), ("code_challenge", "ok"),
    }  # fmt: skip
    asked_for = [finding for finding in of_registration(bare, {}, ("profile", "purpose:lain", "phone")) if finding.subject == "scope"]
    assert [finding.grade for finding in asked_for] == ["wrong", "wrong", "wrong", "warning"]


def test_only_addresses_that_a_citizen_can_reach_are_asked_for() -> None:
    assert reachable_from_outside("https://app.test:8443/cb")
    assert not any(map(reachable_from_outside, ("http://localhost/cb", "https://127.0.0.1/cb", "https://localhost:3000/", "id.kota:/cb")))
