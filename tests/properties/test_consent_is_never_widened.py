"""Invariant 5: a service gets at most  asked ∩ declared ∩ allowed, whatever is asked, declared, offered, allowed, and whenever."""

from __future__ import annotations

import dataclasses
import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from consent.decision import Allowed, Ask, decide, is_active, readable
from consent.purposes.vocabulary import KNOWN_CLAIMS
from consent.records import ClaimNeed, Grant, GrantState, LegalBasis, Purpose

NOW = dt.datetime(2026, 11, 24, 3, tzinfo=dt.UTC)
TEXT = {"id": "Teks.", "en": "Text."}
claims = st.frozensets(st.sampled_from(sorted(KNOWN_CLAIMS)), max_size=8)


@st.composite
def purposes(draw: st.DrawFn, identifier: str = "x") -> Purpose:
    required = draw(claims)
    optional = draw(claims) - required
    return Purpose(
        id=identifier,
        version=draw(st.integers(1, 3)),
        agency="a",
        basis=draw(st.sampled_from(LegalBasis)),
        legal_ref="R",
        required=tuple(ClaimNeed(name, TEXT) for name in sorted(required)),
        optional=tuple(ClaimNeed(name, TEXT) for name in sorted(optional)),
        max_validity_days=365,
        text_hash="",
        declared_at=NOW,
        **dict.fromkeys(("agency_name", "title", "text", "legality", "details", "retention", "period", "recipients", "rights"), TEXT),
    )


@st.composite
def grants(draw: st.DrawFn) -> Grant:
    return Grant(
        id="g",
        person="p",
        client="c",
        client_name="C",
        agency="a",
        purpose=draw(st.sampled_from(["x", "y"])),
        purpose_version=draw(st.integers(1, 3)),
        basis=draw(st.sampled_from(LegalBasis)),
        claims=draw(claims),
        offered=draw(claims),
        state=draw(st.sampled_from(GrantState)),
        version=draw(st.integers(1, 9)),
        opened_at=NOW,
        given_at=NOW,
        expires_at=draw(st.none() | st.timedeltas(dt.timedelta(days=-2), dt.timedelta(days=2)).map(NOW.__add__)),
        language="id",
    )


@given(claims, purposes(), st.none() | grants(), st.booleans())
def test_a_decision_allows_at_most_what_is_asked_and_declared_and_granted(
    asked: frozenset[str],
    purpose: Purpose,
    grant: Grant | None,
    force: bool,  # noqa: FBT001 - hypothesis gives it
) -> None:
    match decide(asked, purpose, grant, NOW, force=force):
        case Allowed(allowed, found):
            assert not force
            assert found is grant
            assert is_active(found, NOW)
            assert found.purpose == purpose.id
            assert found.purpose_version == purpose.version
            assert allowed <= asked & purpose.declared & found.claims
            assert asked & purpose.required_names <= allowed
        case Ask(required, optional, kind):
            assert required <= asked & purpose.required_names
            assert optional <= asked & purpose.optional_names
            assert (kind == "consent") is (purpose.basis is LegalBasis.CONSENT)
        case refused:
            assert grant is not None
            assert grant.purpose != purpose.id, refused


@given(claims, purposes(), purposes(), grants())
def test_a_read_gets_at_most_what_is_asked_and_declared_then_and_now_and_granted(
    asked: frozenset[str], consented: Purpose, newest: Purpose, grant: Grant
) -> None:
    found = readable(asked, consented, newest, grant, NOW)
    assert found <= asked & consented.declared & newest.declared & grant.claims
    if found:
        assert grant.state is GrantState.ACTIVE
        assert grant.purpose_version == consented.version


@given(claims, purposes(), grants(), claims)
def test_asking_for_more_never_takes_anything_away_and_never_adds_what_was_not_granted(
    asked: frozenset[str], purpose: Purpose, grant: Grant, more: frozenset[str]
) -> None:
    consented = dataclasses.replace(purpose, version=grant.purpose_version)
    less = readable(asked, consented, purpose, grant, NOW)
    assert less <= readable(asked | more, consented, purpose, grant, NOW) <= grant.claims
