"""The root key that `idp database upgrade` makes is the one that the stores are bound to, before anything was wrapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from idp import provisioning
from idp.composition import compose
from keys.custody import RootKeys
from keys.database import store_urls
from keys.errors import RootKeyWrong
from tests.support.running import settings_for

if TYPE_CHECKING:
    from pathlib import Path

    from idp.settings import Settings


def unmigrated(folder: Path) -> Settings:
    """An installation that was never started."""
    return settings_for(store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None), folder, root_key=None)


async def test_a_root_key_exchanged_between_the_upgrade_and_the_first_start_is_wrong(tmp_path: Path) -> None:
    settings = unmigrated(tmp_path)
    done = await provisioning.upgrade(settings)
    assert done.root_key_made == settings.root_key_file
    settings.root_key_file.rename(tmp_path / "put away")
    RootKeys.create_file(settings.root_key_file)
    with pytest.raises(RootKeyWrong):
        async with compose(settings, background=False):
            pass
    (tmp_path / "put away").replace(settings.root_key_file)
    async with compose(settings, background=False) as services:
        assert services.keyring.root.current == 1


async def test_an_upgrade_from_a_machine_without_the_root_key_goes_on_without_it(tmp_path: Path) -> None:
    settings = unmigrated(tmp_path)
    await provisioning.upgrade(settings)
    settings.root_key_file.unlink()
    assert (await provisioning.upgrade(settings)).root_key_made is None
