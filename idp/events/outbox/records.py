"""A piece of work that waits in the outbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Errand:
    """One thing to do. `payload` was sealed at rest; `attempts` counts this one in."""

    id: str
    topic: str
    person: str | None
    payload: Mapping[str, Any]
    attempts: int
