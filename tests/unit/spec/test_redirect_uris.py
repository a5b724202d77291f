"""RFC 6749 §3.1.2, RFC 8252 §7: redirect URIs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.spec.redirect_uris import origin_of, registered, why_not


@pytest.mark.parametrize(
    "uri", ["https://app.test/cb", "https://app.test/cb?a=1", "http://localhost:3000/cb", "http://127.0.0.1/cb", "http://[::1]/cb"]
)
def test_https_and_loopback_may_be_registered(uri: str) -> None:
    assert why_not(uri, native=False) is None


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.test/cb#f", "https://app.test/cb#", "http://app.test/cb", "/cb", "app.test/cb", "https:///cb",
        "https://u:p@app.test/", "https://*.app.test/",
        "https://app.test;sandbox/cb", "https://app.test,x/cb", "https://app'.test/cb", "https://app_%41.test/cb",  # they reach our CSP
        "https://app.test/ cb", "https://app.test/\n", "javascript:alert(1)", "data:text/html,x", "com.app:/cb", "https://app.test:99999/", "https://app.test/é",
        "https://app.test/" + "x" * 3000, "",
    ],
)  # fmt: skip
def test_others_may_not(uri: str) -> None:
    assert why_not(uri, native=False)


def test_a_native_application_may_use_a_reversed_domain_name_as_scheme_and_nothing_shorter() -> None:
    assert why_not("id.go.balikpapan.app:/cb", native=True) is None
    assert why_not("myapp:/cb", native=True)
    assert why_not("javascript:alert(1)", native=True)


@given(st.text(max_size=60))
def test_a_web_client_matches_only_letter_by_letter(uri: str) -> None:
    known = ("https://app.test/cb", "http://127.0.0.1:80/cb")
    assert registered(uri, known, native=False) == (uri in known)


@given(st.integers(min_value=1, max_value=65535))
def test_a_native_client_matches_any_port_of_a_loopback_literal(port: int) -> None:
    known = ("http://127.0.0.1/cb?x=1", "http://[::1]:4000/cb")
    assert registered(f"http://127.0.0.1:{port}/cb?x=1", known, native=True)
    assert registered(f"http://[::1]:{port}/cb", known, native=True)
    assert not registered(f"http://127.0.0.1:{port}/cb", known, native=True)
    assert not registered(f"https://127.0.0.1:{port}/cb?x=1", known, native=True)
    assert not registered(f"http://127.0.0.1.evil.test:{port}/cb?x=1", known, native=True)
    assert not registered(f"http://evil@127.0.0.1:{port}/cb?x=1", known, native=True)


def test_origins_are_written_as_browsers_write_them() -> None:
    assert origin_of("https://app.test:443/x") == "https://app.test"
    assert origin_of("http://localhost:3000/") == "http://localhost:3000"
    assert origin_of("http://[::1]:3000/") == "http://[::1]:3000"
    assert origin_of("com.app:/cb") is None
    assert origin_of("https://app.test:x/") is None
