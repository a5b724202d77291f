"""C2SP tlog-policy: which logs and witnesses are known, and which of the witnesses must have cosigned a checkpoint. Pure.

The file is lines of `log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <name>…` and one `quorum <name>|none`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from consent import cosignature, notes
from consent.checkpoint import VerifierKey
from consent.cosignature import CosignerKey
from consent.notes import NoteInvalid

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

NONE = "none"
MOST_LINES = 1024
"""tlog-policy: an implementation may limit what it takes; at least 32 logs, witnesses and groups."""


class PolicyInvalid(ValueError):
    """The text is not a policy. The message names the line and what is wrong with it."""


@dataclasses.dataclass(frozen=True, slots=True)
class Witness:
    """A witness by its name within the policy; `url` is its submission prefix, where it takes checkpoints."""

    name: str
    key: CosignerKey
    url: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Group:
    """Witnesses and groups, of which `threshold` must have cosigned."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Policy:
    """A policy. `quorum` names a witness or a group, or is "none"."""

    logs: tuple[VerifierKey, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    groups: Mapping[str, Group] = dataclasses.field(default_factory=dict)
    quorum: str = NONE

    def met(self, cosigned: Collection[str]) -> bool:
        """Tell whether these witnesses, by their names here, are a quorum."""
        return self.quorum == NONE or self._cosigned(self.quorum, cosigned)

    def _cosigned(self, name: str, cosigned: Collection[str]) -> bool:
        group = self.groups.get(name)
        if group is None:
            return name in cosigned
        return sum(self._cosigned(member, cosigned) for member in group.members) >= group.threshold

    def cosigned(self, note: str) -> dict[str, int]:
        """Give who of the witnesses cosigned this note: name → newest time, in seconds since the Epoch. Raises: NoteInvalid."""
        text, signatures = notes.split(note)
        found = {witness.name: cosignature.verify(signatures, witness.key, text) for witness in self.witnesses}
        return {name: time for name, time in found.items() if time is not None}

    def missing(self, note: str) -> str | None:
        """Say what the note lacks for a quorum; None when it has one. Raises: NoteInvalid."""
        cosigned = self.cosigned(note)
        if self.met(cosigned):
            return None
        absent = [witness.name for witness in self.witnesses if witness.name not in cosigned]
        return f"the checkpoint has no quorum ({self.quorum}): cosigned by {_names(cosigned)}, not by {_names(absent)}"


def _names(names: Collection[str]) -> str:
    return ", ".join(names) if names else "nobody"


def parse(text: str) -> Policy:
    """Read a policy file. Raises: PolicyInvalid."""
    if any(ord(c) < 0x20 and c not in "\t\n" for c in text) or "\x7f" in text:  # noqa: PLR2004 - tlog-policy, "Character set"
        raise PolicyInvalid("a policy has no control characters but tab and newline")
    lines = text.split("\n")
    if len(lines) > MOST_LINES:
        raise PolicyInvalid(f"more than {MOST_LINES} lines")
    reader = _Reader()
    for number, line in enumerate(lines, 1):
        words = [word for word in line.replace("\t", " ").split(" ") if word]
        if words and not words[0].startswith("#"):
            try:
                reader.take(words[0], words[1:])
            except (PolicyInvalid, NoteInvalid) as error:
                raise PolicyInvalid(f"line {number}: {error}") from error
    if reader.quorum is None:
        raise PolicyInvalid("there is no quorum line; `quorum none` demands no cosignature")
    return Policy(tuple(reader.logs), tuple(reader.witnesses), reader.groups, reader.quorum)


class _Reader:
    """What the lines so far defined."""

    def __init__(self) -> None:
        self.logs: list[VerifierKey] = []
        self.witnesses: list[Witness] = []
        self.groups: dict[str, Group] = {}
        self.quorum: str | None = None
        self._names: set[str] = set()
        self._used: set[str] = set()

    def take(self, keyword: str, words: Sequence[str]) -> None:
        kinds: dict[str, Callable[[Sequence[str]], None]] = {
            "log": self._log, "witness": self._witness, "group": self._group, "quorum": self._quorum,
        }  # fmt: skip
        if keyword not in kinds:
            raise PolicyInvalid(f"{keyword!r} is none of {', '.join(kinds)}")
        kinds[keyword](words)

    def _log(self, words: Sequence[str]) -> None:
        if len(words) not in {1, 2}:
            raise PolicyInvalid("log <vkey> [<url>]")
        key = VerifierKey.parse(words[0])
        if any(known.public == key.public for known in self.logs):
            raise PolicyInvalid("a log with the same key stands above")
        self.logs.append(key)

    def _witness(self, words: Sequence[str]) -> None:
        if len(words) not in {2, 3}:
            raise PolicyInvalid("witness <name> <vkey> [<url>]")
        self._define(words[0])
        key = CosignerKey.parse(words[1])
        if any(known.key.public == key.public for known in self.witnesses):
            raise PolicyInvalid("a witness with the same key stands above")
        self.witnesses.append(Witness(words[0], key, words[2] if words[2:] else None))

    def _group(self, words: Sequence[str]) -> None:
        if len(words) < 3:  # noqa: PLR2004 - see the sentence
            raise PolicyInvalid("group <name> all|any|<k> <name>…")
        name, threshold, members = words[0], words[1], tuple(words[2:])
        for member in members:
            self._require(member)
            if member in self._used:
                raise PolicyInvalid(f"{member} is a member already: each may be one once")
            self._used.add(member)
        self._define(name)
        self.groups[name] = Group(name, _threshold(threshold, len(members)), members)

    def _quorum(self, words: Sequence[str]) -> None:
        if len(words) != 1 or self.quorum is not None:
            raise PolicyInvalid("quorum <name>|none, once")
        if words[0] != NONE:
            self._require(words[0])
        self.quorum = words[0]

    def _define(self, name: str) -> None:
        if name == NONE or name in self._names:
            raise PolicyInvalid(f"the name {name} is taken")
        self._names.add(name)

    def _require(self, name: str) -> None:
        if name not in self._names:
            raise PolicyInvalid(f"{name} is not defined above")


def _threshold(word: str, members: int) -> int:
    known = {"all": members, "any": 1}
    if word in known:
        return known[word]
    if not (word.isascii() and word.isdigit() and len(word) < 5 and 1 <= int(word) <= members):  # noqa: PLR2004 - of at most 1024 lines
        raise PolicyInvalid(f"{word} is neither all, any, nor a number from 1 to {members}")
    return int(word)
