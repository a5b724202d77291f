"""OIDC Core §3.1.2.1, Initiating User Registration §4: `prompt`, `max_age`, `acr_values`, and which contexts satisfy them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING

from idp.spec import assurance

if TYPE_CHECKING:
    from collections.abc import Iterable

ACR_SUPPORTED = tuple(assurance.STRENGTH)
_SECONDS = re.compile(r"[0-9]{1,9}")


class Prompt(StrEnum):
    """What a client may demand of the person."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"


def parse(text: str | None) -> frozenset[Prompt] | None:
    """Read `prompt`; None when a value is unknown, or when `none` does not stand alone.

    §3.1.2.1: "If this parameter contains none with any other value, an error is returned."
    """
    values = set((text or "").split())
    if not values <= set(Prompt) or (Prompt.NONE in values and len(values) > 1):
        return None
    return frozenset(Prompt(value) for value in values)


def parse_max_age(text: str) -> int | None:
    """Read `max_age` in whole seconds; None when it is not a number without a sign."""
    return int(text) if _SECONDS.fullmatch(text) else None


def satisfies(acr: str, asked: Iterable[str]) -> bool:
    """Tell whether a session's acr is at least one of those asked for; values that nobody can reach here ask for nothing.

    §3.1.2.1: "acr_values: Requested Authentication Context Class Reference values … with the values appearing in order of preference."
    """
    least = assurance.least(asked)
    return least is None or assurance.at_least(acr, least)


def reachable(asked: Iterable[str]) -> bool:
    """Tell whether any of the values is one that this provider can give at all."""
    return any(value in ACR_SUPPORTED for value in asked)
