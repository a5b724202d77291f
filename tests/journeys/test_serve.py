"""`idp serve` as an operator runs it: real processes on both databases, refusals in sentences, recovery by itself."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from tests.support import running
from tests.support.server import ROOT, Server, free_port
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


async def whole_way(server: Server) -> httpx2.Response:
    """Sign in at a real server, say yes, redeem, read."""
    person, app = running.Person(running.SITI), running.App(running.APPLICATIONS[0])
    async with httpx2.AsyncClient(base_url=server.issuer, trust_env=False, timeout=20) as client:
        asked = running.ask(server.issuer, app)
        answer = (await Visitor(client, server.issuer).walk(asked.url, person)).answer
        assert answer["iss"] == server.issuer
        fields = {
            "grant_type": "authorization_code",
            "code": answer["code"],
            "redirect_uri": app.redirect_uri,
            "code_verifier": asked.verifier,
        }
        tokens = await client.post("/token", data=fields, auth=app.auth)
        assert tokens.status_code == 200, tokens.text
        return await client.get("/userinfo", headers={"authorization": f"Bearer {tokens.json()['access_token']}"})


async def test_the_whole_way_through_a_real_server(server: Callable[..., Server]) -> None:
    read = await whole_way(server())
    assert read.status_code == 200
    assert read.headers["x-access-log-id"]
    assert "server" not in read.headers


@pytest.mark.parametrize("kind", ["postgresql"])
async def test_two_processes_share_the_work_on_postgresql(server: Callable[..., Server], kind: str) -> None:
    del kind
    started = server(workers=2)
    answers = await asyncio.gather(*(whole_way(started) for _ in range(6)))
    assert [answer.status_code for answer in answers] == [200] * 6
    assert len({answer.headers["x-access-log-id"] for answer in answers}) == 6
    async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{started.port}", trust_env=False) as client:
        counted = (await client.get("/metrics")).text
    assert _sum(counted, 'gerbang_requests_total{method="GET",route="/userinfo",status="200"}') == 6


def _sum(metrics: str, series: str) -> float:
    return sum(float(line.rpartition(" ")[2]) for line in metrics.splitlines() if line.startswith(series))


async def test_a_killed_server_comes_back_with_everything_it_gave(server: Callable[..., Server]) -> None:
    started = server()
    first = await whole_way(started)
    started.kill()
    started.start()
    second = await whole_way(started)
    assert {first.status_code, second.status_code} == {200}
    assert started.run("audit", "status", "--json").returncode == 0


def test_an_empty_embedded_store_is_created_and_a_second_start_finds_it(tmp_path: Path) -> None:
    fresh = Server(
        {
            "idp": f"sqlite:///{tmp_path}/data/idp.sqlite3",
            "consent": f"sqlite:///{tmp_path}/data/consent.sqlite3",
            "keys": f"sqlite:///{tmp_path}/data/keys.sqlite3",
        },
        tmp_path / "data",
    )
    fresh.folder.mkdir()
    fresh.start().stop()
    fresh.start().stop()


@pytest.mark.parametrize("kind", ["postgresql"])
def test_an_unmigrated_postgresql_store_is_refused(
    postgres_url: str, copy_database: Any, drop_database: Any, tmp_path: Path, kind: str
) -> None:
    del kind, postgres_url
    url = copy_database("template1", "t_unmigrated")
    refused = run_idp({"IDP_DATABASE_URL": url, "IDP_DATA_DIR": str(tmp_path)}, "serve", "--port", str(free_port()))
    drop_database("t_unmigrated")
    assert refused.returncode == 3
    assert "was never migrated; run: idp database upgrade" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("kind", ["sqlite"])
def test_tls_is_served_with_modern_suites_and_https_binds_cookies(server: Callable[..., Server], tmp_path: Path, kind: str) -> None:
    del kind
    certificate, key = self_signed(tmp_path)
    started = server(tls=(certificate, key))
    trusting = ssl.create_default_context(cafile=str(certificate))
    page = httpx2.get(f"https://localhost:{started.port}/login", verify=trusting, trust_env=False)
    assert page.status_code == 200
    assert page.headers["set-cookie"].startswith("__Host-gerbang_browser=")
    assert page.headers["strict-transport-security"]
    old = ssl.create_default_context(cafile=str(certificate))
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers("ECDHE-ECDSA-AES128-SHA256:ECDHE-ECDSA-AES256-SHA384")
    with pytest.raises(httpx2.ConnectError):
        httpx2.get(f"https://localhost:{started.port}/login", verify=old, trust_env=False)


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for localhost."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, name, now = ec.generate_private_key(ec.SECP256R1()), x509.Name.from_rfc4514_string("CN=localhost"), dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder(
        name, name, key.public_key(), x509.random_serial_number(), now - dt.timedelta(days=1), now + dt.timedelta(days=1)
    )
    alternatives = x509.SubjectAlternativeName([x509.DNSName("localhost")])
    certificate = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(key.private_bytes(*form))
    return folder / "cert.pem", folder / "key.pem"


def run_idp(given: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", **given}
    return subprocess.run(
        [sys.executable, "-m", "idp", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
