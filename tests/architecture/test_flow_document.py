"""docs/flow.md is equal to the tree: what it names exists, and no step is missing."""

from __future__ import annotations

import re
from pathlib import Path

from idp.app import STEPS

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "flow.md").read_text(encoding="utf-8")
PATHS = re.compile(r"`((?:keys|consent|idp|migrations|tests|docs)/[\w./-]*|[\w-]+\.toml)`")
PICTURE = re.compile(r"```\n(.*?)```", re.DOTALL)
IN_PICTURE = re.compile(r"\b[a-z_]+/[a-z_]+\b")
MAIN_WAY = 15
"""Modules that the main way passes at least: the picture shows that one, not every step."""
COLUMNS = ("idp", "consent", "keys")


def test_every_path_that_the_document_names_exists() -> None:
    named = PATHS.findall(TEXT)
    assert len(named) > len(STEPS)
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_module_in_the_picture_exists() -> None:
    picture = PICTURE.search(TEXT)
    assert picture is not None
    modules = set(IN_PICTURE.findall(picture[1]))
    assert len(modules) > MAIN_WAY
    known = {name for name in modules for column in COLUMNS if (ROOT / column / f"{name}.py").exists()}
    assert modules - known == set()


def test_every_step_is_named_by_its_path() -> None:
    steps = {step.__name__.rpartition(".")[0].replace(".", "/") for step in STEPS}
    assert {step for step in steps if f"`{step}/" not in TEXT} == set()
