"""A data folder that is emptied under a running server: it says so, and is not ready."""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from idp.protocol import erasure
from idp.protocol.erasure_journal import JournalBroken
from keys.errors import StoreUnavailable
from tests.support.running import running, settings_for

if TYPE_CHECKING:
    from keys.database import StoreName


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("left", ["nothing", "folder", "empty files"])
async def test_an_emptied_data_folder_is_503_with_reasons(filled_urls: dict[StoreName, str], tmp_path: Path, left: str) -> None:
    settings = settings_for(filled_urls, tmp_path / "data")
    async with running(settings, background=True) as provider:
        client = await provider.client()
        assert (await client.get("/readyz")).status_code == 200
        shutil.rmtree(settings.data_dir)
        if left != "nothing":
            settings.data_dir.mkdir()
        for url in filled_urls.values() if left == "empty files" else ():
            await asyncio.to_thread(Path(url.removeprefix("sqlite:///")).touch)
        for _ in range(3):
            answer = await client.get("/readyz")
            assert answer.status_code == 503, answer.text
            assert answer.json()["reasons"]
        assert (await client.get("/healthz")).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize(
    "wrong", [StoreUnavailable("consent store"), JournalBroken("line 3"), PermissionError(13, "Permission denied", "x")]
)
async def test_what_goes_wrong_while_looking_is_a_reason(
    filled_urls: dict[StoreName, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: Exception
) -> None:
    async def unready(_: object) -> None:
        raise wrong

    async with running(settings_for(filled_urls, tmp_path / "data"), background=True) as provider:
        monkeypatch.setattr(erasure, "unready", unready)
        answer = await (await provider.client()).get("/readyz")
        assert (answer.status_code, len(answer.json()["reasons"])) == (503, 1)
