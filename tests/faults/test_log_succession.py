"""log.md: after a loss, or for a new key, "a new origin whose first entry names the old final checkpoint"; the old key signs the plan."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from consent import succession
from consent.access_log import Actor, Entry, Receipt, Record
from consent.audit import verify_live
from consent.checkpoint import NoteInvalid, VerifierKey, open_note, parse
from consent.errors import LogUnavailable
from consent.export import export
from consent.signer import SignerRefused
from consent.transition import Change, Transition
from consent.verify import verify_folder
from keys.errors import CheckpointKeyWrong
from tests.faults.test_log_attacks import Operator
from tests.support.log import ORIGIN, LogHouse, disclosure, log_house

if TYPE_CHECKING:
    from consent.verify import Verdict

__all__ = ["log_house"]
SIZE = 300
BY = Change(Actor("administrator", pseudonym="rina"), "the key is two years\nold")


@pytest.fixture
async def operator(log_house: LogHouse) -> Operator:
    """An operator of a log of 300 entries of three people, signed."""
    await asyncio.gather(*(log_house.log.append(disclosure(f"p{i % 3}")) for i in range(SIZE)))
    await log_house.signer.sign_once()
    found = Operator(log_house)
    await found.drop_triggers()
    return found


def transition(house: LogHouse) -> Transition:
    return Transition(house.database, house.checkpoint_keys, ORIGIN, house.anchor, house.signer)


def key_of(house: LogHouse, number: int) -> VerifierKey:
    return VerifierKey(ORIGIN if number == 1 else f"{ORIGIN}/{number}", house.checkpoint_keys.made[number].public_key)


async def verified(house: LogHouse, held: int, since: str | None = None, signer: int = 2) -> Verdict:
    """Export what is signed; verify as somebody who holds the key of this number does."""
    folder = house.folder / "export"
    await export(house.database, folder, key_of(house, signer))
    return verify_folder(folder, key_of(house, held), since)


async def live(house: LogHouse, number: int) -> Verdict:
    note = open_note(house.anchor.read() or "", key_of(house, number))
    return (await verify_live(house.database, house.keys.every(), [note]))[0]


async def lose(operator: Operator, kept: int, grown: int) -> str:
    """Let the log grow, be signed, and then be put back as it was; give the checkpoint that was signed."""
    assert (await operator.house.log.status()).size == kept
    backup = await operator.backup()
    await asyncio.gather(*(operator.house.log.append(disclosure(f"p{i % 3}")) for i in range(grown)))
    await operator.house.signer.sign_once()
    await operator.restore(backup)
    return operator.house.anchor.read() or ""


async def test_a_planned_change_loses_nothing_and_is_followed_from_the_key_on_paper(operator: Operator) -> None:
    house = operator.house
    before = house.anchor.read()
    said = await transition(house).rotate(BY)
    assert (said.kind, said.size, said.lost, said.signed, said.words) == ("planned", SIZE, 0, True, "the key is two years old")
    assert open_note(said.final, key_of(house, 1)).size == SIZE
    assert isinstance(await house.log.append(disclosure()), Receipt)  # the process that runs goes on
    await asyncio.sleep(0.3)
    assert house.log.in_doubt is None
    head = await house.signer.sign_once()
    assert (head.origin, head.size) == (f"{ORIGIN}/2", SIZE + 2)
    for held in (1, 2):
        verdict = await verified(house, held, since=before)
        assert verdict.holds, verdict.problems
        assert [one.size for one in verdict.successions] == [SIZE]
    assert (await live(house, 2)).holds
    assert [one.new.name for one in (await house.log.status()).successions] == [f"{ORIGIN}/2"]
    assert (await house.log.check_person("p1")).whole


async def test_changes_follow_one_another(operator: Operator) -> None:
    house = operator.house
    for _ in range(2):
        await transition(house).rotate(BY)
    assert parse(house.anchor.read() or "").origin == f"{ORIGIN}/3"
    verdict = await verified(house, 1, signer=3)
    assert verdict.holds, verdict.problems
    assert [one.new.name for one in verdict.successions] == [f"{ORIGIN}/2", f"{ORIGIN}/3"]


async def test_a_change_that_ended_halfway_is_given_again(operator: Operator, monkeypatch: pytest.MonkeyPatch) -> None:
    house = operator.house
    with monkeypatch.context() as patch:
        patch.setattr(Transition, "_begin", _crash)
        with pytest.raises(KeyboardInterrupt):
            await transition(house).rotate(BY)
    assert (await house.signer.sign_once()).origin == ORIGIN  # everything goes on under the old key
    verdict = await verified(house, 1, signer=1)
    assert verdict.holds, verdict.problems
    await transition(house).rotate(BY)
    verdict = await verified(house, 1)
    assert verdict.holds, verdict.problems
    assert len(verdict.successions) == 2


async def _crash(*_: object) -> None:
    raise KeyboardInterrupt


async def test_neither_key_changes_while_a_signer_is_at_work(operator: Operator) -> None:
    with operator.house.anchor.sole_signer() as alone:
        assert alone
        for change in (transition(operator.house).rotate(BY), transition(operator.house).after_loss(BY)):
            with pytest.raises(SignerRefused, match="a signer is at work"):
                await change


async def test_a_planned_change_of_a_log_in_doubt_or_without_its_key_is_refused(operator: Operator) -> None:
    house = operator.house
    house.checkpoint_keys.lost.add(1)
    with pytest.raises(CheckpointKeyWrong):
        await transition(house).rotate(BY)
    house.checkpoint_keys.lost.clear()
    await lose(operator, SIZE, 5)
    with pytest.raises(SignerRefused, match="an older database was put back"):
        await transition(house).rotate(BY)


async def test_after_a_loss_the_log_goes_on_and_tells_what_is_gone(operator: Operator) -> None:
    house = operator.house
    older = house.anchor.read()
    final = await lose(operator, SIZE, 7)
    said = await transition(house).after_loss(BY)
    assert (said.kind, said.size, said.lost, said.final) == ("lost", SIZE, 7, final)
    with pytest.raises(LogUnavailable):  # a process that saw what is lost must be started anew
        await house.log.append(disclosure())
    process = house.process()
    await process.start()
    assert isinstance(await process.append(disclosure()), Receipt)
    assert f"LOSS of 7 entries ({SIZE} to {SIZE + 6} of {ORIGIN})" in str((await process.status()).successions[0])
    assert (await process.check_person("p1")).whole
    await process.stop()
    assert (await house.signer.sign_once()).origin == f"{ORIGIN}/2"
    verdict = await verified(house, 2)
    assert verdict.holds, verdict.problems
    assert verdict.successions[0].lost == 7
    assert (await verified(house, 2, since=older)).holds
    gone = await verified(house, 2, since=final)
    assert [str(problem) for problem in gone.problems] == [
        f"entries {SIZE} to {SIZE + 6} of the older checkpoint are lost: entry {SIZE} says so"
    ]
    assert (await live(house, 2)).holds


async def test_a_loss_is_not_followed_from_the_old_key_on_paper(operator: Operator) -> None:
    house = operator.house
    await lose(operator, SIZE, 7)
    await transition(house).after_loss(BY)
    (problem,) = (await verified(house, 1)).problems
    assert "LOSS of 7 entries" in str(problem)
    assert "ask for its fingerprint on paper" in str(problem)


async def test_a_loss_is_told_though_the_old_key_is_lost_too_and_the_anchor_with_it(operator: Operator) -> None:
    house = operator.house
    final = await lose(operator, SIZE, 7)
    house.anchor.path.unlink()
    house.checkpoint_keys.lost.add(1)
    with pytest.raises(SignerRefused, match="--checkpoint"):
        await transition(house).after_loss(BY)
    said = await transition(house).after_loss(BY, final)
    assert (said.lost, said.signed) == (7, False)
    assert (await verified(house, 2)).holds


async def test_a_checkpoint_of_another_log_or_key_tells_of_no_loss(operator: Operator) -> None:
    house = operator.house
    await lose(operator, SIZE, 7)
    note = (house.anchor.read() or "").replace(str(SIZE + 7), str(SIZE + 999))
    for wrong in (note, note.replace(ORIGIN, "other.example/log")):
        with pytest.raises(NoteInvalid):
            await transition(house).after_loss(BY, wrong)
    assert parse(house.anchor.read() or "").origin == ORIGIN


async def test_where_nothing_is_lost_no_loss_can_be_told(operator: Operator) -> None:
    with pytest.raises(SignerRefused, match=f"nothing is lost: the database holds all {SIZE} entries"):
        await transition(operator.house).after_loss(BY)


async def test_another_history_than_was_signed_is_no_loss(operator: Operator) -> None:
    """The attack: an entry is rewritten, and what follows is called lost."""
    await operator.change(5, leaf=(await operator.row(6))["leaf"])
    await operator.rebuild_tree()
    with pytest.raises(SignerRefused, match="are not those that were signed"):
        await transition(operator.house).after_loss(BY)


async def test_a_succession_somewhere_else_in_the_log_or_under_another_root_is_named(operator: Operator) -> None:
    """The attack: the statement of a succession copied into another entry, to make a forged key look vouched for."""
    house = operator.house
    said = await transition(house).rotate(BY)
    note = said.note(house.checkpoint_keys.key.sign(said.text.encode()))
    await house.log.append(Entry(Record(action="key", channel="cli", outcome=succession.OUTCOME, reason=note)))
    await house.log.append(Entry(Record(action="key", channel="cli", outcome=succession.OUTCOME, reason=note.replace("planned", "lost"))))
    await house.log.append(Entry(Record(action="key", channel="cli", outcome=succession.OUTCOME, reason="nonsense")))
    await house.signer.sign_once()
    said_of = {problem.index for problem in (await verified(house, 2)).problems}
    assert said_of == {SIZE + 1, SIZE + 2, SIZE + 3}
    assert {problem.index for problem in (await live(house, 2)).problems} == said_of


async def test_a_change_that_the_old_key_did_not_sign_is_not_followed(operator: Operator) -> None:
    """The attack: an operator with the database, and a key of their own making, but without the old key."""
    house = operator.house
    said = await transition(house).rotate(BY)
    unsigned = succession.parse(said.note(bytes(64)))
    assert not unsigned.signed
    assert not succession.parse(said.note(None)).signed
    assert succession.parse(said.note(house.checkpoint_keys.made[1].sign(said.text.encode()))).signed
    assert not succession.parse(said.note(house.checkpoint_keys.made[2].sign(said.text.encode()))).signed
