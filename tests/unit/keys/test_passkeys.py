"""WebAuthn Level 3 §7: what an authenticator answers is read strictly, and whatever is sent is a refusal, never a fault."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import passkeys
from keys.passkeys import Ceremony, PasskeyRefused
from tests.support.authenticator import Device, raw, text

ORIGIN = "https://masuk.kota.test"
CHALLENGE = b"c" * 32
CEREMONY = Ceremony(CHALLENGE, ORIGIN, "masuk.kota.test")
CREATE: dict[str, Any] = {"challenge": text(CHALLENGE), "rp": {"id": "masuk.kota.test"}, "user": {"id": text(b"h")}}
GET: dict[str, Any] = {"challenge": text(CHALLENGE), "rpId": "masuk.kota.test"}


def test_a_new_key_and_its_use_are_read() -> None:
    device = Device(ORIGIN)
    made = passkeys.registered(device.create(CREATE), CEREMONY)
    assert (made.credential, made.synced, made.transports, made.platform) == (device.credential, False, ("internal",), True)
    answer = device.get(GET)
    shown = passkeys.presented(answer)
    assert (shown.credential, shown.challenge, shown.user_handle) == (device.credential, CHALLENGE, b"h")
    used = passkeys.asserted(answer, CEREMONY, made.public_key)
    assert (used.sign_count, used.synced) == (1, False)
    assert passkeys.asserted(device.get(GET, synced=True), CEREMONY, made.public_key).synced


def test_another_key_s_signature_is_none_of_this_one() -> None:
    one, other = Device(ORIGIN), Device(ORIGIN)
    public = passkeys.registered(one.create(CREATE), CEREMONY).public_key
    with pytest.raises(PasskeyRefused):
        passkeys.asserted(other.get(GET), CEREMONY, public)
    answer = json.loads(one.get(GET))
    data = bytearray(raw(answer["response"]["authenticatorData"]))
    data[-1] ^= 1  # the counter, which is signed
    answer["response"]["authenticatorData"] = text(bytes(data))
    with pytest.raises(PasskeyRefused):
        passkeys.asserted(json.dumps(answer), CEREMONY, public)


def test_only_the_three_algorithms_that_are_asked_for_are_taken() -> None:
    answer = json.loads(Device(ORIGIN).create(CREATE))
    attested = cbor2.loads(raw(answer["response"]["attestationObject"]))
    for changed in ({1: 2, 3: -35}, {1: 2, 3: -7}, {3: -7}, {}, []):  # ES384, a key without its point, and less
        data = attested["authData"][: 37 + 16 + 2 + 32] + cbor2.dumps(changed)
        answer["response"]["attestationObject"] = text(cbor2.dumps(attested | {"authData": data}))
        with pytest.raises(PasskeyRefused):
            passkeys.registered(json.dumps(answer), CEREMONY)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.binary(max_size=40).map(text),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
PARTS = ("id", "rawId", "type", "authenticatorAttachment")
RESPONSE = ("clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle", "transports")
GOOD = Device(ORIGIN)
CREATED, GOTTEN = json.loads(GOOD.create(CREATE)), json.loads(GOOD.get(GET))
PUBLIC = passkeys.registered(json.dumps(CREATED), CEREMONY).public_key


@settings(max_examples=25, deadline=None)
@given(st.sampled_from(PARTS), st.sampled_from(RESPONSE), json_values, json_values, st.binary(max_size=120))
def test_whatever_is_sent_is_read_or_refused(part: str, member: str, one: object, other: object, noise: bytes) -> None:
    for good in (CREATED, GOTTEN):
        for sent in (
            {**good, part: one},
            {**good, "response": {**good["response"], member: other}},
            {**good, "response": {**good["response"], member: text(noise)}},
            {**good, "response": one},
        ):
            answer = json.dumps(sent)
            for check in (
                lambda answer=answer: passkeys.presented(answer),
                lambda answer=answer: passkeys.registered(answer, CEREMONY),
                lambda answer=answer: passkeys.asserted(answer, CEREMONY, PUBLIC),
            ):
                try:
                    check()
                except PasskeyRefused as refused:
                    assert refused.reason  # noqa: PT017 - either outcome is right, any other exception is not


@pytest.mark.parametrize("answer", ["", "null", "[" * 100_000, "{}", '{"response": 1}', '{"id":"AA","response":{"clientDataJSON":"!"}}'])
def test_what_is_no_answer_names_no_challenge(answer: str) -> None:
    with pytest.raises(PasskeyRefused):
        passkeys.presented(answer)
