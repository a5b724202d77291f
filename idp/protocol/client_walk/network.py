"""What is found behind the addresses of an application: hosts, keys, sector list, logo. Each is asked as it is asked when it matters."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from idp.protocol import client_keys
from idp.protocol.client_walk.findings import Finding, reachable_from_outside
from idp.protocol.fetcher import FetchRefused
from idp.spec import client_assertion, pictures, request_object
from keys.algorithms import fits, read_key
from keys.encryption import encrypt
from keys.errors import KeysError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

    from idp.clients.records import Client
    from idp.protocol.services import Services

_ANSWERED: Final = "The address answered"
"""How the fetcher begins to tell of an answer that it did not take: somebody is there."""
_PARTS: Final = ("id_token", "userinfo", "introspection", "authorization")
_OK: Final = 300
_MISSING: Final = (404, 405, 410)
_BROKEN: Final = 500


async def of_addresses(found: Services, client: Client) -> AsyncIterator[Finding]:
    """Ask for everything that the registration points to."""
    for finding in [*await _hosts(found, client), *await _keys(found, client), *await _back_channel(found, client)]:
        yield finding
    for finding in [*await _sector(found, client), *await _logo(found, client)]:
        yield finding


async def _hosts(found: Services, client: Client) -> Sequence[Finding]:
    """Ask each host once, at the first address of it; what it answers there is the application's matter."""
    named = [("redirect_uris", uri) for uri in client.redirect_uris]
    named += [("post_logout_redirect_uris", uri) for uri in client.post_logout_redirect_uris]
    more = (("frontchannel_logout_uri", client.frontchannel_logout_uri), ("initiate_login_uri", client.initiate_login_uri))
    named += [(name, uri) for name, uri in more if uri]
    named += [(name, uri) for name, uri in (("policy_uri", client.policy_uri), ("tos_uri", client.tos_uri)) if uri]
    seen: set[str] = set()
    findings = []
    for name, uri in named:
        bare = uri.partition("?")[0]
        if bare not in seen and reachable_from_outside(uri):
            seen.add(bare)
            findings.append(await _reached(found, name, bare))
    return findings


async def _reached(found: Services, name: str, uri: str) -> Finding:
    try:
        await found.fetcher.get(uri, accept="*/*")
    except FetchRefused as refused:
        if not str(refused).startswith(_ANSWERED):
            return Finding(name, "wrong", f"{uri}: {refused}", "Compare the host with the application's address; is it online?")
    return Finding(name, "ok", f"{uri} answers.")


async def _back_channel(found: Services, client: Client) -> Sequence[Finding]:
    """Back-Channel Logout §2.5: send what is no Logout Token; an application that listens answers 400 (§2.8)."""
    uri = client.backchannel_logout_uri
    if uri is None:
        return ()
    try:
        status = await found.fetcher.post(uri, content=b"logout_token=", headers={"content-type": "application/x-www-form-urlencoded"})
    except FetchRefused as refused:
        return (Finding("backchannel_logout_uri", "wrong", f"{uri}: {refused}", "The application's server must be reachable from here."),)
    if status in _MISSING or status >= _BROKEN:
        return (Finding("backchannel_logout_uri", "wrong", f"{uri} answers {status} to a POST.", "It must take POST with logout_token."),)
    if status < _OK:
        what = f"{uri} answers {status} to a Logout Token that is none: it does not check what it is told."
        return (Finding("backchannel_logout_uri", "warning", what, "Verify Logout Tokens (Back-Channel Logout §2.6)."),)
    return (Finding("backchannel_logout_uri", "ok", f"{uri} listens."),)


