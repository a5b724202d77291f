"""Checking a log by what it serves to everybody (C2SP tlog-tiles): hashes only, for what they commit to stays with the operator. Pure.

Checks: the checkpoint bears the signature of the key that the reader holds; every bundle and tile is what the entries make; the root is the
checkpoint's; an older checkpoint is a prefix of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consent import checkpoint, tiles
from consent.findings import Findings, Verdict
from consent.tree_walk import TreeWalk
from consent.verify import compare_tile
from consent.verify_succession import Successions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from consent.checkpoint import Checkpoint, VerifierKey
    from consent.tree_walk import Tile

    Files = Iterator[bytes | None]

_EXPORT = "ask for an export, and verify that folder with --since"
_CHANGED = "if the log's key was changed, an export tells how, and the new key's fingerprint is on paper"


def verify_public(
    note: str, files: Callable[[int], Files], key: VerifierKey, since: str | None, progress: Callable[[int, int], None]
) -> Verdict:
    """Verify a served log. `files` gives, for a size, the contents of `tiles.paths_of(size)` in that order; None for what is not there.

    Nothing is asked for under a checkpoint that the key did not sign: whoever serves it could claim any size.
    `progress` is told (entries checked, in all).
    Raises: NoteInvalid when a note is none, or the older one is from before a change of key, which only records tell of.
    """
    if since is not None and (origin := checkpoint.parse(since).origin) != key.name:
        raise checkpoint.NoteInvalid(
            f"the older checkpoint is of {origin}: how the log went on from there is told by its records; {_EXPORT}"
        )
    findings = Findings()
    followed = Successions(findings.add)
    head = checkpoint.parse(note)
    walk = TreeWalk([head.size, *([checkpoint.parse(since).size] if since is not None else [])])
    if wrong := followed.head_problem(note, key):
        findings.add(-1, wrong if head.origin == key.name else f"{wrong}; {_CHANGED}")
        return _verdict(head, findings)
    _walk(head, files(head.size), walk, findings, progress)
    if since is not None and (older := followed.older_problem(since, key, walk.roots, head.size)):
        findings.add(-1, older)
    return _verdict(head, findings)


def _verdict(head: Checkpoint, findings: Findings) -> Verdict:
    return Verdict(head.size, head.root, head.origin, tuple(findings.found), findings.more)


def _walk(head: Checkpoint, files: Files, walk: TreeWalk, findings: Findings, progress: Callable[[int, int], None]) -> None:
    while walk.size < head.size:
        entries = _entries(next(files), walk.size, min(tiles.WIDTH, head.size - walk.size), findings)
        if entries is None:  # nothing after it can be placed
            return
        for tile in walk.add(entries):
            _compare(tile, next(files), findings)
        progress(walk.size, head.size)
    for tile in walk.partial():
        _compare(tile, next(files), findings)
    if walk.edge.root != head.root:
        findings.add(-1, f"the {head.size} entries do not have the root of the signed checkpoint")


def _entries(bundle: bytes | None, first: int, width: int, findings: Findings) -> list[bytes] | None:
    path = tiles.bundle_path(first // tiles.WIDTH, width)
    if bundle is None:
        findings.add(first, f"{path} is missing")
        return None
    try:
        entries = tiles.decode_bundle(bundle)
    except tiles.TileBroken as error:
        findings.add(first, f"{path}: {error}")
        return None
    if len(entries) != width:
        findings.add(first + min(len(entries), width), f"{path} holds {len(entries)} entries instead of {width}")
        return None
    return entries


def _compare(tile: Tile, served: bytes | None, findings: Findings) -> None:
    path = tiles.tile_path(tile.address)
    if served is None:
        findings.add(tile.first, f"{path} is missing")
        return
    try:
        compare_tile(tile, tiles.decode_tile(served), findings)
    except tiles.TileBroken as error:
        findings.add(tile.first, f"{path}: {error}")
