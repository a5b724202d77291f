"""OAuth 2.0 Multiple Response Types §2.1, §5, Form Post Response Mode §2, JARM §2.3: what an answer holds, and how it travels."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri


class ResponseMode(StrEnum):
    """The ways an authorization response can take. Those that end in `jwt` carry it as one signed JWT (JARM)."""

    QUERY = "query"
    FRAGMENT = "fragment"
    FORM_POST = "form_post"
    JWT = "jwt"
    QUERY_JWT = "query.jwt"
    FRAGMENT_JWT = "fragment.jwt"
    FORM_POST_JWT = "form_post.jwt"

    @property
    def signed(self) -> bool:
        """Whether the response is one JWT."""
        return self.value.endswith("jwt")


RESPONSE_TYPES_SUPPORTED = ("code",)
# RFC 9700 §2.1.2: "clients SHOULD NOT use the implicit grant": these exist for the certification plans, under IDP_CERTIFICATION.
FRONT_CHANNEL_TYPES = ("id_token", "id_token token", "code id_token", "code token", "code id_token token")
_ORDER = ("code", "id_token", "token")


def canonical(response_type: str) -> str:
    """Write a response type in one order of its words (RFC 6749 §3.1.1: "the order of values does not matter")."""
    words = set(response_type.split(" "))
    if not words <= set(_ORDER) or len(words) != len(response_type.split(" ")):
        return response_type
    return " ".join(word for word in _ORDER if word in words)


def supported_types(*, certification: bool) -> tuple[str, ...]:
    """Give the response types that are routed."""
    return RESPONSE_TYPES_SUPPORTED + (FRONT_CHANNEL_TYPES if certification else ())


def supported_modes(*, certification: bool) -> tuple[ResponseMode, ...]:
    """Give the response modes that some routed response type takes."""
    return tuple(mode for mode in ResponseMode if any(mode in modes_of(type_) for type_ in supported_types(certification=certification)))


def default_mode(response_type: str) -> ResponseMode:
    """Give the mode of a request that names none: the query for `code`, the fragment where tokens are in the answer (§5)."""
    return ResponseMode.QUERY if response_type == "code" else ResponseMode.FRAGMENT


def modes_of(response_type: str) -> tuple[ResponseMode, ...]:
    """Give the modes that a response type may take.

    §5: "The Response Mode for response types with a token MUST NOT be query". A `code` may travel in each: pages without a server take it
    in the fragment, where no server's log sees it.
    """
    never = set() if response_type == "code" else {ResponseMode.QUERY, ResponseMode.QUERY_JWT}
    return tuple(mode for mode in ResponseMode if mode not in never)


def carrier(mode: ResponseMode, response_type: str) -> ResponseMode:
    """Say in what the answer, signed or not, travels: the query, the fragment or a form (JARM §2.3.4: `jwt` is the default of the type)."""
    if mode is ResponseMode.JWT:
        return default_mode(response_type)
    return ResponseMode(mode.value.removesuffix(".jwt"))


def location(redirect_uri: str, parameters: dict[str, str], *, fragment: bool = False) -> str:
    """Add parameters to a redirect URI and keep the query it has.

    RFC 6749 §3.1.2: "The endpoint URI MAY include an "application/x-www-form-urlencoded" formatted query component […], which MUST be
    retained."
    """
    return f"{redirect_uri}#{urlencode(parameters)}" if fragment else str(add_params_to_uri(redirect_uri, parameters))


def origin(uri: str) -> str:
    """Give scheme, host and port of a redirect URI; for a private-use scheme (RFC 8252 §7.1) the scheme with its colon."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else f"{parts.scheme}:"
