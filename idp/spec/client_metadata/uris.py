"""RFC 7591 §2, OIDC Registration §2, Front-Channel Logout §2, RFC 9101 §10.5: the addresses of an application."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from idp.spec import redirect_uris, resources
from idp.spec.client_metadata.records import Problem
from idp.spec.client_metadata.vocabulary import CIBA, DEFAULT_GRANT_TYPES, FETCHED, LOGOUT, PAGES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

REDIRECTED: Final = frozenset({"authorization_code", "implicit"})


def problems(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Name what is wrong with an application's addresses."""
    yield from _redirects(document)
    yield from _origins(document)
    for name, value in document.items():
        if name.partition("#")[0] in PAGES and (why := redirect_uris.why_not(value, native=False)):
            yield Problem(name, why)
    for name in LOGOUT:
        if name in document and (why := redirect_uris.why_not(document[name], native=False)):
            yield Problem(name, why)
    for name in (*FETCHED, "initiate_login_uri"):
        # OIDC Registration §2: sector_identifier_uri and initiate_login_uri are URIs "using the https scheme"
        if name in document and (why := _https_problem(document[name])):
            yield Problem(name, why)
    for uri in document.get("request_uris", ()):
        # OIDC Registration §2: a fragment may carry the hash of what is behind the address
        if why := _https_problem(uri.partition("#")[0]):
            yield Problem("request_uris", f"{uri}: {why}")
    yield from _resources(document)
    yield from _front_channel(document)


def _resources(document: Mapping[str, Any]) -> Iterator[Problem]:
    for uri in document.get("resources", ()):
        if " " in uri or not resources.parse(uri):
            yield Problem("resources", f"{uri}: it must be an absolute URI without fragment (RFC 8707 section 2)")


def _redirects(document: Mapping[str, Any]) -> Iterator[Problem]:
    native = document.get("application_type") == "native"
    for name in ("redirect_uris", "post_logout_redirect_uris"):
        for uri in document.get(name, ()):
            why = redirect_uris.why_not(uri, native=native)
            if why:
                yield Problem(name, f"{uri}: {why}")
    if not document.get("redirect_uris") and REDIRECTED & set(document.get("grant_types", DEFAULT_GRANT_TYPES)):
        yield Problem("redirect_uris", "authorization_code needs at least one")
    if document.get("profile") == "fapi2" and not native:
        # FAPI 2.0 Security Profile §5.3.2.2: "shall not support … redirect URIs with the http scheme" but for native applications
        for uri in document.get("redirect_uris", ()):
            if not uri.startswith("https://"):
                yield Problem("redirect_uris", f"{uri}: profile fapi2 takes https only")


def _origins(document: Mapping[str, Any]) -> Iterator[Problem]:
    for origin in document.get("origins", ()):
        if redirect_uris.origin_of(origin) != origin:
            yield Problem("origins", f"{origin}: write scheme, host and port only, like https://app.example.go.id")
    if document.get("origins") and document.get("token_endpoint_auth_method") != "none":
        yield Problem("origins", "only public clients (token_endpoint_auth_method none) call from browsers")


def _https_problem(uri: str) -> str | None:
    return redirect_uris.why_not(uri, native=False) or (None if uri.startswith("https://") else "it must be an https address")


def _front_channel(document: Mapping[str, Any]) -> Iterator[Problem]:
    """Front-Channel Logout §2: its "domain, port, and scheme […] MUST be the same as that of a registered Redirection URI value"."""
    uri = document.get("frontchannel_logout_uri")
    if uri and redirect_uris.origin_of(uri) not in {redirect_uris.origin_of(known) for known in document.get("redirect_uris", ())}:
        yield Problem("frontchannel_logout_uri", "its scheme, host and port must be those of a redirect URI")


def grants(document: Mapping[str, Any]) -> Iterator[Problem]:
    """RFC 7591 §2.1: grant types and response types go together."""
    method = document.get("token_endpoint_auth_method", "client_secret_basic")
    given = set(document.get("grant_types", DEFAULT_GRANT_TYPES))
    types = set(document["response_types"]) if "response_types" in document else ({"code"} if "authorization_code" in given else set())
    words = {word for kind in types for word in kind.split(" ")}
    if "code" in words and "authorization_code" not in given:
        yield Problem("grant_types", "response_types with code need authorization_code")
    if words & {"id_token", "token"} and "implicit" not in given:
        yield Problem("grant_types", "response_types with id_token or token need implicit")
    if "authorization_code" in given and "code" not in words:
        yield Problem("response_types", "authorization_code needs code")
    if "implicit" in given and not words & {"id_token", "token"}:
        yield Problem("response_types", "implicit needs id_token")
    if {"client_credentials", CIBA} & given and method == "none":
        # RFC 6749 §4.4: "The client credentials grant type MUST only be used by confidential clients."
        yield Problem("grant_types", "client_credentials and CIBA need a confidential client")
    if given == {"refresh_token"}:
        yield Problem("grant_types", "refresh_token comes with another grant type")
