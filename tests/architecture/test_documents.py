"""Generated documents are what the program says."""

from __future__ import annotations

from pathlib import Path

import pytest

from idp.setting_docs import document
from idp.settings import Settings
from tests import specifications

ROOT = Path(__file__).parents[2]


def test_the_settings_document_is_fresh() -> None:
    assert (ROOT / "docs" / "settings.md").read_text(encoding="utf-8") == document(), "run: make docs"


def test_every_setting_is_described() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.fixture(scope="module")
def specified() -> str:
    """The list of specifications, as the modules and tests of this moment say it."""
    return specifications.document()


def test_the_list_of_specifications_is_fresh(specified: str) -> None:
    assert (ROOT / "docs" / "specifications.md").read_text(encoding="utf-8") == specified, "run: make docs"


def test_every_listed_specification_has_a_module_and_a_test(specified: str) -> None:
    assert "Modules: none" not in specified
    assert "Tests: none" not in specified
