"""The demonstration as a real process, and Chromium before it. IDP_TEST_PICTURES=1 leaves a picture of every page in build/screenshots/."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import sync_playwright

from tests.browser.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from playwright.sync_api import Browser

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "build" / "screenshots"
FAILED = pytest.StashKey[bool]()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Remember that a test failed, so that its last pages are kept as pictures."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@dataclass(frozen=True)
class Demo:
    """What `idp demo --json` printed, with the base URLs at hand."""

    said: dict[str, Any]

    @property
    def issuer(self) -> str:
        """The provider's address."""
        return str(self.said["issuer"])

    def application(self, name: str) -> str:
        """Give the base URL of the application whose client id or name contains `name`."""
        return next(
            str(app["base_url"]) for app in self.said["applications"] if name in app["client_id"] or name.lower() in app["name"].lower()
        )

    def citizen(self, name: str) -> dict[str, Any]:
        """Give a sample person by a part of the name."""
        people = [*self.said["citizens"], self.said["auditor"], self.said["administrator"]]
        return next(person for person in people if name in person["name"])

    @property
    def outbox(self) -> Path:
        """Where letters and messages land."""
        return Path(self.said["data_dir"]) / "outbox"


def _free_port() -> int:
    """Find four ports in a row that nobody listens on: the provider's and its three applications'.

    Each worker of a run looks in a range of its own: several begin with a demonstration at once, and it takes its ports seconds later.
    """
    first = 18000 + 1000 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for port in range(first, first + 1000, 7):
        try:
            taken = [socket.create_server(("127.0.0.1", port + offset)) for offset in range(4)]
        except OSError:
            continue
        for listener in taken:
            listener.close()
        return port
    raise RuntimeError("no four free ports in a row")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """The provider with its three applications and sample people: a running one's announcement, or started by the command for everybody."""
    running = os.environ.get("IDP_TEST_DEMO")
    if running:
        yield Demo(json.loads(Path(running).read_text("utf-8")))
        return
    folder = tmp_path_factory.mktemp("demo")
    command = [sys.executable, "-m", "idp", "demo", "--json", "--dir", str(folder / "data"), "--port", str(_free_port())]
    with (folder / "server.log").open("w") as log:
        environment = {**os.environ, "IDP_REGISTRATION": "open"}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=environment)
    try:
        yield Demo(_announced(process, folder / "server.log"))
    finally:
        process.terminate()
        process.communicate(timeout=20)


def _announced(process: subprocess.Popen[str], log: Path) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(f"idp demo did not start:\n{log.read_text()}")
    said: dict[str, Any] = json.loads(line)
    return said


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Of a module: while Playwright runs, its event loop is this thread's, and other tests could run none."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("Chromium is not installed: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


@pytest.fixture
def walk(chromium: Browser, demo: Demo, request: pytest.FixtureRequest) -> Iterator[Callable[..., Walk]]:
    """Make a visitor: `walk(width=360, language="id", scripts=True, scheme="light")`, each with a browser profile of its own."""
    visitors: list[Walk] = []

    def start(width: int = 360, language: str = "id", *, scripts: bool = True, scheme: str = "light", **more: Any) -> Walk:
        visitor = Walk.start(chromium, demo.issuer, SCREENSHOTS, width=width, language=language, scripts=scripts, scheme=scheme, **more)
        visitors.append(visitor)
        return visitor

    yield start
    for visitor in visitors:
        if request.node.stash.get(FAILED, False):
            visitor.keep_last(request.node.name)
        visitor.close()
