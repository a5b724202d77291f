"""C2SP tlog-witness over HTTP: `POST /add-checkpoint` and `GET /<origin hash>/checkpoint`; `GET /` says who this witness is."""

from __future__ import annotations

import asyncio
import sqlite3
from typing import TYPE_CHECKING

import structlog
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Route

from consent.witness.witness import TEXT, Answer

if TYPE_CHECKING:
    from starlette.requests import Request

    from consent.witness.witness import Witness

log = structlog.get_logger()

LARGEST = 64 * 1024
"""Bytes of a request: 63 hashes, a checkpoint, and several signatures."""
SECONDS = 10.0
"""For a request to arrive."""


class TooLarge(Exception):
    """The request has more than `LARGEST` bytes."""


def application(witness: Witness) -> Starlette:
    """Build the application."""

    async def add_checkpoint(request: Request) -> Response:
        try:
            body = await _body(request)
            answer = await asyncio.to_thread(witness.add_checkpoint, body)
        except TooLarge:
            answer = Answer(413, TEXT, f"a request has at most {LARGEST} bytes\n")
        except (TimeoutError, ClientDisconnect):
            answer = Answer(408, TEXT, f"a request arrives within {SECONDS:.0f} seconds\n")
        except (sqlite3.Error, OSError) as error:
            log.error("witness_cannot_remember", error=type(error).__name__)  # noqa: TRY400 - a state of the disk, not a fault of ours
            answer = Answer(503, TEXT, "nothing was cosigned: this witness cannot write its memory\n")
        return _response(answer)

    async def newest(request: Request) -> Response:
        note = await asyncio.to_thread(witness.memory.note, request.path_params["hashed"])
        return _response(Answer(404, TEXT, "no checkpoint of such a log was cosigned\n") if note is None else Answer(200, TEXT, note))

    async def who(request: Request) -> Response:
        del request
        logs = "".join(f"log {key}\n" for keys in witness.logs.values() for key in keys)
        return _response(Answer(200, TEXT, f"witness {witness.key}\n{logs}"))

    routes = [Route("/add-checkpoint", add_checkpoint, methods=["POST"]), Route("/{hashed}/checkpoint", newest), Route("/", who)]
    return Starlette(routes=routes)


async def _body(request: Request) -> bytes:
    """Read the request, no more of it than may be. Raises: TooLarge, TimeoutError, ClientDisconnect."""
    body = bytearray()
    async with asyncio.timeout(SECONDS):
        async for chunk in request.stream():
            body += chunk
            if len(body) > LARGEST:
                raise TooLarge
    return bytes(body)


def _response(answer: Answer) -> Response:
    headers = {"content-type": answer.media_type, "cache-control": "no-store", "x-content-type-options": "nosniff"}
    return Response(answer.body, answer.status, headers)
