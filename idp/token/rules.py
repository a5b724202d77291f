"""RFC 6749 §4.1.3, §5.2, §6, RFC 7636 §4.6, RFC 9449 §5, §10: what a token request must fit. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.authorizations.records import CodeBinding, Rejected
from idp.spec import pkce, resources, scopes
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_CODE = {
    Rejected.UNKNOWN: "The code is not one of this provider.",
    Rejected.EXPIRED: "The code has expired: redeem it at once.",
    Rejected.ENDED: "The sign-in or permission behind this code has ended: send the citizen to /authorize again.",
    Rejected.REUSED: "The code was used before, so everything issued for it was revoked.",
    Rejected.FOREIGN: "The code was issued to another client.",
    Rejected.UNBOUND: "The code is bound to another key.",
}
_REFRESH = {
    Rejected.UNKNOWN: "The refresh token is not one of this provider, or long used.",
    Rejected.EXPIRED: "The refresh token has expired.",
    Rejected.ENDED: "The sign-in or permission behind this token has ended: send the citizen to /authorize again.",
    Rejected.REUSED: "The refresh token was used before, so everything issued with it was revoked.",
    Rejected.FOREIGN: "The refresh token was issued to another client.",
    Rejected.UNBOUND: "The refresh token is bound to the key or certificate it was first issued on: prove that one.",
}


def code_rejected(why: Rejected) -> Refusal:
    """Say why a code yields nothing. §5.2: invalid_grant."""
    return Refusal(ErrorCode.INVALID_GRANT, _CODE[why])


def refresh_token_rejected(why: Rejected) -> Refusal:
    """Say why a refresh token yields nothing."""
    return Refusal(ErrorCode.INVALID_GRANT, _REFRESH[why])


def fits(binding: CodeBinding, redirect_uri: str, verifier: str | None, *, jkt: str | None = None) -> Refusal | None:
    """Compare a token request with what its code was bound to.

    §4.1.3: "ensure that the "redirect_uri" parameter is present if the "redirect_uri" parameter was included in the initial authorization
    request […], and if included ensure that their values are identical."
    """
    if binding.redirect_uri != redirect_uri:
        return Refusal(ErrorCode.INVALID_GRANT, "redirect_uri is not the one of the authorization request.")
    if binding.dpop_jkt is not None and binding.dpop_jkt != jkt:
        # RFC 9449 §10: "If they do not match, it MUST reject the request."
        return Refusal(ErrorCode.INVALID_GRANT, "The code is bound to a key: prove the one that the authorization request named.")
    if pkce.matches(verifier, binding.code_challenge):
        return None
    if verifier is None:
        return Refusal(ErrorCode.INVALID_GRANT, "code_verifier is missing: the code was asked for with a code_challenge.")
    return Refusal(ErrorCode.INVALID_GRANT, "code_verifier does not fit the code_challenge of the authorization request.")


def bound_to(cnf: Mapping[str, str], *, public: bool) -> str | None:
    """Give the thumbprint that a refresh token is bound to.

    RFC 9449 §5: "refresh tokens […] issued to public clients […] MUST be bound to the respective public key"; those of confidential clients
    are bound to their credentials already, so their keys may change. RFC 8705 §7.1 says the same of certificates.
    """
    return next(iter(cnf.values()), None) if public else None


def refreshed_scope(asked: str | None, granted: tuple[str, ...]) -> tuple[str, ...] | Refusal:
    """Give the scope of a refreshed access token: what is asked and was granted; never more (§6).

    Client libraries repeat the scope they were configured with, and their citizen may have allowed less. §3.3: "The authorization server
    MAY fully or partially ignore the scope requested by the client": the rest is ignored and the answer's `scope` says what holds.
    """
    if asked is None:
        return granted
    wanted = scopes.parse(asked)
    kept = tuple(value for value in wanted or () if value in granted)
    return kept or Refusal(ErrorCode.INVALID_SCOPE, "nothing of this scope was granted.")


def audience(asked: str | None, granted: tuple[str, ...], issuer: str) -> tuple[str, ...] | Refusal:
    """Give the resources of an access token: those that were granted, or some of them (RFC 8707 §2.2)."""
    narrowed = resources.narrowed(asked, granted, issuer)
    return Refusal(ErrorCode.INVALID_TARGET, "resource must be one that was granted.") if narrowed is None else narrowed


def client_scope(asked: str | None, registered: Iterable[str]) -> tuple[str, ...] | Refusal:
    """Give the scope of an application that acts for itself: what it registered, without anything about a person."""
    own = tuple(value for value in registered if value not in scopes.PERSONAL_SCOPES)
    if asked is None:
        return own
    wanted = scopes.parse(asked)
    if wanted is None or not set(wanted) <= set(own):
        return Refusal(ErrorCode.INVALID_SCOPE, "client_credentials gives only scopes that are registered and concern no citizen.")
    return wanted
