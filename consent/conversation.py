"""Asking one witness for its cosignature (C2SP tlog-witness, the log's side): a proof from what it saw last, and what its answer means."""

from __future__ import annotations

import asyncio
import dataclasses
import datetime as dt
import hashlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from consent import checkpoint, cosignature, notes
from consent.access_log import tree, watch
from consent.access_log.witness_states import WitnessState
from consent.notes import NoteInvalid
from keys.database import require_no_connection

if TYPE_CHECKING:
    from consent.access_log.witness_states import Outcome
    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.policy import Witness
    from keys.database import Database

SECONDS: Final = 5.0
"""How long one answer of a witness is waited for."""
TRIES: Final = 3
SIZE_TYPE: Final = "text/x.tlog.size"
LATEST: Final = 253402300799
"""9999-12-31T23:59:59Z."""


class Reply(NamedTuple):
    """A witness' answer: media type in lower case without parameters, and the beginning of the body."""

    status: int
    media_type: str
    body: str


class Unreachable(Exception):
    """There was no answer. The message says why."""


class Exchange(Protocol):
    """The network: posts a body to an address, or fetches it when there is none."""

    async def __call__(self, url: str, body: bytes | None) -> Reply:
        """Give the answer. Raises: Unreachable."""


class Said(NamedTuple):
    """What became of asking a witness, and its signature line when it cosigned; `proof`: what it shows when it raises the alarm."""

    witness: Witness
    state: WitnessState
    line: str | None = None
    proof: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Conversation:
    """One witness is shown one checkpoint of the log whose key is `key`.

    `before`: what is known of the witness; `reading`: one proof is computed at a time.
    """

    database: Database
    exchange: Exchange
    reading: asyncio.Lock
    witness: Witness
    key: VerifierKey | None
    head: Checkpoint
    note: str
    before: WitnessState | None
    now: dt.datetime

    async def hold(self) -> Said:
        """Ask, and tell what came of it. Raises: StoreUnavailable, TreeBroken."""
        size = min(self.before.size, self.head.size) if self.before else 0
        for _ in range(TRIES):
            body = await self._request(size)
            try:
                reply = await self._ask(body)
            except (Unreachable, TimeoutError) as error:
                return self._failed("unreachable", str(error) or f"no answer within {SECONDS:.0f} seconds")
            if reply.status != 409:  # noqa: PLR2004 - Conflict
                return self._judged(reply) if reply.status != 422 else await self._alarm(self._contradiction(reply))  # noqa: PLR2004 - the same
            told = size_of(reply)
            if told is None or told == size:
                return self._failed("refused", "answers 409 without a size of its own")
            if told > self.head.size:
                return await self._ahead(told)
            size = told
        return self._failed("refused", "names another size each time it is asked")

    async def _request(self, old: int) -> bytes:
        """tlog-witness: "old <size>", the consistency proof, an empty line, and the checkpoint."""
        async with self.reading, self.database.read() as connection:
            proof = await tree.consistency_proof(connection, old, self.head.size)
        return "".join([f"old {old}\n", *(f"{notes.b64(node)}\n" for node in proof), "\n", self.note]).encode()

    async def _ask(self, body: bytes) -> Reply:
        require_no_connection("a witness")
        async with asyncio.timeout(SECONDS):
            return await self.exchange(f"{(self.witness.url or '').rstrip('/')}/add-checkpoint", body)

    async def _ahead(self, told: int) -> Said:
        """The witness knows more than it was shown: fine if this log signed so much meanwhile, else an older state was put back."""
        async with self.database.read() as connection:
            signed = await watch.stored(connection, "signed")
        have = signed.size if signed else 0
        if have < told:
            what = f"the witness {self.witness.name} cosigned {told} entries, this log has signed {have}: an older state was put back"
            return await self._alarm(what)
        return Said(self.witness, self.before) if self.before else self._failed("refused", "knows a newer checkpoint")

    def _contradiction(self, reply: Reply) -> str:
        return f"the witness {self.witness.name} says that {self.head.size} entries do not continue what it cosigned: {_words(reply)}"

    async def _alarm(self, what: str) -> Said:
        """Raise the alarm, with the witness' own newest checkpoint where it shows one that our key signed: then it is no mere claim."""
        proof = await self._shown()
        told = "it shows a checkpoint signed by this log" if proof else "it shows no checkpoint signed by this log"
        return self._failed("rollback", f"{what} ({told})")._replace(proof=proof)

    async def _shown(self) -> str | None:
        """tlog-witness: `GET <prefix>/<origin hash>/checkpoint`; the prefix may be another one, which we do not know then."""
        hashed = hashlib.sha256(self.head.origin.encode()).hexdigest()
        require_no_connection("a witness")
        try:
            async with asyncio.timeout(SECONDS):
                reply = await self.exchange(f"{(self.witness.url or '').rstrip('/')}/{hashed}/checkpoint", None)
            shown = checkpoint.open_note(reply.body, self.key) if self.key else None
        except (Unreachable, TimeoutError, NoteInvalid):
            return None
        return reply.body if shown and shown != self.head and shown.size >= self.head.size else None

    def _judged(self, reply: Reply) -> Said:
        """Read an answer that is no conflict. tlog-witness: "The client MUST ignore any cosignatures from unknown keys"."""
        if reply.status != 200:  # noqa: PLR2004 - OK
            return self._failed("refused", f"answers {reply.status}: {_words(reply)}")
        key = self.witness.key
        try:
            lines = notes.signatures(reply.body)
            time = cosignature.verify(lines, key, notes.split(self.note)[0])
        except NoteInvalid as error:
            return self._failed("refused", f"answers with no cosignature: {error}")
        if time is None or time > LATEST:
            return self._failed("refused", "answers with no cosignature of its key")
        line = next(str(line) for line in lines if (line.name, line.key_id) == (key.name, key.key_id))
        at = dt.datetime.fromtimestamp(time, dt.UTC)
        return Said(self.witness, WitnessState(str(key), self.head.origin, self.head.size, at, self.now, "cosigned", None), line)

    def _failed(self, outcome: Outcome, problem: str) -> Said:
        size, cosigned_at = (self.before.size, self.before.cosigned_at) if self.before else (0, None)
        vkey = str(self.witness.key)
        return Said(self.witness, WitnessState(vkey, self.head.origin, size, cosigned_at, self.now, outcome, problem))


def size_of(reply: Reply) -> int | None:
    """tlog-witness: the body of 409 is "the tree size … in decimal, followed by a newline", of type text/x.tlog.size."""
    try:
        return notes.number(reply.body.removesuffix("\n")) if reply.media_type == SIZE_TYPE else None
    except NoteInvalid:
        return None


def _words(reply: Reply) -> str:
    return "".join(c if c.isprintable() else " " for c in reply.body)[:200].strip()
