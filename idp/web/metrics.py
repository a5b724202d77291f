"""Counts for the operator, in Prometheus' format. Labels are routes, methods and statuses: never people, clients or ids."""

from __future__ import annotations

import hmac
import ipaddress
import os
from functools import lru_cache
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from starlette.exceptions import HTTPException
from starlette.responses import Response

from idp.web.request_context import settings_of

if TYPE_CHECKING:
    from starlette.requests import Request

disable_created_metrics()  # type: ignore[no-untyped-call]

_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})
_FORWARDED = ("x-forwarded-for", "forwarded", "x-real-ip")

REQUESTS = Counter("gerbang_requests_total", "Requests answered.", ["method", "route", "status"])
SECONDS = Histogram("gerbang_request_seconds", "Seconds from the first byte to the last.", ["route"])
LOG_SIZE = Gauge("gerbang_log_entries", "Entries of the access log.", multiprocess_mode="max")
LOG_IN_DOUBT = Gauge("gerbang_log_in_doubt", "1 while the access log is in doubt and nothing is disclosed.", multiprocess_mode="max")
LOG_UNSIGNED = Gauge(
    "gerbang_log_unsigned_seconds", "Age of the oldest entry that no checkpoint covers yet; 0 when all are.", multiprocess_mode="max"
)
LOG_WITNESSES_LATE = Gauge("gerbang_log_witnesses_late", "Witnesses that cosigned nothing for too long.", multiprocess_mode="max")
LOG_WITNESS_AGE = Gauge(
    "gerbang_log_witness_age_seconds", "Seconds since a witness of the policy cosigned.", ["witness"], multiprocess_mode="mostrecent"
)
NOTICES = Counter("gerbang_notices_total", "Notices to applications that are no longer tried.", ["kind", "status"])
NOTICES_LATE = Gauge("gerbang_notices_late", "Notices that no application took within three days.", multiprocess_mode="max")
TASK_FAILURES = Counter("gerbang_task_failures_total", "Failed runs of background tasks.", ["task"])


@lru_cache(maxsize=2048)
def _request_counter(method: str, route: str, status: int) -> Counter:
    return REQUESTS.labels(method if method in _METHODS else "other", route, str(status))


@lru_cache(maxsize=512)
def _request_seconds(route: str) -> Histogram:
    return SECONDS.labels(route)


def count(method: str, route: str, status: int, seconds: float) -> None:
    """Count one answered request."""
    _request_counter(method, route, status).inc()
    _request_seconds(route).observe(seconds)


async def endpoint(request: Request) -> Response:
    """`GET /metrics`: for this machine itself, or for whoever holds `IDP_METRICS_TOKEN`; for others there is nothing here."""
    if not (_from_here(request) or _with_token(request)):
        raise HTTPException(404)
    return Response(generate_latest(_registry()), media_type=CONTENT_TYPE_LATEST)


def _registry() -> CollectorRegistry:
    """Sum all server processes when they share a folder for it (`idp serve` with several workers)."""
    if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
        return REGISTRY
    from prometheus_client import multiprocess  # noqa: PLC0415 - only with several workers

    registry = CollectorRegistry()
    multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return registry


def _from_here(request: Request) -> bool:
    """Loopback, and not passed on by a proxy of this machine that nobody declared trusted."""
    if request.client is None or any(name in request.headers for name in _FORWARDED):
        return False
    try:
        return ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False


def _with_token(request: Request) -> bool:
    expected = settings_of(request).metrics_token
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    return expected is not None and scheme.lower() == "bearer" and hmac.compare_digest(presented.encode(), expected.encode())
