"""The command line says what is wrong in a sentence, with a documented exit code, and never with a traceback."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING

import pytest

from consent.access_log import LogStatus
from idp.__main__ import run
from idp.cli.main import NOUNS
from idp.cli.terminal import MEANINGS, Exit
from idp.diagnosis import unsigned
from keys.custody import RootKeys

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder that does not exist yet."""
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def migrated(folder: Path, capsys: Capture) -> Path:
    assert run(["database", "upgrade"]) == Exit.OK
    capsys.readouterr()
    return folder


def said(capsys: Capture) -> str:
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return captured.out + captured.err


def test_help_lists_every_noun_and_every_exit_code(capsys: Capture) -> None:
    assert run(["--help"]) == Exit.OK
    text = said(capsys)
    assert all(noun in text for noun in NOUNS)
    assert all(str(int(code)) in text for code in MEANINGS)
    assert set(MEANINGS) == set(Exit)


@pytest.mark.parametrize("noun", NOUNS)
def test_every_noun_explains_itself(noun: str, capsys: Capture) -> None:
    assert run([noun, "--help"]) == Exit.OK
    assert "Usage: idp" in said(capsys)


def test_an_unknown_command_or_option_is_a_usage_error(capsys: Capture) -> None:
    assert run(["frobnicate"]) == Exit.USAGE
    assert run(["serve", "--nonsense"]) == Exit.USAGE
    assert run(["serve", "--port", "many"]) == Exit.USAGE
    said(capsys)


def test_an_unmigrated_store_is_named_with_the_command_that_mends_it(folder: Path, capsys: Capture) -> None:
    folder.mkdir()
    RootKeys.create_file(folder / "root.key")
    assert run(["keys", "list"]) == Exit.NOT_READY
    assert "was never migrated; run: idp database upgrade" in said(capsys)


COMMANDS = (
    ["clients", "list"],
    ["purposes", "list"],
    ["keys", "list"],
    ["audit", "status"],
    ["log", "sign", "--once"],
    ["accounts", "show", "nobody", "--officer", "O", "--reason", "r"],
)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_a_mistyped_data_folder_is_no_new_installation(folder: Path, command: list[str], capsys: Capture) -> None:
    assert run(command) == Exit.NOT_READY
    assert "was never migrated; run: idp database upgrade" in said(capsys)
    assert not folder.exists()


@pytest.mark.parametrize("command", [*COMMANDS[:2], ["database", "upgrade"], ["serve", "--port", "0"]], ids=" ".join)
def test_a_damaged_store_is_named(migrated: Path, command: list[str], capsys: Capture) -> None:
    (migrated / "idp.sqlite3").write_bytes(b"this was a database once; now it is something else" * 20)
    assert run(command) == Exit.NOT_READY
    assert f"{migrated}/idp.sqlite3" in said(capsys)
    assert run(["doctor"]) == Exit.REFUSED
    assert "put it back from a backup" in said(capsys)


def test_stores_are_files_of_their_user_alone(migrated: Path) -> None:
    assert {file.name: file.stat().st_mode & 0o777 for file in migrated.glob("*.sqlite3")} == dict.fromkeys(
        ("idp.sqlite3", "consent.sqlite3", "keys.sqlite3"), 0o600
    )


