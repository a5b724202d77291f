"""The application: every route, the middlewares around them, and what lives as long as the server."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from fastapi import FastAPI
from starlette.middleware import Middleware
from starlette.routing import Route

from idp import __version__, health, openapi
from idp.approve import endpoint as approve
from idp.audit import endpoint as audit
from idp.authorize import endpoint as authorize
from idp.backchannel import endpoint as backchannel
from idp.background import running
from idp.composition import compose, utc_now
from idp.console import endpoint as console
from idp.data_tracker import endpoint as data_tracker
from idp.device import endpoint as device
from idp.discovery import endpoint as discovery
from idp.enrol import endpoint as enrol
from idp.handling import endpoint as handling
from idp.housekeeping import tasks
from idp.introspect import endpoint as introspect
from idp.log import endpoint as log
from idp.login import endpoint as login
from idp.logout import endpoint as logout
from idp.me import endpoint as me
from idp.pages.assets import Assets
from idp.protocol import current_session
from idp.protocol.destinations import resolve
from idp.pushed import endpoint as pushed
from idp.recover import endpoint as recover
from idp.register import endpoint as register
from idp.report_access import endpoint as report_access
from idp.revoke import endpoint as revoke
from idp.security import endpoint as security
from idp.signals import endpoint as signals
from idp.token import endpoint as token
from idp.transparency import endpoint as transparency
from idp.upstream import endpoint as upstream
from idp.userinfo import endpoint as userinfo
from idp.web import errors, metrics
from idp.web.body_limit import BodyLimit
from idp.web.headers import SecurityHeaders
from idp.web.proxies import TrustedProxies
from idp.web.request_log import RequestLog

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from datetime import datetime

    import httpx2
    from starlette.routing import BaseRoute

    from idp.protocol.destinations import Resolver
    from idp.settings import Settings

STEPS = (
    token, userinfo, introspect, authorize, pushed, revoke, discovery, login, approve, logout, enrol, recover, security, me, audit, console,
    register, device, backchannel, signals, upstream, log, report_access, data_tracker, transparency, handling,
)  # fmt: skip
"""Every package that answers requests; each `endpoint.py` lists its `routes`. The router tries them in this order: the busiest first."""


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], datetime] = utc_now,
    transport: httpx2.AsyncBaseTransport | None = None,
    resolver: Resolver = resolve,
    background: bool = True,
) -> FastAPI:
    """Build the provider. Stores and keys open when the server starts (the lifespan) and close with it.

    `background`: run the tasks of `idp.housekeeping` and the embedded signer beside requests.
    """

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with compose(settings, clock=clock, transport=transport, resolver=resolver, background=background) as services:
            app.state.services, app.state.renderer = services, services.renderer
            async with running(tasks(services) if background else ()):
                yield

    app = FastAPI(
        title="Gerbang",
        version=__version__,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # ours name no path; FastAPI's would
        docs_url=None,  # FastAPI's pages load scripts from elsewhere
        redoc_url=None,
        redirect_slashes=False,
        middleware=_middlewares(settings),
    )
    app.openapi = lambda: openapi.describe(app)  # type: ignore[method-assign]  # FastAPI documents this as the way to replace it
    app.state.settings = settings
    app.router.routes.extend(_routes())
    errors.install(app, current_session.greeted)
    return app


def _routes() -> list[BaseRoute]:
    routes: list[BaseRoute] = [route for step in STEPS for route in step.routes]
    routes += Assets().routes()
    routes += [Route("/healthz", health.healthz), Route("/readyz", health.readyz), Route("/metrics", metrics.endpoint)]
    return routes


def _middlewares(settings: Settings) -> list[Middleware]:
    """From the outside in."""
    middlewares = [
        Middleware(RequestLog),
        Middleware(SecurityHeaders, secure=settings.secure),
        Middleware(BodyLimit, limit=settings.body_limit),
    ]
    if settings.trusted_proxies:
        stated = settings.client_certificate_header
        middlewares.insert(0, Middleware(TrustedProxies, networks=settings.trusted_proxies, certificate_header=stated))
    return middlewares
