"""What every answer carries, and what happens to requests that nobody expected."""

from __future__ import annotations

import io
import ipaddress
from typing import TYPE_CHECKING, Any

import httpx2
import pytest
import structlog
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from consent.errors import ChainClosed, LogBusy, LogUnavailable
from idp.settings import Settings
from idp.web import cookies, errors, headers, metrics, request_log
from idp.web.body_limit import BodyLimit
from idp.web.headers import SecurityHeaders
from idp.web.proxies import TrustedProxies
from idp.web.request_context import client_address, language, wish_language
from idp.web.request_log import RequestLog
from keys.errors import StoreUnavailable

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.requests import Request

NETWORKS = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("127.0.0.1/32"))


class PlainRenderer:
    """Shows what it was asked to show."""

    def page(self, request: Request, template: str, *, status: int = 200, **context: Any) -> Response:
        del request
        return HTMLResponse(f"{template} {context['code']} {context['values']}", status)


async def echo(request: Request) -> Response:
    return JSONResponse({"address": client_address(request), "scheme": request.url.scheme, "language": language(request)})


async def page(request: Request) -> Response:
    headers.allow_form_targets(request, ["https://app.example:444/callback?x=1", "com.example.app:/done"])
    response = HTMLResponse("<p>hello")
    cookies.ensure_browser(request)
    cookies.attach(request, response)
    return response


async def read_body(request: Request) -> Response:
    return PlainTextResponse(str(len(await request.body())))


async def wished(request: Request) -> Response:
    wish_language(request, "ms en-GB id")
    return PlainTextResponse(language(request))


def failing(error: Exception) -> Any:
    async def endpoint(request: Request) -> Response:
        del request
        raise error

    return endpoint


def build(tmp_path: Path, **overrides: Any) -> Starlette:
    settings = Settings(data_dir=tmp_path, **overrides)
    routes = [
        Route("/echo", echo),
        Route("/page", page),
        Route("/body", read_body, methods=["POST"]),
        Route("/wished", wished),
        Route("/metrics", metrics.endpoint),
        Route("/token", failing(ZeroDivisionError("nik 6471000000000001")), methods=["POST"]),
        Route("/boom", failing(ZeroDivisionError("nik 6471000000000001"))),
        Route("/store", failing(StoreUnavailable("x"))),
        Route("/log", failing(LogUnavailable("x"))),
        Route("/busy", failing(LogBusy(7))),
        Route("/erased", failing(ChainClosed("x"))),
        Route("/told", failing(errors.PageError("expired", 410, way="/"))),
    ]
    app = Starlette(
        routes=routes,
        middleware=[
            Middleware(TrustedProxies, networks=NETWORKS),
            Middleware(RequestLog),
            Middleware(SecurityHeaders, secure=settings.secure),
            Middleware(BodyLimit, limit=1000),
        ],
    )
    errors.install(app)
    app.state.settings, app.state.renderer = settings, PlainRenderer()
    return app


def client_of(app: Starlette, peer: str = "127.0.0.1") -> httpx2.AsyncClient:
    transport = httpx2.ASGITransport(app=app, client=(peer, 1234), raise_app_exceptions=False)
    return httpx2.AsyncClient(transport=transport, base_url="http://localhost:8000")


@pytest.fixture
def client(tmp_path: Path) -> httpx2.AsyncClient:
    return client_of(build(tmp_path))


