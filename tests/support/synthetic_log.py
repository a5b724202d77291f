"""A log made without a database, quickly and the same each time: an export of any size, and the history file of one of its people."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from consent import export_lines, history_file, merkle, tiles
from consent.access_log import leaf as leaves
from consent.access_log.opening import object_of
from consent.access_log.records import Actor, Delay, Record, Subject
from consent.checkpoint import Checkpoint, VerifierKey
from consent.succession import OUTCOME, Succession
from consent.tree_walk import TreeWalk
from tests.support.log import ORIGIN, SeedKey, SeedKeys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from consent.succession import Kind
    from consent.tree_walk import Tile

FIRST_TIME = dt.datetime(2026, 11, 24, 2, 15, 2, 123456, tzinfo=dt.UTC)
SERVICES = (
    ("aduan", "Aduan Warga", "6471-DKI"),
    ("antrean", "Antrean Puskesmas", "6471-DKK"),
    ("pajak", "PBB “Kota” — daring", "6471-BPD"),
)
PEOPLE = 3
SUCCESSION = 99


class Made(NamedTuple):
    """An entry with everything that opens it; `subject` is None when it is about nobody."""

    index: int
    leaf: bytes
    nonce_a: bytes
    nonce_s: bytes
    record: bytes
    subject: bytes | None


def entries(size: int, succeeded: Kind | None = None, withheld: int | None = None) -> Iterator[Made]:
    """Make entries: reads about three people in turn, every hundredth about a key and nobody; the first of these may be a succession.

    `withheld`: the index of one that stands in the second chain of its person.
    """
    edge = merkle.Edge()
    chains = [(0, leaves.FIRST_PREV)] * PEOPLE
    reads = [leaves.record_parts(_read(*service)) for service in SERVICES]
    key = leaves.record_parts(Record(action="key", actor=Actor("system", "signer"), channel="cli", outcome="done", reason="rotasi — kunci"))
    for index in range(size):
        time = leaves.timestamp(FIRST_TIME + dt.timedelta(seconds=7 * index)).encode()
        nonce_a, nonce_s = (hashlib.sha256(b"%s%d" % (kind, index)).digest() for kind in (b"a", b"s"))
        nobody, who = index % 100 == 99, index % PEOPLE
        before, after = key if nobody else reads[index % len(SERVICES)]
        if succeeded and index == SUCCESSION:
            before, after = leaves.record_parts(_succession(edge, succeeded))
        if index == withheld:
            delay = Delay("law_enforcement", "KUHAP Pasal 38", FIRST_TIME + dt.timedelta(days=1), "P-00000001", "P-00000002")
            before, after = leaves.record_parts(_read(*SERVICES[0])._replace(visibility="delayed", delay=delay))
        record = before + time + after
        ac = leaves.access_commitment(nonce_a, record)
        if nobody:
            edge = edge.extend([merkle.leaf_hash(leaves.leaf(leaves.none_commitment(nonce_s, ac), ac))])
            yield Made(index, leaves.leaf(leaves.none_commitment(nonce_s, ac), ac), nonce_a, nonce_s, record, None)
            continue
        n, prev = (0, leaves.FIRST_PREV) if index == withheld else chains[who]
        subject = leaves.subject_bytes(leaves.subject_parts(Subject(f"p{who}", "g1"), f"e{index}"), n, prev)
        sc = leaves.subject_commitment(nonce_s, ac, subject)
        if index != withheld:
            chains[who] = (n + 1, sc)
        edge = edge.extend([merkle.leaf_hash(leaves.leaf(sc, ac))]) if succeeded else edge
        yield Made(index, leaves.leaf(sc, ac), nonce_a, nonce_s, record, subject)


def seed_key() -> SeedKey:
    """Give the signer's key."""
    return SeedKeys().key


def verifier_key() -> VerifierKey:
    """Give the key that an auditor holds."""
    return VerifierKey(ORIGIN, seed_key().public_key)


def next_key() -> SeedKey:
    """Give the signer's key after the succession."""
    return SeedKeys(b"the next key of tests").key


def next_verifier_key() -> VerifierKey:
    """Give the key that an auditor holds after the succession."""
    return VerifierKey(f"{ORIGIN}/2", next_key().public_key)


