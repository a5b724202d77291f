"""RFC 8785: what the log hashes is what the reference implementation writes."""

from __future__ import annotations

import json

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from consent.access_log import leaf as leaves
from consent.access_log.records import Actor, Record, Subject

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
keys = st.text(st.characters(codec="ascii"), max_size=8)
scalars = text | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans() | st.none()
values = st.dictionaries(keys, st.recursive(scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)))


@given(values)
def test_canonical_json_is_that_of_rfc8785(value: dict[str, object]) -> None:
    assert leaves.canonical(value) == rfc8785.dumps(value)  # type: ignore[arg-type]


@given(text, text, st.lists(text, max_size=3))
def test_the_parts_of_a_record_join_to_the_canonical_record_whatever_its_texts_say(reason: str, client: str, claims: list[str]) -> None:
    record = Record(action="consult", client=client, reason=reason, claims=tuple(claims), channel='"time":"', outcome='0000-00-00"time":"')
    time = "2026-11-24T02:15:02.123456Z"
    before, after = leaves.record_parts(record)
    assert before + time.encode() + after == rfc8785.dumps(leaves.record_object(record, time))


@given(text, text, st.none() | text, st.integers(0, 10**9), st.binary(min_size=32, max_size=32))
def test_the_parts_of_a_subject_join_to_the_canonical_subject(person: str, entry_id: str, grant: str | None, n: int, prev: bytes) -> None:
    subject = Subject(person, grant, actor=Actor("citizen"))
    written = leaves.subject_bytes(leaves.subject_parts(subject, entry_id), n, prev)
    assert written == rfc8785.dumps(json.loads(written))
    assert json.loads(written)["person"] == person
    assert json.loads(written)["n"] == n
