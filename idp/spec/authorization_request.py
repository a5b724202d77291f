"""OIDC Core §3.1.2.1, RFC 6749 §4.1.1, RFC 7636 §4.3, RFC 8707, RFC 9396: an authorization request whose every check has passed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from idp.spec import authorization_details, claims, prompt, resources, response_modes, scopes
from idp.spec.authorization_details import Details
from idp.spec.claims import ClaimsRequest
from idp.spec.response_modes import ResponseMode

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idp.spec.prompt import Prompt

KNOWN = frozenset({
    "client_id", "redirect_uri", "response_type", "response_mode", "scope", "state", "nonce", "code_challenge", "code_challenge_method",
    "prompt", "max_age", "login_hint", "id_token_hint", "display", "ui_locales", "claims_locales", "acr_values", "claims",
    "resource", "authorization_details", "dpop_jkt",
})  # fmt: skip
PUSHED = "request_uri"
"""Where a stored request keeps the URI that it was pushed under (RFC 9126); never a parameter that somebody sends."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asks for. Values are parsed; `login_hint` is personal and never leaves sealed storage or the sign-in page."""

    client_id: str
    redirect_uri: str
    scope: tuple[str, ...] = ()
    response_type: str = "code"
    response_mode: ResponseMode = ResponseMode.QUERY
    state: str | None = None
    nonce: str | None = None
    code_challenge: str | None = None
    prompt: frozenset[Prompt] = frozenset()
    max_age: int | None = None
    login_hint: str | None = field(default=None, repr=False)
    id_token_hint: str | None = field(default=None, repr=False)
    display: str | None = None
    ui_locales: tuple[str, ...] = ()
    claims_locales: tuple[str, ...] = ()
    acr_values: tuple[str, ...] = ()
    claims: ClaimsRequest = field(default_factory=ClaimsRequest)
    dpop_jkt: str | None = None
    deferred: str | None = None
    """The request that was asked elsewhere (RFC 8628, CIBA) and whose answer this will be; never taken from outside: it is not `KNOWN`."""
    resources: tuple[str, ...] = ()
    details: Details | None = None
    pushed: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, parameters: Mapping[str, str]) -> AuthorizationRequest:
        """Read parameters that `protocol.checks` has passed."""
        asked_claims = claims.parse(parameters["claims"]) if "claims" in parameters else None
        response_type = response_modes.canonical(parameters.get("response_type", "code"))
        details = authorization_details.parse(parameters["authorization_details"]) if "authorization_details" in parameters else None
        return cls(
            client_id=parameters["client_id"],
            redirect_uri=parameters.get("redirect_uri", ""),
            scope=scopes.parse(parameters.get("scope", "")) or (),
            response_type=response_type,
            response_mode=ResponseMode(parameters.get("response_mode", response_modes.default_mode(response_type))),
            state=parameters.get("state"),
            nonce=parameters.get("nonce"),
            code_challenge=parameters.get("code_challenge"),
            prompt=prompt.parse(parameters.get("prompt")) or frozenset(),
            max_age=prompt.parse_max_age(parameters["max_age"]) if "max_age" in parameters else None,
            login_hint=parameters.get("login_hint"),
            id_token_hint=parameters.get("id_token_hint"),
            display=parameters.get("display"),
            ui_locales=tuple(parameters.get("ui_locales", "").split()),
            claims_locales=tuple(parameters.get("claims_locales", "").split()),
            acr_values=tuple(parameters.get("acr_values", "").split()),
            claims=asked_claims or ClaimsRequest(),
            dpop_jkt=parameters.get("dpop_jkt"),
            deferred=parameters.get("deferred"),
            resources=resources.parse(parameters.get("resource", "")) or (),
            details=details if isinstance(details, Details) else None,
            pushed=parameters.get(PUSHED),
        )

    @property
    def answered_at(self) -> tuple[str, ...]:
        """The addresses that the last form may lead to; none when the answer is fetched."""
        return (self.redirect_uri,) if self.redirect_uri else ()

    @property
    def openid(self) -> bool:
        """Whether this is an OpenID Connect request, which yields an ID Token."""
        return scopes.OPENID in self.scope

    @property
    def offline(self) -> bool:
        """Whether access is asked for while the person is away (OIDC Core §11)."""
        return scopes.OFFLINE_ACCESS in self.scope

    @property
    def purposes(self) -> tuple[str, ...]:
        """The purposes that scope and authorization_details name; the checks allow one at most."""
        named = scopes.purposes(self.scope)
        return named if self.details is None else tuple(dict.fromkeys((*named, self.details.purpose)))

    @property
    def essential_acr(self) -> tuple[str, ...]:
        """The acr values that the claims parameter makes essential (OIDC Core §5.5.1.1); empty when none are."""
        member = self.claims.id_token.get("acr")
        return tuple(str(value) for value in member.values) if member and member.essential else ()

    @property
    def wanted_acr(self) -> tuple[str, ...]:
        """The acr values asked for in any way: an individual claim request goes before `acr_values` (§5.5.1.1)."""
        member = self.claims.id_token.get("acr")
        return tuple(str(value) for value in member.values) if member and member.values else self.acr_values

    @property
    def wanted_subjects(self) -> tuple[str, ...]:
        """The subjects that the claims parameter accepts, for either place (§5.5.1); empty when any will do."""
        members = (self.claims.id_token.get("sub"), self.claims.userinfo.get("sub"))
        return tuple(str(value) for member in members if member for value in member.values)

    def asked_claims(self, scope: tuple[str, ...]) -> dict[str, frozenset[str]]:
        """Name the personal claims asked for by place; `scope` is the part of the scope that the client may have.

        OIDC Core §5.4: scope claims "are returned from the UserInfo Endpoint" when an access token is issued; "when no Access Token is
        issued (which is the case for the response_type value id_token), the resulting Claims are returned in the ID Token".
        """
        by_scope = scopes.claims_of(scope) | (self.details.claims if self.details else frozenset())
        found = {"userinfo": self.claims.personal("userinfo"), "id_token": self.claims.personal("id_token")}
        place = "id_token" if self.response_type == "id_token" else "userinfo"
        return found | {place: found[place] | by_scope}
