"""design.md §4: "Data-key rotation re-seals on write and in the background", bounded and resumable; then older keys are destroyed."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from consent.disclosure import OPENED
from idp.__main__ import run
from idp.accounts.records import Account, Identifier, IdentifierKind, Value
from idp.protocol import erasure, resealing
from keys.errors import KeyDestroyed
from keys.sealing.cells import generation_of
from keys.subject_keys import SubjectKeys
from tests.support.running import ROOT_KEY

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import Provider


async def account_of(provider: Provider, key: str = "siti") -> Account:
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person(key).email))
    return account


async def generations(provider: Provider, person: str) -> set[int]:
    return {generation_of(value.cell) for value in await provider.services.accounts.sealed(person)}


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time passes at once: what other processes may still hold has expired."""
    drop = SubjectKeys.drop_generations

    async def at_once(self: SubjectKeys, person: str, below: int) -> int:
        self._cache_seconds = 0.0
        return await drop(self, person, below)

    monkeypatch.setattr(SubjectKeys, "drop_generations", at_once)


@pytest.mark.usefixtures("settled")
async def test_cells_are_sealed_anew_and_the_older_key_is_destroyed(provider: Provider) -> None:
    found, siti = provider.services, await account_of(provider)
    before = await found.consent.disclosure.to_self(siti.person, await found.accounts.sealed(siti.person))
    assert await found.keyring.subject_keys.rotate(siti.person) == 2
    counted = OPENED.labels("self")._value.get()
    done = await resealing.reseal(found)
    assert (done.people, done.cells, done.keys) == (1, len(before), 1)
    assert OPENED.labels("self")._value.get() == counted
    assert await generations(provider, siti.person) == {2}
    assert await found.consent.disclosure.to_self(siti.person, await found.accounts.sealed(siti.person)) == before
    with pytest.raises(KeyDestroyed):
        await found.keyring.subject_keys.data_key(siti.person, 1, confirmed=True)
    assert await resealing.reseal(found) == resealing.Resealed()


async def test_the_older_key_stays_while_another_process_may_seal_under_it(provider: Provider) -> None:
    found, siti = provider.services, await account_of(provider)
    await found.keyring.subject_keys.rotate(siti.person)
    done = await resealing.reseal(found)
    assert (done.keys, await generations(provider, siti.person)) == (0, {2})
    assert (await found.keyring.subject_keys.data_key(siti.person, 1, confirmed=True)).generation == 1


@pytest.mark.usefixtures("settled")
async def test_a_value_changed_meanwhile_stands_and_its_key_with_it(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    found, siti = provider.services, await account_of(provider)
    await found.keyring.subject_keys.rotate(siti.person)
    disclosure = type(found.consent.disclosure)
    resealed = disclosure.resealed

    async def slow(self: object, person: str, sealed: object) -> object:
        fresh = await resealed(self, person, sealed)  # type: ignore[arg-type]
        await found.accounts.put(person, Value("name", "Siti Baru"), found.clock())
        return fresh

    monkeypatch.setattr(disclosure, "resealed", slow)
    done = await resealing.reseal(found)
    assert done.keys == 0
    values = await found.consent.disclosure.to_self(siti.person, await found.accounts.sealed(siti.person))
    assert values["name"] == "Siti Baru"
    monkeypatch.setattr(disclosure, "resealed", resealed)
    assert (await resealing.reseal(found)).keys == 1


@pytest.mark.usefixtures("settled")
async def test_a_round_is_bounded_and_the_next_goes_on(provider: Provider) -> None:
    found = provider.services
    people = [(await account_of(provider, key)).person for key in ("siti", "budi", "dewi")]
    for person in people:
        await found.keyring.subject_keys.rotate(person)
    assert (await resealing.reseal(found, 2)).people == 2
    assert (await resealing.reseal(found, 2)).people == 1
    for person in people:
        assert await generations(provider, person) == {2}


@pytest.mark.usefixtures("settled")
async def test_an_erased_person_is_passed_over(provider: Provider) -> None:
    found, siti = provider.services, await account_of(provider)
    await found.keyring.subject_keys.rotate(siti.person)
    await erasure.erase(found, siti.person)
    assert await resealing.reseal(found) == resealing.Resealed()


def test_the_command_rotates_reseals_and_says_what_is_left(
    filled_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(filled_sqlite, tmp_path / "data")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    assert run(["keys", "reseal", "--older-than", "0", "--by", "rina", "--json"]) == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["rotated"], done["people"], done["keys_destroyed"], done["left"]) == (done["people"], done["rotated"], 0, True)
    assert (done["rotated"] > 0, done["cells"] > done["people"]) == (True, True)
    assert run(["keys", "reseal"]) == 0
    assert "0 values sealed anew" in capsys.readouterr().out
