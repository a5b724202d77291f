"""Programs and certificates of the journeys, ended and thrown away afterwards."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

import pytest
from cryptography.x509 import DNSName, IPAddress

from tests.interop.support import NODE, Program, environment_of
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
