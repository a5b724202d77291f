"""Subject openings beside an export: who entries are about, for those whom a request of two people allowed to know it. Pure.

openings.jsonl may begin with a line that says what it covers, {"openings": {"first", "end", "complete", …}}, and has one for each opened
entry, in the order of the log: {"index", "nonce_s", "subject"}. log.md: "each SC opens as subject or none, and those that do not open
equal, in number, what erase and retention entries state; one chain per person". Openings are recorded before they are given away, so a log
is always longer than what complete openings of it cover: the account is drawn up over what they cover.
"""

from __future__ import annotations

import base64
import dataclasses
import itertools
import json
from collections import Counter
from typing import TYPE_CHECKING, Any, BinaryIO, Final, NamedTuple

from consent.access_log import leaf as leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Problem = Callable[[int, str], None]

CHAINS: Final = 2
"""A person has one chain of entries shown at once, and one of those shown later."""
_FIRST_PREV: Final = base64.b64encode(leaves.FIRST_PREV).decode()
STATING: Final = frozenset({"erase", "retention"})


@dataclasses.dataclass(frozen=True, slots=True)
class Accounts:
    """How the entries divide: about living persons, about nobody, and closed for good; the last must equal what was stated."""

    about_persons: int
    about_nobody: int
    unopenable: int
    stated: int


class Opening(NamedTuple):
    """What opens the SC of one entry. `written`: the canonical JSON of the subject."""

    idx: int
    nonce_s: bytes
    written: bytes
    subject: Mapping[str, Any]


class Covered(NamedTuple):
    """What openings cover, by their own word: the entries from `first` to before `end`; `complete` says all of them, and everybody's.

    `client`: only what this application did, so that of a person's chain some entries are there.
    """

    first: int
    end: int
    complete: bool
    client: str | None = None


class OpeningBroken(ValueError):
    """A line is not an opening."""


def opening_line(index: int, nonce_s: bytes, subject: Mapping[str, Any]) -> bytes:
    """Write a line, the newline included."""
    return leaves.canonical({"index": index, "nonce_s": base64.b64encode(nonce_s).decode(), "subject": subject}) + b"\n"


def covering_line(covered: Covered, said: Mapping[str, Any]) -> bytes:
    """Write the line that openings begin with, the newline included; `said`: what else is to be known about them."""
    return leaves.canonical({"openings": {**said, **covered._asdict()}}) + b"\n"


def parse_covering(line: bytes) -> Covered | None:
    """Read the line that openings begin with; None when they begin with an opening."""
    try:
        found = json.loads(line)["openings"]
        first, end, complete, client = (found[name] for name in ("first", "end", "complete", "client"))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    right = type(first) is int and type(end) is int and 0 <= first <= end
    return Covered(first, end, complete is True and first == 0 and client is None, client) if right else None


def parse_opening(line: bytes) -> Opening:
    """Read a line. Raises: OpeningBroken."""
    try:
        found = json.loads(line)
        index, nonce_s, subject = found["index"], base64.b64decode(found["nonce_s"], validate=True), found["subject"]
        if type(index) is not int or not isinstance(subject, dict):
            raise OpeningBroken("index is a number, subject an object")
        return Opening(index, nonce_s, leaves.canonical(subject), subject)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise OpeningBroken("not a line of openings") from error


