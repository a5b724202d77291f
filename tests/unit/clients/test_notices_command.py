"""`idp clients deliveries` and `idp clients signals`: what an application was told, and how it receives events."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from idp.__main__ import run
from idp.cli.terminal import Exit

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, filled_sqlite: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with the demonstration's applications."""
    import shutil

    from tests.support.running import ROOT_KEY

    shutil.copytree(filled_sqlite, tmp_path / "data")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    return tmp_path / "data"


def ask(capsys: Capture, *arguments: str) -> Any:
    assert run(["clients", *arguments, "--json"]) == Exit.OK, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(capsys: Capture, *arguments: str) -> str:
    assert run(["clients", *arguments]) in {Exit.REFUSED, Exit.USAGE}
    said = capsys.readouterr().err
    assert "Traceback" not in said
    return said


def test_a_stream_is_set_up_tried_listed_and_ended(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENERIMA", "Bearer rahasia")
    assert ask(capsys, "signals", "aduan") == {"client_id": "aduan", "delivery": None}
    pushed = ask(capsys, "signals", "aduan", "--push", "https://aduan.test/events", "--authorization-env", "PENERIMA", "--verify")
    assert (pushed["delivery"], pushed["url"], pushed["authorization"]) == ("push", "https://aduan.test/events", True)
    assert "rahasia" not in json.dumps(pushed)
    (notice,) = ask(capsys, "deliveries", "aduan")
    assert (notice["kind"], notice["event"], notice["status"], notice["attempts"]) == ("signal", "verification", "waiting", 0)
    assert notice["next_attempt_at"] is not None
    polled = ask(capsys, "signals", "aduan", "--poll", "--event", "account-purged")
    assert (polled["delivery"], polled["events"]) == ("poll", ["account-purged"])
    assert ask(capsys, "deliveries", "aduan")[0]["next_attempt_at"] is None
    assert run(["clients", "deliveries", "aduan"]) == Exit.OK
    assert "verification" in capsys.readouterr().out
    assert run(["clients", "signals", "aduan"]) == Exit.OK
    assert "/signals/poll" in capsys.readouterr().out
    assert ask(capsys, "signals", "aduan", "--remove")["delivery"] is None


def test_what_cannot_work_is_refused_in_a_sentence(capsys: Capture) -> None:
    assert "https://" in refused(capsys, "signals", "aduan", "--push", "http://aduan.test/")
    assert "choose one" in refused(capsys, "signals", "aduan", "--push", "https://aduan.test/", "--poll")
    assert "session-revoked" in refused(capsys, "signals", "aduan", "--poll", "--event", "everything")
    assert "is not set" in refused(capsys, "signals", "aduan", "--push", "https://aduan.test/", "--authorization-env", "NICHTS")
    assert "goes with --push" in refused(capsys, "signals", "aduan", "--poll", "--authorization-env", "HOME")
    assert "no application" in refused(capsys, "signals", "tidak-ada")
    assert "no stream" in refused(capsys, "signals", "aduan", "--verify")
