"""`idp purposes` as an agency's programmer and an operator meet it: refusals name the field, nothing half-written, no traceback."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, NamedTuple

import pytest

from idp.__main__ import run
from tests.support.consent import DEMO
from tests.support.running import ROOT_KEY

if TYPE_CHECKING:
    from pathlib import Path

ADUAN = (DEMO / "aduan.toml").read_text(encoding="utf-8")


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


class Idp:
    """Commands over migrated stores, in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys

    def run(self, *arguments: str) -> Done:
        self._capsys.readouterr()
        code = run(list(arguments))
        said = self._capsys.readouterr()
        return Done(code, said.out, said.err)


@pytest.fixture(scope="module")
def folder(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Empty stores whose keys are made once for all tests of this file."""
    made = tmp_path_factory.mktemp("purposes") / "data"
    shutil.copytree(sqlite_template, made)
    return made


@pytest.fixture
def idp(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Idp:
    """Commands over stores of one test's own."""
    own = tmp_path / "data"
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    monkeypatch.setenv("IDP_DATA_DIR", str(folder))
    assert Idp(capsys).run("purposes", "list").returncode == 0
    shutil.copytree(folder, own)
    monkeypatch.setenv("IDP_DATA_DIR", str(own))
    return Idp(capsys)


def declaration(tmp_path: Path, text: str) -> str:
    file = tmp_path / "purpose.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_purpose_is_declared_listed_and_shown(idp: Idp, tmp_path: Path) -> None:
    first = json.loads(idp.run("purposes", "add", declaration(tmp_path, ADUAN), "--json").stdout)
    assert (first["id"], first["version"], first["added"]) == ("aduan", 1, True)
    again = json.loads(idp.run("purposes", "add", declaration(tmp_path, ADUAN), "--json").stdout)
    assert (again["version"], again["added"]) == (1, False)
    changed = idp.run("purposes", "add", declaration(tmp_path, ADUAN.replace("365", "90")))
    assert "aduan version 2 declared" in changed.stdout
    assert [purpose["version"] for purpose in json.loads(idp.run("purposes", "list", "--json").stdout)] == [2]
    assert "aduan" in idp.run("purposes", "list").stdout
    shown = json.loads(idp.run("purposes", "show", "aduan", "--version", "1", "--json").stdout)
    assert shown["max_validity_days"] == 365
    assert "Menerima dan menjawab" in idp.run("purposes", "show", "aduan").stdout


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ADUAN.replace("[rights]\n", "[right]\n"), "right:"),
        (ADUAN[: ADUAN.index("[rights]")] + ADUAN[ADUAN.index("[[required]]") :], "rights: missing"),
        (ADUAN.replace('basis = "a"\n', ""), "basis: missing"),
        (ADUAN.replace('claim = "email"', 'claim = "nik"'), "nik"),
        (ADUAN.replace('claim = "email"', 'claim = "fingerprint"'), "fingerprint"),
        ("id = [", "not TOML"),
        ("", "missing"),
    ],
)
def test_a_refusal_names_the_field_and_leaves_nothing(idp: Idp, tmp_path: Path, text: str, said: str) -> None:
    refused = idp.run("purposes", "add", declaration(tmp_path, text))
    assert refused.returncode == 2
    assert said in refused.stderr
    assert "purpose.toml" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert json.loads(idp.run("purposes", "list", "--json").stdout) == []


def test_what_is_not_there_is_said(idp: Idp, tmp_path: Path) -> None:
    missing = idp.run("purposes", "add", str(tmp_path / "none.toml"))
    assert (missing.returncode, "none.toml" in missing.stderr) == (2, True)
    unknown = idp.run("purposes", "show", "none")
    assert (unknown.returncode, "idp purposes list" in unknown.stderr) == (1, True)
    (tmp_path / "latin.toml").write_bytes(b'id = "\xe9"')
    latin = idp.run("purposes", "add", str(tmp_path / "latin.toml"))
    assert (latin.returncode, "UTF-8" in latin.stderr) == (2, True)


def test_long_sentences_are_pointed_out_and_not_refused(idp: Idp, tmp_path: Path) -> None:
    text = ADUAN.replace("Layanan ini menerima", "Layanan ini " + "sangat " * 15 + "menerima")
    done = idp.run("purposes", "add", declaration(tmp_path, text))
    assert "advice: text.id" in done.stdout
