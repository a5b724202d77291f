"""ui.md: "Dead ends do not exist": a refusal keeps the name of who is signed in and leads back to where the person came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize("kind", ["sqlite"])


async def test_an_address_that_does_not_exist_still_names_who_is_signed_in(provider: Provider) -> None:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    page = await visitor.get("/tidak-ada")
    assert page.status == 404
    assert f"<b>{provider.person().name}</b>" in page.text
    assert 'action="/logout"' in page.text
    stranger = await (await provider.visitor()).get("/tidak-ada")
    assert 'action="/logout"' not in stranger.text


@pytest.mark.parametrize(
    ("sent_to", "leads_to"),
    [
        ("/recover", "/recover"),
        ("/enrol?next=/me/data", "/enrol?next=/me/data"),
        ("/security/totp/remove", "/security"),
        ("/me/erase", "/me/erase"),
    ],
)
async def test_a_form_that_expired_leads_back_to_itself(provider: Provider, sent_to: str, leads_to: str) -> None:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    page = await visitor.post(sent_to, {"form_token": "from last year"})
    assert page.status == 403
    assert f'class="button" href="{leads_to}"' in page.text


async def test_a_form_from_a_browser_without_cookies_leads_back_to_itself(provider: Provider) -> None:
    page = await (await provider.visitor()).post("/recover", {"identifier": "siti@example.com"})
    assert (page.status, 'class="button" href="/recover"' in page.text) == (400, True)


async def test_developers_are_told_what_to_mend_and_citizens_are_not_bothered(provider: Provider) -> None:
    page = await (await provider.visitor()).get(
        "/authorize?client_id=aduan&redirect_uri=https://jahat.example/&response_type=code&scope=openid"
    )
    assert page.status == 400
    assert "Untuk pengembang layanan" in page.text
    assert "redirect_uri harus sama persis" in page.text
