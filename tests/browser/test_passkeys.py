"""Passkeys in a real browser with an authenticator of its own (CDP): added, used after the password and alone, and for aal3."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.browser.test_people import FIRST, enrol

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]


def authenticator(visitor: Walk) -> None:
    """Put an authenticator into the visitor's browser, which knows its owner without asking. It copies its keys nowhere."""
    wire = visitor.context.new_cdp_session(visitor.page)
    wire.send("WebAuthn.enable", {"enableUI": False})
    options = {
        "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True,
        "automaticPresenceSimulation": True, "defaultBackupEligibility": False,
    }  # fmt: skip
    wire.send("WebAuthn.addVirtualAuthenticator", {"options": options})


def request(demo: Demo, **more: str) -> str:
    """Write the request of the demonstration's application for queues."""
    application = next(one for one in demo.said["applications"] if "antrean" in one["client_id"])
    asked = {
        "client_id": application["client_id"], "redirect_uri": application["redirect_uris"][0], "response_type": "code",
        "scope": "openid", "state": "s", "nonce": "n", "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }  # fmt: skip
    return f"/authorize?{urlencode(asked | more)}"


def test_a_passkey_is_added_and_opens_what_needs_the_strongest_sign_in(walk: Callable[..., Walk], demo: Demo) -> None:
    visitor: Walk = walk(360, "id")
    email = f"{uuid4().hex[:10]}@example.com"
    enrol(visitor, demo, email)
    page = visitor.page

    # a service that demands aal3 of somebody who has no passkey: told so, and led to one
    authenticator(visitor)
    visitor.go(request(demo, acr_values="aal3")).look("passkey-missing")
    page.click("main .button:not(.quiet)")
    page.wait_for_selector("#label")
    visitor.look("passkey-add")
    page.fill("#label", "HP Siti")
    visitor.submit()
    page.wait_for_url("**/login/passkey**")
    visitor.look("passkey-demanded").submit()
    page.wait_for_url("**/approve**")
    page.click("main form .button:not(.secondary):not(.danger):not(.quiet)")
    page.wait_for_url(lambda url: "code=" in url)

    # listed under its name; signed out, it signs in alone
    visitor.go("/security").look("passkey-listed")
    assert "HP Siti" in visitor.text
    visitor.go("/logout").submit()
    visitor.go("/login")
    page.click("a[href^='/login/by-passkey']")
    visitor.look("passkey-alone").submit()
    page.wait_for_selector(".who b")

    # and it follows the password
    visitor.go("/logout").submit()
    visitor.go("/login")
    page.fill("#identifier", email)
    page.fill("#password", FIRST)
    visitor.submit()
    page.wait_for_url("**/login/passkey**")
    visitor.look("passkey-asked").submit()
    page.wait_for_selector(".who b")


def test_without_scripts_or_without_a_device_the_page_says_what_else_there_is(walk: Callable[..., Walk]) -> None:
    silent: Walk = walk(320, "id", scripts=False)
    silent.go("/login/by-passkey").look("passkey-no-scripts")
    assert "JavaScript" in silent.text
    assert not silent.page.locator("#passkey").is_visible()
    alone: Walk = walk(360, "en")
    alone.go("/login/by-passkey")
    alone.page.evaluate("void (navigator.credentials.get = function () { return Promise.reject(new Error('nobody came')); })")
    alone.submit()
    alone.page.wait_for_selector("[data-passkey-failed]:not([hidden])")
    alone.look("passkey-failed")
