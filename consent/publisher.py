"""The public checkpoint, where witnesses watch: it moves only with the cosignatures that the policy demands.

It runs beside the signer and apart from it, so that a witness that hangs delays neither appends nor signing, but only what is public.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
from typing import TYPE_CHECKING, Final, NamedTuple

import structlog

from consent import checkpoint, notes
from consent.access_log import tree, watch, witness_states
from consent.access_log.published import save_checkpoint
from consent.conversation import Conversation
from keys.database import clock

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consent.access_log.records import CheckpointState
    from consent.access_log.watch import KeySource
    from consent.access_log.witness_states import WitnessState
    from consent.conversation import Exchange, Said
    from consent.policy import Policy
    from keys.database import Database

log = structlog.get_logger()

FRESH: Final = dt.timedelta(minutes=2)
"""A checkpoint that does not hold all entries is shown within this time after it was signed, so that the time of a cosignature tells what
was there then: all that it covers is older, what is beyond it not much older (`consent.verify_policy`)."""


@dataclasses.dataclass(frozen=True, slots=True)
class Witnessing:
    """By whom, over which network, and after which time without a cosignature there is an alarm. `retry`: between two attempts."""

    policy: Policy
    exchange: Exchange
    alarm: dt.timedelta = dt.timedelta(minutes=15)
    retry: dt.timedelta = dt.timedelta(seconds=10)


class _Seen(NamedTuple):
    """What the database says at the beginning of a round. `public`: the public checkpoint, if it is of the newest origin."""

    origin: str
    signed: CheckpointState
    public: CheckpointState | None
    size: int
    now: dt.datetime
    states: Mapping[str, WitnessState]


class Publisher:
    """Moves the public checkpoint of one log. One runs, beside the one signer."""

    def __init__(self, database: Database, witnessing: Witnessing, keys: KeySource) -> None:
        self._database = database
        self._keys = keys
        self._policy = witnessing.policy
        self._options = witnessing
        self._asked = tuple(one for one in witnessing.policy.witnesses if one.url)
        self._offered: CheckpointState | None = None
        self._next: float | None = None
        self._alarms: Sequence[WitnessState] = ()
        self._told: dict[str, str] = {}
        self._reading = asyncio.Lock()

    def offer(self, state: CheckpointState) -> None:
        """Take what shall become public; a newer one takes the place of one that found no quorum."""
        self._offered = state

    async def run(self, every: float = 1.0) -> None:
        """Publish again and again. Whatever happens here must not end the signing that goes on beside it."""
        while True:
            try:
                await self.publish_once()
            except Exception as error:  # noqa: BLE001 - see above
                log.error("log_publisher_failed", error=type(error).__name__, reason=str(error))  # noqa: TRY400 - a state, as in the signer
            await asyncio.sleep(every)

    async def publish_once(self) -> None:
        """Show the witnesses what is due, if anything is, and make it public if they are a quorum.

        Raises: StoreUnavailable, NoteInvalid, TreeBroken.
        """
        seen = await self._look()
        if seen is None:
            return
        self._alarms = [alarm for alarm in self._alarms if alarm.origin == seen.origin]
        await witness_states.save(self._database, self._alarms)  # whoever put an older database back may do it again
        due = self._due(seen)
        if due is None:
            return
        self._next = _running_time() + self._options.retry.total_seconds()  # not by the clock, which may be put back
        said = await self._show(due, seen)
        self._alarms = [one.state for one in said if one.state.outcome == "rollback"]
        await witness_states.save(self._database, [one.state for one in said])
        self._report(said, seen.now)
        await self._publish(due, said, seen)

    async def _look(self) -> _Seen | None:
        async with self._database.read() as connection:
            signed, public = await watch.stored(connection, "signed"), await watch.stored(connection, "published")
            if signed is None:
                return None
            origin = checkpoint.parse(signed.note).origin
            if public and checkpoint.parse(public.note).origin != origin:
                public = None
            states = await witness_states.known(connection, origin)
            return _Seen(origin, signed, public, (await tree.head(connection)).size, await clock(connection), states)

    def _due(self, seen: _Seen) -> CheckpointState | None:
        """Choose what to show now: what was offered; else the public one again, when cosignatures grow old or somebody gave none.

        The first time it is shown in any case, so that a witness can tell at once that an older state was put back.
        """
        first = self._next is None
        if self._next is not None and _running_time() < self._next:
            return None
        if seen.public is None:
            return seen.signed
        offered = self._offered
        if offered and offered.size > seen.public.size and checkpoint.parse(offered.note).origin == seen.origin:
            return offered if _timely(offered, seen) else None
        if not first and self._content(seen):
            return None
        timely = next((state for state in (seen.public, seen.signed) if _timely(state, seen)), None)
        return timely or (seen.signed if first else None)

    def _content(self, seen: _Seen) -> bool:
        """Tell whether every witness cosigned not long ago."""
        oldest = seen.now - self._options.alarm / 3
        states = [seen.states.get(str(one.key)) for one in self._asked]
        return all(one and one.outcome == "cosigned" and one.cosigned_at and one.cosigned_at > oldest for one in states)

    async def _show(self, due: CheckpointState, seen: _Seen) -> Sequence[Said]:
        """Show it to all witnesses at once, each from where it stands."""
        head = checkpoint.parse(due.note)
        shown = (await self._keys(head.origin), head, _own(due.note))
        common = (self._database, self._options.exchange, self._reading)
        talks = [Conversation(*common, one, *shown, seen.states.get(str(one.key)), seen.now) for one in self._asked]
        return await asyncio.gather(*(talk.hold() for talk in talks))

    async def _publish(self, due: CheckpointState, said: Sequence[Said], seen: _Seen) -> None:
        """Store the note with its cosignatures as the public one, if they are a quorum and nobody raises the alarm."""
        note = _own(due.note)
        lines = {one.witness.name: one.line for one in said if one.line}
        if seen.public and _own(seen.public.note) == note:
            lines = _cosignatures(seen.public.note, self._policy) | lines
        note += "".join(lines.values())
        missing = self._policy.missing(note)
        self._say("quorum", "log_quorum_missing", missing)
        if missing or self._alarms:
            return
        head = checkpoint.parse(note)
        await save_checkpoint(self._database, "published", head, note, seen.now, succession=seen.public is None)

    def _report(self, said: Sequence[Said], now: dt.datetime) -> None:
        for one in said:
            name, state = one.witness.name, one.state
            if state.outcome == "rollback":
                self._say(name, "log_witness_rollback", state.problem, proof=one.proof)
            else:
                self._say(name, "log_witness_failed", state.problem)
            late = "it cosigned nothing for too long" if is_late(state, now, self._options.alarm) else None
            self._say(f"{name}, late", "log_witness_late", late)

    def _say(self, about: str, event: str, problem: str | None, **more: str | None) -> None:
        """Log what is wrong once, and once that it is over."""
        if problem and self._told.get(about) != problem:
            log.error(event, about=about, reason=problem, **more)
            self._told[about] = problem
        elif not problem and about in self._told:
            del self._told[about]
            log.info("log_witness_fine", about=about)


def is_late(state: WitnessState | None, now: dt.datetime, alarm: dt.timedelta) -> bool:
    """Tell whether a witness cosigned nothing for so long that somebody must look; or its clock and ours are as far apart."""
    return state is None or state.cosigned_at is None or abs(now - state.cosigned_at) > alarm


def _running_time() -> float:
    return asyncio.get_running_loop().time()


def _timely(state: CheckpointState, seen: _Seen) -> bool:
    return state.size == seen.size or seen.now - state.time < FRESH


def _own(note: str) -> str:
    """Give the note with the log's own signature alone, which is the first."""
    text, signatures = notes.split(note)
    return f"{text}\n{signatures[0]}"


def _cosignatures(note: str, policy: Policy) -> dict[str, str]:
    """Give the cosignatures that a note bears: the witness' name in the policy → its line."""
    found = {(one.name, one.key_id): str(one) for one in notes.split(note)[1]}
    lines = {one.name: found.get((one.key.name, one.key.key_id)) for one in policy.witnesses}
    return {name: line for name, line in lines.items() if line}
