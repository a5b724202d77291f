"""RFC 6749 §3.1, RFC 9101 §6, RFC 9126 §2.1, §5, FAPI 2.0 §5.3.2.2: who asks, how the request came, how its answer travels. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.protocol.asked import Source
from idp.spec import redirect_uris, response_modes, scopes
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from idp.protocol.asked import Asked, PageCode, Registered
    from idp.spec.response_modes import ResponseMode

_ONCE: Final = frozenset({"client_id", "redirect_uri", "request", "request_uri"})


def readable(asked: Asked) -> PageCode | None:
    """RFC 6749 appendix B: UTF-8, form-encoded; what decides where an answer goes at most once (§3.1)."""
    return "bad_request" if asked.parameters.problem or asked.parameters.repeated & _ONCE else None


def client_known(asked: Asked) -> PageCode | None:
    """RFC 6749 §4.1.1: client_id is REQUIRED."""
    return "service_unknown" if asked.client is None else None


def request_there(asked: Asked) -> PageCode | None:
    """RFC 9126 §4: a request_uri of ours names a request that this client pushed, that has not expired, and that was not answered."""
    return "request_gone" if asked.gone else None


def redirect_uri_registered(asked: Asked) -> PageCode | None:
    """OIDC Core §3.1.2.1: redirect_uri is REQUIRED and "MUST exactly match one of the Redirection URI values for the Client"."""
    uri = asked.get("redirect_uri")
    known = asked.client is not None and uri is not None
    if known and redirect_uris.registered(str(uri), asked.client.redirect_uris, native=asked.client.native):  # type: ignore[union-attr]
        return None
    return "service_address" if asked.problem is None else "request_object"


# --- from here on the application is told --------------------------------------------------------------------------------------------


def each_once(asked: Registered) -> Refusal | None:
    """RFC 6749 §3.1: "Request and response parameters MUST NOT be included more than once."; RFC 8707 §2 excepts resource."""
    repeated = sorted(asked.asked.parameters.repeated - {"resource"})
    return _invalid(f"Send each parameter once: {', '.join(name[:40] for name in repeated[:5])}.") if repeated else None


def object_believed(asked: Registered) -> Refusal | None:
    """RFC 9101 §6.1: "If signature validation fails, the authorization server MUST return an "invalid_request_object" error"."""
    return asked.asked.problem


def no_registration(asked: Registered) -> Refusal | None:
    """OIDC Core §7.2.1: an OP that does not support `registration` says so; it is never ignored."""
    if asked.get("registration") is None:
        return None
    return Refusal(ErrorCode.REGISTRATION_NOT_SUPPORTED, "Applications are registered beforehand.")


def signed_where_demanded(asked: Registered) -> Refusal | None:
    """RFC 9101 §10.5: require_signed_request_object: others MUST be rejected. What was pushed has passed this check."""
    if not asked.client.require_signed_request_object or asked.asked.source in {Source.SIGNED, Source.PUSHED}:
        return None
    return _invalid("This client is registered to send its request as a signed object: the parameter request.")


def pushed_where_demanded(asked: Registered) -> Refusal | None:
    """RFC 9126 §6: require_pushed_authorization_requests; FAPI 2.0 §5.3.2.2 demands it of every client."""
    demanded = asked.client.fapi or asked.client.require_pushed_authorization_requests
    if not demanded or asked.asked.source is Source.PUSHED:
        return None
    return _invalid("This client has to push its request first: POST it to /par, and send client_id and request_uri here.")


def response_type(asked: Registered) -> Refusal | None:
    """RFC 6749 §3.1.1: response_type is REQUIRED; RFC 9700 §2.1.2 advises against all but `code`."""
    value = asked.get("response_type")
    if value is None:
        return _invalid("response_type is missing: send response_type=code.")
    known = response_modes.canonical(value)
    if known not in response_modes.supported_types(certification=asked.asked.certification):
        return Refusal(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "Send response_type=code.")
    if known not in {*map(response_modes.canonical, asked.client.response_types)}:
        return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, f"This client is not registered for response_type {known}.")
    if (asked.client.fapi and known != "code") or (asked.client.sender_constrained and "token" in known.split()):
        # FAPI 2.0 §5.3.2.2: "shall support the authorization code grant", and no other with a person; and a token that travels through
        # the browser is bound to nobody, whatever RFC 9449 §5.2 or RFC 8705 §3.4 promise of this client's
        return Refusal(ErrorCode.UNSUPPORTED_RESPONSE_TYPE, "Send response_type=code.")
    return None


def grant_registered(asked: Registered) -> Refusal | None:
    """RFC 6749 §4.1.2.1: unauthorized_client, "The client is not authorized to request an authorization code using this method."."""
    wanted = "authorization_code" if "code" in (asked.get("response_type") or "").split() else "implicit"
    if wanted in asked.client.grant_types:
        return None
    return Refusal(ErrorCode.UNAUTHORIZED_CLIENT, f"This client is not registered for {wanted}.")


def response_mode(asked: Registered) -> Refusal | None:
    """Multiple Response Types §2.1, §5, JARM §2.3: response_mode says how the answer travels, and not every way suits every type."""
    modes = [mode.value for mode in response_modes.modes_of(response_modes.canonical(asked.get("response_type") or ""))]
    return None if asked.get("response_mode") in {None, *modes} else _invalid(f"response_mode must be one of {', '.join(modes)}.")


def nonce_where_demanded(asked: Registered) -> Refusal | None:
    """OIDC Core §3.2.2.1, §3.3.2.11: nonce is REQUIRED where an ID Token comes from the authorization endpoint, and so is openid."""
    if "id_token" not in (asked.get("response_type") or "").split():
        return None
    if scopes.OPENID not in (asked.get("scope") or "").split(" "):
        return Refusal(ErrorCode.INVALID_SCOPE, "This response_type needs the scope openid.")
    return _invalid("nonce is missing: it is required for this response_type.") if asked.get("nonce") is None else None


def type_of(asked: Registered) -> str:
    """Give the response type as far as it decides how an answer travels: one that is not routed counts as `code`."""
    type_ = response_modes.canonical(asked.get("response_type") or "code")
    return type_ if type_ in response_modes.supported_types(certification=asked.asked.certification) else "code"


def mode_of(asked: Registered) -> ResponseMode:
    """Say how an answer travels, also that of a request which is refused."""
    type_ = type_of(asked)
    allowed = {mode.value: mode for mode in response_modes.modes_of(type_)}
    return allowed.get(asked.get("response_mode") or "", response_modes.default_mode(type_))


def _invalid(description: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, description)
