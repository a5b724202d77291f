"""An application that registered itself, as citizens meet it: a warning, no data, its own pages linked, its errors kept on ours."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode

import httpx2
import pytest

from tests.support.registering import CALLBACK

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(120)]

SHOWN = {"policy_uri": "https://app.test/privasi", "tos_uri": "https://app.test/syarat", "client_name#en": "Stall"}


@pytest.mark.parametrize(("width", "language"), [(360, "id"), (1280, "en")])
def test_citizens_are_warned_and_nothing_is_read(walk: Callable[..., Walk], demo: Demo, width: int, language: str) -> None:
    document = {"client_name": "Warung", "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none", **SHOWN}
    registered = httpx2.post(f"{demo.issuer}/register", json=document).json()
    request = {
        "client_id": registered["client_id"], "redirect_uri": CALLBACK, "response_type": "code", "scope": "openid profile",
        "code_challenge": "A" * 43, "code_challenge_method": "S256", "ui_locales": language,
    }  # fmt: skip
    visitor: Walk = walk(width, language)
    visitor.go(f"/authorize?{urlencode(request)}").look("self-registered-sign-in")
    assert visitor.page.locator(".notice.attention").is_visible()
    assert visitor.page.locator(f"a[href='{SHOWN['policy_uri']}'][rel~='noreferrer']").is_visible()
    visitor.sign_in(demo.citizen("Siti")).look("self-registered-card")
    assert visitor.page.locator(".notice.attention").is_visible()
    assert visitor.page.locator("dl.values").count() == 0
    visitor.go(f"/authorize?{urlencode({**request, 'response_type': 'x'})}")
    visitor.page.click("summary")
    visitor.look("request-refused")
    assert visitor.page.locator("details ul[lang=en] li").is_visible()
