"""How likely it is that a stranger guesses a mailed code, if he tries for a year."""

from __future__ import annotations

from idp.accounts.proofs.records import ATTEMPTS, DIGITS, Purpose
from idp.settings import Settings
from tests.support.running import ROOT_KEY


def test_a_code_that_opens_an_account_is_guessed_in_a_year_by_one_in_a_thousand_at_most() -> None:
    """All codes a day that one account may be sent, all tries of each, every day of a year."""
    settings = Settings(issuer="https://id.example", root_key=ROOT_KEY)
    a_day = min(allowed * 86400 / window for allowed, window in settings.limit_message)
    for purpose in (Purpose.RECOVER, Purpose.FACTOR):
        assert a_day * ATTEMPTS * 365 / 10 ** DIGITS[purpose] < 0.001
