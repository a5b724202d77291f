"""A logo as we keep it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class Logo:
    """The picture behind an application's logo_uri. `body` is None when it could not be had, or was refused."""

    uri: str
    content_type: str | None
    body: bytes | None = field(repr=False)
    fetched_at: dt.datetime
