"""log-vectors.json: leaf, record, subject, roots, verifier key and checkpoint are pinned for good."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import rfc8785

from consent import checkpoint, merkle, notes
from consent.access_log import leaf as leaves
from consent.access_log.records import Actor, Record, Subject
from consent.checkpoint import Checkpoint, NoteInvalid, VerifierKey

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "log-vectors.json").read_text(encoding="utf-8"))
ENTRIES: list[dict[str, Any]] = VECTORS["entries"]


def record_of(found: dict[str, Any]) -> Record:
    values = {name: value for name, value in found.items() if name != "time"}
    if "purpose" in values:
        values["purpose"] = (values["purpose"]["declaration"], values["purpose"]["version"])
    if "actor" in values:
        values["actor"] = Actor(**values["actor"])
    return Record(**{**values, "claims": tuple(values.get("claims", ()))})


@pytest.mark.parametrize("vector", ENTRIES)
def test_a_record_is_written_as_pinned(vector: dict[str, Any]) -> None:
    record = record_of(vector["record"])
    assert leaves.canonical(leaves.record_object(record, vector["record"]["time"])).decode() == vector["record_canonical"]
    before, after = leaves.record_parts(record)
    assert before + vector["record"]["time"].encode() + after == vector["record_canonical"].encode()


@pytest.mark.parametrize("vector", ENTRIES)
def test_the_commitments_leaf_and_leaf_hash_are_as_pinned(vector: dict[str, Any]) -> None:
    nonce_a, nonce_s = bytes.fromhex(vector["nonceA_hex"]), bytes.fromhex(vector["nonceS_hex"])
    ac = leaves.access_commitment(nonce_a, vector["record_canonical"].encode())
    assert ac.hex() == vector["AC_hex"]
    found = vector["subject"]
    if found is None:
        sc = leaves.none_commitment(nonce_s, ac)
    else:
        parts = leaves.subject_parts(Subject(found["person"], found["grant"]), found["entry_id"])
        prev = leaves.FIRST_PREV if found["n"] == 0 else bytes.fromhex(ENTRIES[0]["SC_hex"])
        written = leaves.subject_bytes(parts, found["n"], prev)
        assert written == rfc8785.dumps(found)
        sc = leaves.subject_commitment(nonce_s, ac, written)
    assert sc.hex() == vector["SC_hex"]
    assert leaves.leaf(sc, ac).hex() == vector["leaf_hex"]
    assert merkle.leaf_hash(leaves.leaf(sc, ac)).hex() == vector["leaf_hash_hex"]
    assert leaves.split_leaf(bytes.fromhex(vector["leaf_hex"])) == (sc, ac)


def test_the_root_of_the_entries_is_as_pinned() -> None:
    hashes = [merkle.leaf_hash(bytes.fromhex(vector["leaf_hex"])) for vector in ENTRIES]
    assert merkle.Edge().extend(hashes).root.hex() == VECTORS["root_of_entries_hex"]


def tree_leaf(index: int) -> bytes:
    return leaves.leaf(hashlib.sha256(f"s{index}".encode()).digest(), hashlib.sha256(f"a{index}".encode()).digest())


@pytest.mark.parametrize(("size", "root"), VECTORS["tree_roots_hex"].items())
def test_the_roots_of_larger_trees_are_as_pinned(size: str, root: str) -> None:
    assert merkle.Edge().extend(merkle.leaf_hash(tree_leaf(i)) for i in range(int(size))).root.hex() == root


def test_the_pinned_checkpoint_opens_under_the_pinned_key_and_is_written_the_same() -> None:
    key = VerifierKey.parse(VECTORS["vkey"])
    assert str(key) == VECTORS["vkey"]
    found = checkpoint.open_note(VECTORS["checkpoint_257"], key)
    assert found == Checkpoint("id.example/log", 257, bytes.fromhex(VECTORS["tree_roots_hex"]["257"]))
    signature = notes.unb64(VECTORS["checkpoint_257"].split()[-1])[4:]
    assert found.note(key, signature) == VECTORS["checkpoint_257"]


def _changed(old: str, new: str) -> str:
    return str(VECTORS["checkpoint_257"]).replace(old, new, 1)


@pytest.mark.parametrize(
    "note",
    [
        _changed("257", "258"),
        _changed("257", "0257"),
        _changed("257", "+257"),
        _changed("id.example/log\n257", "other.example/log\n257"),
        _changed("\n\n", "\nextension\n\n"),
        _changed("— id.example/log sdzQ", "— id.example/log AdzQ"),
        _changed("— ", "- "),
        _changed("xvUd", "xvUe"),
        _changed("igw=", "igw"),
        VECTORS["checkpoint_257"][:-1],
        VECTORS["checkpoint_257"] + "\x07\n",
        "",
        "\n\n",
    ],
)
def test_a_checkpoint_that_was_touched_is_refused(note: str) -> None:
    with pytest.raises(NoteInvalid):
        checkpoint.open_note(note, VerifierKey.parse(VECTORS["vkey"]))


def test_other_signatures_on_a_checkpoint_are_ignored() -> None:
    note = VECTORS["checkpoint_257"] + "— witness.example/w AAAAAAAA\n"
    assert checkpoint.open_note(note, VerifierKey.parse(VECTORS["vkey"])).size == 257


@pytest.mark.parametrize(
    "line",
    [
        "",
        "id.example/log",
        VECTORS["vkey"].replace("b1dc", "b1dd"),
        VECTORS["vkey"].replace("id.", "ib."),
        VECTORS["vkey"].replace("+AW", "+BW"),
        VECTORS["vkey"][:-4],
        "a b+00000000+AQ==",
    ],
)
def test_a_verifier_key_that_was_touched_is_refused(line: str) -> None:
    with pytest.raises(NoteInvalid):
        VerifierKey.parse(line)


def test_the_origin_is_the_issuer_without_its_scheme_plus_log() -> None:
    assert checkpoint.origin_of("https://id.example") == "id.example/log"
    assert checkpoint.origin_of("http://localhost:8000/") == "localhost:8000/log"
    assert checkpoint.origin_of("https://kota.example/masuk") == "kota.example/masuk/log"
