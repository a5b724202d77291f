"""Parameters of a query or a form body, read strictly: what is repeated, oversized or wrongly encoded is said, never guessed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal
from urllib.parse import unquote_to_bytes

from idp.web.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request

MAX_PARAMETERS = 100
MAX_VALUE = 16384
FORM = "application/x-www-form-urlencoded"

Problem = Literal["encoding", "oversized", "too_many", "content_type"]

_CHARSET = re.compile(r';\s*charset\s*=\s*"?utf-?8"?\s*', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent: the first value of each name, the names sent more than once, and what keeps the whole from being understood."""

    values: Mapping[str, str]
    lists: Mapping[str, tuple[str, ...]]
    repeated: frozenset[str] = frozenset()
    problem: Problem | None = None

    def get(self, name: str) -> str | None:
        """Give the first value of `name`."""
        return self.values.get(name)


def parse(raw: bytes) -> Parameters:
    """Read `application/x-www-form-urlencoded` bytes (a query string or a body) as UTF-8.

    RFC 6749 §3.1: "Parameters sent without a value MUST be treated as if they were omitted from the request."
    """
    pieces = raw.split(b"&") if raw else []
    if len(pieces) > MAX_PARAMETERS:
        return Parameters({}, {}, problem="too_many")
    found: dict[str, list[str]] = {}
    problem: Problem | None = None
    for piece in pieces:
        name, _, value = piece.partition(b"=")
        decoded = _decoded(name), _decoded(value)
        if len(value) > MAX_VALUE:
            problem = problem or "oversized"
        elif decoded[0] is None or decoded[1] is None:
            problem = problem or "encoding"
        elif decoded[1]:
            found.setdefault(decoded[0], []).append(decoded[1])
    return Parameters(
        {name: values[0] for name, values in found.items()},
        {name: tuple(values) for name, values in found.items()},
        frozenset(name for name, values in found.items() if len(values) > 1),
        problem,
    )


def query(request: Request) -> Parameters:
    """Read the query string."""
    raw = request.scope.get("query_string", b"")
    return parse(raw)


async def body(request: Request) -> Parameters:
    """Read a form body. Another content type is a problem (RFC 6749 App. B demands this one, in UTF-8); nothing at all is an empty form."""
    kind = request.headers.get("content-type")
    if kind is None and not await request.body():
        return parse(b"")
    if not is_form(kind or ""):
        return Parameters({}, {}, problem="content_type")
    return parse(await request.body())


async def page_form(request: Request) -> dict[str, str]:
    """Read one of our own pages' forms: a body we cannot read is a page of its own. Raises: PageError."""
    found = await body(request)
    if found.problem == "content_type":
        raise PageError("content_type", 415)
    if found.problem:
        raise PageError("bad_form", 400)
    return dict(found.values)


def is_form(content_type: str) -> bool:
    """Say whether a content type is the form's, with no charset but UTF-8."""
    kind, semicolon, parameters = content_type.partition(";")
    return kind.strip().lower() == FORM and (not semicolon or not parameters.strip() or bool(_CHARSET.fullmatch(semicolon + parameters)))


def _decoded(piece: bytes) -> str | None:
    """Percent-decode; None for what is not UTF-8 or holds a NUL, which no database stores."""
    try:
        text = unquote_to_bytes(piece.replace(b"+", b" ")).decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text
