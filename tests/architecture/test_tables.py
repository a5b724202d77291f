"""docs/operate.md says of every table how it grows: one that nobody thought about is found here."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = re.compile(r"""sa\.Table\(\s*(?:#[^\n]*)?\s*"(\w+)\"""")


def test_every_table_is_listed_with_how_it_grows_and_no_other() -> None:
    files = [file for store in ("keys", "consent", "idp") for file in (ROOT / store).rglob("tables.py")]
    known = {name for file in files for name in TABLE.findall(file.read_text(encoding="utf-8"))}
    section = (
        (ROOT / "docs" / "operate.md").read_text(encoding="utf-8").partition("### What grows, and what is swept")[2].partition("\n#")[0]
    )
    listed = {name for line in section.splitlines() if line.startswith("|") for name in re.findall(r"`(\w+)`", line.split("|")[2])}
    assert known | {"alembic_version"} == listed
