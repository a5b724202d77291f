"""ui.md: "First visit ≤ 14 KB compressed for sign-in and consent together with their stylesheet"."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

MOST = 14 * 1024


@pytest.mark.parametrize("language", ["id", "en"])
def test_a_first_visit_weighs_at_most_14_kilobytes(walk: Callable[..., Walk], demo: Demo, language: str) -> None:
    visitor: Walk = walk(360, language)
    received: dict[str, float] = {}
    addresses: dict[str, str] = {}
    wire = visitor.context.new_cdp_session(visitor.page)
    wire.send("Network.enable")

    def answered(event: Any) -> None:
        addresses[event["requestId"]] = event["response"]["url"]

    def finished(event: Any) -> None:
        url = addresses.get(event["requestId"], "")
        if url.startswith(demo.issuer):
            received[url] = received.get(url, 0) + event["encodedDataLength"]

    wire.on("Network.responseReceived", answered)
    wire.on("Network.loadingFinished", finished)
    visitor.go(demo.application("antrean"))
    visitor.page.click("#sign-in")
    visitor.sign_in(demo.citizen("Sukarni"))
    visitor.page.wait_for_url("**/approve**")
    visitor.page.wait_for_load_state("networkidle")
    assert any("/login" in url for url in received)
    assert any("/approve" in url for url in received)
    assert any("gerbang.css" in url for url in received)
    assert sum(received.values()) <= MOST, received