def test_a_database_that_cannot_be_reached_is_said(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("IDP_DATABASE_URL", "postgresql://nobody:secret-word@127.0.0.1:1/nothing")
    assert run(["database", "status"]) == Exit.NOT_READY
    text = said(capsys)
    assert "cannot be reached" in text
    assert "secret-word" not in text


def test_status_says_where_stores_stand_and_touches_nothing(folder: Path, capsys: Capture) -> None:
    assert run(["database", "status", "--json"]) == Exit.NOT_READY
    standing = json.loads(said(capsys))
    assert [(one["store"], one["revision"], one["current"]) for one in standing] == [
        ("idp", None, False),
        ("consent", None, False),
        ("keys", None, False),
    ]
    assert not folder.exists()


def test_upgrade_makes_a_root_key_once_and_can_be_repeated(folder: Path, capsys: Capture) -> None:
    assert run(["database", "upgrade", "--json"]) == Exit.OK
    first = json.loads(said(capsys))
    assert first["root_key_made"] == str(folder / "root.key")
    assert (folder / "root.key").stat().st_mode & 0o777 == 0o400
    key = (folder / "root.key").read_bytes()
    assert run(["database", "upgrade", "--json"]) == Exit.OK
    assert json.loads(said(capsys)) == {"applied": {"idp": [], "consent": [], "keys": []}, "root_key_made": None, "app_role": None}
    assert (folder / "root.key").read_bytes() == key
    assert run(["database", "status"]) == Exit.OK


def test_an_absent_root_key_is_said(migrated: Path, capsys: Capture) -> None:
    (migrated / "root.key").unlink()
    assert run(["keys", "list"]) == Exit.ROOT_KEY
    assert f"no root key file at {migrated / 'root.key'}" in said(capsys)


def test_a_root_key_that_others_can_read_is_said(migrated: Path, capsys: Capture) -> None:
    (migrated / "root.key").chmod(0o444)
    assert run(["keys", "list"]) == Exit.ROOT_KEY
    assert "chmod 0400" in said(capsys)


def test_a_wrong_root_key_is_said_by_its_version(migrated: Path, capsys: Capture) -> None:
    assert run(["keys", "list"]) == Exit.OK
    (migrated / "root.key").unlink()
    RootKeys.create_file(migrated / "root.key")
    assert run(["keys", "list"]) == Exit.ROOT_KEY
    assert "root key version 1" in said(capsys)


def test_a_malformed_root_key_is_said(migrated: Path, capsys: Capture) -> None:
    (migrated / "root.key").chmod(0o600)
    (migrated / "root.key").write_text("not a key\n")
    (migrated / "root.key").chmod(0o400)
    assert run(["keys", "list"]) == Exit.ROOT_KEY
    said(capsys)


def test_bad_settings_are_all_said_before_anything_starts(monkeypatch: pytest.MonkeyPatch, folder: Path, capsys: Capture) -> None:
    folder.mkdir()
    (folder / "idp.toml").write_text("port = \n")
    assert run(["serve"]) == Exit.USAGE
    assert "not valid TOML" in said(capsys)
    (folder / "idp.toml").write_text("prot = 8000\n")
    assert run(["serve"]) == Exit.USAGE
    assert "did you mean port" in said(capsys)
    (folder / "idp.toml").unlink()
    monkeypatch.setenv("IDP_WROKERS", "2")
    assert run(["serve"]) == Exit.USAGE
    assert "did you mean IDP_WORKERS" in said(capsys)


@pytest.mark.parametrize("command", [["purposes", "add"], ["clients", "add"]])
def test_a_missing_file_is_said(migrated: Path, command: list[str], capsys: Capture) -> None:
    assert run([*command, str(migrated / "nowhere")]) == Exit.USAGE
    assert "nowhere" in said(capsys)


def test_missing_tls_files_are_said(migrated: Path, capsys: Capture) -> None:
    assert run(["serve", "--tls-certificate", str(migrated / "cert.pem"), "--tls-key", str(migrated / "key.pem")]) == Exit.USAGE
    assert "cert.pem" in said(capsys)


def test_doctor_finds_nothing_wrong_in_a_new_installation(migrated: Path, capsys: Capture) -> None:
    assert run(["doctor", "--json"]) == Exit.OK
    findings = json.loads(said(capsys))
    assert {one["grade"] for one in findings} <= {"ok", "warning"}
    assert {"settings", "root key", "idp store", "consent store", "keys store", "access log"} <= {one["subject"] for one in findings}
    del migrated


def test_doctor_says_how_to_mend_what_is_wrong(migrated: Path, capsys: Capture) -> None:
    (migrated / "root.key").chmod(0o444)
    assert run(["doctor"]) == Exit.REFUSED
    assert f"chmod 0400 {migrated / 'root.key'}" in said(capsys)
    (migrated / "root.key").unlink()
    (migrated / "keys.sqlite3").unlink()
    assert run(["doctor"]) == Exit.REFUSED
    text = said(capsys)
    assert "put the file back" in text
    assert "idp database upgrade" in text


def test_doctor_looks_at_certificate_authorities(monkeypatch: pytest.MonkeyPatch, migrated: Path, capsys: Capture) -> None:
    monkeypatch.setenv("IDP_CA_FILE", str(migrated / "nothing.pem"))
    assert run(["doctor"]) == Exit.REFUSED
    assert "name a PEM file of certificate authorities" in said(capsys)


def test_doctor_says_that_the_erasure_journal_is_damaged(migrated: Path, capsys: Capture) -> None:
    (migrated / "erasure.journal").write_text("this is no line of a journal\n")
    assert run(["doctor"]) == Exit.REFUSED
    assert f"put a whole copy back at {migrated}/erasure.journal" in said(capsys)


def test_only_the_signer_makes_the_key_of_a_separate_signer(monkeypatch: pytest.MonkeyPatch, migrated: Path, capsys: Capture) -> None:
    """To ask how the log stands, on a machine that citizens reach, must not make there the key that was to be kept from it."""
    monkeypatch.setenv("IDP_LOG_SIGNER", "separate")
    assert run(["audit", "status"]) == Exit.OK
    assert "none yet: the signer makes it" in said(capsys)
    assert run(["audit", "export", str(migrated / "export")]) == Exit.LOG
    monkeypatch.setenv("IDP_LOG_KEY_FILE", str(migrated / "log.key"))
    assert run(["log", "sign", "--once"]) == Exit.OK
    assert (migrated / "log.key").exists()
    assert run(["doctor"]) == Exit.OK
    assert "lies in the keys store" not in said(capsys)


def test_doctor_says_that_the_checkpoint_key_is_not_where_it_should_be(
    monkeypatch: pytest.MonkeyPatch, migrated: Path, capsys: Capture
) -> None:
    assert run(["log", "sign", "--once"]) == Exit.OK
    monkeypatch.setenv("IDP_LOG_KEY_FILE", str(migrated / "log.key"))
    assert run(["doctor"]) == Exit.OK
    assert "the checkpoint key lies in the keys store" in said(capsys)


def test_doctor_says_that_nobody_signs() -> None:
    now = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
    for seconds, said_so in ((2, 0), (120, 1)):
        since = now - dt.timedelta(seconds=seconds)
        assert len(unsigned(LogStatus(9, bytes(32), None, None, None, None, unsigned_since=since), now)) == said_so


def test_doctor_explains_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("IDP_ISSUER", "https://masuk.example/")
    assert run(["doctor"]) == Exit.REFUSED
    assert "IDP_ISSUER" in said(capsys)
