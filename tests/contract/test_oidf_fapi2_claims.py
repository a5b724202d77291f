"""FAPI 2.0: what stands in ID Tokens. A twin of the certification suite's module, named after it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.application import AFTER_LOGOUT, part
from tests.support.fapi import FapiClient

if TYPE_CHECKING:
    from tests.support.application import Application

KNOWN = {"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "azp", "at_hash", "c_hash", "s_hash", "name"}
"""What the suite knows of ID Tokens (OIDC Core §2, §3.3.2.11), and the one claim that was asked for."""


async def test_fapi2_security_profile_final_test_claims_parameter_identity_claims(app: Application) -> None:
    """A session's name says nothing to an application that takes no part in signing out, and would tell which sign-ins belong together."""
    client = await FapiClient(app, "fapi").register(post_logout_redirect_uris=None)
    asked = json.dumps({"id_token": {"name": {"essential": True}, "surely_unknown": None}})
    answer = await client.redeem(await client.code(claims=asked))
    token = part(answer.json()["id_token"], 1)
    assert set(token) <= KNOWN
    assert token["name"]


@pytest.mark.parametrize("field", ["post_logout_redirect_uris", "backchannel_logout_uri", "frontchannel_logout_uri"])
async def test_whoever_takes_part_in_signing_out_gets_the_sessions_name(app: Application, field: str) -> None:
    value = [AFTER_LOGOUT] if field.endswith("s") else "https://app.example/out"
    await app.register("follower", **{"post_logout_redirect_uris": None, "redirect_uris": ["https://app.example/callback"], field: value})
    found = await app.provider.services.clients.get("follower")
    assert found is not None
    assert found.follows_sessions
