"""Whatever is sent to whichever endpoint: an answer of the right kind and status, never a fault of the program."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.routing import Route

from idp import openapi
from idp.app import _routes

if TYPE_CHECKING:
    import httpx2

    from tests.support.running import Provider

FORM = {"content-type": "application/x-www-form-urlencoded"}
API = {*openapi.PATHS, "/register/{client}", "/healthz", "/readyz", "/metrics"}
PATHS = sorted({route.path for route in _routes() if isinstance(route, Route)})
BODIES = {
    "empty": b"",
    "wrong encoding": b"identifier=%ff%fe&client_id=%ff",
    "bare bytes": b"\xff\xfe\x00\x01",
    "repeated": b"client_id=aduan&client_id=aduan&identifier=a&identifier=b&grant_type=x&grant_type=y&token=a&token=b",
    "nul": b"identifier=a%00b&client_id=a%00b&token=%00",
    "oversized value": b"identifier=" + b"x" * 20000 + b"&client_id=" + b"y" * 20000,
    "many": b"&".join(b"p%d=1" % n for n in range(500)),
    "unknown": b"nonsense=1&client_id=aduan&something=else",
    "no form": b'{"grant_type": "authorization_code"}',
}


@pytest.fixture
def kind() -> str:
    """Reading input is the same on both databases."""
    return "sqlite"


def concrete(path: str) -> str:
    return (
        path.replace("{digest}", "0")
        .replace("{name}", "x.css")
        .replace("{grant}", "none")
        .replace("{purpose}", "none")
        .replace("{index:int}", "0")
    )


def assert_refused_well(answer: httpx2.Response, path: str) -> None:
    assert answer.status_code < 500 or answer.status_code == 503, f"{path}: {answer.status_code} {answer.text[:300]}"
    assert "Traceback" not in answer.text
    assert answer.headers["cache-control"]
    kind = answer.headers.get("content-type", "")
    if answer.status_code >= 400 and (path.replace(":path}", "}").replace("/{origin}/", "/") in API or path.startswith("/.well-known/")):
        assert kind.startswith("application/json"), f"{path}: {kind}"
        assert answer.json()["error"]
    elif answer.status_code >= 400 and not path.startswith("/static/"):
        assert kind.startswith("text/html"), f"{path}: {kind}"
        assert "<h1>" in answer.text


@pytest.mark.parametrize("what", BODIES)
async def test_no_body_breaks_an_endpoint(provider: Provider, what: str) -> None:
    client = await provider.client()
    for path in PATHS:
        assert_refused_well(await client.post(concrete(path), content=BODIES[what], headers={**FORM, "accept": "text/html"}), path)


@pytest.mark.parametrize("what", BODIES)
async def test_no_query_breaks_an_endpoint(provider: Provider, what: str) -> None:
    client = await provider.client()
    for path in PATHS:
        target = f"{concrete(path)}?{BODIES[what][:8000].decode('latin-1')}" if what != "bare bytes" else f"{concrete(path)}?%ff%fe"
        assert_refused_well(await client.get(target, headers={"accept": "text/html"}), path)


async def test_another_content_type_is_refused_wherever_a_form_is_read(provider: Provider) -> None:
    client = await provider.client()
    for path in ("/token", "/introspect", "/revoke", "/login", "/authorize", "/logout"):
        answer = await client.post(
            path, content=b'{"client_id": "aduan"}', headers={"content-type": "application/json", "accept": "text/html"}
        )
        assert answer.status_code in {400, 401, 415}, f"{path}: {answer.status_code}"
        assert_refused_well(answer, path)


async def test_a_wrong_method_names_the_right_ones(provider: Provider) -> None:
    client = await provider.client()
    for path in PATHS:
        answer = await client.request("PATCH", concrete(path), headers={"accept": "text/html"})
        assert answer.status_code == 405, path
        allowed = {method.strip() for method in answer.headers["allow"].split(",")}
        known = {method for route in _routes() if isinstance(route, Route) and route.path == path for method in route.methods or ()}
        assert allowed == known, path
        assert_refused_well(answer, path)


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(provider: Provider) -> None:
    client = await provider.client()
    for path in ("/token", "/login", "/authorize", "/introspect"):
        answer = await client.post(path, content=b"x" * (provider.settings.body_limit + 1), headers={**FORM, "accept": "text/html"})
        assert answer.status_code == 413, path
        assert_refused_well(answer, path)


async def test_strange_headers_break_nothing(provider: Provider) -> None:
    client = await provider.client()
    strange = {
        "cookie": "gerbang_session=%ff; gerbang_browser=../../x; gerbang_language=xx; \x80=\x81",
        "accept-language": "," * 500 + ";q=abc, id;q=nan",
        "authorization": "Basic \xff\xfe",
        "accept": "text/html",
        "x-forwarded-for": "not an address",
    }
    headers = [(name.encode(), value.encode("latin-1")) for name, value in strange.items()]
    for path in PATHS:
        assert_refused_well(await client.get(concrete(path), headers=headers), path)  # type: ignore[arg-type]
