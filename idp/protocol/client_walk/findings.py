"""What is found at an application's registration itself: OIDC Registration §2, RFC 9700 §2, and our own rules on purposes. No network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from idp.clients.self_registered import SIGN_IN, unchecked
from idp.spec import scopes
from idp.spec.client_metadata.vocabulary import DEFAULT_SCOPES, SECRET_METHODS
from idp.spec.redirect_uris import is_loopback, origin_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from consent.records import Purpose
    from idp.clients.records import Client

Grade = Literal["ok", "warning", "wrong"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at: the field, whether it holds, a sentence, and what to do about it (None: nothing)."""

    subject: str
    grade: Grade
    what: str
    mend: str | None = None


def of_registration(client: Client, purposes: Mapping[str, Purpose | None], asked: tuple[str, ...]) -> Iterator[Finding]:
    """Walk what is registered. `purposes`: each registered one as it is declared now; `asked`: scopes that the application will send."""
    yield from _addresses(client)
    yield from _purposes(client, purposes)
    yield from _scopes(client, [purpose for purpose in purposes.values() if purpose], asked)
    yield from _security(client)


def _addresses(client: Client) -> Iterator[Finding]:
    codes = "authorization_code" in client.grant_types
    if codes and not client.redirect_uris:
        yield Finding("redirect_uris", "wrong", "No redirect URI is registered.", "idp clients set CLIENT_ID --redirect-uri URI")
    for uri in client.redirect_uris:
        if uri.startswith("http://") and not client.native:
            yield Finding("redirect_uris", "warning", f"{uri} is on the programmer's own machine.", "Take it out before citizens come.")
    origins = {origin_of(uri) for uri in client.redirect_uris}
    for uri in client.post_logout_redirect_uris:
        if origin_of(uri) not in origins and not client.native:
            yield Finding(
                "post_logout_redirect_uris", "warning", f"{uri} is on another host than every redirect URI.", "Compare the hosts."
            )
    if codes and not client.post_logout_redirect_uris:
        what = "None is registered: after signing out, citizens stay on the page of this provider."
        yield Finding("post_logout_redirect_uris", "warning", what, "idp clients set CLIENT_ID --post-logout-redirect-uri URI")
    if codes and not client.backchannel_logout_uri and not client.frontchannel_logout_uri:
        what = "No logout address is registered: the application keeps its own session when the citizen signs out elsewhere."
        yield Finding("backchannel_logout_uri", "warning", what, "idp clients set CLIENT_ID --backchannel-logout-uri URI")


def _purposes(client: Client, purposes: Mapping[str, Purpose | None]) -> Iterator[Finding]:
    if client.default_purpose is None and "authorization_code" in client.grant_types:
        yield Finding("purposes", "wrong", "No purpose is registered: every request is refused.", "idp clients set CLIENT_ID --purpose ID")
    for name, purpose in purposes.items():
        if purpose is None:
            yield Finding("purposes", "wrong", f"{name} is not declared.", "idp purposes add FILE")
        elif unchecked(client, name):
            if name == client.default_purpose:
                what = "It registered itself, and nobody approved a purpose: it signs people in and reads nothing."
                yield Finding("purposes", "warning", what, "idp clients approve … --purpose ID")
        elif purpose.agency != client.agency.code and not client.self_registered:
            what = f"{name} is a declaration of {purpose.agency}, and the application is one of {client.agency.code}."
            yield Finding("purposes", "wrong", what, "Declare a purpose of its own agency.")
        else:
            yield Finding("purposes", "ok", f"{name}, version {purpose.version}, reads {_listed(purpose.declared)}.")


def _scopes(client: Client, purposes: list[Purpose], asked: tuple[str, ...]) -> Iterator[Finding]:
    """Say which scopes ask for what no purpose carries: such claims are dropped, and the granted scope tells so."""
    explicit = asked or (client.scopes if client.scopes != DEFAULT_SCOPES else ())
    declared = frozenset[str]().union(*(purpose.declared for purpose in purposes))
    for scope in explicit:
        if scope not in client.scopes and not scope.startswith(scopes.PURPOSE_PREFIX):
            yield Finding("scope", "wrong", f"{scope} is not registered: it is ignored.", "Register the scope, or do not send it.")
        elif scope.startswith(scopes.PURPOSE_PREFIX) and scope.removeprefix(scopes.PURPOSE_PREFIX) not in client.purposes:
            yield Finding("scope", "wrong", f"{scope} names a purpose that is not registered.", "idp clients set CLIENT_ID --purpose ID")
        elif scope in scopes.SCOPE_CLAIMS and not scopes.SCOPE_CLAIMS[scope] & declared:
            what = f"{scope} asks for data that no purpose of the application declares: it is dropped."
            yield Finding("scope", "wrong" if asked else "warning", what, "Declare the data in the purpose, or do not ask for it.")
    if asked and scopes.OPENID not in asked:
        yield Finding("scope", "warning", "openid is missing: there will be no ID Token.", "Send scope=openid …")


def _security(client: Client) -> Iterator[Finding]:
    if client.pkce_required:
        yield Finding("code_challenge", "ok", "Every request needs PKCE with code_challenge_method=S256.")
    else:
        what = "PKCE is not demanded of this application."
        yield Finding("code_challenge", "warning", what, "Send it anyway (RFC 9700 §2.1.1), and register profile secure.")
    if client.auth_method in SECRET_METHODS and client.secret_digest is None:
        yield Finding("client_secret", "wrong", "The application has no secret.", "idp clients rotate-secret …")
    if client.public and not client.native and not client.origins:
        what = "A public web application calls from browsers, and no origin is registered: browsers refuse its calls."
        yield Finding("origins", "wrong", what, "idp clients set CLIENT_ID --origin https://HOST")
    if "refresh_token" in client.grant_types and scopes.OFFLINE_ACCESS not in client.scopes:
        what = "Refresh tokens end with the citizen's session: offline_access is not registered."
        yield Finding("scope", "ok", what)
    if client.self_registered and client.default_purpose != SIGN_IN and not client.policy_uri:
        yield Finding("policy_uri", "warning", "It shows citizens no privacy policy.", "Register policy_uri.")


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names)) or "nothing"


def reachable_from_outside(uri: str) -> bool:
    """Tell whether a citizen's browser can be sent to an address at all, so that its host is worth asking for."""
    origin = origin_of(uri)
    host = None if origin is None else origin.partition("://")[2].rpartition(":")[0] or origin.partition("://")[2]
    return origin is not None and origin.startswith("https://") and not is_loopback(host)
