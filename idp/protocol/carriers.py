"""Carriers of messages: the outbox folder (default), SMTP, and gateways for SMS and WhatsApp.

What rests in the outbox folder: one JSON file of mode 0600 per message, with a masked recipient, the recipient sealed (`to_sealed`, which
only the keys of this installation open), subject and text. The texts hold codes but no personal value, so a search of the folder for
anything a person typed finds nothing. The folder is for trying the program and for tests; an operator sets `IDP_MAIL_URL`.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
from email.message import EmailMessage
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

import httpx2

from idp.protocol.courier import Undelivered

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from idp.protocol.courier import Carrier, Channel, Message
    from idp.settings import Settings
    from keys.secrets import Secrets

SMTP_SECONDS = 20
GATEWAY_SECONDS = 10
SMTP_PORT, SMTPS_PORT = 587, 465


def carriers(settings: Settings, secrets: Secrets, outgoing: httpx2.AsyncClient) -> Mapping[Channel, Carrier]:
    """Choose the carriers that the settings name."""
    folder = Folder(settings.data_dir / "outbox", secrets)
    return {
        "mail": Smtp(settings.mail_url, settings.mail_from) if settings.mail_url else folder,
        "sms": Gateway(settings.sms_url, outgoing) if settings.sms_url else folder,
        "whatsapp": Gateway(settings.whatsapp_url, outgoing) if settings.whatsapp_url else folder,
    }


class Folder:
    """Writes each message into a file of its own."""

    def __init__(self, folder: Path, secrets: Secrets) -> None:
        self.folder = folder
        self._secrets = secrets

    async def carry(self, message: Message) -> None:
        """Write the file whole or not at all. Raises: Undelivered when the folder cannot be written."""
        sealed = self._secrets.seal("outbox-folder", (message.id,), message.address.encode())
        content = {
            "id": message.id,
            "at": message.at.isoformat(timespec="seconds"),
            "channel": message.channel,
            "to": masked(message.address),
            "to_sealed": base64.urlsafe_b64encode(sealed).decode(),
            "subject": message.subject,
            "text": message.text,
        }
        name = f"{message.at:%Y%m%dT%H%M%S.%f}-{message.channel}-{message.id}.json"
        try:
            await asyncio.to_thread(self._write, name, json.dumps(content, ensure_ascii=False, indent=1))
        except OSError as error:
            raise Undelivered(type(error).__name__) from None

    def recipient(self, content: Mapping[str, str]) -> str:
        """Open the recipient of a file, for tests and for the demonstration."""
        return self._secrets.open("outbox-folder", (content["id"],), base64.urlsafe_b64decode(content["to_sealed"])).decode()

    def _write(self, name: str, text: str) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self.folder / f".{name}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        unfinished.rename(self.folder / name)


class Smtp:
    """Hands mail to a server: `smtp://user:password@host:port` with STARTTLS, or `smtps://…`."""

    def __init__(self, url: str, sender: str) -> None:
        self._url = urlsplit(url)
        self._sender = sender

    async def carry(self, message: Message) -> None:
        """Send one mail of plain text. Raises: Undelivered."""
        import aiosmtplib  # noqa: PLC0415 - only where a server is set

        url = self._url
        secure = url.scheme == "smtps"
        try:
            await aiosmtplib.send(
                self._mail(message),
                hostname=url.hostname,
                port=url.port or (SMTPS_PORT if secure else SMTP_PORT),
                username=unquote(url.username) if url.username else None,
                password=unquote(url.password) if url.password else None,
                use_tls=secure,
                start_tls=None if not secure else False,
                timeout=SMTP_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Undelivered(type(error).__name__) from None

    def _mail(self, message: Message) -> EmailMessage:
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, message.address, message.subject
        mail["Message-ID"] = f"<{message.id}@gerbang>"  # the same at each try, so that a mailbox can drop a repetition
        mail["Date"] = format_datetime(message.at)  # RFC 5322 §3.6: one of the two fields that every mail has
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no automatic answers, please
        mail.set_content(message.text)
        return mail


class Gateway:
    """Hands an SMS or WhatsApp message to a gateway: JSON `{"id", "to", "text"}` by POST, any 2xx is success."""

    def __init__(self, url: str, client: httpx2.AsyncClient) -> None:
        self._url = url
        self._client = client

    async def carry(self, message: Message) -> None:
        """Send one message. Raises: Undelivered."""
        body = {"id": message.id, "to": message.address, "text": message.text}
        try:
            response = await self._client.post(self._url, json=body, timeout=GATEWAY_SECONDS)
        except httpx2.HTTPError as error:
            raise Undelivered(type(error).__name__) from None
        if not response.is_success:
            raise Undelivered(f"status {response.status_code}")


def masked(address: str) -> str:
    """Show just enough for whoever tries the program: a letter and the last label (a domain may be a person's own), or three digits."""
    local, at, domain = address.partition("@")
    return f"{local[:1]}•••@•••.{domain.rpartition('.')[2]}" if at else f"•••{address[-3:]}"
