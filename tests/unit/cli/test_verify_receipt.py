"""`idp audit verify-receipt`: what it prints and exits with, without settings or a database."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from idp.__main__ import run
from idp.cli.audit_verify import progress_bar
from idp.cli.terminal import Exit
from tests.support import synthetic_log
from tests.support.witnesses import SmallWitness, request

if TYPE_CHECKING:
    from pathlib import Path

KEY = str(synthetic_log.verifier_key())


def test_a_good_file_holds_in_words_and_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "riwayat.json"
    file.write_bytes(synthetic_log.history_bytes(30, first=2))
    (tmp_path / "held.vkey").write_text(KEY)
    assert run(["audit", "verify-receipt", str(file), "--vkey", KEY]) == Exit.OK
    said = capsys.readouterr().out
    assert said.startswith("8 entries, from the person's number 2 on\n")
    assert said.endswith("ALL HOLDS\n")
    assert run(["audit", "verify-receipt", str(file), "--vkey", str(tmp_path / "held.vkey"), "--json"]) == Exit.OK
    value = json.loads(capsys.readouterr().out)
    assert (value["holds"], value["entries"], value["size"], value["problem"]) == (True, 8, 30, None)


def test_a_policy_demands_cosignatures_of_the_files_checkpoint(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, data = tmp_path / "riwayat.json", synthetic_log.history_bytes(30)
    witness = SmallWitness(tmp_path, (synthetic_log.verifier_key(),))
    (tmp_path / "policy").write_text(f"witness w {witness.key}\nquorum w\n")
    command = ["audit", "verify-receipt", str(file), "--vkey", KEY, "--policy", str(tmp_path / "policy")]
    file.write_bytes(data)
    assert run(command) == Exit.REFUSED
    assert "the checkpoint has no quorum (w): cosigned by nobody, not by w" in capsys.readouterr().out
    value = json.loads(data)
    note = value["checkpoint"]
    for seconds, code in ((-3600, Exit.REFUSED), (3600, Exit.OK)):  # before its last entry was recorded, and after
        witness.now = synthetic_log.FIRST_TIME.timestamp() + seconds
        value["checkpoint"] = note + witness.add(request(0 if seconds < 0 else 30, (), note)).body
        file.write_text(json.dumps(value))
        assert run(command) == code
        assert ("entry 27: its time" in capsys.readouterr().out) is (code == Exit.REFUSED)
    witness.memory.close()
    assert run(["audit", "verify-receipt", str(file), "--jwks", str(file), "--policy", str(file)]) == Exit.USAGE


def test_a_changed_file_names_its_entry_and_exits_with_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "riwayat.json"
    file.write_bytes(synthetic_log.history_bytes(30).replace(b"Aduan Warga", b"Pajak Kota", 1))
    assert run(["audit", "verify-receipt", str(file), "--vkey", KEY]) == Exit.REFUSED
    said = capsys.readouterr().out
    assert "entry 0: the record is not the one that was recorded" in said
    assert said.endswith("DOES NOT HOLD\n")


def test_a_signed_receipt_is_checked_with_the_citys_keys(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    key, other = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    (tmp_path / "jwks.json").write_text(json.dumps({"keys": [{**key.as_dict(private=False), "kid": key.thumbprint()}]}))
    for type_, signer, kid, expected in (
        ("consent-receipt+jwt", key, key.thumbprint(), Exit.OK),
        ("access-report-receipt+jwt", key, key.thumbprint(), Exit.OK),
        ("at+jwt", key, key.thumbprint(), Exit.REFUSED),
        ("consent-receipt+jwt", other, key.thumbprint(), Exit.REFUSED),
        ("consent-receipt+jwt", other, other.thumbprint(), Exit.REFUSED),
    ):
        header = {"alg": "ES256", "typ": type_, "kid": kid}
        (tmp_path / "bukti.jwt").write_text(jwt.encode(header, {"iss": "https://id.example", "jti": "b1"}, signer, algorithms=["ES256"]))
        assert run(["audit", "verify-receipt", str(tmp_path / "bukti.jwt"), "--jwks", str(tmp_path / "jwks.json")]) == expected
    said = capsys.readouterr().out
    assert f"signed by the key {key.thumbprint()}\niss: https://id.example\njti: b1\nALL HOLDS\n" in said
    assert said.count("DOES NOT HOLD") == 3


def test_a_history_shows_that_a_log_went_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthetic_log.write_export(tmp_path / "log", 300)
    for size, expected in ((270, Exit.OK), (330, Exit.REFUSED)):
        (tmp_path / "riwayat.json").write_bytes(synthetic_log.history_bytes(size))
        assert run(["audit", "verify", str(tmp_path / "log"), "--vkey", KEY, "--since", str(tmp_path / "riwayat.json")]) == expected
    assert "the older checkpoint has 330 entries, this log only 300" in capsys.readouterr().out
    (tmp_path / "riwayat.json").write_text("{}")
    assert run(["audit", "verify", str(tmp_path / "log"), "--vkey", KEY, "--since", str(tmp_path / "riwayat.json")]) == Exit.USAGE


@pytest.mark.parametrize(("terminal", "quiet", "shown"), [(True, False, True), (True, True, False), (False, False, False)])
def test_a_bar_shows_on_a_terminal_only_and_not_beside_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, terminal: bool, quiet: bool, shown: bool
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("verifying", quiet=quiet) as progress:
        progress(256, 1000)
    said = capsys.readouterr()
    assert (said.out, "verifying" in said.err) == ("", shown)
    assert ("256/1000" in said.err) == shown


def test_what_cannot_be_checked_exits_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    for file, vkey in (("letter.txt", KEY), ("nothing", KEY), ("letter.txt", "a" * 300 + "+1+x"), ("letter.txt", "nothing")):
        assert run(["audit", "verify-receipt", str(tmp_path / file), "--vkey", vkey]) == Exit.USAGE
    assert run(["audit", "verify-receipt", str(tmp_path / "letter.txt")]) == Exit.USAGE
    assert run(["audit", "verify-receipt", str(tmp_path / "letter.txt"), "--jwks", str(tmp_path / "letter.txt")]) == Exit.USAGE
    assert "Traceback" not in capsys.readouterr().err
