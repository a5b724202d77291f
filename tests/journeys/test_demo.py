"""The main job, as `make demo` shows it: sign in, say yes, be read, see who read, prove it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2
import pyotp
import pytest

from tests.support.visitor import Page, Visitor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

ROOT = Path(__file__).parents[2]
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("IDP_")}


class Typist:
    """Somebody of the demonstration, as a visitor types him in."""

    def __init__(self, said: dict[str, Any]) -> None:
        self.email, self.password, self.secret, self.name = said["email"], said["password"], said["totp_secret"], said["name"]

    def code(self) -> str:
        return pyotp.TOTP(self.secret).now()


def four_free_ports() -> int:
    for port in range(31000, 39000, 11):
        try:
            taken = [socket.create_server(("127.0.0.1", port + offset)) for offset in range(4)]
        except OSError:
            continue
        for one in taken:
            one.close()
        return port
    raise RuntimeError("no four free ports in a row")


def start(folder: Path, port: int, *more: str) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    command = [sys.executable, "-m", "idp", "demo", "--json", "--dir", str(folder), "--port", str(port), *more]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=ENVIRONMENT)
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        pytest.fail(process.communicate(timeout=10)[1])
    return process, json.loads(line)


def stop(process: subprocess.Popen[str]) -> int:
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=20)
    return process.returncode


def idp(folder: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**ENVIRONMENT, "IDP_DATA_DIR": folder}
    command = [sys.executable, "-m", "idp", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    process, said = start(tmp_path_factory.mktemp("demo") / "data", four_free_ports())
    yield said
    assert stop(process) == 0


@pytest.fixture
async def visitor(demo: dict[str, Any]) -> AsyncIterator[Visitor]:
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as client:
        yield Visitor(client, demo["issuer"], *(one["base_url"] for one in demo["applications"]))


def application(demo: dict[str, Any], client_id: str) -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in demo["applications"] if one["client_id"] == client_id)
    return found


def citizen(demo: dict[str, Any], first_name: str) -> Typist:
    return Typist(next(one for one in demo["citizens"] if one["name"].startswith(first_name)))


async def enter(visitor: Visitor, demo: dict[str, Any], client_id: str, person: Typist) -> Page:
    page = await visitor.get(f"{application(demo, client_id)['base_url']}/masuk")
    if page.path == "/login":
        page = await visitor.sign_in(page, person)  # type: ignore[arg-type]
    return await visitor.allow(page) if page.path == "/approve" else page


async def test_a_citizen_signs_in_allows_and_is_read_and_finds_the_read_in_the_history(demo: dict[str, Any], visitor: Visitor) -> None:
    budi = citizen(demo, "Budi")
    page = await enter(visitor, demo, "aduan", budi)
    assert page.url == f"{application(demo, 'aduan')['base_url']}/"
    assert budi.name in page.text
    entry = page.text.partition('id="access-log-id">')[2].partition("<")[0]
    assert entry
    history = await visitor.get("/me/history")
    assert "Aduan Warga" in history.text


async def test_a_second_application_needs_no_password(demo: dict[str, Any], visitor: Visitor) -> None:
    siti = citizen(demo, "Siti")
    await enter(visitor, demo, "aduan", siti)
    page = await visitor.get(f"{application(demo, 'antrean')['base_url']}/masuk")
    assert page.path == "/approve"
    page = await visitor.allow(page)
    assert siti.name in page.text


async def test_a_refusal_leads_back_with_nothing_read(demo: dict[str, Any], visitor: Visitor) -> None:
    page = await visitor.get(f"{application(demo, 'aduan')['base_url']}/masuk")
    page = await visitor.sign_in(page, citizen(demo, "Sukarni"))  # type: ignore[arg-type]
    page = await visitor.deny(page)
    assert page.status == 403
    assert "access_denied" in page.text


async def test_an_application_refreshes_reads_again_and_signs_out(demo: dict[str, Any], visitor: Visitor) -> None:
    page = await enter(visitor, demo, "aduan", citizen(demo, "Siti"))
    base = application(demo, "aduan")["base_url"]
    page = await visitor.post(f"{base}/segarkan", {})
    assert 'id="refreshed"' in page.text
    first = page.text.partition('id="access-log-id">')[2].partition("<")[0]
    page = await visitor.post(f"{base}/baca", {})
    assert page.text.partition('id="access-log-id">')[2].partition("<")[0] not in {"", first}
    page = await visitor.post(f"{base}/keluar", {})
    if page.url.startswith(demo["issuer"]):
        page = await visitor.submit(page, page.forms[-1])
    assert page.url.startswith(f"{base}/selesai")
    assert (await visitor.get(f"{base}/masuk")).path == "/login"


async def test_the_permit_application_reads_the_nik_of_the_verified_and_sends_others_to_the_counter(
    demo: dict[str, Any], visitor: Visitor
) -> None:
    page = await enter(visitor, demo, "izin", citizen(demo, "Siti"))
    assert "6471015203900001" in page.text


async def test_an_auditor_proves_offline_that_the_history_is_whole(demo: dict[str, Any], visitor: Visitor, tmp_path: Path) -> None:
    await enter(visitor, demo, "aduan", citizen(demo, "Siti"))
    await asyncio.sleep(1.5)  # the signer signs within a second of growth
    exported = idp(demo["data_dir"], "audit", "export", str(tmp_path / "export"))
    assert exported.returncode == 0, exported.stderr
    verified = idp(demo["data_dir"], "audit", "verify", str(tmp_path / "export"), "--vkey", demo["log_vkey"])
    assert verified.returncode == 0, verified.stdout + verified.stderr


def test_starting_again_prints_the_same_and_fresh_starts_over(tmp_path: Path) -> None:
    port = four_free_ports()
    process, first = start(tmp_path / "data", port)
    assert stop(process) == 0
    process, again = start(tmp_path / "data", port)
    assert stop(process) == 0
    assert again == first
    process, fresh = start(tmp_path / "data", port, "--fresh")
    assert stop(process) == 0
    assert fresh["citizens"][0]["password"] != first["citizens"][0]["password"]
    assert fresh["log_vkey"] != first["log_vkey"]


def test_a_port_in_use_and_a_folder_of_others_are_refused_with_a_sentence(tmp_path: Path) -> None:
    port = four_free_ports()
    with socket.create_server(("127.0.0.1", port + 2)):
        refused = idp(str(tmp_path), "demo", "--dir", str(tmp_path / "data"), "--port", str(port))
    assert refused.returncode == 1
    assert f"port {port + 2} is in use" in refused.stderr
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    refused = idp(str(tmp_path), "demo", "--dir", str(tmp_path / "mine"), "--port", str(port), "--fresh")
    assert refused.returncode == 2
    assert (tmp_path / "mine" / "thesis.txt").exists()
