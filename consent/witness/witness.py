"""The witness itself: rules, memory, key and clock put together. It blocks on its disk: call it in a thread."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, NamedTuple, Protocol

import structlog

from consent import cosignature
from consent.notes import NoteInvalid
from consent.witness import rules
from consent.witness.rules import Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from consent.checkpoint import VerifierKey
    from consent.cosignature import CosignerKey
    from consent.witness.memory import Memory
    from consent.witness.rules import Submitted

log = structlog.get_logger()

TEXT = "text/plain; charset=utf-8"


class Signer(Protocol):
    """The witness' private key."""

    def sign(self, message: bytes) -> bytes:
        """Sign with Ed25519."""


class Answer(NamedTuple):
    """Status, media type and body of an answer."""

    status: int
    media_type: str
    body: str


@dataclasses.dataclass(frozen=True, slots=True)
class Witness:
    """A witness of these logs: origin → the keys trusted for it. `clock`: seconds since the Epoch."""

    key: CosignerKey
    signer: Signer
    memory: Memory
    logs: Mapping[str, Sequence[VerifierKey]]
    clock: Callable[[], float]

    def add_checkpoint(self, body: bytes) -> Answer:
        """Answer one `add-checkpoint`. Raises: sqlite3.Error when nothing could be remembered; then nothing was cosigned."""
        try:
            submitted = rules.parse(body)
        except NoteInvalid as error:
            return Answer(400, TEXT, f"{error}\n")
        refusal = rules.authentic(submitted, self.logs) or self._cosign(submitted)
        return self._refused(submitted, refusal) if isinstance(refusal, Refusal) else Answer(200, TEXT, refusal)

    def _cosign(self, submitted: Submitted) -> Refusal | str:
        """Remember, and only then sign: whatever a race or a crash does, no two heads of one size are ever signed."""
        head = submitted.head
        while True:
            seen = self.memory.seen(head.origin)
            refusal = rules.consistent(submitted, seen)
            if refusal:
                return refusal
            time = max(int(self.clock()), seen.time)  # a clock put back makes no newer head look older
            if self.memory.advance(seen, head, time):
                break
        made = self.signer.sign(cosignature.message(submitted.text, time))
        line = str(cosignature.signature(self.key, time, made))
        self.memory.keep_note(head, submitted.note + line)
        log.info("witness_cosigned", origin=head.origin, size=head.size, time=time)
        return line

    def _refused(self, submitted: Submitted, refusal: Refusal) -> Answer:
        head = submitted.head
        if refusal.split_view:
            self.memory.keep_evidence(head, submitted.note, int(self.clock()))
            log.error("witness_split_view", origin=head.origin, size=head.size, root=head.root.hex())
        elif refusal.status in {409, 422}:
            log.warning("witness_refused", origin=head.origin, size=head.size, old=submitted.old, status=refusal.status)
        return Answer(refusal.status, rules.SIZE_TYPE if refusal.status == 409 else TEXT, f"{refusal.what}\n")  # noqa: PLR2004 - Conflict
