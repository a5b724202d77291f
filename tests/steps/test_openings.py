"""Subject openings: proposed, confirmed, made once, fetched by who proposed them, opened by their key alone; the account that follows."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from consent import export
from consent.access_log.leaf import timestamp
from consent.access_log.records import Entry, Record, Subject
from consent.errors import LogUnavailable
from idp.__main__ import run
from idp.cli.audit_openings import KEY, PUBLIC
from idp.cli.terminal import Exit
from idp.proposals.records import ProposalKind
from idp.protocol import openings
from idp.staff.records import Member, Role
from tests.steps.test_proposals import LIST, at_the_desk, decided, person_of, records
from tests.support.delays import put_order

if TYPE_CHECKING:
    from pathlib import Path

    from idp.proposals.records import Proposal
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

REASON = "Pemeriksaan ITKO 700/12/2026"
ASKED = {"case": "ITKO 700/12/2026", "law": "UU 27/2022 Art. 31", "since": "", "until": "", "client": "", "reason": REASON}
SQLITE = pytest.mark.parametrize("kind", ["sqlite"])
WORDS = "kuda baterai pas peniti"


@pytest.fixture
def pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    """A folder with an auditor's key pair, made by the command."""
    (tmp_path / "words").write_text(WORDS + "\n")
    assert run(["audit", "openings", "key", str(tmp_path / "own"), "--passphrase-file", str(tmp_path / "words")]) == Exit.OK
    assert "fingerprint, to be read to whoever confirms" in capsys.readouterr().out
    return tmp_path / "own"


async def proposed(visitor: Visitor, pair: Path, **more: str) -> Page:
    page = await visitor.get(f"{LIST}/new/openings")
    fields = {**ASKED, "key": (pair / PUBLIC).read_text(), **more}
    return await visitor.submit(page, page.form("case"), **fields)


async def some_reads(provider: Provider, key: str, count: int = 3) -> str:
    """Let a service read of a person."""
    person = await person_of(provider, key)
    for _ in range(count):
        record = Record(action="disclose", channel="userinfo", outcome="released", client="aduan", claims=("email",))
        await provider.services.consent.access_log.append(Entry(record, Subject(person)))
    return person


async def fetched(visitor: Visitor, path: str) -> Page:
    page = await visitor.get(path)
    for form in page.forms:
        if form.action.endswith("/package"):
            return await visitor.submit(page, form)
    return page


async def made(provider: Provider, pair: Path, **asked: str) -> tuple[Visitor, Page, Visitor]:
    """Go the way up to a package that may be fetched; give also who confirmed."""
    auditor, dpo = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "dpo")
    page = await proposed(auditor, pair, **asked)
    assert page.status == 200, page.text
    await decided(dpo, page.path, "confirm")
    page = await decided(auditor, page.path, "open")
    assert page.status == 200, page.text
    return auditor, page, dpo


async def exported(provider: Provider, folder: Path) -> str:
    await openings.sign(provider.services)
    key = await provider.services.consent.verifier_key()
    assert key is not None
    await export.export(provider.services.consent.database, folder, key)
    return str(key)


def opened(package: Path, pair: Path, out: Path) -> int:
    words = str(pair.parent / "words")
    out.unlink(missing_ok=True)
    command = ["audit", "openings", "decrypt", str(package), "--key", str(pair / KEY), "--out", str(out), "--passphrase-file", words]
    return run(command)


def verified(folder: Path, key: str, lines: Path, *more: str) -> int:
    return run(["audit", "verify", str(folder), "--vkey", key, "--openings", str(lines), *more])


