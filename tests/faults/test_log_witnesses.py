"""log.md, "Attacks to reproduce", where witnesses watch: what the operator of database and anchor together cannot do unseen."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import shutil
import time
from typing import TYPE_CHECKING

import pytest

from consent import checkpoint, notes, policy
from consent.access_log import AccessLog, LogOptions, witness_states
from consent.access_log.batcher import BatchOptions
from consent.access_log.watch import stored
from consent.anchor import Anchor
from consent.conversation import Reply, Unreachable
from consent.publisher import Publisher, Witnessing
from consent.signer import LogSigner, verifier_source
from consent.verify import verify_folder
from consent.witness.memory import origin_hash
from idp.cli.audit_policy import examined
from keys.database import require_no_connection
from tests.faults.test_log_attacks import Operator, doubted
from tests.support.log import ORIGIN, LogHouse, disclosure, log_house
from tests.support.waiting import trusted_again, until
from tests.support.witnesses import SmallLog, SmallWitness

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from consent.access_log.records import CheckpointState
    from consent.findings import Verdict

__all__ = ["log_house"]
ONE_DATABASE = pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
NAMES = ("unmul", "ombudsman", "samarinda")
MINUTE = 60_000_000


@dataclasses.dataclass
class Watched:
    """A log whose public checkpoint needs two of three witnesses; `behaves` lets one of them answer otherwise."""

    house: LogHouse
    witnesses: dict[str, SmallWitness]
    quorum: str = "2"
    behaves: dict[str, Callable[[bytes], Awaitable[Reply]]] = dataclasses.field(default_factory=dict)
    asked: list[tuple[str, bytes]] = dataclasses.field(default_factory=list)

    def __post_init__(self) -> None:
        self.restart()

    @property
    def policy(self) -> policy.Policy:
        lines = [f"witness {name} {one.key} https://{name}.example/w" for name, one in self.witnesses.items()]
        return policy.parse("\n".join([*lines, f"group all-of-them {self.quorum} {' '.join(self.witnesses)}", "quorum all-of-them"]))

    def restart(self) -> None:
        """Begin anew, as another process of the signer does."""
        self.publisher = Publisher(
            self.house.database, Witnessing(self.policy, self.exchange), verifier_source(ORIGIN, self.house.checkpoint_keys)
        )
        self.signer = LogSigner(self.house.database, self.house.checkpoint_keys, ORIGIN, self.house.anchor, publisher=self.publisher)

    async def exchange(self, url: str, body: bytes | None) -> Reply:
        require_no_connection("a witness")
        name, _, path = url.removeprefix("https://").partition(".example/w/")
        if body is None:
            note = self.witnesses[name].memory.note(path.removesuffix("/checkpoint"))
            return Reply(200, "text/plain", note) if note else Reply(404, "text/plain", "")
        assert path == "add-checkpoint"
        self.asked.append((name, body))
        if name in self.behaves:
            return await self.behaves[name](body)
        answer = self.witnesses[name].add(body)
        return Reply(answer.status, answer.media_type.partition(";")[0], answer.body)

    def process(self) -> AccessLog:
        vkeys = frozenset(str(one.key) for one in self.witnesses.values())
        source = verifier_source(ORIGIN, self.house.checkpoint_keys)
        return AccessLog(self.house.database, self.house.keys, LogOptions(source, self.house.anchor, BatchOptions(), 0.05, vkeys))

    async def grow(self, count: int) -> None:
        await asyncio.gather(*(self.house.log.append(disclosure(f"p{i % 3}")) for i in range(count)))

    async def round(self) -> CheckpointState | None:
        """Sign what is there, let a minute pass, and publish; give what is public then."""
        await self.signer.sign_once()
        await self.house.execute(f"UPDATE log_checkpoints SET time = time - {MINUTE}")
        await self.signer.sign_once()
        return await self.publish()

    async def publish(self) -> CheckpointState | None:
        self.publisher._next = None
        await self.publisher.publish_once()
        async with self.house.database.read() as connection:
            return await stored(connection, "published")

    async def outcomes(self) -> dict[str, str]:
        async with self.house.database.read() as connection:
            found = await witness_states.known(connection, ORIGIN)
        return {name: found[str(one.key)].outcome for name, one in self.witnesses.items() if str(one.key) in found}


@pytest.fixture
async def watched(log_house: LogHouse) -> AsyncIterator[Watched]:
    """A log of nine entries, published with the cosignatures of all three."""
    witnesses = {name: SmallWitness(log_house.folder, (log_house.key,), f"{name}.example", time.time()) for name in NAMES}
    found = Watched(log_house, witnesses)
    await found.grow(9)
    await found.round()
    yield found
    for one in witnesses.values():
        one.memory.close()


def cosigners(state: CheckpointState | None) -> list[str]:
    return [] if state is None else [one.name.removesuffix(".example") for one in notes.split(state.note)[1][1:]]


async def never(_body: bytes) -> Reply:
    await asyncio.Event().wait()
    raise AssertionError


def saying(status: int, body: str = "", media_type: str = "text/plain") -> Callable[[bytes], Awaitable[Reply]]:
    async def answer(_body: bytes) -> Reply:
        return Reply(status, media_type, body)

    return answer


async def gone(_body: bytes) -> Reply:
    raise Unreachable("cannot be reached")


async def test_what_is_public_bears_the_cosignatures_and_moves_on_with_proofs(watched: Watched) -> None:
    for _ in range(3):
        await watched.grow(20)
        public = await watched.round()
    assert public
    assert (public.size, sorted(cosigners(public))) == (69, sorted(NAMES))
    assert watched.policy.missing(public.note) is None
    assert checkpoint.open_note(public.note, watched.house.key).size == 69
    assert [body.split(b"\n")[0] for name, body in watched.asked if name == "unmul"] == [b"old 0", b"old 9", b"old 29", b"old 49"]
    assert set((await watched.outcomes()).values()) == {"cosigned"}


async def test_without_a_quorum_nothing_becomes_public_and_entries_go_on(watched: Watched) -> None:
    watched.behaves = {"unmul": gone, "ombudsman": saying(503)}
    await watched.grow(5)
    public = await watched.round()
    assert public
    assert public.size == 9
    assert await watched.outcomes() == {"unmul": "unreachable", "ombudsman": "refused", "samarinda": "cosigned"}
    assert (await watched.house.log.status()).signed.size == 14  # type: ignore[union-attr]
    watched.behaves = {"unmul": gone}
    public = await watched.publish()
    assert public
    assert (public.size, sorted(cosigners(public))) == (14, ["ombudsman", "samarinda"])
    watched.behaves = {}
    assert sorted(cosigners(await watched.publish())) == sorted(NAMES), "who was away adds his later"


async def test_a_witness_that_hangs_delays_neither_appends_nor_signing(watched: Watched) -> None:
    watched.behaves = dict.fromkeys(NAMES, never)
    watched.publisher._next = None
    task = asyncio.create_task(watched.signer.run(every=0.05))
    await until(lambda: _asked(watched), "a witness that is waited for")
    await watched.grow(7)

    async def signed() -> bool:
        return checkpoint.parse(watched.house.anchor.read() or "").size == 16

    await until(signed, "a checkpoint of what has grown")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _asked(watched: Watched) -> bool:
    return len(watched.asked) > len(NAMES)


@ONE_DATABASE
async def test_a_hanging_witness_is_given_up_and_the_others_are_a_quorum(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consent.conversation.SECONDS", 0.05)
    watched.behaves = {"unmul": never}
    await watched.grow(1)
    public = await watched.round()
    assert public
    assert (public.size, sorted(cosigners(public))) == (10, ["ombudsman", "samarinda"])


@contextlib.asynccontextmanager
async def running(watched: Watched) -> AsyncIterator[AccessLog]:
    process = watched.process()
    await process.start()
    yield process
    await process.stop()


async def put_back(watched: Watched, operator: Operator) -> None:
    """Let the log grow and be cosigned; then put database and anchor back together, and start everything anew."""
    house = watched.house
    backup = await operator.backup()
    shutil.copy(house.anchor.path, house.folder / "anchor.old")
    await watched.grow(6)
    assert (await watched.round() or pytest.fail("nothing is public")).size == 15
    await house.log.stop()
    await operator.restore(backup)
    shutil.copy(house.folder / "anchor.old", house.anchor.path)
    house.anchor = Anchor(house.anchor.path)
    house.log = house.process()
    watched.restart()


@pytest.fixture
async def operator(watched: Watched) -> Operator:
    found = Operator(watched.house)
    await found.drop_triggers()
    return found


async def test_database_and_anchor_put_back_together_are_told_by_a_witness(watched: Watched, operator: Operator) -> None:
    await put_back(watched, operator)
    async with running(watched) as process:
        assert process.in_doubt is None, "database and anchor agree"
        await watched.publisher.publish_once()
        await doubted(process, "cosigned 15 entries, this log has signed 9: an older state was put back")
        receipt = watched.witnesses["unmul"].memory.note(origin_hash(ORIGIN))
        assert not (await exported(watched, receipt)).holds, "nor does the log hold what a citizen's receipt was made under"
        public = await watched.publish()
        assert public
        assert public.size == 9
        await watched.house.execute("DELETE FROM log_witnesses")
        await watched.publisher.publish_once()
        assert set((await watched.outcomes()).values()) == {"rollback"}, "the alarm comes back at once"


async def test_what_was_put_back_and_grew_beyond_the_witness_is_told_too(watched: Watched, operator: Operator) -> None:
    await put_back(watched, operator)
    await watched.house.log.start()
    await watched.grow(30)
    await watched.signer.sign_once()
    async with running(watched) as process:
        await watched.round()
        await doubted(process, "39 entries do not continue what it cosigned")


@ONE_DATABASE
async def test_one_witness_that_remembers_is_enough(watched: Watched, operator: Operator) -> None:
    await put_back(watched, operator)
    watched.behaves = {"unmul": gone, "ombudsman": gone}
    async with running(watched) as process:
        await watched.publisher.publish_once()
        await doubted(process, "the witness samarinda cosigned 15 entries.*it shows a checkpoint signed by this log")


@ONE_DATABASE
async def test_a_claim_without_a_proof_is_told_apart(watched: Watched) -> None:
    watched.behaves = {"unmul": saying(409, "10\n", "text/x.tlog.size")}
    async with running(watched) as process:
        await watched.publish()
        await doubted(process, "the witness unmul cosigned 10 entries.*it shows no checkpoint signed by this log")
        for one in watched.witnesses.values():
            one.memory._connection.execute("UPDATE heads SET note = 'nonsense'")
        await watched.publish()
        await doubted(process, "it shows no checkpoint signed by this log")
        watched.behaves = {"unmul": saying(422)}
        await watched.grow(1)
        assert (await watched.round() or pytest.fail("nothing is public")).size == 9, "whatever the quorum says"


async def test_the_right_state_put_back_ends_the_alarm_by_itself(watched: Watched, operator: Operator) -> None:
    await put_back(watched, operator)
    old, anchor = await operator.backup(), watched.house.anchor.path.read_bytes()
    async with running(watched) as process:
        await watched.publisher.publish_once()
        await doubted(process, "put back")
        for one in watched.witnesses.values():  # as if the witnesses had seen no more than this
            one.memory._connection.execute("DELETE FROM heads")
        assert (old["log_head"][0]["size"], watched.house.anchor.path.read_bytes()) == (9, anchor)
        await watched.publish()
        await trusted_again(process)


@ONE_DATABASE
async def test_two_checkpoints_of_one_size_are_told_and_kept_as_evidence(watched: Watched) -> None:
    """The signer's key in the hands of somebody who shows another log to others."""
    fork = SmallLog([f"entry {number}".encode() for number in range(9)], ORIGIN)
    body = fork.head().body
    note = fork.head().note(watched.house.key, watched.house.checkpoint_keys.key.sign(body))
    witness = watched.witnesses["unmul"]
    assert witness.add(f"old 9\n\n{note}".encode()).status == 422
    (shown,) = witness.memory.evidence()
    ours = notes.split(shown.cosigned or "")[0]
    theirs = notes.split(shown.refused)[0]
    assert ours != theirs
    assert ours.split("\n")[:2] == theirs.split("\n")[:2] == [ORIGIN, "9"]
    assert checkpoint.open_note(shown.refused, watched.house.key) != checkpoint.open_note(shown.cosigned or "", watched.house.key)


