"""RFC 6749 §4.1.1 to §4.1.2.1, OIDC Core §3.1.2.2: the checks of an authorization request, in order. Reading down is reading the rules.

`BEFORE_REDIRECT` holds until it is safe to redirect: an error there is a page. `AFTER_REDIRECT` are errors the application is told.
RFC 6749 §4.1.2.1: "If the request fails due to a missing, invalid, or mismatching redirection URI, or if the client identifier is
missing or invalid, the authorization server SHOULD inform the resource owner of the error and MUST NOT automatically redirect".
Each check is pure; a further endpoint (pushed requests, device) is a further column.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from idp.spec import claims, dpop, pkce, prompt, redirect_uris, scopes
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.response_modes import RESPONSE_TYPES_SUPPORTED, ResponseMode

if TYPE_CHECKING:
    from collections.abc import Callable

    from idp.clients.records import Client
    from idp.spec.id_token import Hint
    from idp.web.parameters import Parameters

MAX_STATE: Final = 2048
MAX_NONCE: Final = 1024
PageCode = Literal["bad_request", "service_unknown", "service_address"]


@dataclass(frozen=True, slots=True)
class Asked:
    """An authorization request and what was looked up for it: the application, and whom the `id_token_hint` names (None: not ours)."""

    parameters: Parameters
    client: Client | None
    hint: Hint | None = None

    def get(self, name: str) -> str | None:
        """Give a parameter."""
        return self.parameters.get(name)


@dataclass(frozen=True, slots=True)
class Registered:
    """A request of a known application whose redirect URI is registered."""

    asked: Asked
    client: Client
    redirect_uri: str

    def get(self, name: str) -> str | None:
        """Give a parameter."""
        return self.asked.parameters.get(name)


# --- until it is safe to redirect ----------------------------------------------------------------------------------------------------


def _readable(asked: Asked) -> PageCode | None:
    """RFC 6749 appendix B: UTF-8, form-encoded; client_id and redirect_uri at most once (§3.1)."""
    return "bad_request" if asked.parameters.problem or asked.parameters.repeated & {"client_id", "redirect_uri"} else None


def _client_known(asked: Asked) -> PageCode | None:
    """§4.1.1: client_id is REQUIRED."""
    return "service_unknown" if asked.client is None else None


def _redirect_uri_registered(asked: Asked) -> PageCode | None:
    """OIDC Core §3.1.2.1: redirect_uri is REQUIRED and "MUST exactly match one of the Redirection URI values for the Client"."""
    uri = asked.get("redirect_uri")
    known = asked.client is not None and uri is not None
    if known and redirect_uris.registered(str(uri), asked.client.redirect_uris, native=asked.client.native):  # type: ignore[union-attr]
        return None
    return "service_address"


BEFORE_REDIRECT: Final[tuple[Callable[[Asked], PageCode | None], ...]] = (
    _readable,
    _client_known,
    _redirect_uri_registered,
)


# --- from here on the application is told --------------------------------------------------------------------------------------------


def _each_once(asked: Registered) -> Refusal | None:
    """§3.1: "Request and response parameters MUST NOT be included more than once."."""
    repeated = sorted(asked.asked.parameters.repeated - {"resource"})
    return _invalid(f"Send each parameter once: {', '.join(name[:40] for name in repeated[:5])}.") if repeated else None


def _no_request_object(asked: Registered) -> Refusal | None:
    """OIDC Core §6: an OP that does not support `request`, `request_uri` or `registration` says so; they are never ignored."""
    if asked.get("request") is not None:
        return Refusal(ErrorCode.REQUEST_NOT_SUPPORTED, "Send the parameters themselves: request objects are not supported.")
    if asked.get("request_uri") is not None:
        return Refusal(ErrorCode.REQUEST_URI_NOT_SUPPORTED, "Send the parameters themselves: request_uri is not supported.")
    if asked.get("registration") is not None:
        return Refusal(ErrorCode.REGISTRATION_NOT_SUPPORTED, "Applications are registered beforehand.")
    return None


def _response_type(asked: Registered) -> Refusal | None:
    """§3.1.1: response_type is REQUIRED; RFC 9700 §2.1.2 advises against all but `code`."""
    value = asked.get("response_type")
    if value is None:
        return _invalid("response_type is missing: send response_type=code.")
    if value not in RESPONSE_TYPES_SUPPORTED:
        return Refusal(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "Send response_type=code.")
    return None


def _grant_registered(asked: Registered) -> Refusal | None:
    """§4.1.2.1: unauthorized_client, "The client is not authorized to request an authorization code using this method."."""
    if "authorization_code" in asked.client.grant_types:
        return None
    return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, "This client is not registered for authorization_code.")


def _response_mode(asked: Registered) -> Refusal | None:
    """Multiple Response Types §2.1: response_mode says how the answer travels."""
    modes = [mode.value for mode in ResponseMode]
    return None if asked.get("response_mode") in {None, *modes} else _invalid(f"response_mode must be one of {', '.join(modes)}.")


def _lengths(asked: Registered) -> Refusal | None:
    """§3.1 leaves limits to the server; RFC 6749 appendix A.5: state is printable ASCII."""
    state = asked.get("state") or ""
    if len(state) > MAX_STATE or not state.isascii() or (state and not state.isprintable()):
        return _invalid(f"state must be at most {MAX_STATE} printable ASCII characters.")
    return _invalid(f"nonce is longer than {MAX_NONCE} characters.") if len(asked.get("nonce") or "") > MAX_NONCE else None


def _scope(asked: Registered) -> Refusal | None:
    """§3.3: scope is a list of printable words."""
    return None if scopes.parse(asked.get("scope") or "") is not None else _scope_refused("scope has a character that is not allowed.")


def _one_purpose(asked: Registered) -> Refusal | None:
    """Design §5: a request has one purpose: the application's default, or the one its scope names; an unknown one is an error."""
    named = scopes.purposes(scopes.parse(asked.get("scope") or "") or ())
    if len(named) > 1:
        return _scope_refused("Ask for one purpose in a request.")
    if named and named[0] not in asked.client.purposes:
        return _scope_refused("This purpose is not registered for the client.")
    if not named and asked.client.default_purpose is None:
        return _scope_refused("The client has no purpose: nothing can be asked for without one.")
    return None


