"""Programs and certificates of the journeys, ended and thrown away afterwards."""

from __future__ import annotations

import functools
import ipaddress
import ssl
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import DNSName, IPAddress

from tests.interop.support import NODE, PYTHON, Program, environment_of, interpreter
from tests.support.certificates import issue

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.server import Server


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate of localhost, which every program of a journey trusts, and its key."""
    names = [DNSName("localhost"), IPAddress(ipaddress.ip_address("127.0.0.1"))]
    return issue("localhost", names=names, ca=True).files(tmp_path_factory.mktemp("tls"), "localhost")


@pytest.fixture
def secured(server: Callable[..., Server], certificate: tuple[Path, Path]) -> Server:
    """A provider over https, which itself reaches applications on this machine: for notices, keys and lists of theirs."""
    return server(tls=certificate, IDP_CERTIFICATION="on", IDP_CA_FILE=str(certificate[0]))


@pytest.fixture
def node() -> Iterator[Callable[..., Program]]:
    """Start a script of ours in the folder `node`: `node("openid_client.mjs", server)`."""
    started: list[Program] = []

    def start(script: str, server: Server | None = None) -> Program:
        started.append(Program(["node", script], NODE, **(environment_of(server) if server else {})))
        return started[-1]

    yield start
    for program in started:
        program.close()


@pytest.fixture
def python() -> Iterator[Callable[..., Program]]:
    """Start a script of ours in the environment of a package: `python("idpyoidc", "idpyoidc_app.py", folder, server)`."""
    started: list[Program] = []

    def start(package: str, script: str, folder: Path, server: Server) -> Program:
        started.append(Program([interpreter(package), PYTHON / script], folder, **environment_of(server)))
        return started[-1]

    yield start
    for program in started:
        program.close()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without writing of each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def listener(certificate: tuple[Path, Path]) -> Iterator[Callable[[Callable[..., SimpleHTTPRequestHandler]], str]]:
    """Serve by a handler over https; gives the origin."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    listeners: list[ThreadingHTTPServer] = []

    def start(handler: Callable[..., SimpleHTTPRequestHandler]) -> str:
        listeners.append(ThreadingHTTPServer(("127.0.0.1", 0), handler))
        listeners[-1].socket = context.wrap_socket(listeners[-1].socket, server_side=True)
        threading.Thread(target=listeners[-1].serve_forever, daemon=True).start()
        return f"https://localhost:{listeners[-1].server_port}"

    yield start
    for one in listeners:
        one.shutdown()
        one.server_close()


@pytest.fixture
def published(listener: Callable[..., str]) -> Callable[[Path], str]:
    """Serve a folder over https: what an application publishes for the provider to fetch."""
    return lambda folder: listener(functools.partial(Quiet, directory=str(folder)))
