"""RFC 7591 §3.2.2: whatever an application sends is registered or refused, never an accident; and what is registered can be read again."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from idp.clients.self_registered import SIGN_IN
from idp.register import rules
from idp.spec import client_metadata
from idp.spec.client_metadata import ClientMetadata
from idp.spec.client_metadata.vocabulary import CHOICES, KNOWN, LISTS
from idp.spec.errors import ErrorCode, Refusal

WORDS = st.sampled_from([
    "https://app.test/cb", "http://localhost/cb", "https://app.test/cb#x", "https://[::1]:99999/", "https://\u202e.test", "javascript:x",
    "https://app.test:x/", "id.kota.app:/cb", "code", "code id_token", "authorization_code", "implicit", "openid", "aal2", "none",
    "", " ", "\x00", "\ud800", "x" * 3000,
])  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS | st.text(max_size=20)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6) | st.just("keys"), inner, max_size=4),
    max_leaves=8,
)
KEYS = st.fixed_dictionaries({}, optional=dict.fromkeys(("kty", "n", "e", "crv", "x", "y", "d", "kid", "use", "alg", "x5c"), VALUES))
LIKELY: dict[str, st.SearchStrategy[Any]] = {name: st.sampled_from([*values, "lain"]) for name, values in CHOICES.items()}
LIKELY |= {name: st.lists(WORDS | st.sampled_from(values or ("x",)), max_size=4) for name, values in LISTS.items()}
LIKELY |= {"jwks": st.fixed_dictionaries({"keys": st.lists(KEYS | st.just({"kty": "EC"}), max_size=3)})}
ANYTHING = st.fixed_dictionaries(
    {}, optional={name: VALUES | LIKELY.get(name, WORDS) for name in (*KNOWN, "client_name#en", "policy_uri#id", "#", "colour")}
)
GOOD = {"client_name": "Aduan", "redirect_uris": ["https://app.test/cb"], "purposes": ["aduan"]}
NEARLY_GOOD = st.sets(st.sampled_from(sorted(KNOWN)), max_size=4).flatmap(
    lambda names: st.fixed_dictionaries({name: LIKELY.get(name, WORDS) for name in names}).map(lambda some: GOOD | some)
)


@settings(max_examples=400, deadline=None)
@given(document=ANYTHING | NEARLY_GOOD, certification=st.booleans())
def test_a_registration_is_read_or_refused(*, document: dict[str, Any], certification: bool) -> None:
    staff = client_metadata.read(document, implicit=certification)
    assert isinstance(staff, ClientMetadata) or all(problem.field and problem.why for problem in staff)
    own = rules.read(rules.understood(document, {}), client=None, purpose=SIGN_IN, certification=certification)
    if isinstance(own, Refusal):
        assert own.error in {ErrorCode.INVALID_CLIENT_METADATA, ErrorCode.INVALID_REDIRECT_URI}
        assert json.dumps(own.parameters())
    else:
        assert (own.purposes, own.default_purpose, own.profile, own.client_id) == ((SIGN_IN,), SIGN_IN, "openid", None)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_a_name_that_may_be_shown_holds_nothing_invisible(name: str) -> None:
    found = client_metadata.read({"client_name": name, "redirect_uris": ["https://app.test/cb"], "purposes": ["aduan"]})
    if isinstance(found, ClientMetadata):
        assert found.client_name.isprintable()
        assert found.client_name.strip()
