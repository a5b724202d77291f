"""Where complaints rest. A change of state is one conditional statement; what must follow it is committed with it (`companion`)."""

from __future__ import annotations

import datetime as dt
import statistics
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from idp.complaints.records import HOURS, Complaint, ComplaintState, ComplaintStatistics
from idp.complaints.tables import complaints, numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sqlalchemy import Row
    from sqlalchemy.sql.base import Executable

    from idp.complaints.records import NewComplaint
    from keys.database import Database

    Statements = Iterable[Executable]
    Companion = Callable[[Complaint], Statements]

MOST: Final = 200
YEAR: Final = dt.timedelta(days=365)
_c = complaints.c
_columns = sa.select(complaints)
_OPEN: Final = (ComplaintState.RECEIVED, ComplaintState.ESCALATED)


def _none(_: Complaint) -> Iterable[Executable]:
    return ()


class ComplaintStore:
    """The complaints of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert = database.insert

    async def submit(self, new: NewComplaint, now: dt.datetime, year: int, companion: Companion = _none) -> tuple[Complaint, bool]:
        """Take a complaint and give it a number of the `year`; the one that this entry has already when there is one (then False)."""
        async with self._database.transaction() as transaction:
            draw = self._insert(numbers).values(year=year, last=1)
            next_one = draw.on_conflict_do_update(index_elements=["year"], set_={"last": numbers.c.last + 1}).returning(numbers.c.last)
            number = f"ADU-{year}-{(await transaction.execute(next_one)).scalar_one():06}"
            row = {
                "id": new.id, "number": number, "person": new.person, "entry_id": new.entry_id, "agency": new.agency, "text": new.text,
                "state": ComplaintState.RECEIVED, "created_at": now, "due_at": now + HOURS, "by_clock": False, "final": False,
            }  # fmt: skip
            taken = await transaction.execute(self._insert(complaints).values(row).on_conflict_do_nothing().returning(complaints))
            made = taken.one_or_none()
            if made is not None:
                for statement in companion(_complaint(made)):
                    await transaction.execute(statement)
                await transaction.commit()
                return _complaint(made), True
        before = await self.about(new.person, new.entry_id)
        assert before is not None  # noqa: S101 - what was in the way: only an erasure takes it, and with it the session that asks
        return before, False

    async def about(self, person: str, entry_id: str) -> Complaint | None:
        """Give a person's complaint about an entry."""
        return await self._one((_c.person == person) & (_c.entry_id == entry_id))

    async def get(self, complaint: str) -> Complaint | None:
        """Give a complaint by its id."""
        return await self._one(_c.id == complaint)

    async def by_number(self, number: str) -> Complaint | None:
        """Give a complaint by its number."""
        return await self._one(_c.number == number)

    async def of_person(self, person: str, limit: int | None = MOST) -> Sequence[Complaint]:
        """Give a person's complaints, newest first."""
        return await self._many(_columns.where(_c.person == person).order_by(_c.created_at.desc(), _c.number.desc()).limit(limit))

    async def list(self, *states: ComplaintState, agency: str | None = None, limit: int = MOST) -> Sequence[Complaint]:
        """Give complaints of living accounts in these states (none: all), the one that is due first before others."""
        statement = _columns.where(_c.person.is_not(None)).order_by(_c.due_at, _c.number).limit(limit)
        if states:
            statement = statement.where(_c.state.in_(states))
        return await self._many(statement if agency is None else statement.where(_c.agency == agency))

    async def answer(self, before: Complaint, answer: bytes, now: dt.datetime, by: str, companion: Companion = _none) -> Complaint | None:
        """Answer once, as it stood `before`; None when its state changed meanwhile, or its account was erased."""
        values = {
            "state": ComplaintState.ANSWERED, "answer": answer, "answered_at": now, "answered_by": by,
            "final": before.state is ComplaintState.ESCALATED,
            "first_answered_at": sa.func.coalesce(_c.first_answered_at, sa.literal(now, _c.answered_at.type)),
        }  # fmt: skip
        return await self._change((_c.id == before.id) & (_c.state == before.state) & _c.state.in_(_OPEN), values, companion)

    async def escalate(self, complaint: str, now: dt.datetime, companion: Companion = _none) -> Complaint | None:
        """Take a complaint to the data protection officer, who has 72 hours of their own; None when it is there or was, for good."""
        values = {"state": ComplaintState.ESCALATED, "escalated_at": now, "due_at": now + HOURS}
        able = (_c.state != ComplaintState.ESCALATED) & _c.final.is_(False)
        return await self._change((_c.id == complaint) & able, values, companion)

    async def escalate_due(self, now: dt.datetime, limit: int, companion: Companion = _none) -> int:
        """Take what nobody answered in time to the data protection officer; return how many went."""
        due = sa.select(_c.id).where(_c.state == ComplaintState.RECEIVED, _c.due_at <= now, _c.person.is_not(None)).limit(limit)
        async with self._database.read() as connection:
            found = (await connection.execute(due)).scalars().all()
        values = {"state": ComplaintState.ESCALATED, "escalated_at": now, "due_at": now + HOURS, "by_clock": True}
        return sum([
            await self._change((_c.id == one) & (_c.state == ComplaintState.RECEIVED), values, companion) is not None for one in found
        ])  # fmt: skip

    async def replace(self, complaint: str, column: str, before: bytes, cell: bytes) -> bool:
        """Put another cell of the same text in place of this one; False when it was changed meanwhile."""
        same = (_c.id == complaint) & (complaints.c[column] == before)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.update(complaints).where(same).values({column: cell}))).rowcount > 0

    async def erase(self, person: str, now: dt.datetime) -> None:
        """Forget whose complaints these were, about what, and what was said; number and times stay for the statistics.

        What nobody had answered is closed at this moment: nobody is left to answer, so that it must not grow later for ever.
        """
        open_ = _c.state.in_(_OPEN)
        gone = {
            "person": None, "entry_id": None, "text": None, "answer": None,
            "state": sa.case((open_, ComplaintState.CLOSED), else_=_c.state),
            "answered_at": sa.case((open_, sa.literal(now, _c.answered_at.type)), else_=_c.answered_at),
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.update(complaints).where(_c.person == person).values(gone))

    async def statistics(self, now: dt.datetime) -> ComplaintStatistics:
        """Count the twelve months before a moment, as they stood at that moment. Late: not answered within 72 hours, by anybody."""
        columns = sa.select(_c.created_at, _c.first_answered_at, _c.answered_at, _c.escalated_at, _c.state)
        statement = columns.where(_c.created_at > now - YEAR, _c.created_at <= now)
        async with self._database.read() as connection:
            rows = (await connection.execute(statement)).all()
        spans = [row.first_answered_at - row.created_at for row in rows if _was(row.first_answered_at, now)]
        closed = sum(row.state == ComplaintState.CLOSED and row.first_answered_at is None and _was(row.answered_at, now) for row in rows)
        late = sum(min(row.first_answered_at or row.answered_at or now, now) - row.created_at > HOURS for row in rows)
        median = dt.timedelta(seconds=statistics.median(span.total_seconds() for span in spans)) if spans else None
        return ComplaintStatistics(len(rows), len(spans), sum(_was(row.escalated_at, now) for row in rows), late, median, closed)

    async def _change(self, which: sa.ColumnElement[bool], values: dict[str, Any], companion: Companion) -> Complaint | None:
        statement = sa.update(complaints).where(which, _c.person.is_not(None)).values(values).returning(complaints)
        async with self._database.transaction() as transaction:
            row = (await transaction.execute(statement)).one_or_none()
            if row is None:
                return None
            for follows in companion(_complaint(row)):
                await transaction.execute(follows)
            await transaction.commit()
        return _complaint(row)

    async def _one(self, which: sa.ColumnElement[bool]) -> Complaint | None:
        return next(iter(await self._many(_columns.where(which))), None)

    async def _many(self, statement: sa.Select[Any]) -> Sequence[Complaint]:
        async with self._database.read() as connection:
            return [_complaint(row) for row in await connection.execute(statement)]


def _was(moment: dt.datetime | None, now: dt.datetime) -> bool:
    return moment is not None and moment <= now


def _complaint(row: Row[Any]) -> Complaint:
    return Complaint(
        row.id, row.number, row.person, row.entry_id, row.agency, ComplaintState(row.state), row.created_at, row.due_at,
        row.answered_at, row.answered_by, row.escalated_at, row.by_clock, row.final, row.text, row.answer,
    )  # fmt: skip