async def test_the_whole_way_ends_in_an_account_that_adds_up_and_finds_each_tampering(
    provider: Provider, pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    siti = await some_reads(provider, "siti")
    auditor, page, _ = await made(provider, pair)
    answer = await fetched(auditor, page.path)
    assert "attachment" in answer.response.headers["content-disposition"]
    assert answer.response.headers["cache-control"] == "no-store"
    package = tmp_path / "package.jwe"
    package.write_bytes(answer.response.content)
    assert siti.encode() not in answer.response.content
    (entry, *_) = await provider.services.consent.access_log.history(siti, limit=1)
    assert (entry.action, entry.record["legal_ref"], entry.record["actor"]["type"]) == ("audit", ASKED["law"], "auditor")
    for said in (REASON, "case ITKO 700/12/2026", "proposed by P-", "confirmed by P-"):
        assert said in entry.record["reason"]
    citizen = await provider.visitor()
    page = await citizen.sign_in(await citizen.get("/login?next=/me/history"), provider.person("siti"))
    assert "Auditor diberi tahu catatan mana yang tentang Anda." in page.text
    key = await exported(provider, tmp_path / "log")
    lines = tmp_path / "openings.jsonl"
    assert opened(package, pair, lines) == Exit.OK
    assert lines.stat().st_mode & 0o777 == 0o600
    assert "everybody's, of the whole log" in capsys.readouterr().out
    for more in ([], ["--complete"]):
        assert verified(tmp_path / "log", key, lines, *more) == Exit.OK
    assert "ALL HOLDS" in capsys.readouterr().out
    assert siti in lines.read_text()
    told = await records(provider)
    assert sum("[opens openings" in line for line in told) == 1
    assert sum("[fetches openings" in line for line in told) == 1

    whole = lines.read_bytes().splitlines(keepends=True)
    lines.write_bytes(b"".join(whole[:-1]))  # one opening is dropped: as if it were blanked, and called erased
    assert verified(tmp_path / "log", key, lines) == Exit.REFUSED
    assert "1 entries do not open, but 0 are stated as erased" in capsys.readouterr().out
    lines.write_bytes(b"".join(whole))
    shutil.copytree(tmp_path / "log", tmp_path / "bent")
    sheet = tmp_path / "bent" / "records.jsonl"
    sheet.write_text("".join(_as_nobody(line) for line in sheet.read_text().splitlines(keepends=True)))
    assert verified(tmp_path / "bent", key, lines) == Exit.REFUSED
    assert "a disclose is recorded as being about nobody" in capsys.readouterr().out


def _as_nobody(line: str) -> str:
    value = json.loads(line)
    if value["record"]["action"] != "disclose":
        return line
    return json.dumps({**value, "nonce_s": value["nonce_a"]}, separators=(",", ":")) + "\n"


@SQLITE
async def test_an_entry_that_was_blanked_in_the_database_is_missed(
    provider: Provider, pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator takes the subject of the newest read away, and says that it was of somebody erased."""
    import sqlite3

    await some_reads(provider, "siti")
    size = (await provider.services.consent.access_log.status()).size
    with sqlite3.connect(tmp_path / "data" / "consent.sqlite3") as database:
        triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'log_entries'").fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE log_entries SET subject_ref = NULL, subject_sealed = NULL WHERE idx = ?", (size - 1,))
    auditor, page, _ = await made(provider, pair)
    (tmp_path / "package.jwe").write_bytes((await fetched(auditor, page.path)).response.content)
    key = await exported(provider, tmp_path / "log")
    assert opened(tmp_path / "package.jwe", pair, tmp_path / "o.jsonl") == Exit.OK
    assert verified(tmp_path / "log", key, tmp_path / "o.jsonl") == Exit.REFUSED
    assert "1 entries do not open, but 0 are stated as erased" in capsys.readouterr().out


@SQLITE
async def test_nobody_confirms_their_own_and_of_many_who_carry_out_one_does(provider: Provider, pair: Path) -> None:
    siti = await some_reads(provider, "siti", 1)
    auditor, dpo = [await at_the_desk(provider, who) for who in ("auditor", "dpo")]
    page = await proposed(auditor, pair)
    shown = (await dpo.get(page.path)).text
    assert json.loads((pair / PUBLIC).read_text())["x"] not in shown  # the fingerprint is what can be compared
    assert openings.asked(await the_proposal(provider)).recipient.thumbprint in shown
    assert (await decided(auditor, page.path, "confirm")).status == 403
    assert (await fetched(auditor, page.path)).response.headers["content-type"].startswith("text/html")
    await decided(dpo, page.path, "confirm")
    form = (await auditor.get(page.path)).form("decision").fields
    await another_auditor(provider)
    token = (await dpo.get(f"{LIST}/new/unseal")).form("pseudonym").fields
    assert (await dpo.post(page.path, {**token, "decision": "open"})).status == 409
    answers = await asyncio.gather(*(auditor.post(page.path, {**form, "decision": "open"}) for _ in range(3)))
    assert sorted(answer.status for answer in answers) == [200, 409, 409]
    history = await provider.services.consent.access_log.history(siti, limit=10, action="audit")
    assert len(history) == 1
    assert not any(form.action.endswith("/package") for form in (await dpo.get(page.path)).forms)
    assert (await dpo.post(f"{page.path}/package", own_token(provider, dpo))).status == 404
    assert (await dpo.post(f"{page.path}/package", {})).status == 403
    assert (await auditor.post(f"{page.path}/package", own_token(provider, auditor))).status == 200


async def another_auditor(provider: Provider) -> None:
    """Let the data protection officer be an auditor as well."""
    person = await person_of(provider, "dpo")
    assert isinstance(await provider.services.staff.appoint(person, Role.AUDITOR, provider.clock(), by="test"), Member)


def own_token(provider: Provider, visitor: Visitor) -> dict[str, str]:
    """Give the token of the form for fetching, whether or not a page offered it to this browser."""
    (browser,) = [value for name, value in visitor.client.cookies.items() if name.endswith("browser")]
    return {"form_token": provider.services.forms.token("opening-package", browser)}


@SQLITE
async def test_after_its_time_a_package_is_neither_fetched_nor_opened_and_is_swept(
    provider: Provider, pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor, page, _ = await made(provider, pair)
    package = tmp_path / "package.jwe"
    package.write_bytes((await fetched(auditor, page.path)).response.content)
    number = page.path.rpartition("/")[2]
    provider.clock.move(days=8)
    later = await at_the_desk(provider, "auditor")
    gone = await later.get(page.path)
    assert "Paketnya tidak ada di sini" in gone.text
    assert (await later.post(f"{page.path}/package", own_token(provider, later))).status == 404
    store, now = provider.services.openings, provider.clock()
    assert await store.part(number, 0, (await the_proposal(provider)).by, now) is None
    assert await store.sweep(now) > 1
    assert (await store.sweep(now), await store.sweep(now)) == (1, 0)

    class Later(dt.datetime):
        @classmethod
        def now(cls, tz: dt.tzinfo | None = None) -> Later:
            return cls.fromtimestamp(now.timestamp(), tz)

    with monkeypatch.context() as patch:
        patch.setattr("idp.cli.audit_openings.dt.datetime", Later)
        assert opened(package, pair, tmp_path / "o.jsonl") == Exit.REFUSED
    assert "its time was over at" in capsys.readouterr().err
    assert not (tmp_path / "o.jsonl").exists()


@SQLITE
async def test_with_the_log_down_nothing_is_released_and_it_may_be_tried_again(
    provider: Provider, pair: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await some_reads(provider, "siti", 1)
    auditor, dpo = await at_the_desk(provider, "auditor"), await at_the_desk(provider, "dpo")
    page = await proposed(auditor, pair)
    await decided(dpo, page.path, "confirm")
    log = provider.services.consent.access_log
    append = log.append

    async def down(entry: Entry, *more: Any, **by: Any) -> Any:
        if entry.subject is not None:
            raise LogUnavailable("down")
        return await append(entry, *more, **by)

    async def closed_since(*_: object) -> bool:
        return True

    with monkeypatch.context() as patch:
        patch.setattr("consent.access_log.openings.closed_since", closed_since)
        answer = await decided(auditor, page.path, "open")
        assert (answer.status, "Sebuah akun sedang dihapus" in answer.text) == (409, True)
    with monkeypatch.context() as patch:
        patch.setattr(log, "append", down)  # after the first entry, which is about nobody
        assert (await decided(auditor, page.path, "open")).status == 503
    assert await provider.services.openings.get(page.path.rpartition("/")[2], provider.clock()) is None
    assert (await fetched(auditor, page.path)).response.headers["content-type"].startswith("text/html")
    assert (await decided(auditor, page.path, "open")).status == 200
    assert (await fetched(auditor, page.path)).response.headers["content-type"] == "application/octet-stream"


@SQLITE
async def test_what_is_pasted_must_be_a_public_key_and_the_stretch_must_be_one(provider: Provider, pair: Path) -> None:
    auditor = await at_the_desk(provider, "auditor")
    size = (await provider.services.consent.access_log.status()).size
    private = '{"kty":"EC","crv":"P-256","d":"SECRETSECRET","x":"AA","y":"AA"}'
    page = await proposed(auditor, pair, key=private)
    assert (page.status, "Ini kunci rahasia" in page.text, "SECRETSECRET" in page.text) == (422, True, False)
    for wrong in (
        {"key": ""}, {"key": "x" * 5000}, {"key": "{" * 3000}, {"key": '{"kty":"RSA","n":"AA","e":"AQAB"}'}, {"case": "!"}, {"law": ""},
        {"since": "kemarin"}, {"since": "2026-11-25T10:00", "until": "2026-11-24T10:00"}, {"client": "nobody"}, {"reason": "iseng"},
        {"until": "9999-12-31T23:59+14:00"},
    ):  # fmt: skip
        assert (await proposed(auditor, pair, **wrong)).status == 422, wrong
    assert (await provider.services.consent.access_log.status()).size == size
    dpo = await at_the_desk(provider, "dpo")
    assert (await dpo.get(f"{LIST}/new/openings")).status == 404


@SQLITE
async def test_a_stretch_of_one_service_and_one_that_is_too_large_for_the_pages(
    provider: Provider, pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    await some_reads(provider, "siti")
    other = await person_of(provider, "budi")
    auditor, page, dpo = await made(provider, pair, since="2026-01-01", until="2199-01-01", client="aduan")
    (tmp_path / "package.jwe").write_bytes((await fetched(auditor, page.path)).response.content)
    assert opened(tmp_path / "package.jwe", pair, tmp_path / "o.jsonl") == Exit.OK
    key = await exported(provider, tmp_path / "log")
    assert verified(tmp_path / "log", key, tmp_path / "o.jsonl") == Exit.OK
    assert verified(tmp_path / "log", key, tmp_path / "o.jsonl", "--complete") == Exit.REFUSED
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 4
    assert not await provider.services.consent.access_log.history(other, action="audit")  # whom it does not concern is not told
    capsys.readouterr()

    monkeypatch.setattr(openings, "MOST", 3)
    page = await proposed(auditor, pair)
    await decided(dpo, page.path, "confirm")
    answer = await decided(auditor, page.path, "open")
    assert (answer.status, "idp audit openings write" in answer.text) == (409, True)
    proposal = await the_proposal(provider)
    assert proposal.done_at is None  # the operator may carry it out


@SQLITE
async def test_whose_delayed_entries_alone_are_opened_is_told_when_those_are_shown(
    provider: Provider, pair: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another order, which delays longer, has nothing to do with it."""
    found, siti = provider.services, await person_of(provider, "siti")
    order = await put_order(found, siti, "aduan")
    await put_order(found, siti, "antrean", dt.timedelta(days=300))
    await some_reads(provider, "siti")
    record = Record(action="disclose", channel="userinfo", outcome="released", client="antrean", claims=("email",))
    await found.consent.access_log.append(Entry(record, Subject(siti)))
    auditor, page, _ = await made(provider, pair, since="2026-01-01", until="2199-01-01", client="aduan")
    (tmp_path / "package.jwe").write_bytes((await fetched(auditor, page.path)).response.content)
    assert await found.consent.access_log.history(siti, action="audit") == []
    (entry,) = await found.consent.access_log.history(siti, action="audit", whole=True)
    assert entry.delay is not None
    assert entry.delay["until"] == timestamp(order.until)
    assert opened(tmp_path / "package.jwe", pair, tmp_path / "o.jsonl") == Exit.OK
    assert len((tmp_path / "o.jsonl").read_text().splitlines()) == 4
    key = await exported(provider, tmp_path / "log")
    assert verified(tmp_path / "log", key, tmp_path / "o.jsonl") == Exit.OK
    checks = await auditor.get("/audit/checks?lang=en")
    assert "No order" not in checks.text
    capsys.readouterr()


async def the_proposal(provider: Provider) -> Proposal:
    return next(one for one in await provider.services.proposals.newest() if one.kind is ProposalKind.OPENINGS)
