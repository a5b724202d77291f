"""Where staff rest. A member's row stays when the roles are gone, so that a pseudonym in the log never means two people."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

from idp.staff.records import APART, Appointment, Member, Role, RoleRefused
from idp.staff.tables import members, roles
from keys.opaque import new_code

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from keys.database import Database, Transaction

_DRAWS = 5
_DIGITS = 8
_select = sa.select(members.c.pseudonym, members.c.person, roles.c.role, roles.c.agency, roles.c.unit, roles.c.since, roles.c.by).join_from(
    members, roles, members.c.pseudonym == roles.c.pseudonym, isouter=True
)


class StaffStore:
    """The members of staff of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def of_person(self, person: str) -> Member | None:
        """Give the member that an account is, with the roles held now; None for one who never had any."""
        return next(iter(await self._read(members.c.person == person)), None)

    async def by_pseudonym(self, pseudonym: str) -> Member | None:
        """Give the member behind a pseudonym, former ones included."""
        return next(iter(await self._read(members.c.pseudonym == pseudonym)), None)

    async def all(self, role: Role | None = None) -> Sequence[Member]:
        """Give all who hold a role (this one, when given)."""
        holders = sa.select(roles.c.pseudonym).where(sa.true() if role is None else roles.c.role == role)
        return await self._read(members.c.pseudonym.in_(holders))

    async def appoint(
        self, person: str, role: Role, now: dt.datetime, *, by: str, agency: str | None = None, unit: str | None = None
    ) -> Member | RoleRefused:
        """Give an account a role. Refused when it holds it already, or one that this role is kept apart from."""
        async with self._database.transaction() as transaction:
            pseudonym = await self._pseudonym(transaction, person, now)
            # PostgreSQL: two appointments of one member wait for one another here, so that neither misses the other's role
            held = await transaction.execute(sa.select(members.c.pseudonym).where(members.c.pseudonym == pseudonym).with_for_update())
            held = await transaction.execute(sa.select(roles.c.role).where(roles.c.pseudonym == pseudonym))
            refused = _refused(role, {Role(name) for name in held.scalars()})
            if refused is not None:
                return refused
            row = {"pseudonym": pseudonym, "role": role, "agency": agency, "unit": unit, "since": now, "by": by}
            await transaction.execute(sa.insert(roles).values(row))
            await transaction.commit()
        member = await self.by_pseudonym(pseudonym)
        assert member is not None  # noqa: S101 - committed just now
        return member

    async def dismiss(self, person: str, role: Role) -> bool:
        """Take a role away; False when the account does not hold it."""
        mine = sa.select(members.c.pseudonym).where(members.c.person == person)
        statement = sa.delete(roles).where(roles.c.role == role, roles.c.pseudonym.in_(mine)).returning(roles.c.role)
        async with self._database.statement() as connection:
            return (await connection.execute(statement)).first() is not None

    async def erase(self, person: str) -> None:
        """Forget whose a pseudonym was, and its roles. The pseudonym itself stays taken."""
        mine = sa.select(members.c.pseudonym).where(members.c.person == person)
        async with self._database.transaction() as transaction:
            await transaction.execute(sa.delete(roles).where(roles.c.pseudonym.in_(mine)))
            await transaction.execute(sa.update(members).where(members.c.person == person).values(person=None))
            await transaction.commit()

    async def _pseudonym(self, transaction: Transaction, person: str, now: dt.datetime) -> str:
        """Give the person's pseudonym; draw one for who has none yet."""
        known = sa.select(members.c.pseudonym).where(members.c.person == person)
        for _ in range(_DRAWS):
            found: str | None = (await transaction.execute(known)).scalar_one_or_none()
            if found is not None:
                return found
            row = {"pseudonym": f"P-{new_code(_DIGITS)}", "person": person, "since": now}
            await transaction.execute(self._insert(members).values(row).on_conflict_do_nothing())
        raise RuntimeError("no free pseudonym was drawn")

    async def _read(self, which: sa.ColumnElement[bool]) -> Sequence[Member]:
        async with self._database.read() as connection:
            rows = (await connection.execute(_select.where(which).order_by(members.c.since, members.c.pseudonym, roles.c.role))).all()
        people: dict[str, tuple[str | None, list[Appointment]]] = {}
        for row in rows:
            _, held = people.setdefault(row.pseudonym, (row.person, []))
            if row.role is not None:
                held.append(Appointment(Role(row.role), row.agency, row.unit, row.since, row.by))
        return [Member(pseudonym, person, tuple(held)) for pseudonym, (person, held) in people.items()]


def _refused(role: Role, held: set[Role]) -> RoleRefused | None:
    if role in held:
        return RoleRefused("held")
    return next((RoleRefused("apart", other) for other in sorted(APART[role] & held)), None)
