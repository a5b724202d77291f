"""The application that contract tests play."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.application import Application, application

if TYPE_CHECKING:
    from tests.support.running import Provider


@pytest.fixture
def kind() -> str:
    """Contract tests run on SQLite; those of the main path say otherwise (`pytestmark`), and races and the stores' own run on both."""
    return "sqlite"


@pytest.fixture
async def app(provider: Provider) -> Application:
    """Client "app" (secret SECRET, every standard claim) and a browser that was never here."""
    return await application(provider)
