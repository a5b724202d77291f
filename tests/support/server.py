"""A provider as real server processes, started by the command that operators use."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from tests.support import running

if TYPE_CHECKING:
    from collections.abc import Mapping

    from keys.database import StoreName

ROOT = Path(__file__).parents[2]
SECONDS_TO_START = 60


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


@dataclass
class Server:
    """`idp serve` with its environment. Start, stop, kill and start it again at will."""

    urls: Mapping[StoreName, str]
    folder: Path
    workers: int = 1
    more: dict[str, str] = field(default_factory=dict)
    tls: tuple[Path, Path] | None = None
    """A certificate and its key: serve https."""
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def issuer(self) -> str:
        return f"{'https' if self.tls else 'http'}://localhost:{self.port}"

    @property
    def log(self) -> Path:
        """What the server wrote to standard error."""
        return self.folder / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        """The settings, as every `idp` command over the same stores needs them."""
        given = {
            "IDP_ISSUER": self.issuer,
            "IDP_DATA_DIR": str(self.folder),
            "IDP_DATABASE_URL": self.urls["idp"],
            "IDP_CONSENT_DATABASE_URL": self.urls["consent"],
            "IDP_KEYS_DATABASE_URL": self.urls["keys"],
            "IDP_ROOT_KEY": running.ROOT_KEY,
            "IDP_ARGON2_MEMORY": "64",
            "IDP_ARGON2_TIME": "1",
            "IDP_LOG_LEVEL": "warning",
        }
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}
        return {**inherited, **given, **self.more}

    def start(self) -> Server:
        """Start it and wait until it is ready."""
        command = [sys.executable, "-m", "idp", "serve", "--host", "127.0.0.1", "--port", str(self.port), "--workers", str(self.workers)]
        if self.tls:
            command += ["--tls-certificate", str(self.tls[0]), "--tls-key", str(self.tls[1])]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self.environment, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
        self.wait()
        return self

    def wait(self) -> None:
        """Wait until /readyz says so. One client asks again and again: each of its own would read the machine's list of authorities."""
        last = "no answer"
        deadline = time.monotonic() + SECONDS_TO_START
        with httpx2.Client(timeout=2, verify=ssl.create_default_context(cafile=self.tls[0]) if self.tls else False) as http:
            while time.monotonic() < deadline:
                assert self.process is not None
                assert self.process.poll() is None, f"the server ended:\n{self.log.read_text()}"
                try:
                    answer = http.get(f"{self.issuer}/readyz", headers={"connection": "close"})
                except httpx2.HTTPError as error:
                    last = str(error)
                else:
                    if answer.status_code == 200:
                        return
                    last = answer.text
                time.sleep(0.05)
        raise AssertionError(f"the server is not ready: {last}\n{self.log.read_text()}")

    def run(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run another `idp` command over the same stores."""
        command = [sys.executable, "-m", "idp", *arguments]
        done = subprocess.run(command, env=self.environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done

    def kill(self) -> None:
        """End all its processes at once (SIGKILL), and wait for it."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """End it in order."""
        self._signal(signal.SIGTERM)

    def _signal(self, number: signal.Signals) -> None:
        process, self.process = self.process, None
        if process is not None and process.poll() is None:
            os.killpg(process.pid, number)
            process.wait(timeout=20)
