"""OIDC Core §11, RFC 6749 §3.3: what an approval holds."""

from __future__ import annotations

import datetime as dt

from idp.authorize import rules
from idp.spec.authorization_request import AuthorizationRequest

NOW = dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.UTC)
LIFETIMES = rules.Lifetimes(60, 300, 86400)


def asked(**more: str) -> AuthorizationRequest:
    return AuthorizationRequest.of({"client_id": "app", "redirect_uri": "https://app.test/", **more})


def test_offline_access_is_granted_with_prompt_consent_to_clients_that_refresh() -> None:
    allowed = ("openid", "offline_access")
    assert rules.granted_scope(asked(prompt="consent"), allowed, frozenset(), refreshes=True) == allowed
    assert rules.granted_scope(asked(), allowed, frozenset(), refreshes=True) == ("openid",)
    assert rules.granted_scope(asked(prompt="consent"), allowed, frozenset(), refreshes=False) == ("openid",)


def test_scopes_without_a_readable_claim_are_dropped() -> None:
    assert rules.granted_scope(asked(), ("openid", "profile", "email"), frozenset({"email"}), refreshes=True) == ("openid", "email")


def test_claims_that_the_purpose_does_not_declare_are_dropped_and_companions_stay_with_their_value() -> None:
    wanted = {
        "userinfo": frozenset({"email", "email_verified", "phone_number", "phone_number_verified", "updated_at"}),
        "id_token": frozenset({"nik"}),
    }
    assert rules.kept_claims(wanted, frozenset({"email"})) == {
        "userinfo": frozenset({"email", "email_verified", "updated_at"}),
        "id_token": frozenset(),
    }
    assert rules.dropped_claims(wanted, frozenset({"email"})) == ["nik", "phone_number", "phone_number_verified"]


def test_an_approval_ends_with_its_last_token_and_never_after_the_consent() -> None:
    assert rules.ends_at(NOW, LIFETIMES, refreshes=False, grant_expires_at=None) == NOW + dt.timedelta(seconds=360)
    assert rules.ends_at(NOW, LIFETIMES, refreshes=True, grant_expires_at=None) == NOW + dt.timedelta(days=1)
    soon = NOW + dt.timedelta(seconds=10)
    assert rules.ends_at(NOW, LIFETIMES, refreshes=True, grant_expires_at=soon) == soon
