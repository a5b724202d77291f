"""OAuth 2.0 Multiple Response Types §2.1, Form Post Response Mode §2, RFC 9207 §2: how an answer travels to the client."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

from authlib.common.urls import add_params_to_uri


class ResponseMode(StrEnum):
    """The ways an authorization response can take for response_type=code."""

    QUERY = "query"
    FORM_POST = "form_post"


RESPONSE_TYPES_SUPPORTED = ("code",)


def location(redirect_uri: str, parameters: dict[str, str]) -> str:
    """Add parameters to a redirect URI and keep the query it has.

    RFC 6749 §3.1.2: "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted query component […], which MUST be
    retained."
    """
    return str(add_params_to_uri(redirect_uri, parameters))


def origin(uri: str) -> str:
    """Give scheme, host and port of a redirect URI; for a private-use scheme (RFC 8252 §7.1) the scheme with its colon."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
