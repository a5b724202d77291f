"""The composition of consent/: one object per process, opened once, that the rest of the program works with."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import structlog

from consent import checkpoint
from consent.access_log import AccessLog, LogOptions, witness_states
from consent.access_log.batcher import BatchOptions
from consent.access_log.delaying import utc_now
from consent.access_log.public import PublicLog
from consent.access_log.watch import stored
from consent.anchor import Anchor
from consent.delays import Delays
from consent.delays.store import REFRESH_SECONDS
from consent.disclosure import Disclosure
from consent.freezes import Freezes
from consent.key_uses import KeyUses
from consent.ledger import Ledger
from consent.own_history import OwnHistories
from consent.publisher import Publisher, is_late
from consent.purposes import Purposes
from consent.receipts import Operator, Receipts
from consent.reports import Reports
from consent.signer import LogSigner, newest_origin, verifier_source
from consent.transition import Transition
from keys.database import clock

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Awaitable, Callable, Container, Sequence
    from pathlib import Path

    from consent.access_log.records import CheckpointState
    from consent.access_log.witness_states import WitnessState
    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.policy import Witness
    from consent.publisher import Witnessing
    from keys.database import Database
    from keys.keyring import Keyring

_log = structlog.get_logger(__name__)

FLUSH_SECONDS: Final = 5.0
EXPIRE_SECONDS: Final = 60.0


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class ConsentOptions:
    """What consent/ must be told. `issuer` names the log's origin; `embedded_signer`: this process also signs checkpoints.

    `serving`: it also looks, at once and again, after entries that wait and grants whose time is over; a command leaves both to servers.
    `witnessing`: whose cosignatures the public checkpoint needs, None when nobody's.
    `erased`: people who were erased, by a record that lies outside the stores.
    """

    issuer: str
    operator_name: str
    dpo_contact: str
    anchor_file: Path | None = None
    embedded_signer: bool = False
    serving: bool = True
    witnessing: Witnessing | None = None
    batch: BatchOptions = dataclasses.field(default_factory=BatchOptions)
    erased: Container[str] = ()
    clock: Callable[[], dt.datetime] = utc_now


class WitnessStanding(NamedTuple):
    """A witness, its last word, the time of asking, and whether its newest cosignature is too old."""

    witness: Witness
    state: WitnessState | None
    now: dt.datetime
    late: bool

    @property
    def age(self) -> float | None:
        """Seconds since the newest cosignature; None when there is none."""
        return (self.now - self.state.cosigned_at).total_seconds() if self.state and self.state.cosigned_at else None

    def __str__(self) -> str:
        state = self.state
        said = "never cosigned"
        if state and state.cosigned_at:
            said = f"cosigned {state.size} entries at {state.cosigned_at.isoformat(timespec='seconds')}"
        late = ", which is TOO LONG AGO" if self.late and said != "never cosigned" else ""
        return f"{self.witness.name} {said}{late}{f'; now: {state.problem}' if state and state.problem else ''}"


class Consent:
    """Purposes, ledger, access log and the doors. `start` before use, `stop` when done."""

    def __init__(self, database: Database, keyring: Keyring, options: ConsentOptions) -> None:
        origin = checkpoint.origin_of(options.issuer)
        anchor = None if options.anchor_file is None else Anchor(options.anchor_file)
        self.verifiers = verifier_source(origin, keyring.log_key)
        witnessing = options.witnessing
        heard = frozenset(str(one.key) for one in witnessing.policy.witnesses) if witnessing else frozenset()
        self.delays = Delays(database, options.clock)
        log = LogOptions(key=self.verifiers, anchor=anchor, batch=options.batch, witnesses=heard, orders=self.delays, clock=options.clock)
        self.database = database
        self.options = options
        self.access_log = AccessLog(database, keyring.subject_keys, log)
        self.public_log = PublicLog(database, self.verifiers)
        publisher = Publisher(database, witnessing, self.verifiers) if witnessing else None
        self.signer = None if anchor is None else LogSigner(database, keyring.log_key, origin, anchor, publisher=publisher)
        self.transition = Transition(database, keyring.log_key, origin, anchor, self.signer) if anchor and self.signer else None
        self._origin = origin
        self.purposes = Purposes(database, options.clock)
        self.receipts = Receipts(keyring, Operator(options.issuer, options.operator_name, options.dpo_contact))
        self.ledger = Ledger(database, self.access_log, self.purposes, self.receipts, options.clock)
        self.freezes = Freezes(database, self.access_log, options.clock)
        self.reports = Reports(database, self.access_log, options.clock)
        self.disclosure = Disclosure(self.access_log, keyring.subject_keys, options.erased)
        self.key_uses = KeyUses(database, self.disclosure.uses)
        self.own_histories = OwnHistories(database, keyring.subject_keys, self.verifiers, options.clock)
        self._tasks: list[asyncio.Task[None]] = []

    @classmethod
    def open(cls, database: Database, keyring: Keyring, options: ConsentOptions) -> Self:
        """Compose it. Nothing runs before `start`."""
        return cls(database, keyring, options)

    async def verifier_key(self) -> VerifierKey | None:
        """Give the key that the newest checkpoint is checked with; None before the signer first ran.

        Raises: StoreUnavailable, NoteInvalid.
        """
        async with self.database.read() as connection:
            signed = await stored(connection, "signed")
        return await self.verifiers(newest_origin(self._origin, signed.note if signed else None))

    async def published_checkpoint(self) -> CheckpointState | None:
        """Give the public checkpoint: what everybody is told. Its note bears the cosignatures that witnesses gave for it.

        It moves once a minute at most, and where a policy demands a quorum of witnesses, only with that; None before the first.
        Raises: StoreUnavailable.
        """
        return await self.public_log.checkpoint()

    async def witnesses(self) -> Sequence[WitnessStanding]:
        """Tell of each witness that is asked for cosignatures how it stands. Raises: StoreUnavailable, NoteInvalid."""
        witnessing = self.options.witnessing
        if witnessing is None:
            return ()
        async with self.database.read() as connection:
            signed, now = await stored(connection, "signed"), await clock(connection)
            states = await witness_states.known(connection, newest_origin(self._origin, signed.note if signed else None))
        asked = [(one, states.get(str(one.key))) for one in witnessing.policy.witnesses if one.url]
        return [WitnessStanding(one, state, now, is_late(state, now, witnessing.alarm)) for one, state in asked]

    async def opened(self, note: str) -> Checkpoint:
        """Read a checkpoint that must be signed under one of this log's origins. Raises: NoteInvalid, StoreUnavailable."""
        key = await self.verifiers(checkpoint.parse(note).origin)
        if key is None:
            raise checkpoint.NoteInvalid("the keys store knows no key of its origin")
        return checkpoint.open_note(note, key)

    async def start(self) -> None:
        """Accept entries, and look after the ledger's queue and its grants' time."""
        await self.access_log.start()
        if self._tasks:
            return
        self._tasks = [
            asyncio.create_task(self._flush_when_kicked(), name="consent-queue"),
        ]
        if self.options.serving:
            self._tasks.append(asyncio.create_task(self._expire(), name="consent-expiry"))
            self._tasks.append(asyncio.create_task(self._read_orders(), name="consent-delays"))
        if self.signer is not None and self.options.embedded_signer:
            self._tasks.append(asyncio.create_task(self.signer.run(), name="log-signer"))

    async def stop(self) -> None:
        """End the tasks, write what is queued if the log lets us, and commit what waits."""
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._flush()
        await self.access_log.stop()

    async def _flush_when_kicked(self) -> None:
        if self.options.serving:
            await self._flush()
        while True:
            with contextlib.suppress(TimeoutError):  # not `wait_for`: Python 3.11's forgets a cancellation that meets a result
                async with asyncio.timeout(FLUSH_SECONDS):
                    await self.ledger.kick.wait()
            self.ledger.kick.clear()
            await self._flush()

    async def _flush(self) -> None:
        await _outliving("consent_queue_not_flushed", self.ledger.flush_queue)
        await _outliving("freezes_not_entered", self.freezes.flush)

    async def _expire(self) -> None:
        while True:
            await _outliving("grants_not_expired", self.ledger.expire_due)
            await asyncio.sleep(EXPIRE_SECONDS)

    async def _read_orders(self) -> None:
        while True:
            await _outliving("delay_orders_not_read", self.delays.refresh)
            await asyncio.sleep(REFRESH_SECONDS)


async def _outliving(event: str, work: Callable[[], Awaitable[object]]) -> None:
    """Do a task's work once. What it works on is durable, so whatever failed must not end the task: the next round finds it again."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - see above
        _log.warning(event, error=type(error).__name__)
