"""`idp accounts role`: roles are given and taken on the command line, on record and with a reason, and duties stay apart."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from idp.__main__ import run
from idp.cli.terminal import Exit
from idp.demo.people import BUDI, SITI
from tests.support.running import ROOT_KEY

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]
BY = ["--officer", "Rina", "--reason", "Surat tugas 12/2026"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, filled_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with sample people."""
    shutil.copytree(filled_sqlite, tmp_path / "data")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    return tmp_path / "data"


def said(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run(["accounts", "role", *command]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return captured.out + captured.err


def test_a_role_is_given_listed_by_pseudonym_and_taken(capsys: Capture) -> None:
    given: dict[str, Any] = json.loads(said(capsys, "add", SITI.email, "officer", "--agency", "dinkes", *BY, "--json"))
    assert [one["role"] for one in given["roles"]] == ["officer"]
    listed = said(capsys, "list")
    assert given["pseudonym"] in listed
    assert SITI.name not in listed
    assert SITI.email not in listed
    assert "already" in said(capsys, "add", SITI.email, "officer", "--agency", "dinkes", *BY, code=Exit.REFUSED)
    assert "nobody is both" in said(capsys, "add", SITI.email, "auditor", *BY, code=Exit.REFUSED)
    said(capsys, "remove", SITI.email, "officer", *BY)
    assert "not officer" in said(capsys, "remove", SITI.email, "officer", *BY, code=Exit.REFUSED)


def test_an_officer_belongs_to_an_agency_and_every_change_has_a_reason(capsys: Capture) -> None:
    assert "--agency" in said(capsys, "add", BUDI.email, "officer", *BY, code=Exit.USAGE)
    assert "reason" in said(capsys, "add", BUDI.email, "dpo", "--officer", "Rina", "--reason", " ", code=Exit.USAGE)
    assert "no account" in said(capsys, "add", "nobody@example.com", "dpo", *BY, code=Exit.REFUSED)
