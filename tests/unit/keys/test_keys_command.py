"""`idp keys`: what an operator sees, and that each act stands in the access log."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

import pytest
import sqlalchemy as sa

from idp.__main__ import run
from keys.custody import RootKeys
from keys.database import Database

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path))
    assert run(["database", "upgrade"]) == 0
    return tmp_path


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict[str, Any]:
    capsys.readouterr()
    assert run(["keys", *arguments, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def _reasons(folder: Path) -> list[str]:
    async def read() -> list[str]:
        database = Database.open(f"sqlite:///{folder}/consent.sqlite3")
        try:
            async with database.read() as connection:
                rows = await connection.execute(sa.text("SELECT record FROM log_entries ORDER BY 1"))
                return [json.loads(bytes(row[0]) if not isinstance(row[0], str) else row[0])["reason"] for row in rows]
        finally:
            await database.close()

    return sorted(asyncio.run(read()))


def test_a_lost_key_is_replaced_at_once_removed_and_recorded(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = _json(capsys, "list")
    lost = next(key["kid"] for key in before["signing_keys"] if key["algorithm"] == "ES256")
    assert before["root_versions"][0]["version"] == 1
    done = _json(capsys, "rotate", "--algorithm", "ES256", "--at-once", "--remove", lost, "--by", "rina")
    assert [key["state"] for key in done["successors"]] == ["active"]
    states = {key["kid"]: key["state"] for key in _json(capsys, "list")["signing_keys"]}
    assert states[lost] == "removed"
    assert _reasons(folder) == [f"remove {lost}", "rotate ES256 at once"]


def test_rewrapping_adds_uses_and_destroys_root_versions(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "rewrap", "--add-only")["root_version"] == 2
    assert _json(capsys, "list")["to_rewrap"] > 0
    assert _json(capsys, "rewrap")["destroyed"] == [1]
    kept = _json(capsys, "rewrap", "--new", "--keep")
    assert (kept["root_version"], kept["destroyed"]) == (3, [])
    assert kept["rewrapped"] > 10
    found = _json(capsys, "list")
    assert [known["version"] for known in found["root_versions"]] == [2, 3]
    assert [gone["version"] for gone in found["destroyed_root_versions"]] == [1]
    assert RootKeys.from_file(folder / "root.key").versions == {2, 3}


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["rotate", "--algorithm", "HS256"], 2, "HS256 is none of"),
        (["rotate", "--remove", "nothing"], 1, "idp keys list"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_cannot_be_is_refused_with_a_sentence(capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, says: str) -> None:
    assert run(["keys", *arguments]) == code
    assert says in capsys.readouterr().err


def test_an_absent_loose_or_foreign_root_key_is_told_with_exit_code_4(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["keys", "list"]) == 0
    root = folder / "root.key"
    root.chmod(0o644)
    assert run(["keys", "list"]) == 4
    assert "chmod 0400" in capsys.readouterr().err
    root.unlink()
    assert run(["keys", "list"]) == 4
    assert "no root key file" in capsys.readouterr().err
    RootKeys.create_file(root)
    assert run(["keys", "list"]) == 4
    assert "version 1 is not the one" in capsys.readouterr().err
