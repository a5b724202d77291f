"""An Authlib AuthorizationServer in memory: the oracle that contract tests hold our answers against (design: Authlib's part).

It is set up as Authlib's documentation tells: code grant with PKCE and OpenID, refresh with rotation, client credentials, revocation,
introspection. Nothing of it is changed to agree with us.
"""

from __future__ import annotations

import base64
import time
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import (
    AuthorizationCodeMixin,
    ClientMixin,
    OAuth2Payload,
    TokenMixin,
    grants,
)
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc.jwk import OctKey


@dataclass(frozen=True)
class Answer:
    """What a server said: status, headers with lower-case names, and the body (a dict when JSON)."""

    status: int
    headers: dict[str, str]
    body: Any

    @property
    def location(self) -> dict[str, str]:
        """The parameters of the redirect, empty when there is none."""
        return dict(parse_qsl(urlsplit(self.headers.get("location", "")).query))

    @property
    def error(self) -> str | None:
        """The OAuth error code, from the redirect or the JSON body."""
        if "location" in self.headers:
            return self.location.get("error")
        return self.body.get("error") if isinstance(self.body, dict) else None


@dataclass
class _Client(ClientMixin):
    client_id: str
    client_secret: str
    redirect_uris: list[str]
    scope: str
    method: str = "client_secret_basic"

    def get_client_id(self) -> str:
        return self.client_id

    def get_default_redirect_uri(self) -> str:
        return self.redirect_uris[0]

    def get_allowed_scope(self, scope: str | None) -> str:
        allowed = set(self.scope.split())
        return " ".join(word for word in (scope or "").split() if word in allowed)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return self.client_secret == client_secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return method == self.method

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in {"authorization_code", "refresh_token", "client_credentials"}


@dataclass
class _Code(AuthorizationCodeMixin):
    code: str
    client_id: str
    redirect_uri: str | None
    scope: str
    nonce: str | None
    code_challenge: str | None
    code_challenge_method: str | None
    auth_time: int = field(default_factory=lambda: int(time.time()))

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.auth_time

    def get_acr(self) -> str | None:
        return None

    def get_amr(self) -> list[str] | None:
        return None


@dataclass
class _Token(TokenMixin):
    access_token: str
    refresh_token: str | None
    client_id: str
    scope: str
    expires_in: int
    issued_at: int = field(default_factory=lambda: int(time.time()))
    revoked: bool = False

    def check_client(self, client: ClientMixin) -> bool:
        return self.client_id == client.get_client_id()

    def get_scope(self) -> str:
        return self.scope

    def get_expires_in(self) -> int:
        return self.expires_in

    def is_expired(self) -> bool:
        return False

    def is_revoked(self) -> bool:
        return self.revoked

    def get_user(self) -> object:
        return _User()

    def get_client(self) -> None:
        return None


@dataclass(frozen=True)
class _User:
    id: str = "siti"

    def get_user_id(self) -> str:
        return self.id


class _Payload(OAuth2Payload):
    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._data = dict(pairs)
        self._lists: defaultdict[str, list[str]] = defaultdict(list)
        for key, value in pairs:
            self._lists[key].append(value)

    @property
    def data(self) -> dict[str, str]:
        return self._data

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return self._lists


class _Request(OAuth2Request):
    def __init__(self, method: str, uri: str, form: list[tuple[str, str]], headers: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self._args = parse_qsl(urlsplit(uri).query, keep_blank_values=True)
        self._form = form
        self.payload = _Payload(self._args + form)

    @property
    def args(self) -> dict[str, str]:
        return dict(self._args)

    @property
    def form(self) -> dict[str, str]:
        return dict(self._form)


class AuthlibOracle(AuthorizationServer):
    """One client, one signed-in person, everything in dictionaries."""

    def __init__(self, *, client_id: str, client_secret: str, redirect_uri: str, scope: str, issuer: str) -> None:
        super().__init__(scopes_supported=None)
        self.issuer = issuer
        self.clients = {client_id: _Client(client_id, client_secret, [redirect_uri], scope)}
        self.codes: dict[str, _Code] = {}
        self.tokens: list[_Token] = []
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: _random("at"), lambda **_: _random("rt")))
        self.register_grant(_code_grant(self), [CodeChallenge(required=True), _openid(issuer)])
        self.register_grant(_refresh_grant(self))
        self.register_grant(grants.ClientCredentialsGrant)
        self.register_endpoint(_revocation(self))
        self.register_endpoint(_introspection(self))

    def query_client(self, client_id: str) -> _Client | None:
        return self.clients.get(client_id)

    def save_token(self, token: dict[str, Any], request: OAuth2Request) -> None:
        self.tokens.append(
            _Token(token["access_token"], token.get("refresh_token"), request.client.client_id, token.get("scope", ""), token["expires_in"])
        )

    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        del name, args, kwargs

    def create_oauth2_request(self, request: _Request) -> _Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Answer:
        return Answer(status, {name.lower(): value for name, value in headers}, body)

    def authorize(self, query: str) -> Answer:
        """Answer an authorization request of the signed-in person, who allows everything that is asked."""
        request = _Request("GET", f"{self.issuer}/authorize?{query}", [], {})
        try:
            grant = self.get_consent_grant(request, end_user=_User())
        except OAuth2Error as error:
            return self.handle_error_response(request, error)
        answer: Answer = self.create_authorization_response(request, grant_user=_User(), grant=grant)
        return answer

    def token(self, form: list[tuple[str, str]], basic: tuple[str, str] | None) -> Answer:
        """Answer a token request."""
        answer: Answer = self.create_token_response(_Request("POST", f"{self.issuer}/token", form, _basic(basic)))
        return answer

    def endpoint(self, name: str, form: list[tuple[str, str]], basic: tuple[str, str] | None) -> Answer:
        """Answer a revocation or introspection request."""
        answer: Answer = self.create_endpoint_response(name, _Request("POST", f"{self.issuer}/{name}", form, _basic(basic)))
        return answer


