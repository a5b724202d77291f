"""Whose data an application read, for the notice after a breach (UU 27/2022 Art. 46; law.md R26): from the entries, by chain.

An entry names no person; its chain's reference does, to whoever holds the person's log key. What an erased person had is counted.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from consent.access_log import tables, tree
from consent.access_log.leaf import parse_timestamp
from consent.access_log.opening import object_of
from consent.access_log.search import first_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keys.database import Database
    from keys.log_subjects import LogKey

READS: Final = ("disclose", "consult")
AHEAD: Final = dt.timedelta(minutes=5)  # an agency's clock, in what it reports, and ours
_PAGE: Final = 5_000
_E = tables.entries.c


@dataclasses.dataclass(frozen=True, slots=True)
class Reads:
    """What was read about one person: the kinds of data asked about, how often, first and last; `withheld`: some is shown later."""

    claims: frozenset[str]
    times: int
    first: dt.datetime
    last: dt.datetime
    withheld: bool = False

    def and_also(self, claims: frozenset[str], time: dt.datetime) -> Reads:
        """Add one read more."""
        return Reads(self.claims | claims, self.times + 1, min(self.first, time), max(self.last, time), self.withheld)

    def joined(self, later: Reads) -> Reads:
        """Add what is shown later."""
        both = (min(self.first, later.first), max(self.last, later.last))
        return Reads(self.claims | later.claims, self.times + later.times, *both, withheld=True)


@dataclasses.dataclass(frozen=True, slots=True)
class ReadsByChain:
    """Reads by chain reference; `nobody` counts entries whose person was erased."""

    chains: Mapping[bytes, Reads]
    nobody: int

    def of(self, key: LogKey) -> Reads | None:
        """Give what was read about the person whose log key this is, of both chains."""
        first, later = self.chains.get(key.reference), self.chains.get(key.delayed)
        if later is None:
            return first
        return first.joined(later) if first else dataclasses.replace(later, withheld=True)

    def chains_of(self, key: LogKey) -> int:
        """Count the person's chains among them."""
        return (key.reference in self.chains) + (key.delayed in self.chains)


async def reads_by_chain(database: Database, client: str, claims: frozenset[str], since: dt.datetime, until: dt.datetime) -> ReadsByChain:
    """Gather an application's reads of at least one of `claims` in a stretch of time. Raises: StoreUnavailable, TreeBroken.

    A read that an agency reported counts by when it happened, which is before its entry: so entries after `until` are looked through too.
    """
    chains: dict[bytes, Reads] = {}
    nobody = 0
    async with database.read() as connection:
        size = (await tree.head(connection)).size
        here, end = await first_at(connection, since - AHEAD, size), size
        wanted = sa.select(_E.time, _E.record, _E.subject_ref).where(_E.client == client, _E.action.in_(READS))
        while here < end:
            for entered, record, reference in await connection.execute(wanted.where(_E.idx >= here, _E.idx < min(here + _PAGE, end))):
                said = object_of(record)
                time = parse_timestamp(said["occurred"]) if "occurred" in said else entered
                read = claims & frozenset(said.get("claims", ()))
                if not read or not since <= time < until:
                    continue
                if reference is None:
                    nobody += 1
                    continue
                known = chains.get(reference)
                chains[reference] = known.and_also(read, time) if known else Reads(read, 1, time, time)
            here += _PAGE
    return ReadsByChain(chains, nobody)
