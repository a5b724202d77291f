"""`idp complaints`: officers answer by command, each act on record and with a reason, and what went on is the data protection officer's."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from idp.__main__ import run
from idp.accounts.records import Identifier, IdentifierKind
from idp.cli.terminal import Exit, with_services
from idp.demo.people import SITI
from idp.protocol import complaints
from tests.support.running import ROOT_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from consent.access_log import HistoryEntry
    from idp.protocol.services import Services

Capture = pytest.CaptureFixture[str]
BY = ["--officer", "Rina", "--reason", "Memeriksa aduan"]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, filled_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with sample people."""
    shutil.copytree(filled_sqlite, tmp_path / "data")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    return tmp_path / "data"


def said(capsys: Capture, *command: str, code: Exit = Exit.OK) -> str:
    capsys.readouterr()
    assert run(["complaints", *command]) == code
    captured = capsys.readouterr()
    assert "Traceback" not in captured.out + captured.err
    return captured.out + captured.err


async def _person(services: Services) -> str:
    (account,) = await services.accounts.find(Identifier(IdentifierKind.EMAIL, SITI.email))
    return account.person


async def _complain(services: Services) -> str:
    person = await _person(services)
    entry = (await services.consent.access_log.history(person, limit=1))[0]
    complaint, _ = await complaints.submit(services, person, entry, "Ini bukan saya.")
    return complaint.number


async def _newest(services: Services) -> HistoryEntry:
    return (await services.consent.access_log.history(await _person(services), limit=1))[0]


def test_a_complaint_is_listed_without_its_words_opened_answered_and_answered_once(capsys: Capture) -> None:
    assert run(["accounts", "show", SITI.email, *BY]) == Exit.OK  # an entry to complain of
    assert "No complaint" in said(capsys, "list")
    number = with_services(_complain)
    listed: list[dict[str, Any]] = json.loads(said(capsys, "list", "--json"))
    assert [(one["number"], one["state"]) for one in listed] == [(number, "received")]
    assert "bukan saya" not in said(capsys, "list")
    assert "reason" in said(capsys, "show", number, "--officer", "Rina", "--reason", " ", code=Exit.USAGE)
    assert json.loads(said(capsys, "show", number.lower(), *BY, "--json"))["text"] == "Ini bukan saya."
    look = with_services(_newest)
    assert (look.action, look.record["reason"], look.record["actor"]["pseudonym"]) == ("consult", f"{number}: Memeriksa aduan", "Rina")
    said(capsys, "escalate", number, *BY)
    assert "data protection officer" in said(capsys, "escalate", number, *BY, code=Exit.REFUSED)
    assert "--role dpo" in said(capsys, "answer", number, "--text", "Sudah.", *BY, code=Exit.REFUSED)
    assert "empty" in said(capsys, "answer", number, "--text", " ", "--role", "dpo", *BY, code=Exit.USAGE)
    said(capsys, "answer", number, "--text", "Itu petugas loket.", "--role", "dpo", *BY)
    assert "before" in said(capsys, "answer", number, "--text", "Lagi.", "--role", "dpo", *BY, code=Exit.REFUSED)
    assert json.loads(said(capsys, "list", "--state", "answered", "--json"))[0]["answered_by"] == "Rina"
    assert "no complaint" in said(capsys, "show", "ADU-2026-999999", *BY, code=Exit.REFUSED)
