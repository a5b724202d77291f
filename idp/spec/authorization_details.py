"""RFC 9396 §2, §5: the `authorization_details` parameter. One type exists here: the purpose of a request, with claims for it.

[{"type": "gerbang-purpose", "purpose": "lapor-jalan", "claims": ["email"]}]
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from idp.spec.claims import PERSONAL_CLAIMS

if TYPE_CHECKING:
    from collections.abc import Iterable

TYPE = "gerbang-purpose"
TYPES_SUPPORTED = (TYPE,)
MAX_LENGTH = 8192
_FIELDS = frozenset({"type", "purpose", "claims"})
_PURPOSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Details:
    """What the parameter asks for: one purpose, and claims for it beside those of the scope."""

    purpose: str
    claims: frozenset[str] = frozenset()


def parse(text: str) -> Details | str:
    """Read the parameter; the answer is what it asks for, or what is wrong with it.

    §5: refuse what "contains unknown authorization details type value", "is an object of known type but containing unknown fields",
    "contains fields of the wrong type […]", "contains fields with invalid values", "is missing required fields".
    """
    try:
        document = json.loads(text) if len(text) <= MAX_LENGTH else None
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, list) or len(document) != 1 or not isinstance(document[0], dict):
        return "authorization_details must be a JSON array of one object: a request has one purpose"
    return _read(document[0])


def _read(detail: dict[str, Any]) -> Details | str:
    purpose, claims = detail.get("purpose"), detail.get("claims", [])
    if detail.get("type") != TYPE:
        return f"the one type of authorization_details here is {TYPE}"
    if not set(detail) <= _FIELDS:
        return f"an object of type {TYPE} has the fields {', '.join(sorted(_FIELDS))} only"
    if not isinstance(purpose, str) or not _PURPOSE.fullmatch(purpose):
        return "purpose must be the id of a purpose"
    if not isinstance(claims, list) or not all(isinstance(name, str) and name in PERSONAL_CLAIMS for name in claims):
        return "claims must be a list of names of claims that this provider knows"
    return Details(purpose, frozenset(claims))


def granted(purpose: str, claims: Iterable[str], grant: str) -> list[dict[str, Any]]:
    """Write what was granted (§7): the purpose, the claims that may be read, and the consent grant it stands on."""
    return [{"type": TYPE, "purpose": purpose, "claims": sorted(claims), "grant": grant}]
