"""Answers of endpoints that programs call: JSON, never stored; and how their forms are read."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.responses import Response

from idp.spec.errors import ErrorCode, Refusal
from idp.web.parameters import Parameters, body

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

# RFC 6749 §5.1: "The authorization server MUST include the HTTP "Cache-Control" response header field with a value of "no-store" in any
# response containing tokens, credentials, or other sensitive information, as well as the "Pragma" response header field".
_NOT_STORED: Final = {"cache-control": "no-store", "pragma": "no-cache"}
_JSON: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False)  # json.dumps would make one for each answer
_PROBLEMS: Final = {
    "content_type": Refusal(ErrorCode.INVALID_REQUEST, "Send parameters as application/x-www-form-urlencoded in UTF-8.", 415),
    "encoding": Refusal(ErrorCode.INVALID_REQUEST, "A parameter is not percent-encoded UTF-8."),
    "oversized": Refusal(ErrorCode.INVALID_REQUEST, "A parameter is too long."),
    "too_many": Refusal(ErrorCode.INVALID_REQUEST, "There are too many parameters."),
}


def answer(content: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with JSON that no cache keeps."""
    return Response(_JSON.encode(content).encode(), status, {**_NOT_STORED, **(headers or {})}, "application/json")


def refused(refusal: Refusal, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with an error as RFC 6749 §5.2 writes it."""
    if refusal.error is ErrorCode.INVALID_CLIENT:
        # §5.2: "the authorization server MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate"
        # response header field matching the authentication scheme used by the client."
        headers = {"www-authenticate": 'Basic realm="gerbang", charset="UTF-8"', **(headers or {})}
    return answer(refusal.parameters(), refusal.status, headers)


async def read_form(request: Request) -> Parameters | Refusal:
    """Read the form of a token, introspection or revocation request.

    RFC 6749 §3.2: "Request and response parameters MUST NOT be included more than once."
    """
    found = await body(request)
    if found.problem is not None:
        return _PROBLEMS[found.problem]
    repeated = sorted(found.repeated - {"resource", "audience"})  # RFC 8707 §2, RFC 8693 §2.1: these may stand several times
    if repeated:
        return Refusal(ErrorCode.INVALID_REQUEST, f"Send each parameter once: {', '.join(name[:40] for name in repeated[:5])}.")
    return found
