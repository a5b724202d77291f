"""A witness never signs two roots of one size, and never a smaller head after a larger one, whatever it is sent."""

from __future__ import annotations

import itertools
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from consent import merkle
from consent.witness.memory import Memory
from tests.support.scratch import scratch
from tests.support.witnesses import SmallLog, SmallWitness, leaves, proof, request

FORKS = (SmallLog(leaves(12)), SmallLog([*leaves(5), *leaves(7, "fork")]), SmallLog(leaves(12, "else")))
TRIES = st.tuples(
    st.sampled_from(range(len(FORKS))), st.integers(0, 12), st.integers(0, 12), st.sampled_from(["right", "empty", "other", "extended"])
)


@settings(max_examples=60, deadline=None)
@given(st.lists(TRIES, min_size=1, max_size=20))
def test_one_root_of_each_size_and_only_forward(tries: list[tuple[int, int, int, str]]) -> None:
    with tempfile.TemporaryDirectory(dir=scratch()) as folder:
        witness = SmallWitness(Path(folder), (FORKS[0].key,))
        for which, old, size, kind in tries:
            log = FORKS[which]
            right = proof(old, log.leaves, size) if old <= size else ()
            hashes = {"right": right, "empty": (), "other": proof(min(old, 12), FORKS[1].leaves, 12), "extended": (*right, bytes(32))}
            witness.now += 1
            answer = witness.add(request(old, hashes[kind], log.note(size)))
            assert (answer.status == 409) <= (answer.body == f"{witness.memory.seen(log.origin).size}\n")
        witness.memory.close()
    heads = [message.decode().split("\n")[2:5] for message in witness.signed]
    signed = [(int(size), root) for _, size, root in heads]
    assert len(dict(signed)) == len(set(signed)), "two roots of one size"
    assert [size for size, _ in signed] == sorted(size for size, _ in signed), "a smaller one after a larger one"
    for (old, old_root), (new, new_root) in itertools.pairwise(signed):
        assert any(_root(log, old) == old_root and _root(log, new) == new_root for log in FORKS), "no log holds both"


WHOLE = FORKS[0].request(3, 12)
EDITS = st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=4)


@settings(max_examples=150, deadline=None)
@given(EDITS)
def test_whatever_is_sent_is_answered_and_only_what_the_log_signed_is_cosigned(edits: list[tuple[int, int, bytes]]) -> None:
    body = WHOLE
    for at, gone, new in edits:
        body = body[:at] + new + body[at + gone :]
    witness = SmallWitness(Path(), (FORKS[0].key,), memory=Memory(Path(":memory:")))
    assert witness.add(FORKS[0].request(0, 3)).status == 200
    answer = witness.add(body)
    assert answer.status in {200, 400, 403, 404, 409, 422}
    heads = [message.partition(b"\n")[2].partition(b"\n")[2] for message in witness.signed]
    assert heads == [FORKS[0].head(3).body, FORKS[0].head(12).body][: len(heads)]
    assert (len(heads) == 2) == (answer.status == 200)
    witness.memory.close()


def _root(log: SmallLog, size: int) -> str:
    from consent.notes import b64

    return b64(log.head(size).root) if size else b64(merkle.EMPTY_ROOT)
