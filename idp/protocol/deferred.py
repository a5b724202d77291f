"""RFC 8628 §3.3, CIBA §8: a citizen answers a request that was asked elsewhere. The answer is kept until the application fetches it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from urllib.parse import urlencode

from starlette.responses import RedirectResponse

from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from idp.authorizations.records import Authorization
    from idp.deferred.records import DeferredRequest

Outcome = Literal["allowed", "denied"]


async def lead(request: Request, deferred: DeferredRequest) -> Response:
    """Lead a citizen into the usual steps (sign-in, card), in an interaction that knows whose answer it will be."""
    found = services(request)
    interaction = await found.interactions.begin(
        client_id=deferred.client_id,
        parameters={**deferred.parameters, "client_id": deferred.client_id, "deferred": deferred.id},
        browser=cookies.ensure_browser(request),
        now=found.clock(),
        lifetime=max(1, int((deferred.expires_at - found.clock()).total_seconds())),
    )
    response = RedirectResponse(f"/authorize?{urlencode({'interaction': interaction})}", 303)
    cookies.attach(request, response)
    return response


async def allow(request: Request, deferred: str, authorization: Authorization) -> Response:
    """Keep the "yes". Raises: PageError ("request_over" when it came too late or second, "request_foreign" when it is somebody else's)."""
    found, now = services(request), services(request).clock()
    waiting = await found.deferred.get(deferred, now)
    if waiting is None:
        raise PageError("request_over", 410)
    if waiting.person not in (None, authorization.person):
        raise PageError("request_foreign", 403)
    await found.authorizations.record(authorization)
    if not await found.deferred.answer(deferred, authorization.id, now):
        await found.authorizations.revoke(authorization.id, now)
        raise PageError("request_over", 410)
    return _done("allowed")


async def deny(request: Request, deferred: str) -> Response:
    """Keep the "no"; saying it twice is the same as once."""
    found = services(request)
    await found.deferred.answer(deferred, None, found.clock())
    return _done("denied")


def _done(outcome: Outcome) -> Response:
    return RedirectResponse(f"/device/done?{urlencode({'answer': outcome})}", 303)
