"""What a member of staff looks like, and which roles there are."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping


class Role(StrEnum):
    """What an account may be besides a citizen's."""

    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"
    DPO = "dpo"
    OFFICER = "officer"


APART: Final[Mapping[Role, frozenset[Role]]] = {
    Role.AUDITOR: frozenset({Role.ADMINISTRATOR, Role.OFFICER}),
    Role.ADMINISTRATOR: frozenset({Role.AUDITOR}),
    Role.OFFICER: frozenset({Role.AUDITOR}),
    Role.DPO: frozenset(),
}
"""Roles that nobody holds together: who audits does not do what is audited."""


@dataclass(frozen=True, slots=True)
class Appointment:
    """One role of one member. `agency` is its code; `by` names who gave the role, as the access log names them."""

    role: Role
    agency: str | None
    unit: str | None
    since: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class Member:
    """A member of staff. `pseudonym` is random, never changes, and stays taken when the roles are gone; `person` None: account erased."""

    pseudonym: str
    person: str | None
    appointments: tuple[Appointment, ...]

    @property
    def roles(self) -> frozenset[Role]:
        """The roles held now."""
        return frozenset(one.role for one in self.appointments)

    def appointment(self, *wanted: Role) -> Appointment | None:
        """Give the first appointment in one of these roles, in the order asked for."""
        return next((one for role in wanted for one in self.appointments if one.role is role), None)


@dataclass(frozen=True, slots=True)
class RoleRefused:
    """A refusal: the role is held already ("held"), or cannot be held beside `other` ("apart")."""

    reason: str
    other: Role | None = None
