"""uvicorn's HTTP protocol, which also says what certificate a client showed to our own TLS (RFC 8705, `IDP_CLIENT_AUTHORITIES_FILE`)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from idp.web import certificates
from keys.certificates import CertificateUnreadable, read

if TYPE_CHECKING:
    import asyncio

    from keys.certificates import Certificate


class ShowsCertificate(HttpToolsProtocol):
    """Puts the certificate of a connection, whose chain TLS verified, into each of its requests."""

    _certificate: Certificate | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Read the certificate once: TLS ends its handshake before this."""
        super().connection_made(transport)
        shown: Any = transport.get_extra_info("ssl_object")
        der = shown.getpeercert(binary_form=True) if shown is not None else None
        try:
            self._certificate = read(der) if der else None
        except CertificateUnreadable:
            self._certificate = None

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        if self._certificate is not None:
            certificates.put(cast("dict[str, Any]", self.scope), self._certificate)
