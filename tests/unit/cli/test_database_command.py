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