@ONE_DATABASE
async def test_a_witness_that_saw_the_other_of_two_stops_the_disclosures(watched: Watched) -> None:
    fork = SmallLog([f"entry {number}".encode() for number in range(9)], ORIGIN)
    note = fork.head().note(watched.house.key, watched.house.checkpoint_keys.key.sign(fork.head().body))
    witness = watched.witnesses["unmul"]
    witness.memory._connection.execute("DELETE FROM heads")
    assert witness.add(f"old 0\n\n{note}".encode()).status == 200
    async with running(watched) as process:
        await watched.publish()
        await doubted(process, "the witness unmul says that 9 entries do not continue what it cosigned: two checkpoints of one size")


ANSWERS = {
    "404": saying(404, "no such log"),
    "403": saying(403),
    "409 of no size": saying(409, "many\n", "text/x.tlog.size"),
    "409 of another type": saying(409, "99\n"),
    "409 of a smaller size for ever": saying(409, "3\n", "text/x.tlog.size"),
    "200 with nothing": saying(200),
    "200 with a stranger's line": saying(200, str(notes.Signature("stranger.example", b"abcd", bytes(72)))),
    "200 with a page": saying(200, "<html>"),
    "301": saying(301),
    "gone": gone,
}


@ONE_DATABASE
async def test_a_witness_that_answers_nonsense_is_no_witness_and_no_alarm(watched: Watched) -> None:
    async with running(watched) as process:
        for case, answer in ANSWERS.items():
            watched.behaves = {"unmul": answer}
            public = await watched.publish()
            assert (await watched.outcomes())["unmul"] in {"refused", "unreachable"}, case
            assert process.in_doubt is None
            assert public