def note(size: int, root: bytes, *, succeeded: bool = False) -> str:
    """Sign a checkpoint."""
    key, verifier = (next_key(), next_verifier_key()) if succeeded else (seed_key(), verifier_key())
    head = Checkpoint(verifier.name, size, root)
    return head.note(verifier, key.sign(head.body))


def _succession(edge: merkle.Edge, kind: Kind) -> Record:
    """State that the log goes on under the next key; after a loss, one entry that was signed is gone."""
    final = note(edge.size, edge.root) if kind == "planned" else note(edge.size + 1, bytes(32))
    said = Succession(kind, verifier_key(), final, edge.size, edge.root, next_verifier_key(), "two years old")
    reason = said.note(seed_key().sign(said.text.encode()) if kind == "planned" else None)
    return Record(action="key", actor=Actor("administrator", "rina"), channel="command-line", outcome=OUTCOME, reason=reason)


def write_export(folder: Path, size: int, succeeded: Kind | None = None) -> str:
    """Write the export of `size` entries; give its checkpoint."""
    walk = TreeWalk()
    pending: list[bytes] = []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "records.jsonl").open("wb") as lines, (folder / "records.csv").open("w", encoding="utf-8", newline="") as sheet:
        sheet.write(export_lines.csv_header())
        for made in entries(size, succeeded):
            none = made.nonce_s if made.subject is None else None
            lines.write(export_lines.json_line(made.index, made.leaf, made.nonce_a, none, made.record))
            sheet.write(export_lines.csv_line(made.index, made.leaf, made.nonce_a, object_of(made.record)))
            pending.append(made.leaf)
            if len(pending) == tiles.WIDTH:
                _write(folder, tiles.bundle_path(made.index // tiles.WIDTH), tiles.encode_bundle(pending))
                _write_tiles(folder, walk.add(pending))
                pending = []
    if pending:
        _write(folder, tiles.bundle_path(size // tiles.WIDTH, len(pending)), tiles.encode_bundle(pending))
        walk.add(pending)
    _write_tiles(folder, walk.partial())
    signed = note(size, walk.edge.root, succeeded=succeeded is not None)
    _write(folder, "vkey", f"{verifier_key()}\n".encode())
    _write(folder, "checkpoint", signed.encode())
    return signed


def history(size: int, person: int = 0, first: int = 0, withheld: int | None = None) -> list[history_file.ProvedEntry]:
    """Give the entries of one person of a log of `size`, from their entry number `first` on, with proofs."""
    made = list(entries(size, withheld=withheld))
    hashes = [merkle.leaf_hash(one.leaf) for one in made]
    own = [one for one in made if one.subject is not None and object_of(one.subject)["person"] == f"p{person}"]
    return [
        history_file.ProvedEntry(
            one.index, one.leaf, one.nonce_a, one.nonce_s, object_of(one.record), object_of(one.subject or b""), _path(one.index, hashes)
        )
        for one in own[first:]
    ]


def history_bytes(size: int, person: int = 0, first: int = 0, withheld: int | None = None) -> bytes:
    """Give the history file of one person of a log of `size`."""
    root = merkle.Edge().extend(merkle.leaf_hash(one.leaf) for one in entries(size, withheld=withheld)).root
    return history_file.write(history(size, person, first, withheld), note(size, root), verifier_key())


def _read(client: str, name: str, agency: str) -> Record:
    return Record(
        action="disclose",
        client=client,
        client_name=name,
        agency=agency,
        purpose=(client, 1),
        legal_basis="uu-pdp:20-2-a",
        claims=("email", "name"),
        channel="userinfo",
        acr="aal2",
        outcome="released",
    )


def _path(index: int, hashes: Sequence[bytes]) -> list[bytes]:
    return [merkle.Edge().extend(hashes[span.start : span.end]).root for span in merkle.inclusion_spans(index, len(hashes))]


def _write_tiles(folder: Path, made: Sequence[Tile]) -> None:
    for tile in made:
        _write(folder, tiles.tile_path(tile.address), b"".join(tile.hashes))


def _write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
