"""mod_auth_openidc (Apache): a page protected by it, over https as agencies run it: sign in, refresh, userinfo, sign out."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.interop.support import register, siti
from tests.support.server import free_port
from tests.support.visitor import Visitor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.server import Server

CONFIGURATION = """
ServerRoot "{folder}"
ServerName localhost
Listen 127.0.0.1:{port}
PidFile "{folder}/apache.pid"
ErrorLog "{folder}/error.log"
LogLevel warn
Mutex file:{folder} default
LoadModule mpm_event_module {modules}/mod_mpm_event.so
LoadModule authz_core_module {modules}/mod_authz_core.so
LoadModule authz_user_module {modules}/mod_authz_user.so
LoadModule authn_core_module {modules}/mod_authn_core.so
LoadModule dir_module {modules}/mod_dir.so
LoadModule mime_module {modules}/mod_mime.so
LoadModule headers_module {modules}/mod_headers.so
LoadModule include_module {modules}/mod_include.so
LoadModule filter_module {modules}/mod_filter.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
TypesConfig /etc/mime.types
DocumentRoot "{folder}/htdocs"
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCCABundlePath "{certificate}"
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI http://localhost:{port}/protected/callback
OIDCCryptoPassphrase only-for-this-test
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCPassClaimsAs headers
OIDCRefreshAccessTokenBeforeExpiry 3600
OIDCDefaultLoggedOutURL http://localhost:{port}/out.html
OIDCInfoHook userinfo access_token refresh_token
<Directory "{folder}/htdocs">
  Options +Includes
  Require all granted
</Directory>
<Location /protected>
  AuthType openid-connect
  Require valid-user
  SetOutputFilter INCLUDES
  Header set X-Claim-Email "expr=%{{HTTP:OIDC_CLAIM_email}}"
  Header set X-Claim-Sub "expr=%{{HTTP:OIDC_CLAIM_sub}}"
</Location>
"""


@dataclass
class Apache:
    """A running Apache with the module."""

    port: int
    folder: Path

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def log(self) -> str:
        return (self.folder / "error.log").read_text()


@pytest.fixture
def apache(tmp_path: Path) -> Iterator[Callable[..., Apache]]:
    """Start Apache in the foreground, out of a folder of its own."""
    processes: list[subprocess.Popen[bytes]] = []

    def start(port: int, **values: str) -> Apache:
        folder = tmp_path / "apache"
        (folder / "htdocs" / "protected").mkdir(parents=True)
        (folder / "htdocs" / "protected" / "index.html").write_text("you are in")
        (folder / "htdocs" / "out.html").write_text("you are out")
        configuration = folder / "apache.conf"
        modules = "/usr/lib/apache2/modules"
        configuration.write_text(CONFIGURATION.format(folder=folder, port=port, modules=modules, **values))
        folder.chmod(0o777)
        program = shutil.which("apache2", path="/usr/sbin:/usr/bin:/usr/local/sbin")
        assert program is not None
        processes.append(subprocess.Popen([program, "-X", "-f", str(configuration)]))
        for _ in range(100):
            try:
                httpx2.get(f"http://localhost:{port}/out.html", timeout=1)
            except httpx2.HTTPError:
                time.sleep(0.1)
            else:
                return Apache(port, folder)
        raise AssertionError((folder / "error.log").read_text())

    yield start
    for process in processes:
        process.terminate()
        process.wait(timeout=10)


async def test_mod_auth_openidc_signs_in_reads_refreshes_and_signs_out(
    server: Callable[..., Server], apache: Callable[..., Apache], certificate: tuple[Path, Path]
) -> None:
    public, private = certificate
    running = server(tls=certificate)
    del private
    port = free_port()
    origin = f"http://localhost:{port}"
    client = register(running, "apache-app", redirect_uri=f"{origin}/protected/callback", signed_out=f"{origin}/out.html")
    site = apache(
        port, issuer=running.issuer, certificate=str(public), client_id=client["client_id"], client_secret=client["client_secret"]
    )
    trust = ssl.create_default_context(cafile=str(public))
    async with httpx2.AsyncClient(base_url=running.issuer, verify=trust, timeout=30) as http:
        visitor = Visitor(http, running.issuer, origin)
        page = await visitor.get(f"{origin}/protected/")
        assert page.path == "/login", site.log
        page = await visitor.sign_in(page, siti())
        page = await visitor.allow(page)
        assert page.text.strip() == "you are in", site.log
        assert page.response.headers["x-claim-email"] == siti().email
        info = await http.get(f"{origin}/protected/callback?info=json")
        assert info.status_code == 200, site.log
        first = json.loads(info.text)
        assert first["userinfo"]["email"] == siti().email
        again = json.loads((await http.get(f"{origin}/protected/callback?info=json&access_token_refresh_interval=0")).text)
        assert again["access_token"] != first["access_token"], site.log
        page = await visitor.get(f"{origin}/protected/callback?logout={origin}/out.html")
        assert page.text.strip() == "you are out", site.log
        assert (await visitor.get(f"{origin}/protected/")).path == "/login"
