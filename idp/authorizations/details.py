"""How an approval rests in one text value, and comes back. Private to the store."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

from idp.authorizations.records import Authorization

if TYPE_CHECKING:
    from collections.abc import Mapping

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_TEXTS = ("id", "grant", "client", "person", "session", "sid", "purpose", "purpose_version", "acr")
_SELDOM = ("resources", "details")
_TIMES = ("auth_time", "created_at", "ends_at")


def dump(authorization: Authorization) -> str:
    """Write it: ids, names and times only; a personal value is never among them."""
    plain = {name: getattr(authorization, name) for name in _TEXTS}
    plain |= {name: (getattr(authorization, name) - _EPOCH) // _MICROSECOND for name in _TIMES}
    plain |= {"scope": authorization.scope, "amr": authorization.amr, "claims": _sorted(authorization.claims)}
    plain |= {name: value for name in _SELDOM if (value := getattr(authorization, name))}
    return json.dumps(plain, separators=(",", ":"))


def load(text: str) -> Authorization:
    """Read it."""
    plain = json.loads(text)
    plain |= {name: _EPOCH + dt.timedelta(microseconds=plain[name]) for name in _TIMES}
    plain |= {name: tuple(plain[name]) for name in ("scope", "amr", *_SELDOM) if name in plain}
    plain["claims"] = {place: frozenset(names) for place, names in plain["claims"].items()}
    return Authorization(**plain)


def _sorted(claims: Mapping[str, frozenset[str]]) -> dict[str, list[str]]:
    return {place: sorted(names) for place, names in claims.items()}
