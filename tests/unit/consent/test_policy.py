"""C2SP tlog-policy: what a policy file may say, and when a quorum is met."""

from __future__ import annotations

import itertools

import pytest

from consent import cosignature, policy
from consent.checkpoint import VerifierKey
from consent.cosignature import CosignerKey
from consent.notes import NoteInvalid, Signature
from consent.policy import PolicyInvalid
from tests.support.witnesses import ORIGIN, SmallLog, leaves, private, public


def vkey(name: str) -> str:
    return str(CosignerKey(f"{name}.example", public(name)))


WITNESSES = "".join(f"witness {name} {vkey(name)}\n" for name in ("X1", "X2", "X3", "Y1", "Y2"))
TWO_LEVELS = f"""\
# the city's policy
log {VerifierKey(ORIGIN, public("log"))} https://id.example/log
{WITNESSES}
\tgroup  X 2 X1 X2\tX3
group Y any Y1 Y2
group both all X Y
quorum both
"""


def cosigned(log: SmallLog, times: dict[str, int]) -> str:
    """Give the log's checkpoint, cosigned by these at these times."""
    note, text = log.note(), log.head().body.decode()
    for name, time in times.items():
        key = CosignerKey(f"{name}.example", public(name))
        note += str(cosignature.signature(key, time, private(name).sign(cosignature.message(text, time))))
    return note


def test_a_quorum_of_two_levels_is_counted_by_its_definition() -> None:
    read = policy.parse(TWO_LEVELS)
    names = [witness.name for witness in read.witnesses]
    for count in range(len(names) + 1):
        for chosen in itertools.combinations(names, count):
            xs, ys = sum(name[0] == "X" for name in chosen), sum(name[0] == "Y" for name in chosen)
            assert read.met(set(chosen)) == (xs >= 2 and ys >= 1), chosen


@pytest.mark.parametrize(("quorum", "enough"), [("none", set()), ("X1", {"X1"})])
def test_a_quorum_may_be_none_or_one_witness(quorum: str, enough: set[str]) -> None:
    read = policy.parse(f"{WITNESSES}quorum {quorum}")
    assert read.met(enough)
    assert read.met({"X2"}) == (quorum == "none")


def test_only_true_cosignatures_of_known_witnesses_count() -> None:
    read, log = policy.parse(TWO_LEVELS), SmallLog(leaves(9))
    assert read.missing(cosigned(log, {"X1": 5, "X3": 6, "Y2": 7, "stranger": 8})) is None
    assert read.cosigned(cosigned(log, {"X1": 5, "X3": 6, "stranger": 8})) == {"X1": 5, "X3": 6}
    assert read.missing(cosigned(log, {"X1": 5, "Y1": 6})) == ("the checkpoint has no quorum (both): cosigned by X1, Y1, not by X2, X3, Y2")
    other = cosigned(SmallLog(leaves(8)), {"X1": 5}).splitlines(keepends=True)[-1]
    with pytest.raises(NoteInvalid, match=r"X1\.example is not its key's"):
        read.cosigned(log.note() + other)


def test_a_witness_is_counted_once_with_its_newest_time() -> None:
    read, log = policy.parse(TWO_LEVELS), SmallLog(leaves(9))
    first, second = cosigned(log, {"X1": 7}), cosigned(log, {"X1": 5})
    assert read.cosigned(first + second.splitlines(keepends=True)[-1]) == {"X1": 7}


@pytest.mark.parametrize("time", [0, 1 << 63])
def test_a_cosignature_without_a_time_is_none(time: int) -> None:
    log, key = SmallLog(leaves(3)), CosignerKey("X1.example", public("X1"))
    made = private("X1").sign(cosignature.message(log.head().body.decode(), time))
    line = Signature(key.name, key.key_id, time.to_bytes(8, "big") + made)
    with pytest.raises(NoteInvalid):
        policy.parse(TWO_LEVELS).cosigned(log.note() + str(line))


REFUSED = {
    "no quorum": WITNESSES,
    "two quorums": f"{WITNESSES}quorum X1\nquorum X1",
    "unknown quorum": f"{WITNESSES}quorum Z1",
    "quorum before its definition": f"quorum X1\n{WITNESSES}",
    "unknown word": f"{WITNESSES}quorum X1\nwitnes X9",
    "group of none": f"{WITNESSES}group g any none\nquorum g",
    "group of itself": f"{WITNESSES}group g any g\nquorum g",
    "empty group": f"{WITNESSES}group g any\nquorum g",
    "threshold too high": f"{WITNESSES}group g 3 X1 X2\nquorum g",
    "threshold of none": f"{WITNESSES}group g 0 X1 X2\nquorum g",
    "threshold not a number": f"{WITNESSES}group g two X1 X2\nquorum g",
    "member twice": f"{WITNESSES}group g any X1 X1\nquorum g",
    "member of two groups": f"{WITNESSES}group g any X1\ngroup h any X1\nquorum g",
    "name twice": f"{WITNESSES}group X1 any X2\nquorum X1",
    "a witness called none": f"witness none {vkey('a')}\nquorum none",
    "same key twice": f"witness a {vkey('a')}\nwitness b {CosignerKey('b.example', public('a'))}\nquorum none",
    "same log twice": f"log {VerifierKey('a', public('a'))}\nlog {VerifierKey('b', public('a'))}\nquorum none",
    "a log's key as a witness": f"witness a {VerifierKey('a', public('a'))}\nquorum none",
    "a witness' key as a log": f"log {vkey('a')}\nquorum none",
    "control character": "quorum none\x00",
    "carriage return": "quorum none\r\n",
    "too many lines": "\n" * 2000 + "quorum none",
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_policy_is_refused(case: str) -> None:
    with pytest.raises(PolicyInvalid):
        policy.parse(REFUSED[case])


def test_a_refusal_names_the_line() -> None:
    with pytest.raises(PolicyInvalid, match="line 7: Z9 is not defined above"):
        policy.parse(f"# one\n{WITNESSES}quorum Z9\n")
