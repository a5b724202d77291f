"""Front-Channel Logout and Session Management in a real browser: frames load, the page leads on, the framed page says "changed"."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import subprocess
import sys
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.browser.conftest import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.conftest import Demo
    from tests.browser.walk import Walk

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

CLIENT = "bingkai"
PAGE = """<!doctype html><meta charset="utf-8"><title>Layanan</title><iframe id="op" src="{issuer}/session/check" hidden></iframe><script>
window.heard = []; addEventListener("message", function (e) {{ heard.push([e.origin, e.data]); }});
</script>"""


@dataclass
class Service:
    """An application of one page. `seen`: the paths that were asked for."""

    demo: Demo
    server: ThreadingHTTPServer
    seen: list[str]
    secret: str = ""

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.server.server_port}"

    @property
    def frames(self) -> list[str]:
        """What signed-out pages loaded."""
        return [path for path in self.seen if path.startswith("/frame")]

    def sign_in(self, visitor: Walk) -> dict[str, str]:
        """Go the whole way; the answer at the redirect URI."""
        asked = {"client_id": CLIENT, "redirect_uri": f"{self.origin}/cb", "response_type": "code", "scope": "openid"}
        visitor.go(f"/authorize?{urlencode(asked)}").sign_in(self.demo.citizen("Siti"))
        visitor.page.wait_for_selector("[name=approve], #op", state="attached")
        if visitor.page.url.startswith(self.demo.issuer):
            visitor.page.click("[name=approve]")
        visitor.page.wait_for_url(f"{self.origin}/cb?**")
        return {name: values[0] for name, values in parse_qs(urlsplit(visitor.page.url).query).items()}

    def id_token(self, visitor: Walk, code: str) -> str:
        basic = base64.b64encode(f"{CLIENT}:{self.secret}".encode()).decode()
        form: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{self.origin}/cb"}
        answer = visitor.context.request.post(f"{self.demo.issuer}/token", form=form, headers={"authorization": f"Basic {basic}"})
        return str(answer.json()["id_token"])


@contextlib.contextmanager
def serving(demo: Demo) -> Iterator[Service]:
    """Run the application's server."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.path)
            body = b"<!doctype html><title>Keluar</title>" if "/frame" in self.path else PAGE.format(issuer=demo.issuer).encode()
            self.send_response(200)
            self.send_header("content-type", "text/html")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield Service(demo, server, seen)
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def service(demo: Demo) -> Iterator[Service]:
    """The application, registered by the command line while the provider runs."""
    with serving(demo) as made:
        options = {
            "client-id": CLIENT, "name": "Layanan Bingkai", "agency": "diskominfo", "purpose": "aduan", "profile": "openid",
            "redirect-uri": f"{made.origin}/cb", "post-logout-redirect-uri": f"{made.origin}/selesai",
        }  # fmt: skip
        fields = (f"frontchannel_logout_uri={made.origin}/frame", "frontchannel_logout_session_required=true")
        words = [word for name, value in options.items() for word in (f"--{name}", value)]
        words += [word for name in fields for word in ("--field", name)]
        environment = {**os.environ, "IDP_DATA_DIR": demo.said["data_dir"], "IDP_ISSUER": demo.issuer}
        command = [sys.executable, "-m", "idp", "clients", "add", "--json", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        assert done.returncode == 0, done.stderr
        made.secret = json.loads(done.stdout)["client_secret"]
        yield made


@pytest.fixture
def visitor(walk: Callable[..., Walk], service: Service) -> Walk:
    del service
    return walk(360)


def asked(visitor: Walk, text: str) -> str:
    """Post a text to the framed page; its answer."""
    page = visitor.page
    page.evaluate("heard.length = 0")
    page.evaluate("([text, origin]) => document.getElementById('op').contentWindow.postMessage(text, origin)", [text, visitor.issuer])
    page.wait_for_function("heard.length > 0")
    origin, answer = page.evaluate("heard[0]")
    assert origin == visitor.issuer
    return str(answer)


def test_the_framed_page_says_unchanged_until_somebody_signs_out(visitor: Walk, service: Service) -> None:
    state = service.sign_in(visitor)["session_state"]
    assert asked(visitor, f"{CLIENT} {state}") == "unchanged"
    assert asked(visitor, f"aduan {state}") == "changed"  # of another application
    assert asked(visitor, "nonsense") == "error"
    assert asked(visitor, f"{CLIENT} abc") == "error"
    own = visitor.context.new_page()
    own.goto(f"{visitor.issuer}/logout")
    own.click("main form .button:not(.secondary)")
    own.wait_for_selector("text=Anda sudah keluar")
    assert asked(visitor, f"{CLIENT} {state}") == "changed"


def test_a_page_of_another_origin_may_not_frame_it(visitor: Walk, demo: Demo, service: Service) -> None:
    del service
    with serving(demo) as stranger, visitor.page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        visitor.go(stranger.origin)


def test_the_signed_out_page_loads_the_frame_and_leads_on(visitor: Walk, service: Service) -> None:
    service.seen.clear()
    hint = service.id_token(visitor, service.sign_in(visitor)["code"])
    asked_ = {"id_token_hint": hint, "post_logout_redirect_uri": f"{service.origin}/selesai", "state": "s-1"}
    visitor.go(f"/logout?{urlencode(asked_)}")
    visitor.page.wait_for_url(f"{service.origin}/selesai?state=s-1", timeout=6000)
    (address,) = service.frames
    claims = json.loads(base64.urlsafe_b64decode(hint.split(".")[1] + "=="))
    assert parse_qs(urlsplit(address).query) == {"iss": [visitor.issuer], "sid": [claims["sid"]]}
    assert visitor.problems == []


@pytest.mark.parametrize("language", ["id", "en"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_page_with_frames_is_accessible(walk: Callable[..., Walk], service: Service, language: str, width: int) -> None:
    visitor: Walk = walk(width, language)
    hint = service.id_token(visitor, service.sign_in(visitor)["code"])
    visitor.go(f"/logout?{urlencode({'id_token_hint': hint})}").look("signed-out-frames")
    assert visitor.page.locator("iframe").count() == 1


def test_without_scripts_the_page_leads_on_by_itself_or_by_its_link(walk: Callable[..., Walk], service: Service) -> None:
    visitor: Walk = walk(360, scripts=False)
    hint = service.id_token(visitor, service.sign_in(visitor)["code"])
    visitor.go(f"/logout?{urlencode({'id_token_hint': hint, 'post_logout_redirect_uri': f'{service.origin}/selesai'})}").look(
        "signed-out-onward"
    )
    assert visitor.page.locator("a[data-onward]").get_attribute("href") == f"{service.origin}/selesai"
    visitor.page.wait_for_url(f"{service.origin}/selesai", timeout=9000)
