"""The small pure parts of idp/spec."""

from __future__ import annotations

import json

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from hypothesis import given
from hypothesis import strategies as st

from idp.spec import claims, client_assertion, id_token, pkce, prompt, response_modes, scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.subject import sector_of


@given(st.text())
def test_rfc6749_5_2_descriptions_hold_only_allowed_characters(text: str) -> None:
    described = Refusal(ErrorCode.INVALID_REQUEST, text).parameters()["error_description"]
    assert all(0x20 <= ord(char) <= 0x7E and char not in '"\\' for char in described)


@given(st.text(max_size=80))
def test_scopes_split_without_repetition_or_are_refused(text: str) -> None:
    values = scopes.parse(text)
    if values is not None:
        assert len(set(values)) == len(values)
        assert all(value and '"' not in value and "\\" not in value for value in values)


def test_scopes_that_lost_all_their_claims_are_dropped() -> None:
    assert scopes.narrowed(("openid", "profile", "email", "purpose:x"), {"name"}) == ("openid", "profile", "purpose:x")
    assert scopes.granted(("openid", "unknown", "purpose:x"), ("openid", "email")) == ("openid", "purpose:x")
    assert scopes.purposes(("openid", "purpose:a", "purpose:b")) == ("a", "b")


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))
)
def test_claims_parameters_never_raise(document: object) -> None:
    claims.parse(json.dumps(document))
    claims.parse(json.dumps({"userinfo": document, "id_token": {"name": document}}))


def test_claims_know_essential_value_and_values() -> None:
    read = claims.parse('{"id_token":{"acr":{"essential":true,"values":["aal2"]},"sub":{"value":"x"}},"userinfo":{"name":null,"?":null}}')
    assert read is not None
    assert read.id_token["acr"] == claims.ClaimRequest(essential=True, values=("aal2",))
    assert read.id_token["sub"].values == ("x",)
    assert read.personal("userinfo") == {"name"}


@pytest.mark.parametrize(
    ("acr", "asked", "met"),
    [
        ("aal1", (), True),
        ("aal1", ("aal1",), True),
        ("aal1", ("aal2",), False),
        ("aal2", ("aal1",), True),
        ("aal1", ("aal2", "aal1"), True),
        ("aal1", ("unknown",), True),
        ("aal1", ("unknown", "aal2"), False),
        ("aal2", ("aal3",), False),
        ("aal3", ("aal3",), True),
        ("aal3", ("aal1",), True),
        ("aal1", ("aal3", "aal2"), False),
    ],
)
def test_any_listed_acr_satisfies_and_a_stronger_one_does_too(acr: str, asked: tuple[str, ...], met: bool) -> None:  # noqa: FBT001
    assert prompt.satisfies(acr, asked) is met


@given(st.from_regex(r"[A-Za-z0-9\-._~]{43,128}", fullmatch=True))
def test_a_verifier_fits_its_own_challenge_only(verifier: str) -> None:
    challenge = create_s256_code_challenge(verifier)
    assert pkce.valid_challenge(challenge)
    assert pkce.matches(verifier, challenge)
    assert not pkce.matches(verifier + "x", challenge)
    assert not pkce.matches(verifier, None)
    assert not pkce.matches(None, challenge)


@given(st.dictionaries(st.sampled_from(["code", "state", "error"]), st.text(max_size=50)))
def test_a_location_keeps_the_query_and_adds_only_parameters(parameters: dict[str, str]) -> None:
    location = response_modes.location("https://app.test/cb?a=1", parameters)
    assert location.startswith("https://app.test/cb?a=1")
    assert all(char not in location for char in '\r\n <>"')


@given(st.text(max_size=200))
def test_assertions_that_are_none_name_nobody(text: str) -> None:
    assert client_assertion.names(text) is None or text.count(".") == 2


def test_hints_are_of_this_issuer_for_one_client() -> None:
    good = {"iss": "https://i", "sub": "s", "aud": "app", "exp": 1, "sid": "x"}
    assert id_token.hint(good, "https://i") == id_token.Hint("s", "app", "x")
    for change in ({"iss": "https://other"}, {"sub": 1}, {"aud": ["a", "b"]}, {"aud": None}, {"scope": "openid"}):
        assert id_token.hint({**good, **change}, "https://i") is None
    del good["exp"]  # a signed UserInfo answer
    assert id_token.hint(good, "https://i") is None


def test_sectors_are_the_agency_the_native_client_or_the_one_host() -> None:
    uris = ["https://a.test/1", "https://a.test/2"]
    assert sector_of(agency="dinas", application_type="web", client_id="c", redirect_uris=uris) == "agency:dinas"
    assert sector_of(agency=None, application_type="native", client_id="c", redirect_uris=uris) == "client:c"
    assert sector_of(agency=None, application_type="web", client_id="c", redirect_uris=uris) == "host:a.test"
    assert sector_of(agency=None, application_type="web", client_id="c", redirect_uris=[*uris, "https://b.test/"]) is None
