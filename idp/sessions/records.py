"""What a session looks like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import datetime as dt


@dataclass(frozen=True, slots=True)
class SessionRules:
    """How long sessions live, in seconds. `confirm`: unused for so long on a shared device, a service first asks who is there."""

    idle: int = 900
    absolute: int = 43200
    remembered_idle: int = 30 * 86400
    remembered_absolute: int = 90 * 86400
    confirm: int = 300


@dataclass(frozen=True, slots=True)
class Session:
    """One signed-in browser. `last_seen` is when the person was last here; a service's refresh does not move it."""

    id: str
    person: str
    auth_time: dt.datetime
    acr: str
    amr: tuple[str, ...]
    created_at: dt.datetime
    last_seen: dt.datetime
    idle_until: dt.datetime
    absolute_until: dt.datetime
    remembered: bool
    label: str
    unattended: bool = False
    """True when the device is shared and nobody was here for a while: ask "Lanjut sebagai …?" before anything is given to a service."""


@dataclass(frozen=True, slots=True)
class SignIn:
    """A right password that still waits for its second factor, in one browser."""

    id: str
    person: str
    amr: tuple[str, ...]
    remembered: bool
    interaction: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class ServiceSession:
    """A service that a session was used at, and the `sid` it knows it by."""

    session: str
    client: str
    sid: str


@dataclass(frozen=True, slots=True)
class Participant:
    """A service that took part in somebody's session, living or ended a short while ago."""

    session: str
    person: str
    client: str
    sid: str