async def test_a_trusted_proxy_states_the_address_and_scheme(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/echo", headers={"x-forwarded-for": "9.9.9.9, 203.0.113.7, 10.1.1.1", "x-forwarded-proto": "https"})
    assert answer.json()["address"] == "203.0.113.7"
    assert answer.json()["scheme"] == "https"


async def test_a_stranger_states_nothing(tmp_path: Path) -> None:
    client = client_of(build(tmp_path), peer="203.0.113.9")
    answer = await client.get("/echo", headers={"x-forwarded-for": "1.1.1.1", "x-forwarded-proto": "https"})
    assert answer.json()["address"] == "203.0.113.9"
    assert answer.json()["scheme"] == "http"


async def test_what_is_no_address_ends_the_chain(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/echo", headers={"x-forwarded-for": "evil, 10.1.1.1"})).json()["address"] == "10.1.1.1"


async def test_a_page_allows_nothing_inline_and_no_frame_and_names_where_its_forms_end(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/page")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert "form-action 'self' https://app.example:444 com.example.app:;" in policy
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_https_is_remembered_by_browsers_only_when_the_issuer_is_https(client: httpx2.AsyncClient, tmp_path: Path) -> None:
    assert "strict-transport-security" not in (await client.get("/echo")).headers
    secure = client_of(build(tmp_path, issuer="https://masuk.example"))
    answer = await secure.get("/page")
    assert "max-age" in answer.headers["strict-transport-security"]
    assert answer.headers["set-cookie"].startswith("__Host-gerbang_browser=")
    assert "Secure" in answer.headers["set-cookie"]


async def test_the_browser_cookie_is_made_once(client: httpx2.AsyncClient) -> None:
    first = await client.get("/page")
    assert "httponly" in first.headers["set-cookie"].lower()
    assert "samesite=lax" in first.headers["set-cookie"].lower()
    assert "set-cookie" not in (await client.get("/page")).headers


async def test_an_unexpected_exception_is_a_page_with_a_reference_and_nothing_else(
    client: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.StringIO()  # of this test alone: loggers are kept from whichever test configured them first
    processors: list[Any] = [structlog.contextvars.merge_contextvars, structlog.processors.JSONRenderer()]
    monkeypatch.setattr(request_log, "log", structlog.wrap_logger(structlog.PrintLogger(written), processors=processors))
    answer = await client.get("/boom", headers={"accept": "text/html"})
    assert answer.status_code == 500
    assert answer.headers["x-request-id"] in answer.text
    assert "ZeroDivision" not in answer.text
    logged = written.getvalue()
    assert "ZeroDivisionError" in logged
    assert answer.headers["x-request-id"] in logged
    assert "6471000000000001" not in logged + answer.text


async def test_an_unexpected_exception_of_an_api_is_json(client: httpx2.AsyncClient) -> None:
    answer = await client.post("/token")
    assert answer.status_code == 500
    assert answer.json()["error"] == "server_error"
    assert answer.json()["reference"] == answer.headers["x-request-id"]


@pytest.mark.parametrize(("path", "seconds"), [("/store", "5"), ("/log", "5"), ("/busy", "7")])
async def test_a_store_or_log_that_cannot_answer_is_503_with_retry_after(client: httpx2.AsyncClient, path: str, seconds: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == seconds


async def test_what_was_about_an_account_that_is_erased_meanwhile_is_not_there(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/erased")).status_code == 404


async def test_a_page_error_keeps_its_code_and_status(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/told")
    assert answer.status_code == 410
    assert "expired" in answer.text


async def test_an_unknown_address_is_404_and_a_wrong_method_405_in_the_right_kind(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/nowhere", headers={"accept": "text/html"})).headers["content-type"].startswith("text/html")
    assert (await client.get("/nowhere", headers={"accept": "application/json"})).json()["error"] == "invalid_request"
    answer = await client.get("/token")
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
    assert answer.headers["content-type"] == "application/json"


async def test_a_body_beyond_the_limit_is_413_whether_it_says_so_or_not(client: httpx2.AsyncClient) -> None:
    async def unstated() -> Any:
        for _ in range(5):
            yield b"x" * 300

    assert (await client.post("/body", content=b"x" * 1000)).text == "1000"
    assert (await client.post("/body", content=b"x" * 1001)).status_code == 413
    assert (await client.post("/body", content=unstated())).status_code == 413


async def test_the_readers_language_is_chosen_before_wished_before_preferred(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/echo")).json()["language"] == "id"
    assert (await client.get("/echo", headers={"accept-language": "fr, en;q=0.8, id;q=0.3"})).json()["language"] == "en"
    assert (await client.get("/wished", headers={"accept-language": "id"})).text == "en"
    chosen = await client.get("/page?lang=id")
    assert "gerbang_language=id" in ",".join(chosen.headers.get_list("set-cookie"))
    assert (await client.get("/wished")).text == "id"
    assert (await client.get("/echo?lang=en")).json()["language"] == "en"


async def test_metrics_are_for_this_machine_or_the_holder_of_the_token(tmp_path: Path) -> None:
    app = build(tmp_path, metrics_token="a-long-enough-token")
    await client_of(app).get("/page?interaction=secret-id")
    own = await client_of(app).get("/metrics")
    assert 'route="/page"' in own.text
    assert "secret-id" not in own.text
    stranger = client_of(app, peer="203.0.113.9")
    assert (await stranger.get("/metrics")).status_code == 404
    assert (await stranger.get("/metrics", headers={"authorization": "Bearer a-long-enough-token"})).status_code == 200
    assert (await stranger.get("/metrics", headers={"authorization": "Bearer another"})).status_code == 404
    passed_on = await client_of(app).get("/metrics", headers={"x-real-ip": "203.0.113.9"})
    assert passed_on.status_code == 404


def test_the_target_of_a_redirect_uri_is_its_origin_or_bare_scheme() -> None:
    assert headers.form_target("https://app.example/cb?x=1") == "https://app.example"
    assert headers.form_target("http://[::1]:9/cb") == "http://[::1]:9"
    assert headers.form_target("com.example.app:/cb") == "com.example.app:"
