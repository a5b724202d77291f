"""OIDC Core §3.1.2.1, §5.5, RFC 7636 §4.3, RFC 8707 §2, RFC 9396 §5: checks on what is asked for. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from idp.spec import authorization_details, dpop, pkce, resources, scopes
from idp.spec import claims as claims_parameter
from idp.spec import prompt as prompts
from idp.spec.authorization_details import Details
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from idp.protocol.asked import Registered

MAX_STATE: Final = 2048
MAX_NONCE: Final = 1024


def lengths(asked: Registered) -> Refusal | None:
    """§3.1 leaves limits to the server; RFC 6749 appendix A.5: state is printable ASCII."""
    state = asked.get("state") or ""
    if len(state) > MAX_STATE or not state.isascii() or (state and not state.isprintable()):
        return _invalid(f"state must be at most {MAX_STATE} printable ASCII characters.")
    return _invalid(f"nonce is longer than {MAX_NONCE} characters.") if len(asked.get("nonce") or "") > MAX_NONCE else None


def scope(asked: Registered) -> Refusal | None:
    """§3.3: scope is a list of printable words."""
    return None if scopes.parse(asked.get("scope") or "") is not None else _scope_refused("scope has a character that is not allowed.")


def one_purpose(asked: Registered) -> Refusal | None:
    """Design §5: a request has one purpose: the application's default, or the one that its scope or details name."""
    details = authorization_details.parse(asked.get("authorization_details") or "")
    by_details = (details.purpose,) if isinstance(details, Details) else ()
    named = tuple(dict.fromkeys((*scopes.purposes(scopes.parse(asked.get("scope") or "") or ()), *by_details)))
    if len(named) > 1:
        return _scope_refused("Ask for one purpose in a request.")
    if named and named[0] not in asked.client.purposes:
        return _scope_refused("This purpose is not registered for the client.")
    if not named and asked.client.default_purpose is None:
        return _scope_refused("The client has no purpose: nothing can be asked for without one.")
    return None


def code_challenge(asked: Registered) -> Refusal | None:
    """RFC 7636 §4.3, §4.4.1: the challenge, which public clients and profile `secure` must send; S256 only."""
    challenge, method = asked.get("code_challenge"), asked.get("code_challenge_method")
    if challenge is None:
        demanded = asked.client.pkce_required and "code" in (asked.get("response_type") or "code").split()
        if demanded or method is not None:
            return _invalid("code challenge required: add code_challenge=BASE64URL(SHA256(code_verifier)) and code_challenge_method=S256.")
        return None
    if method != pkce.METHOD:
        # §4.3: without a method the challenge would be "plain", which exists nowhere here
        return _invalid("transform algorithm not supported: send code_challenge_method=S256.")
    return None if pkce.valid_challenge(challenge) else _invalid("code_challenge must be 43 characters of base64url.")


def dpop_jkt(asked: Registered) -> Refusal | None:
    """RFC 9449 §10: dpop_jkt is the thumbprint of the key that will redeem the code."""
    value = asked.get("dpop_jkt")
    return None if value is None or dpop.is_thumbprint(value) else _invalid("dpop_jkt must be a SHA-256 thumbprint: 43 of base64url.")


def prompt(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: prompt; `none` stands alone."""
    if prompts.parse(asked.get("prompt")) is None:
        return _invalid("prompt must be none alone, or some of login, consent, select_account and create.")
    return None


def max_age(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: max_age is a number of seconds."""
    value = asked.get("max_age")
    return None if value is None or prompts.parse_max_age(value) is not None else _invalid("max_age must be a whole number of seconds.")


def claims(asked: Registered) -> Refusal | None:
    """OIDC Core §5.5: claims is a JSON object with userinfo and id_token."""
    value = asked.get("claims")
    return (
        None if value is None or claims_parameter.parse(value) is not None else _invalid("claims is not the JSON object of OIDC Core 5.5.")
    )


def essential_acr(asked: Registered) -> Refusal | None:
    """OIDC Core §5.5.1.1: an essential acr that cannot be met "MUST be treated as a failed authentication attempt"."""
    member = (claims_parameter.parse(asked.get("claims") or "{}") or claims_parameter.ClaimsRequest()).id_token.get("acr")
    if member is None or not member.essential or not member.values or prompts.reachable(map(str, member.values)):
        return None
    return Refusal(ErrorCode.UNMET_AUTHENTICATION_REQUIREMENTS, f"acr can be one of {', '.join(prompts.ACR_SUPPORTED)}.")


def id_token_hint(asked: Registered) -> Refusal | None:
    """OIDC Core §3.1.2.1: id_token_hint is an "ID Token previously issued by the Authorization Server"."""
    if asked.get("id_token_hint") is None or (asked.asked.hint is not None and asked.asked.hint.client_id == asked.client.id):
        return None
    return _invalid("id_token_hint is not an ID Token that this provider issued to this client.")


def resource(asked: Registered) -> Refusal | None:
    """RFC 8707 §2: invalid_target, "The requested resource is invalid, missing, unknown, or malformed."."""
    value = asked.get("resource")
    if value is None:
        return None
    wanted = resources.parse(value)
    if wanted is None:
        return Refusal(
            ErrorCode.INVALID_TARGET, f"resource must be an absolute URI without fragment, at most {resources.MAX_RESOURCES} of them."
        )
    if resources.unknown(wanted, asked.client.resources, asked.asked.issuer):
        return Refusal(ErrorCode.INVALID_TARGET, "This client is not registered for that resource.")
    return None


def details(asked: Registered) -> Refusal | None:
    """RFC 9396 §5: invalid_authorization_details for unknown types and fields, wrong types and values."""
    value = asked.get("authorization_details")
    if value is None:
        return None
    read = authorization_details.parse(value)
    if isinstance(read, str):
        return Refusal(ErrorCode.INVALID_AUTHORIZATION_DETAILS, f"{read}.")
    # §10: authorization_details_types: "Indicates what authorization details types the client uses."
    used = asked.client.authorization_details_types
    if used and authorization_details.TYPE not in used:
        return Refusal(ErrorCode.INVALID_AUTHORIZATION_DETAILS, "This client is not registered for that type of authorization_details.")
    if read.purpose not in asked.client.purposes:
        return Refusal(ErrorCode.INVALID_AUTHORIZATION_DETAILS, "This purpose is not registered for the client.")
    return None


def _invalid(description: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_REQUEST, description)


def _scope_refused(description: str) -> Refusal:
    return Refusal(ErrorCode.INVALID_SCOPE, description)
