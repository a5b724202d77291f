"""OIDC Core §3.1.3.7: the configuration of a provider before ours, and the claims of its ID Tokens, one wrong thing at a time."""

from __future__ import annotations

from typing import Any

import pytest

from idp.spec.upstream import Stated, Upstream, UpstreamMalformed, answered_by_another, parse, stated

TABLE: dict[str, Any] = {
    "name": {"id": "INApas", "en": "INApas"}, "issuer": "https://id.example", "client_id": "gerbang", "client_secret": "x",
    "nik_claim": "nik", "acr": {"high": "aal2"},
}  # fmt: skip
NOW = 1_800_000_000
CLAIMS: dict[str, Any] = {
    "iss": "https://id.example", "aud": "gerbang", "sub": "s-1", "exp": NOW + 300, "iat": NOW, "nonce": "n", "acr": "high",
    "nik": "6471015507900001",
}  # fmt: skip


def upstream(**changes: Any) -> Upstream:
    return parse({"inapas": TABLE | changes}, {})[0]


def test_what_holds_is_stated() -> None:
    assert stated(upstream(), CLAIMS, nonce="n", now=NOW) == Stated("s-1", "aal2", "6471015507900001")


def test_an_acr_that_we_do_not_know_is_the_weakest() -> None:
    assert stated(upstream(), CLAIMS | {"acr": "highest"}, nonce="n", now=NOW) == Stated("s-1", "aal1", "6471015507900001")


def test_a_nik_counts_only_where_the_configuration_says_so() -> None:
    assert stated(upstream(nik_claim=None), CLAIMS, nonce="n", now=NOW) == Stated("s-1", "aal2", None)


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://evil.example"}, {"aud": "another"}, {"aud": ["gerbang", "another"]}, {"aud": None}, {"sub": ""}, {"sub": 7},
        {"sub": "x" * 256}, {"exp": NOW - 61}, {"exp": "soon"}, {"exp": None}, {"iat": NOW + 300}, {"nonce": "m"}, {"nonce": None},
        {"azp": "another"},
    ],
)  # fmt: skip
def test_a_wrong_claim_states_nothing(change: dict[str, Any]) -> None:
    claims = {name: value for name, value in (CLAIMS | change).items() if value is not None}
    assert isinstance(stated(upstream(), claims, nonce="n", now=NOW), str)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": "INApas"}, "name"), ({"name": {"id": "x"}}, "name"), ({"issuer": "http://id.example"}, "issuer"),
        ({"issuer": "https://id.example?x=1"}, "issuer"), ({"client_id": ""}, "client_id"), ({"client_secret": None}, "client_secret"),
        ({"acr": {"high": "aal9"}}, "acr"), ({"algorithms": ["none"]}, "algorithms"), ({"algorithms": ["HS256"]}, "algorithms"),
        ({"scope": "profile"}, "scope"), ({"colour": "red"}, "colour"),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_used_names_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UpstreamMalformed, match=rf"inapas\.{field}"):
        upstream(**changes)


def test_a_name_stands_in_addresses() -> None:
    with pytest.raises(UpstreamMalformed):
        parse({"INA pas": TABLE}, {})


def test_another_issuer_in_the_answer_is_a_mix_up() -> None:
    assert answered_by_another(upstream(), "https://evil.example")
    assert not answered_by_another(upstream(), "https://id.example")
    assert not answered_by_another(upstream(), None)
