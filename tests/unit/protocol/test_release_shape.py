"""OIDC Core §5.1: opened values become claims of the right JSON type, with the companions that were asked for."""

from __future__ import annotations

import datetime as dt
import json

import pytest

from consent.records import SealedValue, Source
from idp.protocol.release import address, shape
from keys.sealing import Binding

THEN = dt.datetime(2026, 3, 1, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)


def cell(claim: str, source: Source = "asserted", updated_at: dt.datetime = THEN) -> SealedValue:
    return SealedValue("p", claim, b"", Binding("account_cells", "cell", claim, "p"), source, updated_at)


def test_verified_companions_are_booleans_that_tell_the_source() -> None:
    asked = frozenset({"email", "email_verified", "phone_number", "phone_number_verified"})
    found = shape({"email": "a@b.id", "phone_number": "+62811"}, [cell("email", "verified"), cell("phone_number")], asked)
    assert found == {"email": "a@b.id", "email_verified": True, "phone_number": "+62811", "phone_number_verified": False}


def test_a_companion_goes_only_where_its_value_goes() -> None:
    assert shape({"name": "Siti"}, [cell("name")], frozenset({"name", "email_verified"})) == {"name": "Siti"}


def test_a_companion_alone_tells_nothing_else() -> None:
    assert shape({"email": "a@b.id"}, [cell("email", "verified")], frozenset({"email_verified"})) == {"email_verified": True}


def test_updated_at_is_a_number_of_the_newest_profile_value() -> None:
    cells = [cell("name"), cell("gender", updated_at=LATER), cell("email", updated_at=LATER + dt.timedelta(days=9))]
    found = shape({"name": "Siti", "gender": "female", "email": "a@b.id"}, cells, frozenset({"name", "gender", "email", "updated_at"}))
    assert found["updated_at"] == int(LATER.timestamp())


def test_updated_at_needs_a_profile_value_and_to_be_asked() -> None:
    assert "updated_at" not in shape({"email": "a@b.id"}, [cell("email")], frozenset({"email", "updated_at"}))
    assert "updated_at" not in shape({"name": "Siti"}, [cell("name")], frozenset({"name"}))


@pytest.mark.parametrize(
    ("stored", "claim"),
    [
        ("Jalan Contoh 1, Balikpapan", {"formatted": "Jalan Contoh 1, Balikpapan"}),
        ("12", {"formatted": "12"}),
        (
            json.dumps({"formatted": "a\nb", "locality": "Balikpapan", "country": "ID", "region": "", "secret": "x"}),
            {"formatted": "a\nb", "locality": "Balikpapan", "country": "ID"},
        ),
    ],
)
def test_an_address_is_an_object_however_it_was_kept(stored: str, claim: dict[str, str]) -> None:
    assert address(stored) == claim
    assert shape({"address": stored}, [cell("address")], frozenset({"address"})) == {"address": claim}