@ONE_DATABASE
async def test_an_answer_that_was_lost_on_its_way_is_asked_for_again(watched: Watched) -> None:
    async def lost(body: bytes) -> Reply:
        assert watched.witnesses["unmul"].add(body).status == 200
        raise Unreachable("the connection broke")

    watched.behaves = {"unmul": lost}
    await watched.grow(4)
    await watched.round()
    assert (await watched.outcomes())["unmul"] == "unreachable"
    watched.behaves = {}
    public = await watched.publish()
    assert public
    assert (public.size, sorted(cosigners(public))) == (13, sorted(NAMES))


@ONE_DATABASE
async def test_whatever_fails_beside_it_the_signer_signs_on(watched: Watched) -> None:
    async def broken(_body: bytes) -> Reply:
        raise RuntimeError

    watched.behaves = {"unmul": broken}
    watched.publisher._next = None
    task = asyncio.create_task(watched.signer.run(every=0.05))
    await until(lambda: _asked(watched), "a witness that is asked")
    await watched.grow(7)

    async def signed() -> bool:
        return checkpoint.parse(watched.house.anchor.read() or "").size == 16

    await until(signed, "a checkpoint of what has grown")
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@ONE_DATABASE
async def test_a_forged_cosignature_is_not_published(watched: Watched) -> None:
    forged = notes.Signature("unmul.example", watched.witnesses["unmul"].key.key_id, (1).to_bytes(8, "big") + bytes(64))
    watched.behaves = {"unmul": saying(200, str(forged))}
    await watched.grow(1)
    public = await watched.round()
    assert public
    assert (public.size, sorted(cosigners(public))) == (10, ["ombudsman", "samarinda"])


