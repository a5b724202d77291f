"""One use means one use: time steps (RFC 6238 §5.2), card codes, mailed codes and slips, whoever races."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

import pyotp
import pytest

from idp.accounts.factors.records import CARD_CODES, DISABLE_AFTER, Outcome
from idp.accounts.proofs.records import ATTEMPTS, NotProven, Proven, Purpose
from tests.support.people import People, people

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from keys.database import Database, StoreName

RACERS = 200


@pytest.fixture
async def town(stores: dict[StoreName, Database]) -> AsyncIterator[People]:
    async with people(stores) as found:
        yield found


async def with_totp(town: People) -> tuple[str, pyotp.TOTP]:
    person = (await town.citizen()).person
    seed = await town.accounts.factors.propose_totp(person, town.clock())
    totp = pyotp.TOTP(seed)
    assert await town.accounts.factors.confirm_totp(person, totp.at(town.clock()), town.clock()) is Outcome.PASSED
    town.clock.move(seconds=30)
    return person, totp


async def test_one_time_step_passes_once_among_200(town: People) -> None:
    person, totp = await with_totp(town)
    code = totp.at(town.clock())
    outcomes = await asyncio.gather(*(town.accounts.factors.use_totp(person, code, town.clock()) for _ in range(RACERS)))
    assert Counter(outcomes) == {Outcome.PASSED: 1, Outcome.USED: RACERS - 1}


async def test_an_earlier_step_is_refused_after_a_later_one(town: People) -> None:
    person, totp = await with_totp(town)
    earlier = totp.at(town.clock())
    town.clock.move(seconds=30)
    use = town.accounts.factors.use_totp
    assert await use(person, totp.at(town.clock()), town.clock()) is Outcome.PASSED
    assert await use(person, earlier, town.clock()) is Outcome.USED


async def test_the_code_that_confirmed_the_application_does_not_sign_in(town: People) -> None:
    person, totp = await with_totp(town)
    town.clock.move(seconds=-30)
    assert await town.accounts.factors.use_totp(person, totp.at(town.clock()), town.clock()) is Outcome.USED


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦", "000000 "])
async def test_what_is_no_code_is_wrong(town: People, code: str) -> None:
    person, _ = await with_totp(town)
    assert await town.accounts.factors.use_totp(person, code, town.clock()) is Outcome.WRONG


async def test_a_hundred_wrong_codes_disable_the_application(town: People) -> None:
    person, totp = await with_totp(town)
    for _ in range(DISABLE_AFTER):
        assert await town.accounts.factors.use_totp(person, "", town.clock()) is Outcome.WRONG
    assert await town.accounts.factors.use_totp(person, totp.at(town.clock()), town.clock()) is Outcome.DISABLED
    assert await town.accounts.factors.any_disabled(person)
    account = await town.accounts.get(person)
    assert account is not None
    assert not account.has_totp


async def test_a_right_code_forgives_the_wrong_ones_before(town: People) -> None:
    person, totp = await with_totp(town)
    for _ in range(DISABLE_AFTER - 1):
        await town.accounts.factors.use_totp(person, "", town.clock())
    assert await town.accounts.factors.use_totp(person, totp.at(town.clock()), town.clock()) is Outcome.PASSED
    assert await town.accounts.factors.use_totp(person, "", town.clock()) is Outcome.WRONG
    assert not await town.accounts.factors.any_disabled(person)


async def test_a_reload_of_the_enrolment_page_shows_the_same_key(town: People) -> None:
    person = (await town.citizen()).person
    first = await town.accounts.factors.propose_totp(person, town.clock())
    assert await town.accounts.factors.propose_totp(person, town.clock()) == first
    account = await town.accounts.get(person)
    assert account is not None
    assert not account.has_totp  # not before it is confirmed


async def test_each_code_of_a_card_passes_once_among_200(town: People) -> None:
    person = (await town.citizen()).person
    codes = await town.accounts.factors.print_card(person, town.clock())
    assert len(set(codes)) == CARD_CODES
    outcomes = await asyncio.gather(*(town.accounts.factors.use_card(person, codes[3], town.clock()) for _ in range(RACERS)))
    assert Counter(outcomes) == {Outcome.PASSED: 1, Outcome.USED: RACERS - 1}
    card = await town.accounts.factors.card(person)
    assert card is not None
    assert card.left == CARD_CODES - 1
    assert await town.accounts.factors.use_card(person, f"{codes[4][:4]} {codes[4][4:]}", town.clock()) is Outcome.PASSED


async def test_a_new_card_voids_the_old_one(town: People) -> None:
    person = (await town.citizen()).person
    old = await town.accounts.factors.print_card(person, town.clock())
    await town.accounts.factors.print_card(person, town.clock())
    assert await town.accounts.factors.use_card(person, old[0], town.clock()) is Outcome.WRONG


async def test_a_hundred_wrong_codes_disable_the_card(town: People) -> None:
    person = (await town.citizen()).person
    codes = await town.accounts.factors.print_card(person, town.clock())
    for _ in range(DISABLE_AFTER):
        assert await town.accounts.factors.use_card(person, "", town.clock()) is Outcome.WRONG
    assert await town.accounts.factors.use_card(person, codes[0], town.clock()) is Outcome.DISABLED


async def test_a_mailed_code_passes_once_among_200(town: People) -> None:
    person = (await town.citizen()).person
    proof = await town.accounts.proofs.issue(Purpose.RECOVER, person, town.clock(), lifetime=600, browser="b")
    use = town.accounts.proofs.use
    tries = [use(Purpose.RECOVER, proof.id, proof.code, town.clock(), browser="b") for _ in range(RACERS)]
    outcomes = await asyncio.gather(*tries)
    assert Counter(outcomes) == {Proven(person): 1, NotProven(): RACERS - 1}


async def test_a_mailed_code_bears_five_tries_also_when_they_race(town: People) -> None:
    person = (await town.citizen()).person
    proof = await town.accounts.proofs.issue(Purpose.RECOVER, person, town.clock(), lifetime=600)
    wrong = "000000" if proof.code != "000000" else "000001"
    await asyncio.gather(*(town.accounts.proofs.use(Purpose.RECOVER, proof.id, wrong, town.clock()) for _ in range(ATTEMPTS)))
    assert await town.accounts.proofs.use(Purpose.RECOVER, proof.id, proof.code, town.clock()) == NotProven()


async def test_a_mailed_code_is_of_one_purpose_one_browser_and_ten_minutes(town: People) -> None:
    person = (await town.citizen()).person
    issue, use = town.accounts.proofs.issue, town.accounts.proofs.use
    proof = await issue(Purpose.RECOVER, person, town.clock(), lifetime=600, browser="a")
    assert await use(Purpose.ENROL, proof.id, proof.code, town.clock(), browser="a") == NotProven()
    assert await use(Purpose.RECOVER, proof.id, proof.code, town.clock(), browser="b") == NotProven()
    assert await use(Purpose.RECOVER, proof.id, proof.code, town.clock()) == NotProven()
    assert await use(Purpose.RECOVER, proof.id, proof.code, town.clock.move(minutes=11), browser="a") == NotProven()


async def test_a_decoy_is_never_proven(town: People) -> None:
    proof = await town.accounts.proofs.issue(Purpose.RECOVER, None, town.clock(), lifetime=600)
    assert await town.accounts.proofs.use(Purpose.RECOVER, proof.id, proof.code, town.clock()) == NotProven()


async def test_a_slip_passes_once_among_200_and_for_its_person_only(town: People) -> None:
    person = (await town.citizen()).person
    other = (await town.citizen(email="o@contoh.id")).person
    slip = await town.accounts.proofs.issue(Purpose.SLIP, person, town.clock(), lifetime=900)
    use = town.accounts.proofs.use_slip
    assert await use(other, slip.code, town.clock()) == NotProven()
    assert await use(None, slip.code, town.clock()) == NotProven()
    outcomes = await asyncio.gather(*(use(person, slip.code, town.clock()) for _ in range(RACERS)))
    assert Counter(outcomes) == {Proven(person): 1, NotProven(): RACERS - 1}


async def test_cancelled_codes_are_worthless(town: People) -> None:
    person = (await town.citizen()).person
    proof = await town.accounts.proofs.issue(Purpose.RECOVER, person, town.clock(), lifetime=600)
    await town.accounts.proofs.cancel(person)
    assert await town.accounts.proofs.use(Purpose.RECOVER, proof.id, proof.code, town.clock()) == NotProven()