class Openings:
    """Walks the openings beside the bundles. `complete`: they are everybody's, so that what they leave closed is accounted for."""

    def __init__(self, lines: BinaryIO | None, problem: Problem, *, complete: bool = False) -> None:
        begun = lines.readline() if lines else b""
        self.covered = parse_covering(begun)
        """What the openings say that they cover; None when they say nothing of it."""
        self._lines = _parsed([] if self.covered or not begun else [begun], lines or (), problem)
        self._problem = problem
        self._complete = complete or (self.covered is not None and self.covered.complete)
        if complete and self.covered and not self.covered.complete:
            problem(-1, f"the openings are not everybody's: they cover entries {self.covered.first} to {self.covered.end - 1} only")
        self._end = self.covered.end if self.covered else None
        self._next = next(self._lines, None)
        self._ends: dict[tuple[object, object], int] = {}
        self._begun: Counter[object] = Counter()
        self._opened = self._stated = self._nobody = 0

    def splits(self, first: int, width: int) -> bool:
        """Tell whether what is covered ends inside this bundle, so that its entries must be counted one by one."""
        return self._end is not None and first < self._end < first + width

    def count_nobody(self, first: int, number: int) -> None:
        """Take note of so many entries about nobody, from `first` on; whoever reads the records counts them."""
        if self._end is None or first < self._end:
            self._nobody += number

    def state(self, index: int, record: Mapping[str, Any]) -> None:
        """Take note of what a record says was closed for good."""
        count = record.get("count")
        if record.get("action") in STATING and isinstance(count, int) and (self._end is None or index < self._end):
            self._stated += count

    def check(self, first: int, entries: Sequence[bytes]) -> None:
        """Open what can be opened of these entries."""
        end = first + len(entries)
        while self._next is not None and self._next.idx < end:
            opening, self._next = self._next, next(self._lines, None)
            if opening.idx < first:
                self._problem(opening.idx, "its opening stands twice, or out of order")
            elif self.covered and not self.covered.first <= opening.idx < self.covered.end:
                self._problem(opening.idx, "its opening lies outside of what the openings cover")
            else:
                self._open(opening, entries[opening.idx - first])

    def _open(self, opening: Opening, entry: bytes) -> None:
        if self._next is not None and self._next.idx == opening.idx:
            self._problem(opening.idx, "its opening stands twice, or out of order")
        if leaves.subject_commitment(opening.nonce_s, entry[33:], opening.written) != entry[1:33]:
            self._problem(opening.idx, "the subject is not the one that was recorded (SC does not open)")
            return
        self._opened += 1
        if self.covered is None or self.covered.client is None:
            self._link(opening, base64.b64encode(entry[1:33]).decode())

    def _link(self, opening: Opening, sc: str) -> None:
        """Each person's chain counts without a gap, and names the SC before; openings of some time only may begin in its middle."""
        n, prev, person = (opening.subject.get(name) for name in ("n", "prev", "person"))
        before = self._ends.pop((person, prev), None)
        if n == 0 and prev == _FIRST_PREV:
            if self._begun[person] >= CHAINS:
                self._problem(opening.idx, "one more chain of the same person begins")
            self._begun[person] += 1
        elif before is None and (self._complete or self._begun[person]):
            self._problem(opening.idx, "it does not follow the entry of the same person before it")
        elif before is not None and n != before + 1:
            self._problem(opening.idx, f"n is {n}, but {before + 1} entries of this person stand before it")
        self._begun[person] = max(1, self._begun[person])
        self._ends[person, sc] = n if isinstance(n, int) else before or 0

    def end(self, size: int) -> Accounts:
        """Give the sums, and compare what stays closed with what erasures and retention state."""
        end = size if self._end is None else self._end
        if self._next is not None or end > size:
            self._problem(size, "the openings go on beyond the checkpoint: export the log anew")
        end = min(end, size)
        found = Accounts(self._opened, self._nobody, end - self._opened - self._nobody, self._stated)
        if self._complete and found.unopenable != found.stated:
            self._problem(-1, f"{found.unopenable} entries do not open, but {found.stated} are stated as erased")
        return found


def _parsed(begun: Sequence[bytes], lines: Iterable[bytes], problem: Problem) -> Iterator[Opening]:
    for number, line in enumerate(itertools.chain(begun, lines), 1 if begun else 2):
        try:
            yield parse_opening(line)
        except OpeningBroken as error:
            problem(-1, f"line {number} of the openings: {error}")
