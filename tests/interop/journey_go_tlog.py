"""Go's golang.org/x/mod/sumdb/{note,tlog}: note, tree and proofs by other hands verify our log, and refuse every tampered one.

The program go/verify_log.go holds nothing of ours; it is built once with Debian's packages and needs no network.
"""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from keys.database import Database
from tests.interop.support import ENVIRONMENTS, HERE
from tests.support.log import LogHouse, grow, log_house
from tests.support.tampered_files import tampered, tamperings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from keys.database import StoreName
    from tests.support.server import Server

    Verify = Callable[..., subprocess.CompletedProcess[str]]

__all__ = ["log_house"]
SIZES = (1, 2, 255, 256, 257, 65_536, 70_000)


@pytest.fixture(scope="module")
def verify() -> Verify:
    """Build the program, and give what runs it: `verify(key, folder_or_url, older_checkpoint)`."""
    program = ENVIRONMENTS / "verify_log"
    place = {"GO111MODULE": "off", "GOFLAGS": "", "GOPATH": "/usr/share/gocode", "GOCACHE": str(ENVIRONMENTS / "go-cache")}
    subprocess.run(["go", "build", "-o", program, HERE / "go" / "verify_log.go"], env=os.environ | place, check=True)
    return lambda *arguments: subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_go_verifies_every_kind_of_size_and_refuses_every_tampering(log_house: LogHouse, verify: Verify) -> None:
    older: Path | None = None
    for size in SIZES:
        await grow(log_house.database, size)
        await log_house.signer.sign_once()
        folder = log_house.folder / f"export-{size}"
        assert (await log_house.export_and_verify(folder.name)).holds
        done = verify(log_house.key, folder, *([older] if older else []))
        assert (done.returncode, done.stdout) == (0, f"{size}\n"), done.stderr
        older = folder / "checkpoint"
    for what, (path, change) in tamperings(folder).items():
        with tampered(folder, path, change):
            done = verify(log_house.key, folder)
            assert (done.returncode, done.stdout) == (1, ""), what
    assert older
    other = log_house.folder / "other"
    other.mkdir()
    stranger = LogHouse(log_house.database, other)
    stranger.checkpoint_keys = type(log_house.checkpoint_keys)(b"another key")
    assert verify(stranger.key, folder).returncode == 1  # a key of the same name, which signed nothing here
    assert verify(log_house.key, log_house.folder / "export-256", older).returncode == 1  # a log behind a checkpoint that somebody holds


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_go_verifies_a_running_servers_log_and_its_proofs(
    server: Callable[..., Server], filled_urls: dict[StoreName, str], kind: str, verify: Verify
) -> None:
    del kind
    database = Database.open(filled_urls["consent"])
    await grow(database, 600)
    await database.close()
    running = server()
    key = running.run("audit", "status").stdout.partition("vkey")[2].split()[0]
    done = verify(key, f"{running.issuer}/log")
    assert (done.returncode, done.stdout) == (0, "600\n"), done.stderr
