"""express-openid-connect (Node): sign in by form_post, refresh, sign out here and there, told by the back channel."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.interop.support import Program, register, siti, told, visiting
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Server
    from tests.support.visitor import Page, Visitor


async def through_form(visitor: Visitor, page: Page) -> Page:
    """Send the form that carries the answer to the application, as the browser does by itself."""
    form = page.form("state")
    assert form.method == "post"
    return await visitor.post(form.action, form.fields)


def opened(node: Callable[..., Program], server: Server, certificate: tuple[Path, Path], more: dict[str, Any]) -> str:
    """Register the application and start it; its origin."""
    origin = f"https://localhost:{free_port()}"
    client = register(
        server, "express-app", redirect_uri=f"{origin}/callback", signed_out=f"{origin}/out",
        backchannel_logout_uri=f"{origin}/backchannel-logout", backchannel_logout_session_required=True,
        require_pushed_authorization_requests="pushedAuthorizationRequests" in more,
    )  # fmt: skip
    node("express_openid_connect.mjs", server).tell(
        port=int(origin.rpartition(":")[2]), certificate=str(certificate[0]), key=str(certificate[1]), issuer=server.issuer,
        client_id=client["client_id"], client_secret=client["client_secret"], more=more,
    )  # fmt: skip
    return origin


@pytest.mark.parametrize("more", [{}, {"pushedAuthorizationRequests": True}], ids=["form_post", "form_post, pushed"])
async def test_express_openid_connect_signs_in_refreshes_and_hears_of_every_end(
    secured: Server, node: Callable[..., Program], certificate: tuple[Path, Path], more: dict[str, Any]
) -> None:
    origin = opened(node, secured, certificate, more)
    async with visiting(secured, origin) as visitor:
        page = await visitor.walk(f"{origin}/", siti())
        page = await through_form(visitor, page)
        shown = json.loads(page.text)
        assert shown["person"]["email"] == siti().email
        assert shown["person"]["sub"] == shown["claims"]["sub"]
        again = json.loads((await visitor.get(f"{origin}/refresh")).text)
        assert again == {"renewed": True, "person": shown["person"]}

        page = await visitor.get(f"{origin}/logout")
        assert page.text == "you are out", page.text
        assert told(secured, "express-app", times=1)
        page = await visitor.get(f"{origin}/")
        assert page.path == "/login", page.text
        page = await through_form(visitor, await visitor.walk(f"{origin}/", siti()))
        assert json.loads(page.text)["person"] == shown["person"]

        page = await visitor.get("/logout")
        await visitor.submit(page, page.forms[-1])
        assert told(secured, "express-app", times=2)
        assert (await visitor.get(f"{origin}/")).path == "/login"
