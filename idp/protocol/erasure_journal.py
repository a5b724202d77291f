"""The journal of erased people: a file outside all databases, so that a restored backup learns whom to forget again.

One JSON object per line, only ever appended, each synced to the disk before it counts: `{"n": 3, "at": …, "person": …}` when an erasure
begins, `{"n": 4, "of": 3, "entry": 77, "chain": …, "count": 12}` when its entry stands in the access log at index 77 and closed a chain of
12 entries; such a line with `"second": true` tells of the chain of entries that were to be shown later. Persons are random ids; a chain is
named as the log names it, which says nothing once the person's log key is gone.

The program asks it before every disclosure and sign-in (`ErasedPeople`): whom it names is refused, whatever a restored store still knows.
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence
    from pathlib import Path


class JournalBroken(Exception):
    """A line of the journal cannot be read: it must be mended by hand, from another copy. Holds the line's number."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A chain that an erasure closed: the index of its erase entry, its name, and of how many entries it was."""

    entry: int
    chain: bytes
    count: int


@dataclass(frozen=True, slots=True)
class Erased:
    """One erasure as the journal tells it. `first` is None while its entry is not known to be in the log.

    `second`: the chain of entries that were to be shown later, of the few people who had one.
    """

    line: int
    person: str
    first: Closed | None = None
    second: Closed | None = None

    def closed(self, closed: Closed, *, second: bool) -> Erased:
        """Give the erasure with one of its chains closed."""
        return replace(self, second=closed) if second else replace(self, first=closed)


class Journal:
    """The file. Its methods block for a moment (they sync); call them in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, person: str, at: dt.datetime) -> Erased:
        """Write that a person is being erased, unless that is written already."""
        with self._locked() as file:
            known = next((erased for erased in _read(file) if erased.person == person), None)
            if known is not None:
                return known
            line = _append(file, {"at": at.isoformat(timespec="seconds"), "person": person})
        return Erased(line, person)

    def entered(self, erased: Erased, entry: int, chain: bytes, count: int, *, second: bool = False) -> Erased:
        """Write where the erasure's entry stands in the access log, and which chain of how many entries it closed."""
        with self._locked() as file:
            fields = {"of": erased.line, "entry": entry, "chain": chain.hex(), "count": count}
            _append(file, fields | ({"second": True} if second else {}))
        return erased.closed(Closed(entry, chain, count), second=second)

    def read(self) -> Sequence[Erased]:
        """Give every erasure, oldest first. Raises: JournalBroken."""
        if not self._path.exists():
            return ()
        with self._path.open("rb") as file:
            return _parse(file.read())

    def stamp(self) -> tuple[int, int] | None:
        """Give what changes whenever the file does; None when there is none."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size

    def _locked(self) -> Any:  # noqa: ANN401 - an open file
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600), "r+b")
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file is closed
        return file


class ErasedPeople:
    """Whom the journal names, as this process last read it: `refresh` at start and every few seconds."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stamp: tuple[int, int] | None = None
        self._persons: frozenset[str] = frozenset()

    def __contains__(self, person: object) -> bool:
        """Tell whether the person was erased, or is being."""
        return person in self._persons

    async def refresh(self) -> None:
        """Read the journal anew when it changed. A journal that vanished takes nobody back. Raises: JournalBroken, OSError."""
        stamp = await asyncio.to_thread(self._journal.stamp)
        if stamp is None or stamp == self._stamp:
            return
        lines = await asyncio.to_thread(self._journal.read)
        self._stamp, self._persons = stamp, self._persons | {erased.person for erased in lines}


def _read(file: Any) -> Sequence[Erased]:  # noqa: ANN401 - an open file
    file.seek(0)
    return _parse(file.read())


def _parse(content: bytes) -> Sequence[Erased]:
    found: dict[int, Erased] = {}
    for number, line in enumerate(content.splitlines(), 1):
        try:
            fields = json.loads(line)
            if "person" in fields:
                found[fields["n"]] = Erased(fields["n"], fields["person"])
            else:
                begun = found[fields["of"]]
                closed = Closed(fields["entry"], bytes.fromhex(fields["chain"]), fields["count"])
                found[begun.line] = begun.closed(closed, second=fields.get("second", False))
        except (ValueError, KeyError, TypeError):
            if number == content.count(b"\n") + 1:  # a crash in the middle of the last line: it never counted
                break
            raise JournalBroken(f"line {number}") from None
    return [found[line] for line in sorted(found)]


def _append(file: Any, fields: dict[str, Any]) -> int:  # noqa: ANN401 - an open file
    file.seek(0)
    content = file.read()
    if content and not content.endswith(b"\n"):  # the torn line of a crash
        file.truncate(content.rfind(b"\n") + 1)
    line: int = content.count(b"\n") + 1
    file.write(json.dumps({"n": line} | fields).encode() + b"\n")
    file.flush()
    os.fsync(file.fileno())
    return line
