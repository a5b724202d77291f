"""What the journeys share: applications registered by the command line, a sample citizen's browser, foreign programs, a certificate."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import ssl
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from idp.demo.people import SITI
from tests.support.running import Person
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping, Sequence

    from tests.support.server import Server

CALLBACK = "http://localhost:9/callback"
SIGNED_OUT = "http://localhost:9/signed-out"
HERE = Path(__file__).parent
NODE, PYTHON = HERE / "node", HERE / "python"
ENVIRONMENTS = HERE.parents[1] / "build" / "interop"
"""Where each Python package has a virtual environment of its own: none of them shares our dependencies."""
OAUTH2_PROXY = shutil.which("oauth2-proxy")
SECONDS_TO_START = 60


def register(
    server: Server, client_id: str, *, redirect_uri: str = CALLBACK, signed_out: str = SIGNED_OUT, **fields: Any
) -> dict[str, str]:
    """Register an application of the purpose "aduan" as an operator does, with further RFC 7591 `fields`; its id and secret."""
    document = {
        "client_id": client_id, "client_name": f"Uji {client_id}", "agency": "diskominfo", "purposes": ["aduan"],
        "redirect_uris": [redirect_uri], "post_logout_redirect_uris": [signed_out], **fields,
    }  # fmt: skip
    file = server.folder / f"{client_id}.json"
    file.write_text(json.dumps({name: value for name, value in document.items() if value is not None}))
    answer: dict[str, str] = json.loads(server.run("clients", "add", str(file), "--json").stdout)
    return answer


def interpreter(package: str) -> Path:
    """The Python that has this package."""
    return ENVIRONMENTS / package / "bin" / "python"


def siti() -> Person:
    """The sample citizen without a second factor."""
    return Person(SITI)


@contextlib.asynccontextmanager
async def visiting(server: Server, *also: str) -> AsyncIterator[Visitor]:
    """A browser at this server, which also follows redirects to the origins in `also`."""
    trust = ssl.create_default_context(cafile=server.tls[0]) if server.tls else True
    async with httpx2.AsyncClient(base_url=server.issuer, timeout=30, verify=trust) as client:
        yield Visitor(client, server.issuer, *also)


def listening(process: subprocess.Popen[Any], url: str, log: Path, *, trust: Path | None = None, status: int | None = None) -> None:
    """Wait until something answers at `url`, with `status` if given. Raises: AssertionError with the log, when nothing does."""
    verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=trust) if trust else True
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(httpx2.HTTPError):
            answer = httpx2.get(url, timeout=2, verify=verify)
            if status in {None, answer.status_code}:
                return
        time.sleep(0.2)
    raise AssertionError(f"nothing listens at {url}:\n{log.read_text()}")


def until(holds: Callable[[], bool], seconds: float = 20) -> bool:
    """Whether something becomes true in time: a notice travels by itself."""
    deadline = time.monotonic() + seconds
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.2)
    return holds()


def told(server: Server, client_id: str, times: int) -> bool:
    """Whether an application soon took so many notices, and refused none. Raises: AssertionError, with what became of them."""

    def notices() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(server.run("clients", "deliveries", client_id, "--json").stdout)
        return found

    if not until(lambda: [notice["status"] for notice in notices()] == ["delivered"] * times):
        raise AssertionError(notices())
    return True


class Program:
    """A foreign client's process: one JSON line in, one out."""

    def __init__(self, command: Sequence[str | Path], folder: Path, **environment: str) -> None:
        surroundings = {**os.environ, **environment}
        self.process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=surroundings
        )

    def tell(self, **message: Any) -> dict[str, Any]:
        """Send a line and read the answer."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def hear(self) -> dict[str, Any]:
        """Read one answer."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, f"the client ended with {self.process.wait(timeout=10)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End it."""
        with self.process:
            self.process.terminate()


def environment_of(server: Server) -> Mapping[str, str]:
    """What makes Node and Python programs trust the server's certificate, and ours (IDP_CERTIFICATION) reach programs on loopback."""
    return {} if server.tls is None else {"NODE_EXTRA_CA_CERTS": str(server.tls[0]), "SSL_CERT_FILE": str(server.tls[0])}
