"""Carriers: what leaves the house, and what a failed one leaves behind."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import replace
from email import message_from_bytes, policy
from functools import partial
from typing import TYPE_CHECKING

import httpx2
import pytest

from idp.pages.texts import FOLDER, LANGUAGES, load
from idp.protocol.carriers import Folder, Gateway, Smtp, masked
from idp.protocol.courier import Message, Undelivered
from keys.secrets import Secrets
from tests.support.people import NOON

if TYPE_CHECKING:
    from pathlib import Path

MESSAGE = Message("id-1", "sms", "+6281234567890", "Kode", "Kode Anda: 123456.", NOON)
TEXTS = {language: load(FOLDER / language) for language in LANGUAGES}
NAMES = [(language, name) for language in LANGUAGES for name in TEXTS[language] if name.startswith("courier.")]


async def test_the_folder_holds_no_recipient_in_clear(tmp_path: Path) -> None:
    folder = Folder(tmp_path / "outbox", Secrets(b"k" * 32))
    await folder.carry(replace(MESSAGE, channel="mail", address="siti.aminah@contoh.id"))
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert "siti.aminah" not in file.read_text("utf-8")
    assert "siti.aminah" not in file.name
    content = json.loads(file.read_text("utf-8"))
    assert content["to"] == "s•••@•••.id"
    assert folder.recipient(content) == "siti.aminah@contoh.id"


async def test_a_folder_that_cannot_be_written_is_tried_again_later(tmp_path: Path) -> None:
    (tmp_path / "outbox").write_text("in the way")
    with pytest.raises(Undelivered):
        await Folder(tmp_path / "outbox", Secrets(b"k" * 32)).carry(MESSAGE)


async def test_a_gateway_gets_one_json_object() -> None:
    sent: list[httpx2.Request] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        sent.append(request)
        return httpx2.Response(202)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        await Gateway("https://gateway.test/send", client).carry(MESSAGE)
    assert json.loads(sent[0].content) == {"id": "id-1", "to": "+6281234567890", "text": "Kode Anda: 123456."}


@pytest.mark.parametrize("status", [302, 400, 500, None])
async def test_a_gateway_that_does_not_take_it_is_tried_again_later(status: int | None) -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        if status is None:
            raise httpx2.ConnectError("gone", request=request)
        return httpx2.Response(status)

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as client:
        with pytest.raises(Undelivered) as failed:
            await Gateway("https://gateway.test/send", client).carry(MESSAGE)
    assert "628123" not in str(failed.value)


async def _post_office(taken: list[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """RFC 5321 §3, as much of it as one mail needs."""
    writer.write(b"220 here\r\n")
    while line := await reader.readline():
        match line[:4].upper():
            case b"DATA":
                writer.write(b"354 go on\r\n")
                taken.append(await reader.readuntil(b"\r\n.\r\n"))
                writer.write(b"250 taken\r\n")
            case b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            case _:
                writer.write(b"250 fine\r\n")
    writer.close()


async def test_a_mail_is_complete_and_carries_its_time_and_the_same_id_at_each_try() -> None:
    taken: list[bytes] = []
    async with await asyncio.start_server(partial(_post_office, taken), "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        for _ in range(2):
            letter = replace(MESSAGE, channel="mail", address="siti@contoh.id", subject="Kode untuk Anda")
            await Smtp(f"smtp://127.0.0.1:{port}", "Gerbang <gerbang@localhost>").carry(letter)
    first, second = (message_from_bytes(mail, policy=policy.default) for mail in taken)
    assert (first["To"], first["Subject"], first["Message-ID"]) == ("siti@contoh.id", "Kode untuk Anda", "<id-1@gerbang>")
    assert (first["Date"].datetime, second["Message-ID"]) == (NOON, first["Message-ID"])
    assert "123456" in first.get_content()


async def test_a_mail_server_that_is_gone_is_tried_again_later() -> None:
    with pytest.raises(Undelivered):
        await Smtp("smtp://127.0.0.1:1", "Gerbang <gerbang@localhost>").carry(replace(MESSAGE, channel="mail", address="siti@contoh.id"))


@pytest.mark.parametrize(("language", "name"), NAMES)
def test_no_message_carries_a_link_and_no_subject_a_value(language: str, name: str) -> None:
    text = TEXTS[language][name]
    assert not re.search(r"https?:|www\.|\.go\.id|/recover", text)
    if name.endswith(".subject"):
        assert "{" not in text


def test_recipients_are_masked() -> None:
    assert masked("siti@contoh.id") == "s•••@•••.id"
    assert masked("+6281234567890") == "•••890"
