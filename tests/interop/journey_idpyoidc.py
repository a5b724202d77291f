"""idpyoidc: an application registers itself, is approved, and signs in by private_key_jwt with request objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.interop.support import Program, siti, visiting

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.server import Server


async def test_idpyoidc_registers_itself_and_sends_request_objects(
    server: Callable[..., Server],
    certificate: tuple[Path, Path],
    python: Callable[..., Program],
    published: Callable[[Path], str],
    tmp_path: Path,
) -> None:
    """RFC 7591 with jwks_uri, pairwise subjects, signed userinfo; request objects by value."""
    running = server(tls=certificate, IDP_CERTIFICATION="on", IDP_REGISTRATION="open", IDP_CA_FILE=str(certificate[0]))
    folder = tmp_path / "application"
    (folder / "static").mkdir(parents=True)
    base = published(folder)
    app = python("idpyoidc", "idpyoidc_app.py", folder, running)
    registered = app.tell(issuer=running.issuer, base=base, ca=str(certificate[0]))
    assert registered["subject_type"] == "pairwise", registered
    assert registered["jwks_uri"] == f"{base}/static/jwks.json"
    running.run("clients", "approve", registered["client_id"], "--purpose", "aduan", "--by", "make interop")
    asked = app.hear()["authorize"]
    assert "request=" in asked
    assert "nonce=" not in asked
    async with visiting(running) as visitor:
        page = await visitor.walk(asked, siti())
    result = app.tell(callback=page.left)
    assert result["claims"]["iss"] == running.issuer, result
    assert result["claims"]["sub"] == result["userinfo"]["sub"]
    assert result["userinfo"]["email"] == siti().email
