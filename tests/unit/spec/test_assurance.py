"""NIST SP 800-63B-4, RFC 8176: from how somebody was recognised to how strong the sign-in is."""

from __future__ import annotations

import pytest

from idp.spec import assurance
from idp.spec.assurance import CODE, acr_of, passkey, with_second

BOUND, SYNCED = passkey(synced=False), passkey(synced=True)


@pytest.mark.parametrize(
    ("amr", "acr"),
    [
        (("pwd",), "aal1"), (("fed",), "aal1"), (("pwd", "otp", "mfa"), "aal2"), (("fed", "mfa"), "aal2"),
        (SYNCED, "aal2"), (("pwd", *SYNCED), "aal2"), (BOUND, "aal3"), (("pwd", *BOUND), "aal3"),
        (("hwk", "user"), "aal2"), (("hwk",), "aal1"), ((), "aal1"),
    ],
)  # fmt: skip
def test_only_a_verified_key_of_one_device_makes_aal3(amr: tuple[str, ...], acr: str) -> None:
    assert acr_of(amr) == acr


@pytest.mark.parametrize(
    ("before", "methods", "after"),
    [
        (("pwd",), CODE, ("pwd", "otp", "mfa")),
        (("fed",), BOUND, ("fed", *BOUND)),
        (("pwd", "otp", "mfa"), BOUND, ("pwd", *BOUND)),  # the time becomes that of the key: what was proven before is told no longer
        (("pwd", *SYNCED), BOUND, ("pwd", *BOUND)),
        (("pwd", *BOUND), SYNCED, ("pwd", *SYNCED)),
        (("pwd", *BOUND), CODE, None),
        (BOUND, CODE, None),
        (SYNCED, BOUND, BOUND),
    ],
)
def test_what_one_more_proof_makes_of_a_session(before: tuple[str, ...], methods: tuple[str, ...], after: tuple[str, ...] | None) -> None:
    assert with_second(before, methods) == after


def test_what_is_told_of_a_second_factor_ends_with_mfa() -> None:
    """`events.reset_unproven` knows a proven factor by it."""
    assert all(methods[-1] == "mfa" for methods in (CODE, BOUND, SYNCED))


def test_the_weakest_level_of_a_request_decides() -> None:
    assert assurance.least(["aal3", "gold", "aal2"]) == "aal2"
    assert assurance.least(["aal3"]) == "aal3"
    assert assurance.least(["gold"]) is None
    assert assurance.at_least("aal3", "aal2")
    assert not assurance.at_least("gold", "aal1")
