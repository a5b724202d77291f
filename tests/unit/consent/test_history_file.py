"""A citizen's history file: a good one holds without the provider, and each change to it is named with its entry."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import pytest

from consent import history_file
from consent.checkpoint import VerifierKey
from consent.history_file import HistoryBroken
from tests.support import synthetic_log
from tests.support.log import ORIGIN

if TYPE_CHECKING:
    from collections.abc import Callable

SIZE = 300
KEY = synthetic_log.verifier_key()
FILE = synthetic_log.history_bytes(SIZE)


def edited(change: Callable[[dict[str, Any]], None]) -> bytes:
    value = json.loads(FILE)
    change(value)
    return json.dumps(value).encode()


def flipped(text: str) -> str:
    data = bytearray(base64.b64decode(text))
    data[40 % len(data)] ^= 1
    return base64.b64encode(data).decode()


def test_a_history_holds_and_says_what_it_covers() -> None:
    verdict = history_file.verify(FILE, KEY)
    assert (verdict.holds, verdict.first, verdict.size, verdict.origin) == (True, 0, SIZE, ORIGIN)
    assert verdict.entries == 99  # a third of the entries, without one about a key


def test_a_later_part_and_one_entry_alone_hold_and_say_where_they_begin() -> None:
    assert history_file.verify(synthetic_log.history_bytes(SIZE, first=40), KEY).first == 40
    one = edited(lambda value: value.update(entries=value["entries"][5:6]))
    assert (history_file.verify(one, KEY).holds, history_file.verify(one, KEY).entries) == (True, 1)


def test_what_had_been_withheld_holds_without_telling_its_number_and_is_checked_all_the_same() -> None:
    written = synthetic_log.history_bytes(SIZE, withheld=12)
    assert history_file.verify(written, KEY).entries == 99
    assert history_file.verify(written, KEY).holds
    value = json.loads(written)
    assert set(value["entries"][4]) == {"index", "leaf", "nonce_a", "record", "proof"}
    value["entries"][4]["record"]["delay"]["until"] = "2099-01-01T00:00:00.000000Z"
    assert history_file.verify(json.dumps(value).encode(), KEY).index == 12
    value = json.loads(FILE)
    del value["entries"][4]["subject"]  # only what says that it was withheld may leave it out
    with pytest.raises(HistoryBroken):
        history_file.verify(json.dumps(value).encode(), KEY)


def test_an_empty_history_holds_as_far_as_its_checkpoint() -> None:
    verdict = history_file.verify(edited(lambda value: value.update(entries=[])), KEY)
    assert (verdict.holds, verdict.entries, verdict.size) == (True, 0, SIZE)


def change_record(value: dict[str, Any]) -> None:
    value["entries"][4]["record"]["client_name"] = "Pajak"


def change_subject(value: dict[str, Any]) -> None:
    value["entries"][4]["subject"]["person"] = "p9"


def change_leaf(value: dict[str, Any]) -> None:
    value["entries"][4]["leaf"] = flipped(value["entries"][4]["leaf"])


def change_leaf_version(value: dict[str, Any]) -> None:
    value["entries"][4]["leaf"] = "Ag" + value["entries"][4]["leaf"][2:]


def change_proof(value: dict[str, Any]) -> None:
    value["entries"][4]["proof"][0] = flipped(value["entries"][4]["proof"][0])


def change_index(value: dict[str, Any]) -> None:
    value["entries"][4]["index"] += 1


def leave_one_out(value: dict[str, Any]) -> None:
    del value["entries"][3]


def put_one_twice(value: dict[str, Any]) -> None:
    value["entries"].insert(4, value["entries"][4])


def swap_two(value: dict[str, Any]) -> None:
    value["entries"][3:5] = reversed(value["entries"][3:5])


def take_anothers(value: dict[str, Any]) -> None:
    other = synthetic_log.history(SIZE, person=1)[4]
    value["entries"][4] = json.loads(history_file.write([other], "", KEY))["entries"][0]


@pytest.mark.parametrize(
    ("change", "index", "said"),
    [
        (change_record, 12, "AC does not open"),
        (change_subject, 12, "SC does not open"),
        (change_leaf, 12, "AC does not open"),
        (change_leaf_version, 12, "a leaf is"),
        (change_proof, 12, "not in the log"),
        (change_index, 13, "not in the log"),
        (leave_one_out, 12, "entries of this person are missing before it"),
        (put_one_twice, 12, "it stands after entry 12"),
        (swap_two, 12, "entries of this person are missing before it"),
        (take_anothers, 13, "about somebody else"),
    ],
)
def test_each_change_is_named(change: Callable[[dict[str, Any]], None], index: int, said: str) -> None:
    verdict = history_file.verify(edited(change), KEY)
    assert (verdict.holds, verdict.index) == (False, index)
    assert said in (verdict.problem or "")


def test_entries_beyond_the_checkpoint_and_a_strange_key_do_not_hold() -> None:
    value = json.loads(FILE)
    value["checkpoint"] = json.loads(synthetic_log.history_bytes(50))["checkpoint"]
    assert history_file.verify(json.dumps(value).encode(), KEY).index == 0
    strange = history_file.verify(FILE, VerifierKey(ORIGIN, bytes(32)))
    assert (strange.holds, strange.index, "no signature of the key" in (strange.problem or "")) == (False, None, True)
    forged = edited(lambda value: value.update(checkpoint=value["checkpoint"].replace("\n300\n", "\n301\n")))
    assert "not the key's" in (history_file.verify(forged, KEY).problem or "")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"\xff",
        b"1",
        b'{"format":"gerbang-history/v1","checkpoint":"","entries":[]}',
        edited(lambda value: value.update(format="gerbang-history/v2")),
        edited(lambda value: value["entries"][0].update(index="0")),
        edited(lambda value: value["entries"][0].update(index=True)),
        edited(lambda value: value["entries"][0].update(record=[])),
        edited(lambda value: value["entries"][0].update(leaf="*")),
        edited(lambda value: value["entries"][0].update(leaf=7)),
        edited(lambda value: value["entries"][0].update(proof=7)),
        edited(lambda value: value["entries"][0]["subject"].update(n="0")),
        edited(lambda value: value["entries"][0].pop("nonce_s")),
    ],
)
def test_what_is_no_history_file_is_refused(data: bytes) -> None:
    with pytest.raises(HistoryBroken):
        history_file.verify(data, KEY)
