"""RP-Initiated Logout §2 to §4, for every combination."""

from __future__ import annotations

import itertools

from idp.logout.rules import Ask, Asked, SignOut, decide

URI = "https://app.test/bye"


def every() -> list[Asked]:
    flags = itertools.product((True, False), repeat=5)
    return [
        Asked(signed_in=a, ours=b, names_session=c, redirect_uri=uri, registered=d and uri is not None, confirmed=e)
        for a, b, c, d, e in flags
        for uri in (None, URI)
    ]


def test_a_redirect_needs_our_hint_and_a_registered_uri() -> None:
    for asked in every():
        decision = decide(asked)
        if isinstance(decision, SignOut) and decision.redirect_uri is not None:
            assert asked.ours
            assert asked.registered


def test_a_session_that_no_sound_hint_names_ends_only_after_asking() -> None:
    for asked in every():
        if asked.signed_in and not asked.confirmed and not (asked.ours and asked.names_session):
            assert isinstance(decide(asked), Ask)


def test_only_a_sound_request_is_carried_along() -> None:
    for asked in every():
        decision = decide(asked)
        if isinstance(decision, Ask) and decision.carry:
            assert asked.ours
            assert asked.redirect_uri is None or asked.registered
