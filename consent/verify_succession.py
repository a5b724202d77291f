"""Checking the successions that a log tells of, and following them from the key that a verifier holds. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import checkpoint, succession
from consent.checkpoint import NoteInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.succession import Succession
    from consent.tree_walk import TreeWalk

    Problem = Callable[[int, str], None]


class Successions:
    """Gathers the statements while records are read; `problem` is told what is wrong, and at which index."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.found: list[Succession] = []

    def see(self, index: int, record: object) -> None:
        """Look whether an entry states a succession, and whether it is one."""
        statement = succession.of_record(record) if isinstance(record, dict) else None
        if statement is None:
            return
        try:
            said = succession.parse(statement)
        except NoteInvalid as error:
            self._problem(index, f"it states a succession that cannot be believed: {error}")
            return
        for wrong in _wrong(index, said):
            self._problem(index, wrong)
        self.found.append(said)

    def mark(self, walk: TreeWalk, first: int) -> None:
        """Keep the roots that will be compared, before the entries from `first` on are taken."""
        for said in self.found:
            if said.size >= first:
                walk.mark(said.size)

    def check(self, roots: Mapping[int, bytes]) -> None:
        """Compare what was kept with the entries before it."""
        for said in self.found:
            if said.size in roots and roots[said.size] != said.root:
                self._problem(said.size, f"the succession at it names another root of the {said.size} entries before it")

    def follow(self, held: VerifierKey) -> list[VerifierKey]:
        """Give the keys that the held one vouches for, itself first: by planned changes, each signed by the key before it."""
        trusted = [held]
        for said in self.found:
            if said.kind == "planned" and said.signed and said.old in trusted:
                trusted.append(said.new)
        return trusted

    def head_problem(self, note: str, held: VerifierKey) -> str | None:
        """Say why the checkpoint is not to be trusted by whoever holds this key; None when it is."""
        trusted = self.follow(held)
        try:
            origin = checkpoint.parse(note).origin
            checkpoint.open_note(note, next((key for key in reversed(trusted) if key.name == origin), held))
        except NoteInvalid as error:
            lost = next((said for said in self.found if said.kind == "lost" and said.old in trusted), None)
            return (
                f"checkpoint: {error}"
                if lost is None
                else f"{lost}; your key does not vouch for the new one: ask for its fingerprint on paper"
            )
        return None

    def older_problem(self, note: str, held: VerifierKey, roots: Mapping[int, bytes], size: int) -> str | None:
        """Say why an older checkpoint is not the beginning of this log of `size`; None when it is. Raises: NoteInvalid."""
        parsed = checkpoint.parse(note)
        known = [*self.follow(held), *(said.old for said in self.found)]
        old = checkpoint.open_note(note, next((key for key in known if key.name == parsed.origin), held))
        lost = next((said for said in self.found if said.kind == "lost" and said.old.name == old.origin and said.size < old.size), None)
        if lost is not None:
            return f"entries {lost.size} to {old.size - 1} of the older checkpoint are lost: entry {lost.size} says so"
        if old.size > size:
            return f"the older checkpoint has {old.size} entries, this log only {size}"
        if roots.get(old.size) != old.root:
            return f"the first {old.size} entries are not those of the older checkpoint"
        return None


def _wrong(index: int, said: Succession) -> list[str]:
    ended: Checkpoint = said.ended
    found = []
    if said.size != index:
        found.append(f"it states a succession after {said.size} entries, in another place")
    if said.kind == "planned" and not said.signed:
        found.append(f"the planned change to {said.new.name} is not signed by the key before it")
    if said.kind == "planned" and (ended.size, ended.root) != (said.size, said.root):
        found.append("a planned change keeps all entries, and it does not")
    return found
