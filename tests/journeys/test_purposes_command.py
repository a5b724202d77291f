"""`idp purposes` as an agency's programmer and an operator meet it: refusals name the field, nothing half-written, no traceback."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from keys.database import store_urls
from tests.support.consent import DEMO
from tests.support.server import Server

if TYPE_CHECKING:
    from pathlib import Path

ADUAN = (DEMO / "aduan.toml").read_text(encoding="utf-8")


@pytest.fixture
def idp(sqlite_template: Path, tmp_path: Path) -> Server:
    """Commands over migrated, empty stores."""
    folder = tmp_path / "data"
    shutil.copytree(sqlite_template, folder)
    return Server(store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None), folder, 1, {})


def declaration(tmp_path: Path, text: str) -> str:
    file = tmp_path / "purpose.toml"
    file.write_text(text, encoding="utf-8")
    return str(file)


def test_a_purpose_is_declared_listed_and_shown(idp: Server, tmp_path: Path) -> None:
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
def test_a_refusal_names_the_field_and_leaves_nothing(idp: Server, tmp_path: Path, text: str, said: str) -> None:
    refused = idp.run("purposes", "add", declaration(tmp_path, text), check=False)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
    assert json.loads(idp.run("purposes", "list", "--json").stdout) == []


def test_what_is_not_there_is_said(idp: Server, tmp_path: Path) -> None:
    missing = idp.run("purposes", "add", str(tmp_path / "none.toml"), check=False)
    assert (missing.returncode, "none.toml" in missing.stderr) == (2, True)
    unknown = idp.run("purposes", "show", "none", check=False)
    assert (unknown.returncode, "idp purposes list" in unknown.stderr) == (1, True)
    (tmp_path / "latin.toml").write_bytes(b'id = "\xe9"')
    latin = idp.run("purposes", "add", str(tmp_path / "latin.toml"), check=False)
    assert (latin.returncode, "UTF-8" in latin.stderr) == (2, True)


def test_long_sentences_are_pointed_out_and_not_refused(idp: Server, tmp_path: Path) -> None:
    text = ADUAN.replace("Layanan ini menerima", "Layanan ini " + "sangat " * 15 + "menerima")
    done = idp.run("purposes", "add", declaration(tmp_path, text))
    assert "advice: text.id" in done.stdout
