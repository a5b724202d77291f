"""RFC 6749 §4.1.2.1, §5.2, RFC 6750 §3.1, RFC 8707 §2, RFC 9396 §5, RFC 9449 §12.2, RFC 9470 §3, OIDC Core §3.1.2.6: errors as values."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from authlib.oauth2 import rfc6749
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oidc.core import errors as oidc

_NOT_ALLOWED = re.compile(r"[^\x20-\x21\x23-\x5b\x5d-\x7e]")


class ErrorCode(StrEnum):
    """Every error this provider answers with. Where Authlib names one, the spelling is Authlib's."""

    INVALID_REQUEST = rfc6749.InvalidRequestError.error
    INVALID_CLIENT = rfc6749.InvalidClientError.error
    INVALID_GRANT = rfc6749.InvalidGrantError.error
    INVALID_SCOPE = rfc6749.InvalidScopeError.error
    UNAUTHORIZED_CLIENT = rfc6749.UnauthorizedClientError.error
    UNSUPPORTED_GRANT_TYPE = rfc6749.UnsupportedGrantTypeError.error
    UNSUPPORTED_RESPONSE_TYPE = rfc6749.UnsupportedResponseTypeError.error
    ACCESS_DENIED = rfc6749.AccessDeniedError.error
    INVALID_TOKEN = InvalidTokenError.error
    INSUFFICIENT_SCOPE = InsufficientScopeError.error
    INTERACTION_REQUIRED = oidc.InteractionRequiredError.error
    LOGIN_REQUIRED = oidc.LoginRequiredError.error
    ACCOUNT_SELECTION_REQUIRED = oidc.AccountSelectionRequiredError.error
    CONSENT_REQUIRED = oidc.ConsentRequiredError.error
    REQUEST_NOT_SUPPORTED = oidc.RequestNotSupportedError.error
    REQUEST_URI_NOT_SUPPORTED = oidc.RequestURINotSupportedError.error
    INVALID_REQUEST_OBJECT = oidc.InvalidRequestObjectError.error
    INVALID_REQUEST_URI = oidc.InvalidRequestURIError.error
    REGISTRATION_NOT_SUPPORTED = oidc.RegistrationNotSupportedError.error
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements"
    INVALID_TARGET = "invalid_target"
    INVALID_AUTHORIZATION_DETAILS = "invalid_authorization_details"
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type"  # noqa: S105 - RFC 7009 §2.2.1, an error code
    INVALID_DPOP_PROOF = "invalid_dpop_proof"
    USE_DPOP_NONCE = "use_dpop_nonce"
    INVALID_CLIENT_METADATA = "invalid_client_metadata"
    INVALID_REDIRECT_URI = "invalid_redirect_uri"
    INVALID_SOFTWARE_STATEMENT = "invalid_software_statement"
    UNAPPROVED_SOFTWARE_STATEMENT = "unapproved_software_statement"
    AUTHORIZATION_PENDING = "authorization_pending"
    SLOW_DOWN = "slow_down"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - RFC 8628 §3.5, an error code
    INVALID_BINDING_MESSAGE = "invalid_binding_message"
    SERVER_ERROR = "server_error"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer: what to call it, what the programmer at the other end should do, and the HTTP status of a direct answer."""

    error: ErrorCode
    description: str
    status: int = 400

    def parameters(self) -> dict[str, str]:
        """Give `error` and `error_description` for a body or a redirect."""
        return {"error": self.error.value, "error_description": describable(self.description)}


def describable(text: str) -> str:
    """Keep only what may stand in an error_description.

    RFC 6749 §5.2: "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
    """
    return _NOT_ALLOWED.sub("'", text)[:400]