async def _keys(found: Services, client: Client) -> Sequence[Finding]:
    needs = list(_needs(client))
    if client.jwks is None and client.jwks_uri is None:
        return [Finding("jwks", "wrong", f"No keys are registered, and {use} needs one.", "Register jwks or jwks_uri.") for use, _ in needs]
    subject = "jwks" if client.jwks_uri is None else "jwks_uri"
    try:
        jwks = await client_keys.jwks_of(found, client, fresh=True)
    except FetchRefused as refused:
        return [Finding(subject, "wrong", str(refused), "Publish the keys there, over https, as application/json.")]
    keys = [key for key in jwks["keys"] if isinstance(key, dict)]
    findings = [Finding(subject, "ok", f"{len(keys)} keys are there.")] if keys else []
    if len({key.get("kid") for key in keys}) < len(keys):
        findings.append(Finding(subject, "wrong", "Two keys have the same kid, or none.", "Give each key a kid of its own."))
    for use, algorithms in needs:
        if not any(_serves(key, algorithm) for key in keys for algorithm in algorithms):
            what = f"No key fits {use} with {' or '.join(algorithms)}."
            findings.append(Finding(subject, "wrong", what, "Publish a key of that type, with that use and alg, or without either."))
    return findings


def _needs(client: Client) -> Iterator[tuple[str, tuple[str, ...]]]:
    """List what the application's keys are needed for, and the algorithms of which one must fit."""
    if client.auth_method == "private_key_jwt":
        every = ("PS256", "ES256", "EdDSA") if client.fapi else client_assertion.ALGORITHMS
        only = client.token_endpoint_auth_signing_alg
        yield "private_key_jwt", (only,) if only else every
    signed = client.request_object_signing_alg
    if client.require_signed_request_object or signed not in {None, "none"}:
        yield "signed requests", (signed,) if signed and signed != "none" else request_object.ALGORITHMS
    for part in _PARTS:
        algorithm = getattr(client, f"{part}_encrypted_response_alg")
        if algorithm:
            yield f"{part}_encrypted_response_alg", (algorithm,)


def _serves(key: Mapping[str, object], algorithm: str) -> bool:
    """Tell whether a key can be used so: a signature's by its type, use and alg, one to encrypt to by trying."""
    try:
        if algorithm in client_assertion.ALGORITHMS:
            return fits(algorithm, read_key(key))
        encrypt(b"", {"keys": [key]}, algorithm=algorithm)
    except (ValueError, KeysError):
        return False
    return True


async def _sector(found: Services, client: Client) -> Sequence[Finding]:
    """OIDC Registration §5: the list must still hold every redirect URI."""
    uri = client.sector_identifier_uri
    if uri is None:
        return ()
    try:
        listed = json.loads((await found.fetcher.get(uri, accept="application/json")).body)
    except (FetchRefused, ValueError, RecursionError) as error:
        why = str(error) if isinstance(error, FetchRefused) else "It does not answer with JSON."
        return (Finding("sector_identifier_uri", "wrong", f"{uri}: {why}", "Publish the list of redirect URIs there."),)
    missing = [known for known in client.redirect_uris if not isinstance(listed, list) or known not in listed]
    what = f"The list lacks {', '.join(missing)}." if missing else "The list holds every redirect URI."
    return (Finding("sector_identifier_uri", "wrong" if missing else "ok", what, "Add what is missing to the list." if missing else None),)


async def _logo(found: Services, client: Client) -> Sequence[Finding]:
    if client.logo_uri is None:
        return ()
    try:
        body = (await found.fetcher.get(client.logo_uri, accept="*/*", limit=pictures.MAX_BYTES)).body
    except FetchRefused as refused:
        return (Finding("logo_uri", "warning", f"{client.logo_uri}: {refused}", "Without it pages show the agency's initials."),)
    if pictures.kind_of(body) is None:
        what = f"{client.logo_uri} is no PNG, JPEG or WebP of at most {pictures.MAX_BYTES} bytes and {pictures.MAX_SIDE} dots a side."
        return (Finding("logo_uri", "warning", what, "Without it pages show the agency's initials."),)
    return (Finding("logo_uri", "ok", "The logo can be shown."),)
