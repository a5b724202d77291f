"""What goes into the access log and what comes out of it, as frozen records. Names of claims, never values."""

from __future__ import annotations

import dataclasses
import time as clock
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from consent.errors import ReceiptRefused
from keys.opaque import new_id

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Collection, Mapping

    from consent.succession import Succession

Action = Literal["disclose", "consult", "verify", "update", "erase", "export", "audit", "consent", "denied", "key", "retention"]

RECEIPT_SECONDS = 10.0
"""How long after the commit a receipt opens cells."""

_made_here = object()


class Actor(NamedTuple):
    """Who acted: an officer, administrator, auditor or part of the system, under a pseudonym."""

    type: str
    pseudonym: str | None = None
    role: str | None = None
    unit: str | None = None


class Delay(NamedTuple):
    """Why an entry is shown later, and when (UU 27/2022 Art. 15; law.md R17: "code, legal reference, until when; never silent").

    `code`: one of `consent.delays.records.CODES`. `by`, `confirmed_by`: the pseudonyms of the two who ordered it.
    """

    code: str
    legal_ref: str
    until: dt.datetime
    by: str
    confirmed_by: str | None = None


class Record(NamedTuple):
    """The part of an entry that an auditor reads. Nothing in it tells the person; the time is set by the log.

    `purpose` is (declaration, version). `count` is set by the log in erase entries, by its writer in retention entries. `session` is "none"
    when a service read under a lasting permission, without the citizen being signed in. `visibility` "delayed": the entry stands in the
    person's second chain, and is shown once `delay` is over. (A tuple, because one is made and looked up for every read.)
    """

    action: Action
    channel: str
    outcome: str
    client: str | None = None
    client_name: str | None = None
    agency: str | None = None
    actor: Actor | None = None
    purpose: tuple[str, int] | None = None
    legal_basis: str | None = None
    legal_ref: str | None = None
    claims: tuple[str, ...] = ()
    acr: str | None = None
    reason: str | None = None
    batch: str | None = None
    reported_by: str | None = None
    occurred: dt.datetime | None = None
    count: int | None = None  # type: ignore[assignment]  # hides the tuple's own method, which a record has no use for
    visibility: Literal["open", "delayed"] = "open"
    session: Literal["none"] | None = None
    delay: Delay | None = None


class Subject(NamedTuple):
    """The part of an entry that only the person's log key opens. `actor` is set when the citizen acted, `order` when it is shown later."""

    person: str
    grant: str | None = None
    authorization: str | None = None
    auth_time: dt.datetime | None = None
    actor: Actor | None = None
    order: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One entry to append. Its id is random and known beforehand, so that companion rows can name it.

    `orphan`: an erase entry without a subject closes the chain of this reference, whose key is gone already (a restored log).
    """

    record: Record
    subject: Subject | None = None
    entry_id: str = dataclasses.field(default_factory=new_id)
    orphan: bytes | None = None


class Guard(NamedTuple):
    """The grant and its version that a decision rested on. If it changed meanwhile, the entry becomes `denied`."""

    grant: str
    version: int


@dataclasses.dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is committed: made only by the access log, good for one use within ten seconds."""

    entry_id: str
    index: int
    leaf: bytes
    time: dt.datetime
    person: str | None
    claims: frozenset[str]
    issued: float = dataclasses.field(repr=False, compare=False)
    maker: dataclasses.InitVar[object] = None
    _spent: list[bool] = dataclasses.field(default_factory=list, init=False, repr=False, compare=False)

    def __post_init__(self, maker: object) -> None:
        if maker is not _made_here:
            raise ReceiptRefused("only the access log makes receipts")

    def spend(self, person: str, claims: Collection[str]) -> None:
        """Use the receipt up for these claims of this person.

        Raises: ReceiptRefused when it was used, is older than ten seconds, or does not name the person or one of the claims.
        """
        if self._spent:
            raise ReceiptRefused("the receipt was used before")
        self._spent.append(True)
        if clock.monotonic() - self.issued > RECEIPT_SECONDS:
            raise ReceiptRefused("the receipt is too old")
        if person != self.person or not set(claims) <= self.claims:
            raise ReceiptRefused("the receipt is about something else")


def receipt_for(entry: Entry, index: int, leaf: bytes, time: dt.datetime) -> Receipt:
    """Make the receipt of a committed entry. Only the log's batcher may call this, after COMMIT returned."""
    person = entry.subject.person if entry.subject else None
    return Receipt(entry.entry_id, index, leaf, time, person, frozenset(entry.record.claims), clock.monotonic(), _made_here)


@dataclasses.dataclass(frozen=True, slots=True)
class Denied:
    """The entry was committed as a denied attempt, because the grant changed: nothing may be disclosed. `reason` says how it stands now."""

    entry_id: str
    reason: str
    index: int


@dataclasses.dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One entry of a person, opened. `record` and `subject` are the canonical JSON objects as they were hashed.

    `problem` says what is wrong when the entry is not what was recorded (then `n` is -1 and `subject` may be empty).
    """

    index: int
    entry_id: str
    n: int
    time: dt.datetime
    record: Mapping[str, Any]
    subject: Mapping[str, Any]
    problem: str | None = None

    @property
    def action(self) -> str:
        """What was done."""
        return str(self.record.get("action", ""))

    @property
    def client(self) -> str | None:
        """The client that did it."""
        return self.record.get("client")

    @property
    def claims(self) -> tuple[str, ...]:
        """The names of what was read."""
        return tuple(self.record.get("claims", ()))

    @property
    def delay(self) -> Mapping[str, Any] | None:
        """Why the entry was withheld, as it was recorded; None for one that was shown at once."""
        found = self.record.get("delay")
        return found if self.record.get("visibility") == "delayed" and isinstance(found, dict) else None

    @property
    def grant(self) -> str | None:
        """The grant under which it was done."""
        return self.subject.get("grant")


@dataclasses.dataclass(frozen=True, slots=True)
class PersonCheck:
    """What the check of authenticity of one person's entries found. `problem` names the index and what is wrong."""

    whole: bool
    entries: int
    problem: str | None
    index: int | None
    until: dt.datetime
    tree_size: int
    root: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class CheckpointState:
    """A signed checkpoint and when it was signed."""

    size: int
    root: bytes
    note: str
    time: dt.datetime


@dataclasses.dataclass(frozen=True, slots=True)
class LogStatus:
    """Where the log stands. `in_doubt` says why nothing is disclosed, None when all is well.

    `successions`: by which entries it went on under a new key and origin, oldest first, with what was lost. `unsigned_since`: when the
    oldest entry was written that no checkpoint covers yet; the signer takes a second.
    """

    size: int
    root: bytes
    signed: CheckpointState | None
    published: CheckpointState | None
    anchor_size: int | None
    in_doubt: str | None
    successions: tuple[Succession, ...] = ()
    unsigned_since: dt.datetime | None = None
