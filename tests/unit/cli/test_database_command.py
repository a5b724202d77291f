"""`idp database upgrade --app-role`: refused before anything is changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from idp.__main__ import run
from idp.cli.terminal import Exit

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_a_role_for_sqlite_is_refused_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    assert run(["database", "upgrade", "--app-role", "gerbang"]) == Exit.USAGE
    assert "roles are PostgreSQL's" in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_stores_apart_are_upgraded_by_an_owners_url_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    stores = {"--url": "idp", "--consent-url": "consent", "--keys-url": "keys"}
    urls = [part for option, store in stores.items() for part in (option, f"sqlite:///{tmp_path / ('apart-' + store)}.sqlite3")]
    assert run(["database", "upgrade", *urls]) == Exit.OK
    assert {path.stem for path in tmp_path.glob("*.sqlite3")} == {"apart-idp", "apart-consent", "apart-keys"}
    assert run(["database", "status", *urls]) == Exit.OK
    assert run(["database", "status"]) == Exit.NOT_READY, capsys.readouterr().out
