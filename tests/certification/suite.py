"""A running conformance suite, spoken to by its REST interface."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx2

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SECONDS_A_MODULE = 420
ENDED = {"FINISHED", "INTERRUPTED"}


@dataclass(frozen=True)
class Run:
    """A test module that was started."""

    id: str
    module: str
    variant: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """How a run ended. `findings`: the suite's own words of every failure and warning."""

    run: Run
    result: str
    findings: tuple[str, ...]
    log: str


class Suite:
    """The suite at `url`. Its certificate is its own and made for the occasion, so that it is not checked."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.http = httpx2.Client(base_url=self.url, verify=False, timeout=90)

    def version(self) -> str:
        """Give its version and the revision it was built from."""
        server = self._json("GET", "/api/server")
        return f"{server['version']} ({server['revision']})"

    def plan(self, name: str, variant: Mapping[str, str], configuration: Mapping[str, Any]) -> tuple[str, list[dict[str, Any]]]:
        """Make a plan; its id, and its modules with their variants."""
        asked = {"planName": name, "variant": json.dumps(variant)}
        made = self._json("POST", "/api/plan", params=asked, json=configuration)
        return made["id"], made["modules"]

    def start(self, plan: str, module: str, variant: Mapping[str, str]) -> Run:
        """Start a module."""
        asked = {"test": module, "plan": plan, "variant": json.dumps(variant)}
        return Run(self._json("POST", "/api/runner", params=asked)["id"], module, variant)

    def state(self, run: Run) -> tuple[str, str]:
        """Give the status (CREATED … FINISHED) and the result so far."""
        info = self._json("GET", f"/api/info/{run.id}")
        return info["status"], info.get("result") or ""

    def visits(self, run: Run) -> list[str]:
        """Name the addresses that it wants a person to open, because its own browser has no steps for them."""
        waiting = self.http.get(f"/api/runner/browser/{run.id}")
        return [] if waiting.status_code != 200 else waiting.json().get("urls", [])

    def visited(self, run: Run, url: str) -> None:
        """Tell that a person opened this address."""
        self.http.post(f"/api/runner/browser/{run.id}/visit", params={"url": url})

    def proceed(self, run: Run) -> None:
        """Press the button "Start" of a module that waits for it."""
        self.http.post(f"/api/runner/{run.id}")

    def states(self, run: Run) -> Iterator[str]:
        """Give the status again and again until the module has ended or was given up."""
        deadline = time.monotonic() + SECONDS_A_MODULE
        while time.monotonic() < deadline:
            status, _ = self.state(run)
            yield status
            if status in ENDED:
                return
            time.sleep(0.3)

    def outcome(self, run: Run) -> Outcome:
        """Read how it ended, with every failure and warning of its log."""
        status, result = self.state(run)
        findings = tuple(
            f"{entry['result']} {entry.get('src', '')}: {entry.get('msg', '')}"
            for entry in self._json("GET", f"/api/log/{run.id}")
            if entry.get("result") in {"FAILURE", "WARNING"}
        )
        told = result if status == "FINISHED" else f"{status} {result}".strip()
        return Outcome(run, told, findings, f"{self.url}/log-detail.html?log={run.id}")

    def _json(self, method: str, path: str, **more: Any) -> Any:
        answer = self.http.request(method, path, **more)
        if answer.status_code not in {200, 201}:
            raise RuntimeError(f"the suite answered {answer.status_code} to {method} {path}: {answer.text[:500]}")
        return answer.json()
