"""`idp serve`: run the provider, one process or several."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from idp.cli.terminal import Exit, refuse, run
from idp.cli.terminal import settings as read_settings

if TYPE_CHECKING:
    from idp.settings import Settings

app = typer.Typer(add_completion=False)


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on (IDP_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="The port to listen on (IDP_PORT).")] = None,
    workers: Annotated[int | None, typer.Option(help="Server processes; more than one needs PostgreSQL (IDP_WORKERS).")] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="Serve https with this certificate chain (IDP_TLS_CERTIFICATE_FILE).")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The private key of that certificate (IDP_TLS_KEY_FILE).")] = None,
    trusted_proxies: Annotated[str | None, typer.Option(help="Networks that may state address and scheme (IDP_TRUSTED_PROXIES).")] = None,
) -> None:
    """Run the provider.

    An empty embedded store is created at the first start. A PostgreSQL store that was not migrated is refused: run `idp database upgrade`.
    """
    given: dict[str, object] = {
        "host": host,
        "port": port,
        "workers": workers,
        "tls_certificate_file": tls_certificate,
        "tls_key_file": tls_key,
        "trusted_proxies": trusted_proxies,
    }
    settings = read_settings(**given)
    run(prepare(settings), log_level=settings.log_level)
    from idp import server

    if settings.certification:
        typer.echo("IDP_CERTIFICATION is on: this provider is open to conformance suites, and no place for a citizen's data", err=True)
    scheme = "https" if settings.tls_certificate_file else "http"
    typer.echo(f"{settings.issuer} is served at {scheme}://{settings.host}:{settings.port}; Ctrl-C stops it", err=True)
    server.serve(settings, given)


async def prepare(settings: Settings) -> None:
    """Create an empty embedded store with its root key; see that everything opens, so that what is wrong is one sentence."""
    from idp.composition import compose
    from idp.provisioning import embedded_is_empty, upgrade

    _readable(settings.tls_certificate_file, settings.tls_key_file, settings.ca_file)
    if settings.embedded and await embedded_is_empty(settings):
        await upgrade(settings)
    async with compose(settings, background=False):
        pass


def _readable(*files: Path | None) -> None:
    for file in files:
        if file is not None and not file.is_file():
            refuse(f"cannot read {file}: there is no such file", Exit.USAGE)
