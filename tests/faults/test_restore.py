"""Yesterday's database put back: running and starting processes refuse disclosures and say why; after an erasure it yields nothing."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import sqlite3
import time
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.support.crowd import Crowd, crowd

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable
    from pathlib import Path

    from keys.database import StoreName
    from tests.support.server import Server

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


async def anchored(server: Server, size: int) -> None:
    """Wait until the anchor holds a checkpoint of at least this size."""
    deadline = time.monotonic() + 30
    while True:
        with contextlib.suppress(FileNotFoundError):
            if int((server.folder / "log.anchor").read_text().split("\n")[1]) >= size:
                return
        assert time.monotonic() < deadline, "not signed"
        await asyncio.sleep(0.1)


async def readiness(server: Server, status: int, saying: str = "") -> httpx2.Response:
    """Wait until /readyz answers so, with these words (a store that is just being put back cannot be reached for a moment)."""
    deadline = time.monotonic() + 60
    async with httpx2.AsyncClient(base_url=server.issuer, trust_env=False, timeout=20) as http:
        while True:
            with contextlib.suppress(httpx2.TransportError):
                answer = await http.get("/readyz")
                if answer.status_code == status and saying in answer.text:
                    return answer
            assert time.monotonic() < deadline, f"never {status}\n{server.log.read_text()[-2000:]}"
            await asyncio.sleep(0.2)


def start_unready(server: Server) -> None:
    """Start it as its supervisor would, without expecting it to be ready."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(type(server), "wait", lambda _: None)
        server.start()


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_yesterdays_files_stop_running_and_starting_processes_until_todays_are_back(
    server: Callable[..., Server], filled_urls: dict[StoreName, str], tmp_path: Path
) -> None:
    live = sqlite_file(filled_urls, "consent")
    started = server()
    async with crowd(started) as applications:
        token = (await applications.tokens())["access_token"]
        first = await applications.userinfo(token)
        copy(live, tmp_path / "yesterday")
        await asyncio.gather(*(applications.userinfo(token) for _ in range(40)))
        size = sqlite3.connect(live).execute("SELECT count(*) FROM log_entries").fetchone()[0]
        await anchored(started, size)
        copy(live, tmp_path / "today")
        copy(tmp_path / "yesterday", live)
        said = await readiness(started, 503)  # the process that runs
        assert "access log is in doubt" in said.text
        assert f"a checkpoint of {size} was signed" in said.text or f"{size} were committed" in said.text
        assert "run: idp audit status" in said.text
        refused = await applications.userinfo(token)
        assert (refused.status_code, bool(refused.headers["retry-after"])) == (503, True)
        assert "x-access-log-id" not in refused.headers
        started.kill()
        start_unready(started)  # a process that starts
        said = await readiness(started, 503)
        assert f"a checkpoint of {size} was signed" in said.text
        assert (await applications.userinfo(token)).status_code == 503
        status = started.run("audit", "status", check=False)
        assert (status.returncode, "IN DOUBT" in status.stdout) == (5, True)
        assert (await applications.http.get("/login")).status_code == 200  # people may sign in; nothing is disclosed
        copy(tmp_path / "today", live)
        await readiness(started, 200)
        assert (await applications.userinfo(token)).status_code == 200
    assert first.status_code == 200
    started.run("audit", "verify", "--live")


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_yesterdays_postgresql_stops_running_and_starting_processes(
    server: Callable[..., Server],
    filled_urls: dict[StoreName, str],
    copy_database: Callable[[str, str], str],
    drop_database: Callable[[str], None],
) -> None:
    name = filled_urls["idp"].partition("?")[0].rpartition("/")[2]
    started = server(workers=2)
    async with crowd(started) as applications:
        token = (await applications.tokens())["access_token"]
        await anchored(started, 1)
        started.kill()
        await asyncio.to_thread(copy_database, name, f"{name}_y")
        start_unready(started)
        await readiness(started, 200)
        await asyncio.gather(*(applications.userinfo(token) for _ in range(40)))
        await anchored(started, 40)
        await asyncio.to_thread(drop_database, name)
        await asyncio.to_thread(copy_database, f"{name}_y", name)
        await asyncio.to_thread(drop_database, f"{name}_y")
        await readiness(started, 503, "access log is in doubt")
        answers = await asyncio.gather(*(applications.userinfo(token) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}
        started.kill()
        start_unready(started)
        await readiness(started, 503, "run: idp audit status")
        answers = await asyncio.gather(*(applications.userinfo(token) for _ in range(20)))
        assert {answer.status_code for answer in answers} == {503}


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_a_backup_from_before_an_erasure_yields_no_value_once_the_journal_is_replayed(
    server: Callable[..., Server], filled_urls: dict[StoreName, str], tmp_path: Path
) -> None:
    started, siti = server(), Crowd.person()
    async with crowd(started) as applications:
        visitor = await applications.signed_in()
        token = (await applications.tokens())["access_token"]
        assert (await applications.userinfo(token)).status_code == 200
        started.kill()
        for store in ("idp", "keys"):  # the log's own backups follow another rule: an older log is never served
            copy(sqlite_file(filled_urls, store), tmp_path / store)
        officer(started, "erase", siti.email, "--yes")
        start_unready(started)
        await readiness(started, 200)
        assert (await applications.userinfo(token)).status_code == 401
        started.kill()
        for store in ("idp", "keys"):
            put_back(tmp_path / store, sqlite_file(filled_urls, store))
        start_unready(started)
        said = await readiness(started, 503)
        assert "restored from before an erasure: idp, keys; run: idp accounts replay-erasures" in said.text
        assert (await applications.userinfo(token)).status_code in {
            401,
            503,
        }  # the person's chain in the log is closed: nothing is disclosed
        doctor = started.run("doctor", check=False)
        assert (doctor.returncode, "replay-erasures" in doctor.stdout) == (1, True), doctor.stdout
        started.run("accounts", "replay-erasures")
        await readiness(started, 200)
        assert (await applications.userinfo(token)).status_code == 401
        assert (await visitor.get("/me/data")).path == "/login"
        page = await visitor.get("/login")
        page = await visitor.submit(page, page.form("identifier", "password"), identifier=siti.email, password=siti.password)
        assert page.status == 422
        assert officer(started, "show", siti.email, check=False).returncode == 1
    started.run("audit", "verify", "--live")


def officer(server: Server, *command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    return server.run("accounts", *command, "--officer", "Petugas", "--reason", "Permintaan warga", check=check)


def sqlite_file(urls: dict[StoreName, str], store: StoreName) -> Path:
    from pathlib import Path

    return Path(urls[store].removeprefix("sqlite:///"))


def copy(source: Path, target: Path) -> None:
    """Copy a database into another, running or not, as SQLite's own backup does."""
    with contextlib.closing(sqlite3.connect(source)) as one, contextlib.closing(sqlite3.connect(target)) as other:
        one.backup(other)


def put_back(backup: Path, live: Path) -> None:
    """Put a file in place of a stopped store."""
    for leftover in live.parent.glob(f"{live.name}*"):
        leftover.unlink()
    shutil.copy(backup, live)