def _code_challenge(asked: Registered) -> Refusal | None:
    """RFC 7636 §4.3, §4.4.1: the challenge, which public clients and profile `secure` must send; S256 only."""
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if challenge is None:
        if asked.client.pkce_required or method is not None:
            return _invalid("code challenge required: add code_challenge=BASE64URL(SHA256(code_verifier)) and code_challenge_method=S256.")
        return None
    if method != pkce.METHOD:
        # §4.3: without a method the challenge would be "plain", which exists nowhere here
        return _invalid("transform algorithm not supported: send code_challenge_method=S256.")
    return None if pkce.valid_challenge(challenge) else _invalid("code_challenge must be 43 characters of base64url.")


def _dpop_jkt(asked: Registered) -> Refusal | None:
    """RFC 9449 §10: dpop_jkt is the thumbprint of the key that will redeem the code."""
    value = asked.get("dpop_jkt")
    return None if value is None or dpop.is_thumbprint(value) else _invalid("dpop_jkt must be a SHA-256 thumbprint: 43 of base64url.")


def _prompt(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: prompt; `none` stands alone."""
    if prompt.parse(asked.get("prompt")) is None:
        return _invalid("prompt must be none alone, or some of login, consent and select_account.")
    return None


def _max_age(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: max_age is a number of seconds."""
    value = asked.get("max_age")
    return None if value is None or prompt.parse_max_age(value) is not None else _invalid("max_age must be a whole number of seconds.")


def _claims(asked: Registered) -> Refusal | None:
    """OIDC Core §5.5: claims is a JSON object with userinfo and id_token."""
    value = asked.get("claims")
    return None if value is None or claims.parse(value) is not None else _invalid("claims is not the JSON object of OIDC Core 5.5.")


def _essential_acr(asked: Registered) -> Refusal | None:
    """OIDC Core §5.5.1.1: an essential acr that cannot be met "MUST be treated as a failed authentication attempt"."""
    member = (claims.parse(asked.get("claims") or "{}") or claims.ClaimsRequest()).id_token.get("acr")
    if member is None or not member.essential or not member.values or prompt.reachable(map(str, member.values)):
        return None
    return Refusal(ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, f"acr can be one of {', '.join(prompt.ACR_SUPPORTED)}.")


def _id_token_hint(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: id_token_hint is an "ID Token previously issued by the Authorization Server"."""
    if asked.get("id_token_hint") is None or (asked.asked.hint is not None and asked.asked.hint.client_id == asked.client.id):
        return None
    return _invalid("id_token_hint is not an ID Token that this provider issued to this client.")


AFTER_REDIRECT: Final[tuple[Callable[[Registered], Refusal | None], ...]] = (
    _each_once,
    _no_request_object,
    _response_type,
    _grant_registered,
    _response_mode,
    _lengths,
    _scope,
    _one_purpose,
    _code_challenge,
    _dpop_jkt,
    _prompt,
    _max_age,
    _claims,
    _essential_acr,
    _id_token_hint,
)


DEFERRED: Final[tuple[Callable[[Registered], Refusal | None], ...]] = (
    _each_once,
    _scope,
    _one_purpose,
    _claims,
    _essential_acr,
)
"""The column of requests that are answered elsewhere (RFC 8628 §3.1, CIBA §7.1): there is no redirect URI, and nothing is shown at once."""
_DEFERRABLE: Final = frozenset({"scope", "claims", "acr_values", "ui_locales", "claims_locales"})


def deferred(asked: Asked, client: Client) -> Refusal | None:
    """Check a request that is answered elsewhere: the first refusal, or None."""
    whole = Registered(asked, client, "")
    return next((refusal for check in DEFERRED if (refusal := check(whole)) is not None), None)


def deferrable(parameters: Parameters) -> dict[str, str]:
    """Give what of such a request is kept. A card is shown whenever access while away is asked for (OIDC Core §11)."""
    kept = {name: value for name, value in parameters.values.items() if name in _DEFERRABLE}
    offline = scopes.OFFLINE_ACCESS in (scopes.parse(kept.get("scope", "")) or ())
    return kept | ({"prompt": prompt.Prompt.CONSENT.value} if offline else {})


def until_redirect(asked: Asked) -> Registered | PageCode:
    """Run the first table: the request with its application and redirect URI, or the code of the page to show."""
    for check in BEFORE_REDIRECT:
        code = check(asked)
        if code is not None:
            return code
    if asked.client is None:  # the table has said so; this is for the type checker
        return "service_unknown"
    return Registered(asked, asked.client, asked.parameters.values["redirect_uri"])


def after_redirect(asked: Registered) -> Refusal | None:
    """Run the second table: the first refusal, or None when the request holds."""
    return next((refusal for check in AFTER_REDIRECT if (refusal := check(asked)) is not None), None)


def _invalid(description: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, description)


def _scope_refused(description: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_SCOPE, description)
