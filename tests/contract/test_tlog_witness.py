"""C2SP tlog-witness and tlog-cosignature: what a witness answers to whom, sentence by sentence."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import httpx2
import pytest

from consent import cosignature, merkle, notes
from consent.checkpoint import VerifierKey
from consent.witness import endpoint
from consent.witness.memory import origin_hash
from consent.witness.rules import SIZE_TYPE, Seen
from tests.support.witnesses import NOW, ORIGIN, SmallLog, SmallWitness, leaves, private, proof, public, request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from consent.witness.witness import Answer


@pytest.fixture
def log() -> SmallLog:
    return SmallLog(leaves(20))


@pytest.fixture
def witness(tmp_path: Path, log: SmallLog) -> Iterator[SmallWitness]:
    made = SmallWitness(tmp_path, (log.key,))
    yield made
    made.memory.close()


def cosigned_at(answer: Answer, witness: SmallWitness, note: str) -> int | None:
    assert (answer.status, answer.body.count("\n")) == (200, 1)
    return cosignature.verify(notes.signatures(answer.body), witness.key, notes.split(note)[0])


def test_a_log_is_followed_from_its_first_checkpoint_on(log: SmallLog, witness: SmallWitness) -> None:
    old = 0
    for size in (0, 1, 2, 7, 8, 8, 20):
        witness.now += 1
        assert cosigned_at(witness.add(log.request(old, size)), witness, log.note(size)) == witness.now
        old = size
    assert witness.memory.note(origin_hash(ORIGIN)) == log.note(20) + str(notes.split(witness.memory.note(origin_hash(ORIGIN)) or "")[1][1])


def test_what_is_signed_is_the_header_the_time_and_the_whole_text(log: SmallLog, witness: SmallWitness) -> None:
    note = log.note(extension="extra line\n")
    assert cosigned_at(witness.add(request(0, (), note)), witness, note) == NOW
    assert witness.signed == [f"cosignature/v1\ntime {NOW}\n{log.head().body.decode()}extra line\n".encode()]


def test_the_old_size_must_be_the_witness_own_and_409_tells_it(log: SmallLog, witness: SmallWitness) -> None:
    witness.add(log.request(0, 8))
    for body in (log.request(0, 20), log.request(7, 20), log.request(9, 20), log.request(0, 3), log.request(3, 8)):
        assert witness.add(body) == (409, SIZE_TYPE, "8\n")
    assert len(witness.signed) == 1


def test_an_old_size_above_the_checkpoints_is_malformed(log: SmallLog, witness: SmallWitness) -> None:
    assert witness.add(request(9, (), log.note(8))).status == 400


@pytest.mark.parametrize("change", ["drop", "add", "flip", "swap", "none", "other tree"])
def test_a_proof_that_does_not_verify_is_422(log: SmallLog, witness: SmallWitness, change: str) -> None:
    witness.add(log.request(0, 7))
    right = list(proof(7, log.leaves, 20))
    wrong = {
        "drop": right[:-1], "add": [*right, bytes(32)], "flip": [bytes([right[0][0] ^ 1]) + right[0][1:], *right[1:]],
        "swap": right[::-1], "none": [], "other tree": list(proof(7, leaves(20, "other"), 20)),
    }[change]  # fmt: skip
    assert witness.add(request(7, wrong, log.note(20))).status == 422
    assert witness.add(request(7, right, log.note(20))).status == 200


def test_from_an_empty_tree_no_proof_may_be_sent(log: SmallLog, witness: SmallWitness) -> None:
    assert witness.add(request(0, (bytes(32),), log.note(8))).status == 422


def test_an_empty_log_has_the_root_of_the_empty_tree(log: SmallLog, witness: SmallWitness) -> None:
    body = f"{ORIGIN}\n0\n{notes.b64(bytes(32))}\n"
    forged = f"{body}\n{notes.Signature(ORIGIN, log.key.key_id, private('log').sign(body.encode()))}"
    assert witness.add(request(0, (), forged)).status == 422
    assert witness.memory.evidence() == []
    assert witness.add(request(0, (), SmallLog([]).note())).status == 200
    assert SmallLog([]).head().root == merkle.EMPTY_ROOT


def test_two_checkpoints_of_one_size_are_never_both_cosigned_and_are_kept_as_evidence(log: SmallLog, witness: SmallWitness) -> None:
    fork = SmallLog([*leaves(7), b"another", *leaves(12)])
    witness.add(log.request(0, 20))
    assert witness.add(fork.request(20)).status == 422
    assert witness.add(fork.request(8)) == (409, SIZE_TYPE, "20\n"), "whatever old size it names"
    assert len(witness.signed) == 1
    (shown,) = witness.memory.evidence()
    assert (shown.refused, shown.size) == (fork.note(), 20)
    assert (shown.cosigned or "").startswith(log.note())


def test_who_signed_decides_before_anything_else(log: SmallLog, witness: SmallWitness) -> None:
    elsewhere = SmallLog(log.leaves, origin="id.example/other")
    assert witness.add(elsewhere.request(0)).status == 404
    assert witness.add(request(0, (), log.note(seed="somebody"))).status == 403
    line = notes.Signature(ORIGIN, log.key.key_id, bytes(64))
    assert witness.add(request(0, (), f"{log.head().body.decode()}\n{line}")).status == 403
    assert witness.add(request(0, (), log.note() + str(line))).status == 403, "a false signature beside a true one"
    assert witness.add(request(9, (), log.note(8, seed="somebody"))).status == 403
    assert witness.signed == []


def test_signatures_of_unknown_keys_are_ignored(log: SmallLog, witness: SmallWitness) -> None:
    others = "".join(str(notes.Signature(name, b"abcd", bytes(64))) for name in ("stranger.example", ORIGIN))
    assert witness.add(request(0, (), log.note() + others)).status == 200


def test_several_keys_may_be_trusted_for_one_origin(tmp_path: Path, log: SmallLog) -> None:
    keys = (VerifierKey(ORIGIN, public("older")), log.key)
    witness = SmallWitness(tmp_path, keys, "witness.example/w2")
    assert witness.add(log.request(0)).status == 200
    witness.memory.close()


MALFORMED = {
    "empty": lambda _: b"",
    "not UTF-8": lambda body: body + b"\xff\n",
    "no old line": lambda body: body.removeprefix(b"old 8\n"),
    "old without a number": lambda body: body.replace(b"old 8", b"old "),
    "leading zero": lambda body: body.replace(b"old 8", b"old 08"),
    "plus sign": lambda body: body.replace(b"old 8", b"old +8"),
    "underscore": lambda body: body.replace(b"old 8", b"old 1_0"),
    "other digits": lambda body: body.replace(b"old 8", "old ٨".encode()),
    "negative": lambda body: body.replace(b"old 8", b"old -8"),
    "beyond 63 bits": lambda body: body.replace(b"old 8", b"old 9223372036854775808"),
    "five thousand digits": lambda body: body.replace(b"old 8", b"old 1" + b"0" * 5000),
    "two spaces": lambda body: body.replace(b"old 8", b"old  8"),
    "CRLF": lambda body: body.replace(b"\n", b"\r\n"),
    "proof not base64": lambda body: body.replace(b"old 8\n", b"old 8\n!\n"),
    "short hash": lambda body: body.replace(b"old 8\n", b"old 8\nAAAA\n"),
    "no empty line": lambda body: body.replace(b"\n\n", b"\n", 1),
    "no signature": lambda body: body.partition(b"\xe2\x80\x94")[0],
    "last line not ended": lambda body: body[:-1],
    "empty extension line": lambda body: body.replace(b"=\n\n\xe2", b"=\n\n\n\xe2"),
    "size of the checkpoint": lambda body: body.replace(b"\n20\n", b"\n020\n"),
    "root of the checkpoint": lambda body: body.replace(b"\n20\n", b"\n20\nAAAA"),
    "control character": lambda body: body.replace(b"\n20\n", b"\n20\n\x00\n"),
    "a signature that is no line": lambda body: body + b"nonsense\n",
}


@pytest.mark.parametrize("case", MALFORMED)
def test_a_malformed_request_is_400(log: SmallLog, witness: SmallWitness, case: str) -> None:
    witness.add(log.request(0, 8))
    body = request(8, proof(8, log.leaves, 20), log.note(20))
    assert witness.add(MALFORMED[case](body)).status == 400
    assert witness.add(body).status == 200


def test_more_than_63_lines_of_proof_are_malformed(log: SmallLog, witness: SmallWitness) -> None:
    witness.add(log.request(0, 8))
    assert witness.add(request(8, [bytes(32)] * 63, log.note(20))).status == 422
    assert witness.add(request(8, [bytes(32)] * 64, log.note(20))).status == 400


@pytest.mark.parametrize("text", ["", "01", "+1", "-1", "1 ", "1_0", "٣", str(1 << 63), "1" * 5000])
def test_a_size_is_a_decimal_below_two_to_the_63(text: str) -> None:
    assert notes.number(str((1 << 63) - 1)) == (1 << 63) - 1
    with pytest.raises(notes.NoteInvalid):
        notes.number(text)


def test_a_signature_is_more_than_a_key_id() -> None:
    with pytest.raises(notes.NoteInvalid):
        notes.signatures(f"— name {notes.b64(b'abcd')}\n")


@pytest.mark.parametrize("other", ["larger", "fork", "same"])
def test_what_was_cosigned_between_checking_and_persisting_is_not_overwritten(
    log: SmallLog, witness: SmallWitness, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    """tlog-witness: "checking the old size … and persisting the new checkpoint must be performed atomically"."""
    witness.add(log.request(0, 2))
    fork = SmallLog([*leaves(2), *leaves(18, "fork")])
    between = {"larger": log.request(2, 20), "fork": fork.request(2, 9), "same": log.request(2, 9)}[other]
    seen = witness.memory.seen

    def and_meanwhile(origin: str) -> Seen:
        found = seen(origin)
        monkeypatch.setattr(witness.memory, "seen", seen)
        assert witness.add(between).status == 200
        return found

    monkeypatch.setattr(witness.memory, "seen", and_meanwhile)
    kept = 20 if other == "larger" else 9
    assert witness.add(log.request(2, 9)) == (409, SIZE_TYPE, f"{kept}\n")
    assert len(witness.signed) == 2
    assert witness.memory.seen(ORIGIN)[:2] == (
        (fork if other == "fork" else log).head(kept).size,
        (fork if other == "fork" else log).head(kept).root,
    )


def test_of_two_that_race_one_wins_and_the_memory_never_goes_back(log: SmallLog, witness: SmallWitness) -> None:
    """tlog-witness: checking and persisting "must be performed atomically", else a smaller head may follow a larger one."""
    witness.add(log.request(0, 2))
    fork = SmallLog([*leaves(2), *leaves(18, "fork")])
    gate = threading.Barrier(8)
    statuses: list[int] = []

    def submit(body: bytes) -> None:
        gate.wait()
        statuses.append(witness.add(body).status)

    bodies = [*(log.request(2, size) for size in (20, 19, 20, 3)), *(fork.request(2, size) for size in (20, 19, 20, 3))]
    threads = [threading.Thread(target=submit, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(200) == 1
    assert len(witness.signed) == 2


def test_a_clock_put_back_makes_no_newer_head_look_older(log: SmallLog, witness: SmallWitness) -> None:
    assert cosigned_at(witness.add(log.request(0, 8)), witness, log.note(8)) == NOW
    witness.now -= 3600
    assert cosigned_at(witness.add(log.request(8, 20)), witness, log.note(20)) == NOW


async def test_over_http(log: SmallLog, witness: SmallWitness) -> None:
    transport = httpx2.ASGITransport(endpoint.application(witness.witness))
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness.example") as http:
        assert (await http.get(f"/{origin_hash(ORIGIN)}/checkpoint")).status_code == 404
        answer = await http.post("/add-checkpoint", content=log.request(0, 8))
        assert answer.status_code == 200
        assert cosigned_at(witness.add(log.request(8, 8)), witness, log.note(8)) == NOW
        conflict = await http.post("/add-checkpoint", content=log.request(0, 20))
        assert (conflict.status_code, conflict.headers["content-type"], conflict.text) == (409, "text/x.tlog.size", "8\n")
        newest = await http.get(f"/{origin_hash(ORIGIN)}/checkpoint")
        assert (newest.text, newest.headers["cache-control"]) == (log.note(8) + answer.text, "no-store")
        assert (await http.post("/add-checkpoint", content=b"x" * (endpoint.LARGEST + 1))).status_code == 413
        assert (await http.get("/add-checkpoint")).status_code == 405
        assert (await http.get("/")).text == f"witness {witness.key}\nlog {log.key}\n"
        witness.memory.close()
        assert (await http.post("/add-checkpoint", content=log.request(8, 20))).status_code == 503
        assert len(witness.signed) == 2


async def test_a_request_that_never_ends_is_given_up(witness: SmallWitness, monkeypatch: pytest.MonkeyPatch) -> None:
    import asyncio

    async def slow() -> AsyncIterator[bytes]:
        yield b"old 0\n"
        await asyncio.sleep(5)

    monkeypatch.setattr(endpoint, "SECONDS", 0.05)
    transport = httpx2.ASGITransport(endpoint.application(witness.witness))
    async with httpx2.AsyncClient(transport=transport, base_url="http://witness.example") as http:
        assert (await http.post("/add-checkpoint", content=slow())).status_code == 408


def test_the_cosigned_note_is_the_one_that_go_accepts(log: SmallLog, witness: SmallWitness) -> None:
    """Transparency.dev's `formats/note` (Go) verified this note under both keys, and `sumdb/note` with the log's key alone."""
    assert str(witness.key) == "witness.example/w1+d7ec3267+BO2NXp96io5WwyFvQUEMfhRIAsqSo9DZ83HT1Nfgqy6k"
    assert log.note() + witness.add(log.request(0)).body == (
        "id.example/log\n20\nIf/h5zzg9PHl354VgJA0fkIuJXiiL5FCsLlYW1C6DzA=\n\n"
        "— id.example/log jfQycwiZUxrN0+Cuk2PLPSQvGRxALPXEkHJxtxRYYT9vK/TDh1P6jAK7p3qroXYksydfD23fCDKK3/tvT6ofP805jQI=\n"
        "— witness.example/w1 1+wyZwAAAABqsTuASMlD6mphECAjPXyVL7SRAPF5C8nNfsdCkwk3LudjfmEkvPoJSRF0IEoY1nuvk4R6MG4Z6ec8665ICetqZvQOCg==\n"
    )