async def exported(watched: Watched, since: str | None = None, name: str = "export") -> Verdict:
    """Export, and verify as an auditor does who holds the policy."""
    verdict = await watched.house.export_and_verify(name, since)
    folder = watched.house.folder / name
    return examined(verdict, watched.policy, (folder / "checkpoint").read_text(), since, folder).verdict


@ONE_DATABASE
async def test_an_export_is_cosigned_and_without_its_quorum_refused(watched: Watched) -> None:
    verdict = await exported(watched)
    assert (verdict.size, verdict.problems) == (9, ())
    path = watched.house.folder / "export" / "checkpoint"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[:-2]))
    folder = watched.house.folder / "export"
    verdict = examined(verify_folder(folder, watched.house.key), watched.policy, path.read_text(), None, folder).verdict
    assert [str(problem) for problem in verdict.problems] == [
        "the checkpoint has no quorum (all-of-them): cosigned by unmul, not by ombudsman, samarinda"
    ]
    assert not verdict.holds
    path.write_text("".join(lines).replace("unmul.example ", "unmul.example A", 1))
    assert not examined(verify_folder(folder, watched.house.key), watched.policy, path.read_text(), None, folder).verdict.holds


async def test_a_clock_put_back_is_outside_the_times_of_the_cosignatures(watched: Watched) -> None:
    """The database's clock, set back an hour between two checkpoints, is an hour behind the witnesses', which the operator does not set."""
    for one in watched.witnesses.values():
        one.now += 3600
    since = (await watched.publish() or pytest.fail("nothing is public")).note
    await watched.grow(3)
    assert (await watched.round() or pytest.fail("nothing is public")).size == 12
    verdict = await exported(watched, since)
    assert [problem.index for problem in verdict.problems] == [9]
    assert "when witnesses cosigned a log without it" in verdict.problems[0].what
    assert (await exported(watched)).holds, "what the newest cosignatures cover is older than they are"


