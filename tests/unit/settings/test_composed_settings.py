"""Settings reach the parts that they are about."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from idp.accounts.records import Identifier, IdentifierKind
from idp.composition import open_stores
from idp.settings import load

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.running import Provider


@pytest.mark.parametrize("kind", ["sqlite"])
@pytest.mark.parametrize("provider_settings", [{"log_tolerance": 2, "factor_failures": 3, "limit_slip": "4/60"}])
async def test_tolerance_failures_and_limits_are_those_of_the_settings(provider: Provider) -> None:
    found = provider.services
    assert found.consent.options.batch.clock_tolerance == dt.timedelta(seconds=2)
    assert [(limit.allowed, limit.window) for limit in found.limits.rules.slip] == [(4, 60)]
    (account,) = await found.accounts.find(Identifier(IdentifierKind.EMAIL, provider.person("budi").email))
    for _ in range(3):
        assert not await found.accounts.factors.any_disabled(account.person)
        await found.accounts.factors.use_totp(account.person, "000", provider.clock())
    assert await found.accounts.factors.any_disabled(account.person)


async def test_each_store_has_its_own_pool_size_or_the_common_one(tmp_path: Path) -> None:
    stores = open_stores(load(data_dir=tmp_path, pool_size=7, keys_pool_size=2))
    assert {name: store.engine.pool.size() for name, store in stores.items()} == {"idp": 7, "consent": 7, "keys": 2}  # type: ignore[attr-defined]
    for store in stores.values():
        await store.close()
