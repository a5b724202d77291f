"""openid-client (Node): discover, sign in with PKCE, read, refresh, sign out."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from joserfc.jwk import ECKey

from tests.interop.support import CALLBACK, SIGNED_OUT, register, siti, visiting

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.server import Server

HERE = Path(__file__).parent / "openid_client"


class Node:
    """The client's process: one JSON line in, one out."""

    def __init__(self, script: str = "journey.mjs") -> None:
        self.process = subprocess.Popen(["node", script], cwd=HERE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, **message: Any) -> dict[str, Any]:
        """Send a line and read the answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        assert line, f"node ended with {self.process.wait(timeout=10)}"
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """Wait for its end."""
        with self.process:
            self.process.terminate()


@pytest.fixture
def node() -> Iterator[Node]:
    """A client that has not begun."""
    started = Node()
    yield started
    started.close()


async def test_openid_client_signs_in_reads_refreshes_and_signs_out(server: Callable[..., Server], node: Node) -> None:
    running = server(workers=1)
    client = register(running, "node-app")
    asked = node.tell(
        issuer=running.issuer,
        client_id=client["client_id"],
        client_secret=client["client_secret"],
        redirect_uri=CALLBACK,
        post_logout_redirect_uri=SIGNED_OUT,
        scope="openid profile email offline_access",
    )
    async with visiting(running) as visitor:
        page = await visitor.walk(asked["authorize"], siti())
        assert page.left is not None
        result = node.tell(callback=page.left)
        assert result["claims"]["iss"] == running.issuer
        assert result["userinfo"] == result["again"]
        assert result["userinfo"]["email"] == siti().email
        assert result["refreshed"]["rotated"] is True
        assert result["refreshed"]["sub"] in {None, result["claims"]["sub"]}
        ended = await visitor.get(result["end_session"])
        assert ended.left is not None
        assert ended.left.startswith(SIGNED_OUT)
        assert ended.answer["state"] == "signed-out"
        assert (await visitor.get(asked["authorize"])).path == "/login"


@pytest.mark.parametrize("nonces", ["false", "true"], ids=["any proof", "proofs with our nonce"])
async def test_openid_client_as_fapi2_pushes_its_request_and_binds_its_tokens(
    server: Callable[..., Server], tmp_path: Path, nonces: str
) -> None:
    """Profile fapi2: private_key_jwt, PAR, DPoP, refresh without rotation, introspection, revocation."""
    running, redirect = server(workers=1, IDP_DPOP_NONCE_REQUIRED=nonces), "https://fapi.test/callback"
    key = ECKey.generate_key("P-256", {"kid": "k-1"}, private=True)
    document = {
        "client_id": "node-fapi", "client_name": "Uji FAPI", "profile": "fapi2", "token_endpoint_auth_method": "private_key_jwt",
        "redirect_uris": [redirect], "purposes": ["aduan"], "jwks": {"keys": [key.as_dict(private=False)]},
    }  # fmt: skip
    (tmp_path / "fapi.json").write_text(json.dumps(document))
    running.run("clients", "add", str(tmp_path / "fapi.json"), "--agency", "diskominfo")
    node = Node("fapi.mjs")
    try:
        asked = node.tell(
            issuer=running.issuer,
            client_id="node-fapi",
            redirect_uri=redirect,
            scope="openid profile email",
            key=key.as_dict(private=True),
        )
        async with visiting(running) as visitor:
            page = await visitor.walk(asked["authorize"], siti())
            assert page.left is not None
            result = node.tell(callback=page.left)
    finally:
        node.close()
    assert result["token_type"].lower() == "dpop"
    assert result["userinfo"] == result["again"]
    assert result["userinfo"]["email"] == siti().email
    assert result["kept"] is True
    assert result["introspection"]["cnf"] == {"jkt": result["thumbprint"]}
    assert result["after"]["active"] is False
