"""uvicorn around the application: uvloop and httptools, one process or several, its own access log off (ours names no person)."""

from __future__ import annotations

import gc
import os
import shutil
import ssl
import tempfile
from typing import TYPE_CHECKING, Any

import uvicorn

from idp.web import logs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi import FastAPI

    from idp.settings import Settings

FACTORY = "idp.server:worker"
CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"
"""RFC 9325 §4.2: forward secrecy and AEAD only. TLS 1.3 suites are such by themselves; OpenSSL 3 speaks nothing before TLS 1.2."""


def worker() -> FastAPI:
    """Build the application in a server process, from the settings of its environment."""
    from idp.app import create_app  # noqa: PLC0415 - the supervisor of several processes needs no application
    from idp.settings import load  # noqa: PLC0415 - the same

    settings = load()
    logs.configure(settings.log_level)
    app = create_app(settings)
    settle()
    return app


def settle() -> None:
    """Leave what is there once everything is imported out of the garbage collector's rounds, and let these be fewer.

    Nothing of it is ever garbage, and to look through it each time took a sixth of the processor under load.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)


def options(settings: Settings) -> dict[str, Any]:
    """Say how uvicorn runs. Proxies are our own middleware's matter: uvicorn would trust 127.0.0.1 unasked."""
    return {
        "host": settings.host,
        "port": settings.port,
        "loop": "uvloop",
        "http": "httptools",
        "ws": "none",
        "lifespan": "on",
        "access_log": False,
        "log_level": "warning",
        "proxy_headers": False,
        "server_header": False,
        "date_header": True,
        "timeout_keep_alive": 30,
        "timeout_graceful_shutdown": 10,
        "ssl_certfile": settings.tls_certificate_file,
        "ssl_keyfile": settings.tls_key_file,
        "ssl_ciphers": CIPHERS,
        "backlog": 2048,
        **(_certificates_of_clients(settings) if settings.tls_certificate_file else {}),
    }


def _certificates_of_clients(settings: Settings) -> dict[str, Any]:
    """Let clients show a certificate of our authorities, where there are any (RFC 8705); nobody has to."""
    if settings.client_authorities_file is None:
        return {}
    return {
        "http": "idp.web.tls_peer:ShowsCertificate",
        "ssl_ca_certs": settings.client_authorities_file,
        "ssl_cert_reqs": ssl.CERT_OPTIONAL,
    }


def serve(settings: Settings, given: Mapping[str, object]) -> None:
    """Serve until stopped by SIGINT or SIGTERM. `given`: the options of the command line among the settings."""
    if settings.workers == 1:
        from idp.app import create_app  # noqa: PLC0415 - as in `worker`

        app = create_app(settings)
        settle()
        uvicorn.run(app, **options(settings))
        return
    os.environ.update(_as_variables(given))
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder = tempfile.mkdtemp(prefix="gerbang-metrics-")
    try:
        uvicorn.run(FACTORY, factory=True, workers=settings.workers, **options(settings))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_variables(given: Mapping[str, object]) -> dict[str, str]:
    """Write options as the variables from which server processes read their settings."""
    return {f"IDP_{name.upper()}": str(value) for name, value in given.items() if value is not None}
