"""RFC 6962 §2.1: Merkle trees, their right edge, inclusion and consistency proofs. Pure: bytes and numbers only.

A *node* (level, n) is the root of the perfect subtree over leaves n·2^level … (n+1)·2^level - 1. A *span* is a run of leaves whose hash
the RFC writes MTH(D[start:end]); each one that a proof names splits into perfect subtrees, which is what tiles and the right edge hold.
"""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
"""RFC 6962 §2.1: "The hash of an empty list is the hash of an empty string"."""

_sha256 = hashlib.sha256


class ProofInvalid(Exception):
    """A proof does not show what it claims to show."""


class Node(NamedTuple):
    """A perfect subtree: the n-th over 2^level leaves."""

    level: int
    n: int


class Span(NamedTuple):
    """The leaves from `start` up to, not including, `end`."""

    start: int
    end: int


def leaf_hash(entry: bytes) -> bytes:
    """RFC 6962 §2.1: MTH({d(0)}) = SHA-256(0x00 || d(0))."""
    return _sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """RFC 6962 §2.1: SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n]))."""
    return _sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """RFC 6962 §2.1: "let k be the largest power of two smaller than n"."""
    return 1 << ((size - 1).bit_length() - 1)


def subtrees(span: Span) -> tuple[Node, ...]:
    """Split a range into perfect subtrees, left to right. The RFC's ranges start where the largest one may."""
    found, start = [], span.start
    while start < span.end:
        aligned = (start & -start).bit_length() - 1 if start else span.end.bit_length()
        level = min(aligned, (span.end - start).bit_length() - 1)
        found.append(Node(level, start >> level))
        start += 1 << level
    return tuple(found)


def fold(hashes: Sequence[bytes]) -> bytes:
    """Combine the perfect subtrees of one range, given left to right, into its hash."""
    if not hashes:
        return EMPTY_ROOT
    result = hashes[-1]
    for left in reversed(hashes[:-1]):
        result = node_hash(left, result)
    return result


def perfect_root(hashes: Sequence[bytes]) -> bytes:
    """Give the root over a power of two of hashes."""
    row = hashes
    while len(row) > 1:
        row = [_sha256(b"\x01" + row[i] + row[i + 1]).digest() for i in range(0, len(row), 2)]
    return row[0]


@dataclasses.dataclass(frozen=True, slots=True)
class Edge:
    """The right edge of a tree: the roots of its perfect subtrees, largest first. Enough to append and to give the root."""

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        if len(self.hashes) != self.size.bit_count():
            raise ValueError("an edge has one hash for each bit of its size")

    def extend(self, leaf_hashes: Iterable[bytes]) -> Edge:
        """Append leaves; nothing but the edge itself is needed."""
        size, hashes = self.size, list(self.hashes)
        for leaf in leaf_hashes:
            carry, bits = leaf, size
            while bits & 1:
                carry = _sha256(b"\x01" + hashes.pop() + carry).digest()
                bits >>= 1
            hashes.append(carry)
            size += 1
        return Edge(size, tuple(hashes))

    def extend_perfect(self, level: int, root: bytes) -> Edge:
        """Append a perfect subtree of 2^level leaves. The size must be a multiple of 2^level."""
        if self.size & ((1 << level) - 1):
            raise ValueError("a subtree can only follow a whole number of its like")
        lifted = Edge(self.size >> level, self.hashes).extend([root])
        return Edge(lifted.size << level, lifted.hashes)

    def aligned(self, level: int) -> Edge:
        """Give the edge of the tree that ended at the last whole number of 2^level leaves."""
        whole = self.size >> level
        return Edge(whole << level, self.hashes[: whole.bit_count()])

    @property
    def root(self) -> bytes:
        """The Merkle tree hash of all leaves."""
        return fold(self.hashes)

    def pack(self) -> bytes:
        """Write the hashes one after another."""
        return b"".join(self.hashes)

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Edge:
        """Read what `pack` wrote. Raises: ValueError."""
        return cls(size, tuple(packed[i : i + 32] for i in range(0, len(packed), 32)))


def inclusion_spans(index: int, size: int) -> tuple[Span, ...]:
    """RFC 6962 §2.1.1: the ranges whose hashes are PATH(m, D[n]), from the leaf upwards."""
    if not 0 <= index < size:
        raise ValueError("the leaf is not in the tree")
    spans: list[Span] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + split(end - start)
        spans.append(Span(middle, end) if index < middle else Span(start, middle))
        start, end = (start, middle) if index < middle else (middle, end)
    return tuple(reversed(spans))


def consistency_spans(old: int, new: int) -> tuple[Span, ...]:
    """RFC 6962 §2.1.2: the ranges whose hashes are PROOF(m, D[n]) = SUBPROOF(m, D[n], true)."""
    if not 0 <= old <= new:
        raise ValueError("a tree only grows")
    if old in {0, new}:
        return ()
    spans: list[Span] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + split(end - start)
        if old <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start, whole = middle, False
    if not whole:
        spans.append(Span(start, end))
    return tuple(reversed(spans))


def needed(spans: Iterable[Span]) -> frozenset[Node]:
    """Name every perfect subtree that the ranges are made of."""
    return frozenset(node for span in spans for node in subtrees(span))


def proof(spans: Iterable[Span], nodes: Mapping[Node, bytes]) -> tuple[bytes, ...]:
    """Make a proof from the hashes of the perfect subtrees that its ranges need."""
    return tuple(fold([nodes[node] for node in subtrees(span)]) for span in spans)


def root_from_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes]) -> bytes:
    """RFC 9162 §2.1.3.2: the root that an inclusion proof leads to. Raises: ProofInvalid when its shape is wrong."""
    if not 0 <= index < size:
        raise ProofInvalid("the leaf is not in the tree")
    position, last, result = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofInvalid("the proof is too long")
        if position & 1 or position == last:
            result = node_hash(sibling, result)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = node_hash(result, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise ProofInvalid("the proof is too short")
    return result


def verify_inclusion(index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes) -> None:
    """Check that the leaf with this hash is at `index` of the tree. Raises: ProofInvalid."""
    if root_from_inclusion(index, size, leaf, path) != root:
        raise ProofInvalid("the proof leads to another root")


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> None:
    """RFC 9162 §2.1.4.2: check that the old tree is a prefix of the new one. Raises: ProofInvalid."""
    if not 0 <= old <= new:
        raise ProofInvalid("a tree only grows")
    if old in {0, new}:
        if path or (old_root != EMPTY_ROOT if old == 0 else old_root != new_root):
            raise ProofInvalid("equal sizes have equal roots, and an empty tree has the root of an empty tree")
        return
    if not path:
        raise ProofInvalid("the proof is empty")
    hashes = [old_root, *path] if old & (old - 1) == 0 else list(path)
    first, second = _climb(old - 1, new - 1, hashes)
    if first != old_root or second != new_root:
        raise ProofInvalid("the proof leads to other roots")


def _climb(fn: int, sn: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes]:
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = hashes[0]
    for sibling in hashes[1:]:
        if sn == 0:
            raise ProofInvalid("the proof is too long")
        if fn & 1 or fn == sn:
            fr, sr = node_hash(sibling, fr), node_hash(sibling, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = node_hash(sr, sibling)
        fn, sn = fn >> 1, sn >> 1
    if sn:
        raise ProofInvalid("the proof is too short")
    return fr, sr
