"""A half-finished enrolment."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody typed so far. `proof` names the code that was sent; None before that."""

    id: str
    name: str
    birthdate: str
    kind: str
    contact: str
    locale: str
    nik: str | None = None
    channel: str | None = None
    password_hash: str | None = None
    proof: str | None = None
