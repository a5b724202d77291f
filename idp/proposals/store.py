"""Where proposals rest. Deciding and carrying out are one statement each, so that of many who race one wins, and never the proposer."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from idp.proposals.records import Proposal, ProposalKind
from idp.proposals.tables import proposals
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence

    from keys.database import Database

TO_DECIDE: Final = dt.timedelta(days=7)
TO_CARRY_OUT: Final = dt.timedelta(hours=24)
KEEP: Final = dt.timedelta(days=730)

_P = proposals.c


class ProposalStore:
    """The proposals of the idp store."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def propose(
        self, kind: ProposalKind, subject: Mapping[str, str], reason: str, by: str, now: dt.datetime, *, proposal: str | None = None
    ) -> Proposal:
        """Keep a proposal until somebody else decides, for a week. `proposal`: its id, when it was told before."""
        number, until = proposal or new_id(), now + TO_DECIDE
        made = Proposal(number, kind, dict(subject), reason, by, now, until, None, None, confirmed=False, done_at=None)
        row = {
            "id": made.id, "kind": kind, "subject": json.dumps(made.subject), "reason": reason, "by": by, "at": now,
            "expires_at": made.expires_at, "confirmed": False,
        }  # fmt: skip
        async with self._database.statement() as connection:
            await connection.execute(sa.insert(proposals).values(row))
        return made

    async def confirm(self, proposal: str, by: str, now: dt.datetime) -> Proposal | None:
        """Say yes, once, as somebody else than the proposer; None when it was decided, is over, or is one's own."""
        values = {"decided_by": by, "decided_at": now, "confirmed": True, "expires_at": now + TO_CARRY_OUT}
        return await self._change((_P.id == proposal, *_open(now), _P.by != by), values)

    async def refuse(self, proposal: str, by: str, now: dt.datetime) -> Proposal | None:
        """Say no; the proposer may, which takes it back. None when it was decided, or is over."""
        return await self._change((_P.id == proposal, *_open(now)), {"decided_by": by, "decided_at": now})

    async def carry_out(self, proposal: str, now: dt.datetime, *, by: str | None = None) -> Proposal | None:
        """Take what was confirmed, once; `by` must be the proposer, when given. None when there is nothing to carry out any more."""
        confirmed = (_P.id == proposal, _P.confirmed, _P.done_at.is_(None), _P.expires_at > now)
        own = () if by is None else (_P.by == by,)
        return await self._change((*confirmed, *own), {"done_at": now})

    @contextlib.asynccontextmanager
    async def carrying_out(self, proposal: str, now: dt.datetime, *, by: str | None = None) -> AsyncIterator[Proposal | None]:
        """Take what was confirmed for a block; when the block fails, whatever it was, it is given back, for nothing was done."""
        taken = await self.carry_out(proposal, now, by=by)
        try:
            yield taken
        except BaseException:
            if taken is not None:
                await self.give_back(taken)
            raise

    async def give_back(self, taken: Proposal) -> None:
        """Let it be carried out once more: nothing was."""
        await self._change((_P.id == taken.id, _P.done_at == taken.done_at), {"done_at": None})

    async def get(self, proposal: str) -> Proposal | None:
        """Give a proposal."""
        async with self._database.read() as connection:
            row = (await connection.execute(sa.select(proposals).where(_P.id == proposal))).one_or_none()
        return None if row is None else _proposal(row._mapping)  # noqa: SLF001 - SQLAlchemy documents it as public

    async def newest(self, limit: int = 50) -> Sequence[Proposal]:
        """Give the newest proposals."""
        async with self._database.read() as connection:
            rows = (await connection.execute(sa.select(proposals).order_by(_P.at.desc(), _P.id).limit(limit))).mappings()
            return [_proposal(row) for row in rows]

    async def forget(self, name: str, value: str) -> int:
        """Let proposals name something no more, because whom it leads to was erased: take a member out of what they are about."""
        like = _P.subject.contains(json.dumps({name: value})[1:-1], autoescape=True)
        async with self._database.transaction() as transaction:
            rows = (await transaction.execute(sa.select(_P.id, _P.subject).where(like).with_for_update())).all()
            for row in rows:
                left = {key: said for key, said in json.loads(row.subject).items() if key != name}
                await transaction.execute(sa.update(proposals).where(_P.id == row.id).values(subject=json.dumps(left)))
            await transaction.commit()
        return len(rows)

    async def sweep(self, now: dt.datetime, limit: int = 1000) -> int:
        """Delete at most `limit` proposals of two years ago; the log remembers them."""
        old = sa.select(_P.id).where(_P.at < now - KEEP).limit(limit)
        async with self._database.statement() as connection:
            return (await connection.execute(sa.delete(proposals).where(_P.id.in_(old)))).rowcount

    async def _change(self, which: Sequence[sa.ColumnElement[bool]], values: Mapping[str, object]) -> Proposal | None:
        statement = sa.update(proposals).where(*which).values(values).returning(*proposals.c)
        async with self._database.statement() as connection:
            row = (await connection.execute(statement)).mappings().one_or_none()
        return None if row is None else _proposal(row)


def _open(now: dt.datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (_P.decided_at.is_(None), _P.expires_at > now)


def _proposal(row: sa.RowMapping) -> Proposal:
    fields = {**row, "kind": ProposalKind(row["kind"]), "subject": json.loads(row["subject"]), "confirmed": bool(row["confirmed"])}
    return Proposal(**fields)
