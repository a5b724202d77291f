"""mod_auth_openidc (Apache), over https: sign in and out, refresh, hear of endings by the back and the front channel."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.interop.support import listening, register, siti, told, visiting
from tests.support.server import free_port

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from tests.support.server import Server
    from tests.support.visitor import Page, Visitor

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
LoadModule socache_shmcb_module {modules}/mod_socache_shmcb.so
LoadModule ssl_module {modules}/mod_ssl.so
LoadModule auth_openidc_module {modules}/mod_auth_openidc.so
SSLEngine on
SSLCertificateFile "{certificate}"
SSLCertificateKeyFile "{key}"
SSLSessionCache none
TypesConfig /etc/mime.types
DocumentRoot "{folder}/htdocs"
OIDCProviderMetadataURL {issuer}/.well-known/openid-configuration
OIDCCABundlePath "{certificate}"
OIDCClientID {client_id}
OIDCClientSecret {client_secret}
OIDCRedirectURI https://localhost:{port}/protected/callback
OIDCCryptoPassphrase only-for-this-test
OIDCScope "openid profile email offline_access"
OIDCPKCEMethod S256
OIDCRemoteUserClaim sub
OIDCPassClaimsAs headers
OIDCRefreshAccessTokenBeforeExpiry 3600
OIDCDefaultLoggedOutURL https://localhost:{port}/out.html
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
        return f"https://localhost:{self.port}"

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
        listening(processes[-1], f"https://localhost:{port}/out.html", folder / "error.log", trust=Path(values["certificate"]))
        return Apache(port, folder)

    yield start
    for process in processes:
        process.terminate()
        process.wait(timeout=10)


@dataclass
class Site:
    """A protected page, its provider, and a visitor of both."""

    apache: Apache
    server: Server
    visitor: Visitor

    @property
    def page(self) -> str:
        return f"{self.apache.origin}/protected/"

    @property
    def callback(self) -> str:
        return f"{self.apache.origin}/protected/callback"

    async def sign_in(self) -> Page:
        """Ask for the page, and walk through the provider's."""
        page = await self.visitor.walk(self.page, siti())
        assert page.text.strip() == "you are in", self.apache.log
        return page

    async def sign_out_at_provider(self) -> Page:
        """Sign out at the provider's own page."""
        page = await self.visitor.get("/logout")
        return await self.visitor.submit(page, page.forms[-1])


@pytest.fixture
async def site(secured: Server, apache: Callable[..., Apache], certificate: tuple[Path, Path], channel: str) -> AsyncIterator[Site]:
    """The provider and Apache, which registered to be told of endings through `channel`: "back", "front" or none."""
    port = free_port()
    origin = f"https://localhost:{port}"
    told_at = {
        "back": {"backchannel_logout_uri": f"{origin}/protected/callback?logout=backchannel", "backchannel_logout_session_required": True},
        "front": {"frontchannel_logout_uri": f"{origin}/protected/callback?logout=get", "frontchannel_logout_session_required": True},
    }
    client = register(
        secured, "apache-app", redirect_uri=f"{origin}/protected/callback", signed_out=f"{origin}/out.html", **told_at.get(channel, {})
    )
    running = apache(
        port, issuer=secured.issuer, certificate=str(certificate[0]), key=str(certificate[1]), client_id=client["client_id"],
        client_secret=client["client_secret"],
    )  # fmt: skip
    async with visiting(secured, origin) as visitor:
        yield Site(running, secured, visitor)


@pytest.mark.parametrize("channel", ["none"])
async def test_mod_auth_openidc_signs_in_reads_refreshes_and_signs_out(site: Site) -> None:
    page = await site.sign_in()
    assert page.response.headers["x-claim-email"] == siti().email
    first = json.loads((await site.visitor.get(f"{site.callback}?info=json")).text)
    assert first["userinfo"]["email"] == siti().email
    again = json.loads((await site.visitor.get(f"{site.callback}?info=json&access_token_refresh_interval=0")).text)
    assert again["access_token"] != first["access_token"], site.apache.log
    page = await site.visitor.get(f"{site.callback}?logout={site.apache.origin}/out.html")
    assert page.text.strip() == "you are out", site.apache.log
    assert (await site.visitor.get(site.page)).path == "/login"


@pytest.mark.parametrize("channel", ["back"])
async def test_mod_auth_openidc_is_told_by_the_back_channel(site: Site) -> None:
    await site.sign_in()
    await site.sign_out_at_provider()
    assert told(site.server, "apache-app", times=1)
    assert (await site.visitor.get(site.page)).path == "/login", site.apache.log


@pytest.mark.parametrize("channel", ["front"])
async def test_mod_auth_openidc_is_told_in_a_frame(site: Site) -> None:
    await site.sign_in()
    page = await site.sign_out_at_provider()
    assert (await site.visitor.get(site.page)).text.strip() == "you are in", "without a browser nobody has loaded the frame yet"
    frame = re.search(r'<iframe[^>]* src="([^"]+)"', page.text)
    assert frame is not None, page.text
    await site.visitor.get(html.unescape(frame[1]))
    assert (await site.visitor.get(site.page)).path == "/login", site.apache.log
