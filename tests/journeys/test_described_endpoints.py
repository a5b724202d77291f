"""Every endpoint that programs call, against its own OpenAPI description: whatever is sent, nothing answers 500, hangs, or grows.

schemathesis draws requests from the description, and also such as break it: missing, unknown and wrongly typed members, other media types.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import psutil
import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from idp.openapi import PATHS
from keys.database import store_urls
from tests.support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from schemathesis import Case

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]
EXAMPLES = 40
SECONDS = 5.0
GROWTH = 48 * 1024 * 1024
"""Bytes that a server may grow by under some thousand odd requests: caches fill, nothing else may."""
OPERATIONS = [
    pytest.param(path, method, mode, id=f"{method} {path} {mode.value}")
    for path, methods in PATHS.items()
    for method, operation in methods.items()
    if method != "parameters"  # of all methods of a path
    for mode in GenerationMode
    if mode is GenerationMode.POSITIVE or {"parameters", "requestBody", "security"} & set(operation)  # else there is nothing to break
]


@pytest.fixture(scope="module")
def described(filled_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Any]]:
    """A server and its description, once for all operations."""
    folder = tmp_path_factory.mktemp("described")
    shutil.copytree(filled_sqlite, folder / "data")
    server = Server(store_urls(f"sqlite:///{folder}/data/idp.sqlite3", None, None), folder).start()
    yield server, schemathesis.openapi.from_url(f"{server.issuer}/openapi.json")
    server.kill()
    assert '"event": "unexpected"' not in server.log.read_text()


@pytest.mark.parametrize(("path", "method", "mode"), OPERATIONS)
def test_nothing_answers_500_or_hangs_whatever_is_sent(described: tuple[Server, Any], path: str, method: str, mode: GenerationMode) -> None:
    server, schema = described
    operation = schema[path][method.upper()]

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case: Case) -> None:
        response = case.call(base_url=server.issuer, timeout=SECONDS, allow_redirects=False)
        assert response.status_code < 500, response.text
        assert "Traceback" not in response.text
        if response.status_code >= 400 and response.content:
            assert response.headers["content-type"][0].startswith(("application/json", "text/html")), response.headers
        assert response.headers.get("cache-control"), response.headers

    send()


def test_memory_stays_flat(described: tuple[Server, Any]) -> None:
    server, schema = described
    assert server.process is not None

    def resident() -> int:
        assert server.process is not None
        family = [psutil.Process(server.process.pid), *psutil.Process(server.process.pid).children(recursive=True)]
        return sum(process.memory_info().rss for process in family)

    operation = schema["/token"]["POST"]

    @settings(max_examples=200, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck))
    @given(case=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def send(case: Case) -> None:
        case.call(base_url=server.issuer, timeout=SECONDS)

    before = resident()
    send()
    assert resident() - before < GROWTH
