"""Purpose declarations are immutable: the same content is the same version, other content the next one, on both databases."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa

from consent.errors import PurposeRefused
from consent.purposes import Purposes
from tests.support.consent import DEMO, Clock

if TYPE_CHECKING:
    from keys.database import Database, StoreName

ADUAN = (DEMO / "aduan.toml").read_text(encoding="utf-8")
CHANGED = ADUAN.replace("max_validity_days = 365", "max_validity_days = 90")


@pytest.fixture
def purposes(stores: dict[StoreName, Database]) -> Purposes:
    return Purposes(stores["consent"], Clock())


async def test_the_same_content_again_is_the_same_version(purposes: Purposes) -> None:
    first = await purposes.add(ADUAN)
    assert first.version == 1
    assert await purposes.add("# another comment\n" + ADUAN) == first
    assert len(await purposes.versions("aduan")) == 1


async def test_a_name_that_no_purpose_can_have_is_neither_looked_up_nor_remembered(
    purposes: Purposes, stores: dict[StoreName, Database]
) -> None:
    """Anybody may ask for /purposes/<whatever>: thousands of long names must not fill the memory."""
    asked: list[str] = []
    sa.event.listen(stores["consent"].engine.sync_engine, "before_cursor_execute", lambda *a: asked.append(a[2]))
    for stranger in ("x" * 64, "y" * 60000, "A", "a\0", ""):
        assert await purposes.get(stranger) is None
        assert await purposes.get(stranger, 1) is None
    assert asked == []


async def test_changed_content_is_the_next_version_and_the_old_one_stays(purposes: Purposes) -> None:
    first, second = await purposes.add(ADUAN), await purposes.add(CHANGED)
    assert (second.version, second.max_validity_days) == (2, 90)
    assert await purposes.get("aduan") == second
    assert await purposes.get("aduan", 1) == first


async def test_returning_to_earlier_content_is_a_new_version_too(purposes: Purposes) -> None:
    versions = [(await purposes.add(text)).version for text in (ADUAN, CHANGED, ADUAN)]
    assert versions == [1, 2, 3]


async def test_a_refused_declaration_leaves_nothing(purposes: Purposes) -> None:
    with pytest.raises(PurposeRefused):
        await purposes.add(ADUAN.replace("[rights]", "[rightz]"))
    assert await purposes.list() == []


async def test_no_agency_takes_over_anothers_purpose(purposes: Purposes) -> None:
    await purposes.add(ADUAN)
    with pytest.raises(PurposeRefused) as caught:
        await purposes.add(ADUAN.replace('agency = "diskominfo"', 'agency = "dinkes"'))
    assert caught.value.field == "agency"


async def test_what_is_not_declared_is_not_found(purposes: Purposes) -> None:
    assert await purposes.get("aduan") is None
    assert await purposes.get("aduan", 1) is None


async def test_declaring_at_once_from_many_sides_makes_one_version(stores: dict[StoreName, Database]) -> None:
    sides = [Purposes(stores["consent"], Clock()) for _ in range(6)]
    added = await asyncio.gather(*(side.add(ADUAN) for side in sides))
    assert {purpose.version for purpose in added} == {1}


async def test_the_list_shows_the_newest_version_of_each(purposes: Purposes) -> None:
    for text in (ADUAN, CHANGED, (DEMO / "antrean.toml").read_text(encoding="utf-8")):
        await purposes.add(text)
    assert [(purpose.id, purpose.version) for purpose in await purposes.list()] == [("aduan", 2), ("antrean", 1)]


async def test_another_process_sees_a_new_version_within_thirty_seconds(stores: dict[StoreName, Database]) -> None:
    time = [0.0]
    here = Purposes(stores["consent"], Clock())
    there = Purposes(stores["consent"], Clock(), lambda: time[0])
    await here.add(ADUAN)
    assert (await there.get("aduan")) is not None
    await here.add(CHANGED)
    time[0] = 30.0
    found = await there.get("aduan")
    assert found is not None
    assert found.version == 2


async def test_made_up_names_do_not_fill_the_memory(purposes: Purposes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("consent.purposes.store._MOST_CACHED", 8)
    for number in range(40):
        assert await purposes.get(f"x{number}") is None
    assert len(purposes._newest) <= 8
