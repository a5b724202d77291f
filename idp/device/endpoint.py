"""RFC 8628: the device authorization endpoint, and the page where its code is entered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from starlette.routing import Route

from idp.deferred.records import DeferredKind
from idp.protocol import arrivals, checks, cors, current_session, deferred, incoming, page_forms
from idp.protocol.answers import answer, refused
from idp.protocol.client_authentication import read_caller
from idp.protocol.services import services
from idp.spec import user_code
from idp.spec.device import GRANT_TYPE
from idp.spec.errors import ErrorCode, Refusal
from idp.web import cookies
from idp.web.errors import PageError
from idp.web.rate_limits import Wait
from idp.web.request_context import client_address
from keys.opaque import new_code

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.deferred.records import Begun, DeferredRequest
    from idp.protocol.services import Services

FORM: Final = "device"
ANSWER: Final = "device-answer"
_DRAWS: Final = 10
_LONGEST: Final = 64


async def device_authorization(request: Request) -> Response:
    """Answer POST /device_authorization (RFC 8628 §3.1, §3.2)."""
    found = services(request)
    called = await read_caller(request, found)
    if isinstance(called, Refusal):
        return refused(called)
    client, sent = called
    if GRANT_TYPE not in client.grant_types:
        return refused(Refusal(ErrorCode.UNAUTHORIZED_CLIENT, f"This client is not registered for {GRANT_TYPE}."))
    refusal = checks.deferred(checks.Asked(incoming.joined(sent), client, issuer=found.settings.issuer), client)
    if refusal is not None:
        return refused(refusal)
    begun, code = await _begin(found, client.id, checks.deferrable(incoming.joined(sent), client))
    page = f"{found.settings.issuer}/device"
    return answer(
        {
            "device_code": begun.code,
            "user_code": user_code.shown(code),
            "verification_uri": page,
            "verification_uri_complete": f"{page}?{urlencode({'user_code': user_code.shown(code)})}",
            "expires_in": found.settings.device_code_lifetime,
            "interval": found.settings.poll_interval,
        }
    )


async def _begin(found: Services, client: str, parameters: dict[str, str]) -> tuple[Begun, str]:
    """Draw user codes until one is free."""
    for _ in range(_DRAWS):
        code = new_code(user_code.DIGITS)
        begun = await found.deferred.begin(
            DeferredKind.DEVICE,
            client,
            parameters,
            found.clock(),
            lifetime=found.settings.device_code_lifetime,
            interval=found.settings.poll_interval,
            user_code=code,
        )
        if begun is not None:
            return begun, code
    raise RuntimeError("ten user codes in a row are in use")


async def show(request: Request) -> Response:
    """Ask for the code. §3.3.1: a code that the address brings is filled in, and still has to be confirmed."""
    await current_session.greeted(request)
    return _code_page(request, request.query_params.get("user_code", "")[:_LONGEST])


async def submit(request: Request) -> Response:
    """Take the code: show who asks, before anybody signs in.

    §5.1: "the user code […] SHOULD have enough entropy that, when combined with rate-limiting and other mitigations, a brute-force attack
    becomes infeasible": tries are counted by network and all together, and given back when the code was right.
    """
    found = services(request)
    fields = await page_forms.read(request, FORM)
    typed = fields.get("user_code", "")[:_LONGEST]
    code = user_code.typed(typed)
    if code is None:
        return _code_page(request, typed, found.renderer.t(request, "device.wrong.form"), status=422)
    taken = await found.limits.user_code(client_address(request))
    if isinstance(taken, Wait):
        response = _code_page(request, typed, found.renderer.t(request, "device.wrong.wait", wait=taken.lasting), status=429)
        response.headers["retry-after"] = str(taken.seconds)
        return response
    waiting = await found.deferred.by_user_code(code, found.clock())
    if waiting is None:
        return _code_page(request, typed, found.renderer.t(request, "device.wrong.unknown"), status=422)
    await found.limits.give_back(taken)
    return await _confirm_page(request, waiting, user_code.shown(code))


async def submit_answer(request: Request) -> Response:
    """Take the confirmation: on to sign-in and card, or "that was not me".

    It is about the request that was shown to this browser, and names it by our own signature: a code here would be one more place to guess
    codes at, beside the one that counts tries.
    """
    found = services(request)
    fields = await page_forms.read(request, ANSWER)
    shown = found.forms.unsign(_shown_to(request), fields.get("shown"), found.settings.device_code_lifetime)
    waiting = None if shown is None else await found.deferred.get(shown["request"], found.clock())
    if waiting is None:
        raise PageError("request_over", 410, href="/device")
    if "deny" in fields:
        return await deferred.deny(request, waiting.id)
    return await deferred.lead(request, waiting)


async def done(request: Request) -> Response:
    """Say that the answer is on its way; the device learns it by itself."""
    await current_session.greeted(request)
    allowed = request.query_params.get("answer") == "allowed"
    return services(request).renderer.page(request, "device/done.html", allowed=allowed)


def _code_page(request: Request, typed: str, error: str | None = None, *, status: int = 200) -> Response:
    cookies.ensure_browser(request)
    errors = {"user_code": error} if error else {}
    return services(request).renderer.page(request, "device/code.html", status=status, typed=typed, error=error, errors=errors)


async def _confirm_page(request: Request, waiting: DeferredRequest, written: str) -> Response:
    found = services(request)
    await current_session.greeted(request)
    client = await found.clients.get(waiting.client_id)
    if client is None:
        raise PageError("service_unknown", 400)
    shown = found.forms.sign(_shown_to(request), {"request": waiting.id})
    return found.renderer.page(request, "device/confirm.html", client=client, code=written, shown=shown)


def _shown_to(request: Request) -> str:
    return f"{ANSWER}/{cookies.browser(request) or ''}"


routes = [
    Route(
        "/device_authorization",
        cors.registered(arrivals.limited("device", device_authorization), methods="POST"),
        methods=["POST", "OPTIONS"],
    ),
    Route("/device", show, methods=["GET"]),
    Route("/device", submit, methods=["POST"]),
    Route("/device/answer", submit_answer, methods=["POST"]),
    Route("/device/done", done, methods=["GET"]),
]
