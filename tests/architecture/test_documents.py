"""Generated documents are what the program says."""

from __future__ import annotations

from pathlib import Path

from idp.setting_docs import document
from idp.settings import Settings

ROOT = Path(__file__).parents[2]


def test_the_settings_document_is_fresh() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == document(), "run: make docs"


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []
