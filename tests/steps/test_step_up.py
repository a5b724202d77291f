"""A service that asks for a second factor, and an access that grows stronger on the way."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyotp
import pytest

if TYPE_CHECKING:
    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


async def test_who_has_no_second_factor_gets_one_and_comes_back_to_the_service(provider: Provider) -> None:
    provider.clock.hold()
    visitor, siti = await provider.visitor(), provider.person()
    asked = provider.ask(acr_values="aal2", claims='{"id_token":{"acr":{"essential":true,"value":"aal2"}}}')
    page = await visitor.get(asked.url)
    page = await visitor.submit(page, page.form("identifier"), identifier=siti.email, password=siti.password)
    assert page.path == "/login/second-factor"
    assert "perlu kode kedua" in page.text
    page = await visitor.get(re.search(r'href="(/security/totp[^"]*)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    key = "".join(re.search(r'<span class="mono strong">([A-Z2-7 ]+)</span>', page.text)[1].split())  # type: ignore[index]
    page = await visitor.submit(page, page.form("code"), code=pyotp.TOTP(key).at(provider.clock()))
    assert page.path == "/approve"
    assert "code" in (await visitor.allow(page)).answer


async def test_a_printed_card_does_as_well(provider: Provider) -> None:
    visitor, siti = await provider.visitor(), provider.person()
    asked = provider.ask(acr_values="aal2", claims='{"id_token":{"acr":{"essential":true,"value":"aal2"}}}')
    page = await visitor.get(asked.url)
    page = await visitor.submit(page, page.form("identifier"), identifier=siti.email, password=siti.password)
    page = await visitor.get(re.search(r'href="(/security/card[^"]*)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    page = await visitor.submit(page, next(form for form in page.forms if "/security/card" in form.action))
    code = re.findall(r"<li>(\d{4} \d{4})</li>", page.text)[0]
    page = await visitor.get(re.search(r'href="(/login/code-card[^"]*)"', page.text)[1].replace("&amp;", "&"))  # type: ignore[index]
    page = await visitor.submit(page, page.form("code"), code=code)
    assert page.path == "/approve"
