"""RFC 9396: rich authorization requests. One type, gerbang-purpose: the purpose of a request, and claims for it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.spec import authorization_details
from tests.support.application import SECRET, Application, declaration

AUTH = ("rich", SECRET)


def details(**changes: object) -> str:
    whole: dict[str, object] = {"type": "gerbang-purpose", "purpose": "surat", "claims": ["email"]}
    return json.dumps([{name: value for name, value in (whole | changes).items() if value is not None}])


@pytest.fixture
async def rich(app: Application) -> Application:
    await app.provider.services.consent.purposes.add(declaration("surat", required=("email",), optional=("phone_number",)))
    await app.register("rich", purposes=["semua", "surat"])
    return app


async def test_the_purpose_and_its_claims_are_asked_for_granted_and_returned(rich: Application) -> None:
    answer = await rich.through(client_id="rich", scope="openid", authorization_details=details())
    tokens = (await rich.redeem(answer["code"], AUTH)).json()
    (granted,) = tokens["authorization_details"]
    assert (granted["type"], granted["purpose"], granted["claims"]) == ("gerbang-purpose", "surat", ["email"])
    assert granted["grant"]
    assert (await rich.userinfo(tokens["access_token"])).json().keys() == {"sub", "email"}
    assert (await rich.introspect(tokens["access_token"], AUTH))["authorization_details"] == [granted]
    again = (await rich.refresh(tokens["refresh_token"], AUTH)).json()
    assert again["authorization_details"] == [granted]


async def test_claims_that_the_purpose_does_not_declare_are_never_granted(rich: Application) -> None:
    wide = details(claims=["email", "nik", "birthdate"])
    answer = await rich.through(client_id="rich", scope="openid profile", authorization_details=wide)
    tokens = (await rich.redeem(answer["code"], AUTH)).json()
    assert tokens["authorization_details"][0]["claims"] == ["email"]
    assert (await rich.userinfo(tokens["access_token"])).json().keys() == {"sub", "email"}


async def test_a_request_without_it_gets_none_back(rich: Application) -> None:
    tokens = (await rich.redeem((await rich.through(client_id="rich"))["code"], AUTH)).json()
    assert "authorization_details" not in tokens
    assert "authorization_details" not in await rich.introspect(tokens["access_token"], AUTH)


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "{}",
        "[]",
        "no json",
        "[1]",
        details()[:-1] + "," + details()[1:],
        details(type="payment_initiation"),
        details(type=None),
        details(purpose=None),
        details(purpose="../x"),
        details(purpose="unknown"),
        details(claims="email"),
        details(claims=["salary"]),
        details(claims=[["email"]]),
        details(actions=["read"]),
        "[" * 3000,
    ],
)
async def test_5_what_is_unknown_or_wrong_is_refused(rich: Application, wrong: str) -> None:
    if wrong:
        assert (await rich.ask(client_id="rich", authorization_details=wrong)).answer["error"] == "invalid_authorization_details"
    else:
        assert isinstance(authorization_details.parse(wrong), str)


async def test_one_purpose_in_a_request(rich: Application) -> None:
    page = await rich.ask(client_id="rich", scope="openid purpose:semua", authorization_details=details())
    assert page.answer["error"] == "invalid_scope"
    assert (await rich.ask(client_id="rich", scope="openid purpose:surat", authorization_details=details())).path == "/login"


async def test_10_discovery_names_the_type(rich: Application) -> None:
    for path in ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"):
        assert (await rich.http.get(path)).json()["authorization_details_types_supported"] == ["gerbang-purpose"]


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=9), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_json_is_read_or_refused_with_a_sentence(document: Any) -> None:
    assert authorization_details.parse(json.dumps(document))