def _basic(pair: tuple[str, str] | None) -> dict[str, str]:
    if pair is None:
        return {}
    return {"Authorization": "Basic " + base64.b64encode(f"{pair[0]}:{pair[1]}".encode()).decode()}


_counter = iter(range(10**9))


def _random(prefix: str) -> str:
    return f"{prefix}-{next(_counter)}"


def _code_grant(server: AuthlibOracle) -> type[grants.AuthorizationCodeGrant]:
    class CodeGrant(grants.AuthorizationCodeGrant):
        def save_authorization_code(self, code: str, request: OAuth2Request) -> None:
            data = request.payload.data
            server.codes[code] = _Code(
                code,
                request.client.client_id,
                data.get("redirect_uri"),
                request.scope,
                data.get("nonce"),
                data.get("code_challenge"),
                data.get("code_challenge_method"),
            )

        def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
            found = server.codes.get(code)
            return found if found and found.client_id == client.client_id else None

        def delete_authorization_code(self, authorization_code: _Code) -> None:
            del server.codes[authorization_code.code]

        def authenticate_user(self, authorization_code: _Code) -> _User:
            del authorization_code
            return _User()

    return CodeGrant


def _refresh_grant(server: AuthlibOracle) -> type[grants.RefreshTokenGrant]:
    class RefreshGrant(grants.RefreshTokenGrant):
        INCLUDE_NEW_REFRESH_TOKEN = True

        def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
            return next((t for t in server.tokens if t.refresh_token == refresh_token and not t.revoked), None)

        def authenticate_user(self, refresh_token: _Token) -> _User:
            del refresh_token
            return _User()

        def revoke_old_credential(self, refresh_token: _Token) -> None:
            refresh_token.revoked = True

    return RefreshGrant


def _openid(issuer: str) -> OpenIDCode:
    class Code(OpenIDCode):
        def exists_nonce(self, nonce: str, request: OAuth2Request) -> bool:
            del nonce, request
            return False

        def generate_user_info(self, user: _User, scope: str) -> UserInfo:
            del scope
            return UserInfo(sub=user.id)

        def resolve_client_private_key(self, client: _Client) -> OctKey:
            del client
            return OctKey.import_key("0" * 64)

        def get_client_algorithm(self, client: _Client) -> str:
            del client
            return "HS256"

        def get_client_claims(self, client: _Client) -> dict[str, str]:
            del client
            return {"iss": issuer}

    return Code()


def _revocation(server: AuthlibOracle) -> type[RevocationEndpoint]:
    class Revocation(RevocationEndpoint):
        def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
            del token_type_hint
            return next((t for t in server.tokens if token_string in {t.access_token, t.refresh_token}), None)

        def revoke_token(self, token: _Token, request: OAuth2Request) -> None:
            del request
            token.revoked = True

    return Revocation


def _introspection(server: AuthlibOracle) -> type[IntrospectionEndpoint]:
    class Introspection(IntrospectionEndpoint):
        def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
            del token_type_hint
            return next((t for t in server.tokens if token_string in {t.access_token, t.refresh_token}), None)

        def check_permission(self, token: _Token, client: _Client, request: OAuth2Request) -> bool:
            del request
            return token.check_client(client)

        def introspect_token(self, token: _Token) -> dict[str, Any]:
            return {"active": not token.revoked, "client_id": token.client_id, "scope": token.scope}

    return Introspection
