"""The OpenID providers before ours, as Authlib's client speaks to them: discovery, authorization URL, code for tokens, claims."""

from __future__ import annotations

import asyncio
import json
import math
import time
import tomllib
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

import httpx2

from idp.spec import upstream as rules
from idp.spec.upstream import Stated, Upstream, UpstreamMalformed
from keys.database import require_no_connection
from keys.errors import TokenInvalid
from keys.verification import verify_with_jwks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

SECONDS: Final = 10
LARGEST: Final = 256 * 1024
BELIEVED: Final = 3600.0
"""Seconds for which a provider's metadata holds; its keys are read at every sign-in."""
_METADATA: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")


class UpstreamFailed(Exception):
    """The provider before ours does not answer, or not as it should; the text is for the private log."""


class UpstreamClient:
    """One provider. `transport` is the way out, shared and owned by whoever gives it."""

    def __init__(
        self, upstream: Upstream, redirect_uri: str, transport: httpx2.AsyncBaseTransport, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.upstream = upstream
        self._redirect_uri = redirect_uri
        self._transport = transport
        self._clock = clock
        self._metadata: Mapping[str, Any] = {}
        self._read_at = -math.inf

    async def authorization_url(self, *, state: str, nonce: str, code_verifier: str, more: Mapping[str, str]) -> str:
        """Give the address that the browser is sent to. Raises: UpstreamFailed."""
        metadata = await self._discovered()
        url, _ = self._client().create_authorization_url(
            metadata["authorization_endpoint"], state=state, nonce=nonce, code_verifier=code_verifier, **more
        )
        return str(url)

    async def stated(self, code: str, *, nonce: str, code_verifier: str, now: int, since: int | None = None) -> Stated:
        """Trade a code for what the provider states about the person; `since`: who signed in there no earlier. Raises: UpstreamFailed."""
        from authlib.integrations.base_client import OAuthError  # noqa: PLC0415 - nobody pays for it who has no upstream

        require_no_connection("the network")
        metadata = await self._discovered()
        client = self._client()
        try:
            token = await client.fetch_token(metadata["token_endpoint"], code=code, code_verifier=code_verifier)
        except OAuthError as error:
            raise UpstreamFailed(f"the code is refused: {error.error}") from error
        except (httpx2.HTTPError, ValueError) as error:
            raise UpstreamFailed(f"the token endpoint does not answer as it should: {type(error).__name__}") from error
        stated = await self._checked(token.get("id_token"), metadata, nonce=nonce, now=now, since=since)
        if stated.nik is None and self.upstream.nik_claim and "userinfo_endpoint" in metadata:
            answer = await self._json(client, metadata["userinfo_endpoint"], withhold_token=False)
            if answer.get("sub") == stated.subject:  # OIDC Core §5.3.2: else "the UserInfo Response values MUST NOT be used"
                return replace(stated, nik=rules.nik_in(self.upstream, answer))
        return stated

    async def _checked(self, id_token: object, metadata: Mapping[str, Any], *, nonce: str, now: int, since: int | None) -> Stated:
        if not isinstance(id_token, str):
            raise UpstreamFailed("it gave no ID Token")
        try:
            claims = await self._verified(id_token, metadata["jwks_uri"])
        except (TokenInvalid, UpstreamFailed) as error:  # its keys may have moved since its metadata was read
            moved = (await self._discovered(oldest=0))["jwks_uri"]
            if moved == metadata["jwks_uri"]:
                raise _refused(error) from error
            try:
                claims = await self._verified(id_token, moved)
            except TokenInvalid as again:
                raise _refused(again) from again
        found = rules.stated(self.upstream, claims, nonce=nonce, now=now, since=since)
        if isinstance(found, str):
            raise UpstreamFailed(found)
        return found

    async def _verified(self, id_token: str, jwks_uri: str) -> Mapping[str, Any]:
        jwks = await self._json(self._client(), jwks_uri)
        return verify_with_jwks(id_token, jwks, algorithms=self.upstream.algorithms).claims

    async def _discovered(self, oldest: float = BELIEVED) -> Mapping[str, Any]:
        """Read the metadata, once an hour. OIDC Discovery §4.3: "The issuer value returned MUST be identical to the Issuer URL"."""
        now = self._clock()
        if now - self._read_at >= oldest:
            found = await self._json(self._client(), f"{self.upstream.issuer.rstrip('/')}/.well-known/openid-configuration")
            if found.get("issuer") != self.upstream.issuer or not all(isinstance(found.get(name), str) for name in _METADATA):
                raise UpstreamFailed("its metadata is another issuer's, or not whole")
            self._metadata, self._read_at = found, now
        return self._metadata

    async def _json(self, client: Any, url: str, *, withhold_token: bool = True) -> Mapping[str, Any]:  # noqa: ANN401 - Authlib has no types
        require_no_connection("the network")
        try:
            response = await client.request("GET", url, withhold_token=withhold_token)
        except httpx2.HTTPError as error:
            raise UpstreamFailed(f"{url} does not answer: {type(error).__name__}") from error
        if response.status_code != 200 or len(response.content) > LARGEST:  # noqa: PLR2004 - HTTP's
            raise UpstreamFailed(f"{url} answers {response.status_code}")
        try:
            found = json.loads(response.content)
        except ValueError as error:
            raise UpstreamFailed(f"{url} gives no JSON") from error
        return found if isinstance(found, dict) else {}

    def _client(self) -> Any:  # noqa: ANN401 - as above
        from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415 - as above

        return AsyncOAuth2Client(
            self.upstream.client_id,
            self.upstream.client_secret,
            scope=self.upstream.scope,
            redirect_uri=self._redirect_uri,
            code_challenge_method="S256",
            transport=self._transport,
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
        )


def _refused(error: TokenInvalid | UpstreamFailed) -> UpstreamFailed:
    return UpstreamFailed(f"its ID Token is refused: {error.reason}") if isinstance(error, TokenInvalid) else error


def read_file(path: Path) -> tuple[Upstream, ...]:
    """Read the configuration file; `client_secret_file` counts from its folder. Raises: UpstreamMalformed, OSError."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UpstreamMalformed(f"{path}: {error}") from error
    secrets: dict[str, str] = {}
    for name, table in document.items():
        file = table.get("client_secret_file") if isinstance(table, dict) else None
        if isinstance(file, str):
            secrets[name] = (path.parent / file).read_text(encoding="utf-8").strip()
    return rules.parse(document, secrets)


async def clients(path: Path | None, issuer: str, transport: httpx2.AsyncBaseTransport) -> Mapping[str, UpstreamClient]:
    """Give the configured providers by name, in their order. Raises: UpstreamMalformed, OSError."""
    if path is None:
        return {}
    found = await asyncio.to_thread(read_file, path)
    return {each.id: UpstreamClient(each, f"{issuer}/upstream/{each.id}/callback", transport) for each in found}
