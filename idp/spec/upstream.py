"""OIDC Core §3.1.3.7, RFC 9207 §2.4: a provider before ours, as a way to sign in; what its configuration and answers must be. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from authlib.oidc.core import CodeIDToken
from joserfc.errors import JoseError

if TYPE_CHECKING:
    from collections.abc import Mapping

ALGORITHMS: Final = ("RS256", "PS256", "ES256", "EdDSA")
DEFAULT_ALGORITHMS: Final = ("RS256", "PS256", "ES256")
LEEWAY: Final = 60
STRENGTHS: Final = ("aal1", "aal2")
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{1,31}")
_FIELDS: Final = frozenset(
    {"name", "issuer", "client_id", "client_secret", "client_secret_file", "scope", "nik_claim", "acr", "algorithms"}
)
_LONGEST: Final = 255
_LAST_TIME: Final = 2**53


class UpstreamMalformed(ValueError):
    """The configuration cannot be used; the text says where and why."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One provider. `acr`: which of its acr values we believe to be which of ours; any other is aal1.

    `nik_claim`: the claim in which it states a verified NIK; None when it states none that we may rely on.
    """

    id: str
    name: Mapping[str, str]
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    scope: str = "openid"
    nik_claim: str | None = None
    acr: Mapping[str, str] = field(default_factory=dict)
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS


@dataclass(frozen=True, slots=True)
class Stated:
    """What an upstream stated about who signed in there: its own name for the person, how strongly, and the NIK, where it has one.

    `auth_time`: when, in seconds since the epoch; None where it does not say.
    """

    subject: str
    acr: str
    nik: str | None = field(default=None, repr=False)
    auth_time: int | None = None


def parse(document: Mapping[str, Any], secrets: Mapping[str, str]) -> tuple[Upstream, ...]:
    """Read the configuration: a table for each provider. `secrets`: those that stand in files, by provider. Raises: UpstreamMalformed."""
    return tuple(_one(name, table, secrets.get(name)) for name, table in document.items())


def _one(name: str, table: object, secret: str | None) -> Upstream:
    if not _NAME.fullmatch(name) or not isinstance(table, dict):
        raise UpstreamMalformed(f"{name}: a provider is a table with a short name of small letters, digits and hyphens")
    unknown = sorted(set(table) - _FIELDS)
    if unknown:
        raise UpstreamMalformed(f"{name}.{unknown[0]}: no such field; there are {', '.join(sorted(_FIELDS))}")
    names = table.get("name")
    if not isinstance(names, dict) or not all(isinstance(names.get(language), str) and names[language] for language in ("id", "en")):
        raise UpstreamMalformed(f"{name}.name: write it in both languages, name.id and name.en")
    texts = {key: table.get(key) for key in ("issuer", "client_id")} | {"client_secret": secret or table.get("client_secret")}
    for key, value in texts.items():
        if not isinstance(value, str) or not value:
            raise UpstreamMalformed(f"{name}.{key}: it is missing")
    _check_issuer(name, str(texts["issuer"]))
    acr, algorithms = table.get("acr", {}), tuple(table.get("algorithms", DEFAULT_ALGORITHMS))
    if not isinstance(acr, dict) or not set(acr.values()) <= set(STRENGTHS):
        raise UpstreamMalformed(f"{name}.acr: each of its values is aal1 or aal2")
    if not algorithms or not set(algorithms) <= set(ALGORITHMS):
        raise UpstreamMalformed(f"{name}.algorithms: choose of {', '.join(ALGORITHMS)}")
    scope = str(table.get("scope", "openid"))
    if "openid" not in scope.split():
        raise UpstreamMalformed(f"{name}.scope: it must have openid")
    nik = table.get("nik_claim")
    return Upstream(
        name, dict(names), str(texts["issuer"]), str(texts["client_id"]), str(texts["client_secret"]), scope,
        str(nik) if nik is not None else None, dict(acr), algorithms,
    )  # fmt: skip


def _check_issuer(name: str, issuer: str) -> None:
    parts = urlsplit(issuer)
    loopback = parts.hostname in {"localhost", "127.0.0.1"}
    if not parts.hostname or parts.query or parts.fragment or (parts.scheme != "https" and not loopback):
        raise UpstreamMalformed(f"{name}.issuer: it must be an https address without query")


def answered_by_another(upstream: Upstream, iss: str | None) -> bool:
    """Tell a mix-up: RFC 9207 §2.4: clients "MUST compare" `iss` "to the issuer identifier of the authorization server" that was asked."""
    return iss is not None and iss != upstream.issuer


def stated(upstream: Upstream, claims: Mapping[str, Any], *, nonce: str, now: int, since: int | None = None) -> Stated | str:
    """Check the claims of an ID Token whose signature holds; what they state, or why they do not count.

    §3.1.3.7 (2), (3), (9), (11): iss exact, aud contains us (and nobody we do not know), not expired, the nonce we sent. (13): "If the
    auth_time Claim was requested, […] the Client SHOULD check the auth_time Claim value": a provider may have ignored our prompt=login.
    """
    options: dict[str, Any] = {
        "iss": {"essential": True, "value": upstream.issuer},
        "sub": {"essential": True},
        "aud": {"essential": True, "value": upstream.client_id},
        "exp": {"essential": True},
        "iat": {"essential": True},
        "nonce": {"essential": True, "value": nonce},
    }
    try:
        CodeIDToken(dict(claims), {}, options, {"client_id": upstream.client_id, "nonce": nonce}).validate(now=now, leeway=LEEWAY)
    except (JoseError, ValueError, TypeError) as error:
        return f"its ID Token does not hold: {type(error).__name__}"
    subject, audience = claims["sub"], claims["aud"]
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST:
        return "its sub is not a text of at most 255 characters"
    if isinstance(audience, list) and len(audience) > 1:
        return "its ID Token is meant for others too"
    auth_time = _seconds(claims.get("auth_time"))
    if since is not None and (auth_time is None or auth_time < since - LEEWAY):
        return "its sign-in is older than we asked for, or it does not say"
    return Stated(subject, upstream.acr.get(str(claims.get("acr")), STRENGTHS[0]), nik_in(upstream, claims), auth_time)


def _seconds(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _LAST_TIME else None


def nik_in(upstream: Upstream, claims: Mapping[str, Any]) -> str | None:
    """Give the NIK that an answer states, where the configuration says that it is a verified one."""
    value = claims.get(upstream.nik_claim) if upstream.nik_claim else None
    return value if isinstance(value, str) else None
