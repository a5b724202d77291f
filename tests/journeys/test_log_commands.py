"""`idp log` and `idp audit` as an operator and an auditor meet them: what they print, what they exit with, on a log that has entries."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from consent.access_log.records import Entry, Record, Subject
from consent.checkpoint import VerifierKey
from consent.records import Asking, Card
from idp.__main__ import run
from idp.accounts.records import Identifier, IdentifierKind
from idp.audit.offline_page import offline_page
from idp.cli.terminal import Exit
from idp.composition import compose
from idp.demo.people import BUDI, SITI, SUKARNI
from idp.proposals.records import ProposalKind
from idp.settings import load
from keys.recipients import read_recipient
from tests.support.running import ROOT_KEY
from tests.support.witnesses import SmallWitness, request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class Done(NamedTuple):
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def value(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def folder(filled_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a filled provider, as commands find it."""
    own = tmp_path / "data"
    shutil.copytree(filled_sqlite, own)
    monkeypatch.setenv("IDP_DATA_DIR", str(own))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    officer = ("--officer", "rina", "--reason", "asked at the counter", "--json")
    for person in (SITI, BUDI, SUKARNI):
        assert run(["accounts", "show", person.email, "--claim", "name", *officer]) == Exit.OK
    return own


@pytest.fixture
def idp(folder: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command; it must never show a traceback."""
    assert folder.exists()

    def command(*arguments: str | Path) -> Done:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.out + said.err
        return Done(code, said.out, said.err)

    return command


@pytest.fixture
def exported(idp: Callable[..., Done], tmp_path: Path) -> tuple[Path, str]:
    """An export, and the key line that an auditor holds."""
    done = idp("audit", "export", tmp_path / "export", "--json")
    assert done.code == Exit.OK
    return tmp_path / "export", done.value["vkey"]


def grow(idp: Callable[..., Done]) -> None:
    """Let the log grow."""
    assert idp("keys", "rotate", "--algorithm", "ES256").code == Exit.OK


def test_a_log_is_signed_and_its_standing_is_told(idp: Callable[..., Done], folder: Path) -> None:
    before = idp("audit", "status", "--json")
    assert (before.code, before.value["signed"], before.value["anchor_size"], before.value["in_doubt"]) == (0, None, None, None)
    assert before.value["size"] > 0
    signed = idp("log", "sign", "--once", "--json")
    assert (signed.code, signed.value["size"], signed.value["root"]) == (0, before.value["size"], before.value["root"])
    assert (folder / "log.anchor").read_text().split("\n")[:2] == [signed.value["origin"], str(signed.value["size"])]
    after = idp("audit", "status", "--json").value
    assert (after["signed"]["size"], after["anchor_size"]) == (signed.value["size"], signed.value["size"])
    told = idp("audit", "status")
    assert (told.code, "in doubt   no" in told.out, f"entries    {after['size']}" in told.out) == (0, True, True)
    assert idp("log", "sign", "--once").out.startswith(f"signed: {after['size']} entries")


def test_an_export_verifies_with_the_key_as_a_line_and_as_a_file(
    idp: Callable[..., Done], exported: tuple[Path, str], tmp_path: Path
) -> None:
    folder, key = exported
    told = idp("audit", "verify", folder, "--vkey", key)
    assert (told.code, told.out.splitlines()[-1]) == (0, "ALL HOLDS")
    assert (folder / "verify.html").read_bytes() == offline_page()
    (tmp_path / "held.vkey").write_text(key)
    done = idp("audit", "verify", folder, "--vkey", tmp_path / "held.vkey", "--json")
    assert (done.code, done.value["holds"], done.value["first_bad_index"], done.value["problems"]) == (0, True, None, [])


def test_a_policy_refuses_a_checkpoint_without_its_quorum(idp: Callable[..., Done], exported: tuple[Path, str], tmp_path: Path) -> None:
    folder, key = exported
    witness = SmallWitness(tmp_path, (VerifierKey.parse(key),), now=time.time())
    (tmp_path / "policy").write_text(f"log {key}\nwitness w {witness.key}\nquorum w\n")
    verify = ("audit", "verify", folder, "--policy", tmp_path / "policy")
    refused = idp(*verify, "--json")
    assert (refused.code, refused.value["cosigned"]) == (Exit.REFUSED, {})
    assert refused.value["problems"] == [{"index": None, "what": "the checkpoint has no quorum (w): cosigned by nobody, not by w"}]
    note = (folder / "checkpoint").read_text()
    (folder / "checkpoint").write_text(note + witness.add(request(0, (), note)).body)
    witness.memory.close()
    told = idp(*verify)
    assert (told.code, told.out.splitlines()[-1]) == (0, "ALL HOLDS")
    assert told.out.startswith("cosigned by w at 20")
    stranger = idp("witness", "key", "--dir", tmp_path / "w", "--name", "stranger.example").out.strip()
    (tmp_path / "policy").write_text(f"log {key.replace('localhost', 'elsewhere')}\nwitness w {stranger}\nquorum w\n")
    assert "--policy: line 1" in idp(*verify).err
    assert idp("audit", "verify", "--live", "--policy", tmp_path / "policy").code == Exit.USAGE
    (tmp_path / "policy").write_text("quorum none\n")
    assert "--vkey" in idp(*verify).err
    assert idp(*verify, "--vkey", key).code == Exit.OK


def test_an_older_checkpoint_must_be_the_beginning_of_the_log(idp: Callable[..., Done], exported: tuple[Path, str], tmp_path: Path) -> None:
    folder, key = exported
    old = tmp_path / "old.checkpoint"
    shutil.copy(folder / "checkpoint", old)
    grow(idp)
    assert idp("audit", "export", folder).code == Exit.OK
    assert idp("audit", "verify", folder, "--vkey", key, "--since", old).code == Exit.OK
    newer = tmp_path / "newer.checkpoint"
    shutil.move(folder / "checkpoint", newer)
    shutil.copy(old, folder / "checkpoint")
    assert idp("audit", "verify", folder, "--vkey", key, "--since", newer).code == Exit.REFUSED


def test_a_changed_record_is_named_by_its_index_with_exit_code_1(idp: Callable[..., Done], exported: tuple[Path, str]) -> None:
    folder, key = exported
    lines = (folder / "records.jsonl").read_text().splitlines(keepends=True)
    assert "rina" in lines[2]
    lines[2] = lines[2].replace("rina", "dewi")
    (folder / "records.jsonl").write_text("".join(lines))
    told = idp("audit", "verify", folder, "--vkey", key)
    assert (told.code, told.out.splitlines()[-1]) == (1, "DOES NOT HOLD")
    assert "entry 2: " in told.out
    assert idp("audit", "verify", folder, "--vkey", key, "--json").value["first_bad_index"] == 2


def test_a_checkpoint_under_another_key_does_not_hold(idp: Callable[..., Done], exported: tuple[Path, str]) -> None:
    folder, key = exported
    name, _, rest = key.partition("+")
    other = f"{name}+00000000+{rest.partition('+')[2]}"
    assert idp("audit", "verify", folder, "--vkey", other).code in {Exit.REFUSED, Exit.USAGE}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("verify",), "name the exported folder, or say --live"),
        (("verify", "{}", "--live"), "name the exported folder, or say --live"),
        (("verify", "{}"), "--vkey"),
        (("verify", "{}", "--vkey", "{}/nothing"), "cannot read"),
        (("verify", "{}", "--vkey", "nonsense+key+line"), "--vkey"),
        (("verify", "{}/nothing", "--vkey", "{key}"), "checkpoint"),
        (("verify", "{}", "--vkey", "{key}", "--since", "{}/nothing"), "cannot read"),
        (("export", "{}/checkpoint/below"), "cannot write"),
    ],
)
def test_what_cannot_be_checked_is_exit_code_2(
    idp: Callable[..., Done], exported: tuple[Path, str], arguments: tuple[str, ...], said: str
) -> None:
    folder, key = exported
    done = idp("audit", *(argument.replace("{key}", key).replace("{}", str(folder)) for argument in arguments))
    assert (done.code, said in done.err) == (2, True), done.err


def test_an_export_into_a_folder_of_something_else_is_refused(idp: Callable[..., Done], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    assert idp("audit", "export", tmp_path / "mine").code == Exit.REFUSED
    assert [file.name for file in (tmp_path / "mine").iterdir()] == ["letter.txt"]


def test_the_live_log_verifies_and_a_change_in_the_database_is_named(idp: Callable[..., Done], folder: Path) -> None:
    done = idp("audit", "verify", "--live", "--json")
    assert (done.code, done.value["accounts"]["unopenable"]) == (0, 0)
    assert done.value["accounts"]["about_persons"] > 0
    with sqlite3.connect(folder / "consent.sqlite3") as database:
        database.execute("DROP TRIGGER log_entries_no_update")
        database.execute("UPDATE log_entries SET action = 'update' WHERE idx = 1")
    told = idp("audit", "verify", "--live")
    assert (told.code, "entry 1: " in told.out, told.out.splitlines()[-1]) == (1, True, "DOES NOT HOLD")


def test_after_an_erasure_the_live_log_verifies_as_long_as_the_journal_agrees(idp: Callable[..., Done], folder: Path) -> None:
    erased = idp("accounts", "erase", SITI.email, "--officer", "rina", "--reason", "asked in person", "--yes", "--json")
    assert erased.code == Exit.OK, erased.err
    done = idp("audit", "verify", "--live", "--json")
    assert (done.code, done.value["accounts"]["unopenable"]) == (0, done.value["accounts"]["stated_as_erased"])
    assert done.value["accounts"]["unopenable"] > 0
    (folder / "erasure.journal").rename(folder / "mislaid")
    told = idp("audit", "verify", "--live")
    assert (told.code, "the erasure journal does not know it" in told.out) == (1, True)


def test_a_broken_journal_is_named_with_what_mends_it(idp: Callable[..., Done], folder: Path) -> None:
    (folder / "erasure.journal").write_text("xx\n{}\n")
    done = idp("audit", "status")
    assert (done.code, "erasure journal" in done.err, "line 1" in done.err) == (Exit.NOT_READY, True, True)


def test_a_restored_log_is_in_doubt_with_exit_code_5(idp: Callable[..., Done], folder: Path, tmp_path: Path) -> None:
    assert idp("log", "sign", "--once").code == Exit.OK
    with sqlite3.connect(folder / "consent.sqlite3") as database:
        database.execute(f"VACUUM INTO '{tmp_path / 'before.sqlite3'}'")
    grow(idp)
    size = idp("log", "sign", "--once", "--json").value["size"]
    for file in folder.glob("consent.sqlite3*"):
        file.unlink()
    shutil.copy(tmp_path / "before.sqlite3", folder / "consent.sqlite3")
    done = idp("audit", "status", "--json")
    assert (done.code, f"a checkpoint of {size} was signed" in done.value["in_doubt"]) == (5, True)
    told = idp("audit", "status").out
    assert "IN DOUBT" in told
    assert "docs/operate.md, Restoring" in told
    assert idp("log", "sign", "--once").code == Exit.LOG
    assert idp("keys", "rotate", "--algorithm", "ES256").code == Exit.LOG  # no act without its entry
    assert idp("audit", "verify", "--live").code == Exit.REFUSED


def test_an_anchor_that_is_gone_stops_the_signer_until_it_is_begun_anew_on_purpose(idp: Callable[..., Done], folder: Path) -> None:
    assert idp("log", "sign", "--once").code == Exit.OK
    (folder / "log.anchor").unlink()
    refused = idp("log", "sign", "--once")
    assert (refused.code, "--adopt" in refused.err) == (5, True)
    assert idp("audit", "status").code == Exit.LOG
    assert idp("log", "sign", "--adopt").code == Exit.OK
    assert idp("audit", "status").code == Exit.OK


def restored(folder: Path, backup: Path) -> None:
    """Put a consent store back as it was."""
    for file in folder.glob("consent.sqlite3*"):
        file.unlink()
    shutil.copy(backup, folder / "consent.sqlite3")


def test_the_checkpoint_key_is_changed_and_the_old_key_line_still_verifies(
    idp: Callable[..., Done], exported: tuple[Path, str], folder: Path
) -> None:
    out, key = exported
    done = idp("log", "rotate-key", "--reason", "two years old", "--by", "rina", "--json")
    assert (done.code, done.value["kind"], done.value["lost"], done.value["signed_by_old_key"]) == (0, "planned", 0, True), done.err
    assert done.value["vkey"].split("+")[0] == done.value["new_origin"] == key.split("+")[0] + "/2"
    assert (folder / "log.anchor").read_text().split("\n")[0] == done.value["new_origin"]
    grow(idp)
    assert idp("audit", "export", out, "--json").value["vkey"] == done.value["vkey"]
    for held in (key, done.value["vkey"]):
        told = idp("audit", "verify", out, "--vkey", held)
        assert (told.code, "by a planned change of its key: two years old" in told.out) == (0, True), told.out
    assert idp("audit", "verify", "--live").code == Exit.OK
    status = idp("audit", "status", "--json").value
    assert (status["vkey"], len(status["successions"])) == (done.value["vkey"], 1)


def test_after_a_loss_the_log_goes_on_the_erasure_is_replayed_and_everybody_is_told(
    idp: Callable[..., Done], exported: tuple[Path, str], folder: Path, tmp_path: Path
) -> None:
    out, key = exported
    assert idp("log", "succeed", "--reason", "x").code == Exit.USAGE
    refused = idp("log", "succeed", "--lost", "--reason", "disk")
    assert (refused.code, "nothing is lost" in refused.err) == (Exit.LOG, True)
    with sqlite3.connect(folder / "consent.sqlite3") as database:
        database.execute(f"VACUUM INTO '{tmp_path / 'before.sqlite3'}'")
    grow(idp)
    erased = idp("accounts", "erase", SITI.email, "--officer", "rina", "--reason", "asked in person", "--yes")
    assert erased.code == Exit.OK, erased.err
    signed = idp("log", "sign", "--once", "--json").value["size"]
    restored(folder, tmp_path / "before.sqlite3")
    assert idp("log", "rotate-key", "--reason", "x").code == Exit.LOG
    told = idp("log", "succeed", "--lost", "--reason", "the disk burnt", "--json")
    assert (told.code, told.value["old"]["size"], told.value["lost"]) == (0, signed, signed - told.value["entry"]), told.err
    assert idp("accounts", "replay-erasures").code == Exit.OK
    grow(idp)
    live = idp("audit", "verify", "--live")
    assert (live.code, "LOSS of" in live.out) == (0, True), live.out
    status = idp("audit", "status")
    assert (status.code, "the disk burnt" in status.out) == (0, True)
    assert "LOSS of" in idp("doctor").out
    assert idp("audit", "export", out).code == Exit.OK
    assert idp("audit", "verify", out, "--vkey", told.value["vkey"]).code == Exit.OK
    old = idp("audit", "verify", out, "--vkey", key)
    assert (old.code, "ask for its fingerprint on paper" in old.out) == (1, True)


def test_keys_are_listed_for_people_and_for_programs(idp: Callable[..., Done]) -> None:
    value = idp("keys", "list", "--json").value
    told = idp("keys", "list").out
    assert {key["state"] for key in value["signing_keys"]} >= {"active"}
    assert all(key["kid"] in told for key in value["signing_keys"])
    assert (value["to_rewrap"], "root version 1 wraps" in told) == (0, True)


async def _one_read() -> None:
    """Let the complaints application have read Siti's e-mail."""
    async with compose(load(), background=False) as services:
        (siti,) = await services.accounts.find(Identifier(IdentifierKind.EMAIL, SITI.email))
        purpose = await services.consent.purposes.get("aduan")
        assert purpose is not None
        card = Card(template="approve/3", language="id", text_hash="0" * 64, offered=purpose.required_names, text="kartu")
        await services.consent.ledger.give(Asking(siti.person, "aduan", "Aduan Warga"), purpose, purpose.required_names, card)
        record = Record(action="disclose", client="aduan", claims=("email", "name"), channel="userinfo", outcome="ok", legal_basis="a")
        await services.consent.access_log.append(Entry(record, Subject(siti.person)))


def test_whom_a_breach_concerns_is_listed_and_letters_are_for_their_owner_s_eyes(idp: Callable[..., Done], tmp_path: Path) -> None:
    officer = ("--officer", "dpo-01", "--reason", "kebocoran")
    asked = ("audit", "affected", "--client", "aduan", "--claims", "name,email", "--from", "2020-01-01", "--to", "2099-01-01")
    asyncio.run(_one_read())
    listed = idp(*asked, *officer, "--json")
    assert listed.code == Exit.OK
    assert [sorted(one["claims"]) for one in listed.value["people"]] == [["email", "name"]]
    assert idp(*asked, *officer, "--letters", tmp_path / "letters").code == Exit.USAGE  # without what happened
    told = ("--happened", "Sandi pengelola dicuri.", "--measures", "Diganti.")
    noticed = ("--noticed", "2026-11-24T10:00:00+08:00")
    done = idp(*asked, *officer, *told, *noticed, "--letters", tmp_path / "letters")
    assert (done.code, "1 people" in done.out, "told by 2026-11-27 02:00Z" in done.out) == (Exit.OK, True, True)
    number = listed.value["people"][0]["number"]
    assert {file.name for file in (tmp_path / "letters").iterdir()} == {f"{number}.txt", "authority.txt"}
    assert [oct(file.stat().st_mode & 0o777) for file in (tmp_path, tmp_path / "letters", tmp_path / "letters" / f"{number}.txt")][1:] == [
        "0o700",
        "0o600",
    ]
    again = idp(*asked, *officer, *told, "--letters", tmp_path / "letters")
    assert (again.code, "not empty" in again.err) == (Exit.USAGE, True)
    for wrong in (("--client", "tidak-ada"), ("--claims", "sidik-jari"), ("--from", "kemarin"), ("--to", "2019-12-31")):
        refused = idp(*asked, *officer, *wrong)
        assert (refused.code in {Exit.REFUSED, Exit.USAGE}, bool(refused.err)) == (True, True)


def test_the_operator_writes_a_confirmed_package_and_the_auditors_commands_open_and_verify_it(
    idp: Callable[..., Done], tmp_path: Path
) -> None:
    words, package, lines = tmp_path / "words", tmp_path / "package.jwe", tmp_path / "openings.jsonl"
    words.write_text("pendek\n")
    assert idp("audit", "openings", "key", tmp_path / "own", "--passphrase-file", words).code == Exit.USAGE
    words.write_text("kuda baterai pas peniti\n")
    made = idp("audit", "openings", "key", tmp_path / "own", "--passphrase-file", words, "--json")
    assert (made.code, idp("audit", "openings", "key", tmp_path / "own", "--passphrase-file", words).code) == (Exit.OK, Exit.USAGE)
    assert [(tmp_path / "own" / name).stat().st_mode & 0o777 for name in ("openings-key.jwe", "openings-public.json")] == [0o600, 0o644]
    assert idp("accounts", "erase", SUKARNI.email, "--officer", "rina", "--reason", "asked in person", "--yes").code == Exit.OK
    proposal = asyncio.run(_proposed(made.value["jwk"]))
    write = ("audit", "openings", "write", proposal, package, "--officer", "rina", "--json")
    assert (idp(*write).code, package.exists()) == (Exit.REFUSED, False)  # nobody has confirmed it
    asyncio.run(_confirmed(proposal))
    assert idp(*write[:3], "AAAAAAAAAAAAAAAAAAAAAA", *write[4:]).code == Exit.REFUSED
    done = idp(*write)
    closed = done.value["left_closed"]
    assert closed > 1
    assert (done.code, done.value["complete"], done.value["people"]) == (Exit.OK, True, 2)
    assert package.stat().st_mode & 0o777 == 0o600
    assert idp(*write).code == Exit.USAGE
    package.rename(tmp_path / "one.jwe")
    assert (idp(*write).code, package.exists()) == (Exit.REFUSED, False)  # once
    decrypt = ("audit", "openings", "decrypt", tmp_path / "one.jwe", "--key", tmp_path / "own" / "openings-key.jwe", "--out", lines)
    words.write_text("kuda baterai pas peniti?\n")
    assert (idp(*decrypt, "--passphrase-file", words).code, lines.exists()) == (Exit.REFUSED, False)
    words.write_text("kuda baterai pas peniti\n")
    assert idp(*decrypt, "--passphrase-file", words, "--json").value["case"] == "ITKO 700"
    assert idp(*decrypt, "--passphrase-file", words).code == Exit.USAGE  # nothing is written over
    key = idp("audit", "export", tmp_path / "export", "--json").value["vkey"]
    verified = idp("audit", "verify", tmp_path / "export", "--vkey", key, "--openings", lines, "--complete", "--json")
    accounts = verified.value["accounts"]
    assert (verified.code, accounts["unopenable"], accounts["stated_as_erased"]) == (Exit.OK, closed, closed)
    short = (tmp_path / "one.jwe").read_bytes().splitlines(keepends=True)[:-1]
    (tmp_path / "one.jwe").write_bytes(b"".join(short))
    lines.unlink()
    assert (idp(*decrypt, "--passphrase-file", words).code, lines.exists()) == (Exit.REFUSED, False)
    assert not list(tmp_path.glob(".*.part"))


async def _proposed(jwk: dict[str, str]) -> str:
    recipient = read_recipient(json.dumps(jwk))
    about = {"case": "ITKO 700", "law": "UU 27/2022", "since": "", "until": "", "client": "", "key": json.dumps(jwk)}
    async with compose(load(), background=False) as services:
        about["thumbprint"] = recipient.thumbprint
        made = await services.proposals.propose(ProposalKind.OPENINGS, about, "Pemeriksaan rutin", "P-00000001", services.clock())
    return made.id


async def _confirmed(proposal: str) -> None:
    async with compose(load(), background=False) as services:
        assert await services.proposals.confirm(proposal, "P-00000002", services.clock())
