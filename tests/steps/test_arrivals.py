"""RFC 6585 §4, RFC 9126 §2.3: what begins a request is limited by network, answered 429 with Retry-After in the endpoint's own manner."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.running import Provider

pytestmark = pytest.mark.parametrize(
    ("kind", "provider_settings"),
    [("sqlite", {"limit_authorize": "2/60", "limit_pushed": "2/60", "limit_device_authorization": "2/60"})],
)


async def test_a_network_that_begins_too_much_is_told_when_to_come_again(provider: Provider) -> None:
    client = await provider.client()
    for path in ("/par", "/device_authorization"):
        answers = [await client.post(path, data={"client_id": "nobody"}) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [401, 401, 429], path
        assert answers[-1].json()["error"] == "temporarily_unavailable"
        assert 0 < int(answers[-1].headers["retry-after"]) <= 30
        assert answers[-1].headers["cache-control"] == "no-store"
    assert (await client.post("/backchannel_authentication", data={})).status_code == 429, "it shares what /par has"


async def test_a_browser_gets_a_page_and_whoever_is_on_the_way_goes_on(provider: Provider) -> None:
    visitor = await provider.visitor()
    first = await visitor.get(provider.ask().url)
    assert first.path == "/login"
    await visitor.get(provider.ask().url)
    refused = await visitor.get(provider.ask(prompt="none").url)
    assert (refused.status, refused.left, "Terlalu banyak permintaan" in refused.text) == (429, None, True)
    assert int(refused.response.headers["retry-after"]) > 0
    assert (await visitor.walk(first.url, provider.person())).answer["code"], "who has begun is not held up"
