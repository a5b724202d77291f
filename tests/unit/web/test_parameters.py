"""Parameters are read strictly: RFC 6749 §3.1 and Appendix B."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp.web import parameters


def test_a_repeated_parameter_is_named_and_its_first_value_kept() -> None:
    found = parameters.parse(b"client_id=a&state=1&state=2")
    assert found.repeated == {"state"}
    assert found.get("state") == "1"
    assert found.lists["state"] == ("1", "2")


def test_a_parameter_without_a_value_is_as_if_omitted() -> None:
    assert parameters.parse(b"state=&nonce&client_id=a").values == {"client_id": "a"}


def test_percent_and_plus_are_decoded_as_utf_8() -> None:
    assert parameters.parse(b"scope=openid+profile%20email&name=Si%C3%A1").values == {"scope": "openid profile email", "name": "Siá"}


@pytest.mark.parametrize("raw", [b"x=%ff", b"%ff=x", b"x=%00", b"x=a%00b", b"x=\xff"])
def test_what_is_not_utf_8_or_holds_a_nul_is_a_problem(raw: bytes) -> None:
    assert parameters.parse(raw).problem == "encoding"


def test_what_is_too_long_or_too_many_is_a_problem() -> None:
    assert parameters.parse(b"x=" + b"a" * (parameters.MAX_VALUE + 1)).problem == "oversized"
    assert parameters.parse(b"&".join(b"x=1" for _ in range(parameters.MAX_PARAMETERS + 1))).problem == "too_many"


def test_a_problem_in_one_parameter_leaves_the_others_readable() -> None:
    found = parameters.parse(b"client_id=a&state=%ff&redirect_uri=b")
    assert found.values == {"client_id": "a", "redirect_uri": "b"}
    assert found.problem == "encoding"


@pytest.mark.parametrize(
    ("content_type", "accepted"),
    [
        ("application/x-www-form-urlencoded", True),
        ("Application/X-WWW-Form-Urlencoded; charset=UTF-8", True),
        ('application/x-www-form-urlencoded;charset="utf8"', True),
        ("application/x-www-form-urlencoded; charset=latin1", False),
        ("application/json", False),
        ("multipart/form-data; boundary=x", False),
        ("", False),
    ],
)
def test_only_the_form_content_type_in_utf_8_is_accepted(content_type: str, *, accepted: bool) -> None:
    assert parameters.is_form(content_type) is accepted


@given(st.binary(max_size=300))
def test_no_bytes_break_the_reader(raw: bytes) -> None:
    found = parameters.parse(raw)
    assert set(found.values) == set(found.lists)
    assert all(value and "\0" not in value for value in found.values.values())
