"""`idp witness` as a body outside runs it: one command, nothing heavy, a memory that outlives a kill."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from consent import cosignature, notes
from consent.cosignature import CosignerKey
from consent.witness.memory import Memory
from idp.__main__ import run
from tests.support.running import ROOT_KEY
from tests.support.server import free_port
from tests.support.waiting import until
from tests.support.witnesses import SmallLog, leaves

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NAME = "witness.university.example/gerbang"
HEAVY = ("sqlalchemy", "fastapi", "joserfc", "argon2", "alembic", "authlib", "jinja2", "httpx2", "idp.settings", "keys.store")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[[str], tuple[subprocess.Popen[bytes], str]]]:
    """Start the witness in the same folder, again and again."""
    started = []

    def start(vkey: str) -> tuple[subprocess.Popen[bytes], str]:
        port = free_port()
        command = [sys.executable, "-m", "idp", "witness", "serve", "--dir", str(tmp_path / "w"), "--name", NAME]
        command += ["--log", vkey, "--port", str(port)]
        started.append(subprocess.Popen(command, cwd=Path(__file__).parents[2], stderr=subprocess.DEVNULL))
        return started[-1], f"http://127.0.0.1:{port}"

    yield start
    for process in started:
        process.kill()
        process.wait()


async def test_a_witness_that_was_killed_remembers_what_it_cosigned(
    serve: Callable[[str], tuple[subprocess.Popen[bytes], str]], tmp_path: Path
) -> None:
    log = SmallLog(leaves(20))
    process, address = serve(str(log.key))
    async with httpx2.AsyncClient() as http:

        async def up() -> bool:
            try:
                return (await http.get(address)).status_code == 200
            except httpx2.TransportError:
                return False

        await until(up, "the witness")
        answer = await http.post(f"{address}/add-checkpoint", content=log.request(0, 12))
        key = CosignerKey.parse((tmp_path / "w" / "vkey").read_text())
        assert cosignature.verify(notes.signatures(answer.text), key, log.head(12).body.decode())
        os.kill(process.pid, signal.SIGKILL)
        process, address = serve(str(log.key))
        await until(up, "the witness again")
        fork = SmallLog(leaves(20, "fork"))
        assert (await http.post(f"{address}/add-checkpoint", content=fork.request(0, 12))).status_code == 409
        assert (await http.post(f"{address}/add-checkpoint", content=log.request(12, 20))).status_code == 200
        process.terminate()
        assert process.wait(10) in {0, -signal.SIGTERM}


async def test_a_log_is_cosigned_over_the_network_by_the_commands_alone(
    serve: Callable[[str], tuple[subprocess.Popen[bytes], str]],
    filled_sqlite: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    async def idp(*arguments: str) -> str:
        capfd.readouterr()
        assert await asyncio.to_thread(run, list(arguments)) == 0
        return capfd.readouterr().out

    shutil.copytree(filled_sqlite, tmp_path / "data")
    monkeypatch.setenv("IDP_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("IDP_ROOT_KEY", ROOT_KEY)
    log = json.loads(await idp("audit", "status", "--json"))["vkey"]
    _, address = serve(log)
    async with httpx2.AsyncClient() as http:

        async def up() -> bool:
            try:
                return (await http.get(address)).status_code == 200
            except httpx2.TransportError:
                return False

        await until(up, "the witness")
    vkey = (tmp_path / "w" / "vkey").read_text().strip()
    (tmp_path / "policy").write_text(f"log {log}\nwitness unmul {vkey} {address}\nquorum unmul\n")
    monkeypatch.setenv("IDP_LOG_WITNESS_POLICY_FILE", str(tmp_path / "policy"))
    signed = json.loads(await idp("log", "sign", "--once", "--json"))
    status = json.loads(await idp("audit", "status", "--json"))
    assert status["published"]["size"] == signed["size"]
    assert [(one["name"], one["size"], one["outcome"], one["late"]) for one in status["witnesses"]] == [
        ("unmul", signed["size"], "cosigned", False)
    ]
    await idp("audit", "export", str(tmp_path / "export"))
    assert "cosigned by unmul at 20" in await idp("audit", "verify", str(tmp_path / "export"), "--policy", str(tmp_path / "policy"))
    (tmp_path / "policy").write_text("quorum nobody\n")
    assert await asyncio.to_thread(run, ["audit", "status"]) == 2
    assert "IDP_LOG_WITNESS_POLICY_FILE: line 1: nobody is not defined above" in capfd.readouterr().err


def test_its_folder_is_made_whole_and_never_half_forgotten(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "w"
    key = ["witness", "key", "--dir", str(folder)]
    assert run(key) == 1
    assert "--name" in capfd.readouterr().err
    assert run([*key, "--name", "has a space"]) == 1
    assert not folder.exists()
    capfd.readouterr()
    assert run([*key, "--name", NAME]) == 0
    line = capfd.readouterr().out.strip()
    assert line.startswith(f"{NAME}+")
    assert (stat.S_IMODE((folder / "key").stat().st_mode), stat.S_IMODE(folder.stat().st_mode)) == (0o400, 0o700)
    assert run([*key, "--json"]) == 0
    assert json.loads(capfd.readouterr().out) == {"name": NAME, "vkey": line}
    assert run([*key, "--name", "another.example"]) == 1
    (folder / "memory.sqlite3").rename(tmp_path / "elsewhere")
    assert run(key) == 1
    assert "without its memory this key must cosign no more" in capfd.readouterr().err
    assert not (folder / "memory.sqlite3").exists()


def test_a_key_that_others_can_read_is_not_used(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    key = ["witness", "key", "--dir", str(tmp_path), "--name", NAME]
    assert run(key) == 0
    (tmp_path / "key").chmod(0o440)
    assert run(key) == 1
    assert "chmod 0400" in capfd.readouterr().err


def test_evidence_is_printed_and_ends_with_1(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["witness", "key", "--dir", str(tmp_path), "--name", NAME]) == 0
    evidence = ["witness", "evidence", "--dir", str(tmp_path)]
    assert run(evidence) == 0
    log, fork, memory = SmallLog(leaves(4)), SmallLog(leaves(4, "fork")), Memory(tmp_path / "memory.sqlite3")
    assert memory.advance(memory.seen(log.origin), log.head(), 1)
    memory.keep_note(log.head(), log.note())
    memory.keep_evidence(fork.head(), fork.note(), 2)
    memory.close()
    capfd.readouterr()
    assert run(evidence) == 1
    shown = capfd.readouterr().out
    assert log.note() in shown
    assert fork.note().strip() in shown


@pytest.mark.parametrize("options", [[], ["--log", "nonsense+1+2"], ["--log", "/nowhere"]])
def test_wrong_options_are_told(tmp_path: Path, options: list[str], capfd: pytest.CaptureFixture[str]) -> None:
    assert run(["witness", "serve", "--dir", str(tmp_path / "w"), "--name", NAME, *options]) == 2
    assert capfd.readouterr().err
    assert not (tmp_path / "w").exists()


def test_nothing_heavy_is_imported() -> None:
    """An outside body runs it on a small machine, and nothing of the provider's stores is in its reach."""
    program = f"""
import sys, idp.__main__, idp.cli.main, idp.cli.witness, uvicorn, idp.web.logs
import consent.witness.endpoint, consent.witness.folder, consent.witness.witness, consent.checkpoint
print([name for name in {HEAVY!r} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=Path(__file__).parents[2])
    assert done.stdout.strip() == "[]"