@ONE_DATABASE
async def test_entries_after_the_cosignatures_that_cover_them_are_named(watched: Watched) -> None:
    for one in watched.witnesses.values():
        one.memory._connection.execute("UPDATE heads SET time = 0")
        one.now -= 3600
    await watched.grow(3)
    await watched.round()
    verdict = await exported(watched)
    assert [problem.index for problem in verdict.problems] == [11]
    assert "when witnesses had cosigned it" in verdict.problems[0].what


@ONE_DATABASE
async def test_one_wrong_clock_among_the_witnesses_is_none_of_the_logs(watched: Watched) -> None:
    watched.witnesses["unmul"].now += 3600
    since = (await watched.publish() or pytest.fail("nothing is public")).note
    watched.witnesses["samarinda"].memory._connection.execute("UPDATE heads SET time = 0")
    watched.witnesses["samarinda"].now -= 3600
    await watched.grow(3)
    await watched.round()
    assert (await exported(watched, since)).holds


@ONE_DATABASE
async def test_cosignatures_are_renewed_where_nothing_grows(watched: Watched) -> None:
    before = len(watched.asked)
    await watched.publisher.publish_once()
    assert len(watched.asked) == before, "they are new"
    for one in watched.witnesses.values():
        one.now += 600
    await watched.house.execute(f"UPDATE log_witnesses SET cosigned_at = cosigned_at - {6 * MINUTE}")
    watched.publisher._next = 0.0
    await watched.publisher.publish_once()
    assert len(watched.asked) == before + len(NAMES)
