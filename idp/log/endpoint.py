"""C2SP tlog-tiles and tlog-proof over HTTP: /log/checkpoint, /log/tile/…, /log/tile/entries/…, /log/proof/<index>, /log/vkey.

tlog-tiles: "The origin line SHOULD be the schema-less URL prefix of the log". After a succession the origin is …/log/2, and the same is
served under /log/2 too, where no cache holds what may have been lost; /log is always the newest.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from consent import tiles
from consent.checkpoint import origin_of, parse
from idp.protocol import cors
from idp.protocol.answers import refused
from idp.protocol.services import services
from idp.spec.errors import ErrorCode, Refusal

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.protocol.cors import Endpoint

# tlog-tiles: the checkpoint "is mutable, so its headers SHOULD prevent caching beyond a few seconds"; a proof holds one.
_SECONDS: Final = "public, max-age=5"
# tlog-tiles: "This endpoint is immutable, so its caching headers SHOULD be long-lived." A partial tile is wanted for as long as its tree is
# the newest, so caches need not keep it for a year.
_FULL: Final = "public, max-age=31536000, immutable"
_PARTIAL: Final = "public, max-age=86400, immutable"
_KEY: Final = "public, max-age=300"
_HASHES: Final = "application/octet-stream"
_TEXT: Final = "text/plain; charset=utf-8"
_SUCCESSOR: Final = re.compile(r"[2-9]|[1-9][0-9]{1,5}")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,17}")
_NOT_THERE: Final = Refusal(
    ErrorCode.INVALID_REQUEST, "The public checkpoint does not reach so far, or there is none yet; it moves once a minute.", 404
)


def _given(request: Request, content: bytes | None, media_type: str, kept: str) -> Response:
    """Answer with what is public, or 304 when the asker has it (RFC 9110 §13.1.2), or 404, which nobody keeps."""
    if content is None:
        return refused(_NOT_THERE)
    tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
    headers = {"cache-control": kept, "etag": tag}
    had = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    if had & {tag, "*"}:
        return Response(status_code=304, headers=headers)
    return Response(content, 200, headers, media_type)


def _malformed(why: object) -> Response:
    return refused(Refusal(ErrorCode.INVALID_REQUEST, str(why)))


async def checkpoint(request: Request) -> Response:
    """Give the public checkpoint, with every signature it bears."""
    found = await services(request).consent.public_log.checkpoint()
    return _given(request, found.note.encode() if found else None, _TEXT, _SECONDS)


async def tile(request: Request) -> Response:
    """Give a tile of the tree."""
    try:
        address = tiles.parse_tile(request.path_params["level"], request.path_params["number"])
    except tiles.AddressInvalid as error:
        return _malformed(error)
    found = await services(request).consent.public_log.tile(address)
    return _given(request, found, _HASHES, _FULL if address.width == tiles.WIDTH else _PARTIAL)


async def entries(request: Request) -> Response:
    """Give an entry bundle. Not compressed, as tlog-tiles recommends: entries are hashes, which nothing compresses."""
    try:
        number, width = tiles.parse_number(request.path_params["number"])
    except tiles.AddressInvalid as error:
        return _malformed(error)
    found = await services(request).consent.public_log.bundle(number, width)
    return _given(request, found, _HASHES, _FULL if width == tiles.WIDTH else _PARTIAL)


async def proof(request: Request) -> Response:
    """Give the proof that an entry is under the public checkpoint.

    tlog-proof: the index is "represented as an ASCII decimal with no leading zeroes (unless the index is `0`)".
    """
    index = request.path_params["index"]
    if _INDEX.fullmatch(index) is None:
        return _malformed("write <index> as a number without leading zeros")
    found = await services(request).consent.public_log.proof(int(index))
    return _given(request, found.encode() if found else None, _TEXT, _SECONDS)


async def vkey(request: Request) -> Response:
    """Give the verifier key of the public checkpoint. Whoever verifies holds it from elsewhere: on paper, by its fingerprint."""
    found = await services(request).consent.public_log.verifier_key()
    return _given(request, f"{found}\n".encode() if found else None, _TEXT, _KEY)


def _of_its_origin(endpoint: Endpoint) -> Endpoint:
    """Answer under a numbered prefix only while the log goes on under that origin."""

    async def answer(request: Request) -> Response:
        number = request.path_params["origin"]
        found = services(request)
        public = await found.consent.public_log.checkpoint() if _SUCCESSOR.fullmatch(number) else None
        if public is None or parse(public.note).origin != origin_of(found.settings.issuer, int(number)):
            return refused(_NOT_THERE)
        return await endpoint(request)

    return answer


async def for_people(request: Request) -> Response:
    """Lead whoever types the log's name, as it stands on paper, to the page that explains it."""
    del request
    return RedirectResponse("/audit", 302)


_PATHS: Final[dict[str, Endpoint]] = {
    "/checkpoint": checkpoint,
    "/vkey": vkey,
    "/proof/{index}": proof,
    "/tile/entries/{number:path}": entries,
    "/tile/{level}/{number:path}": tile,
}

routes = [
    Route("/log", for_people, methods=["GET"]),
    *(Route(f"/log{path}", cors.public(endpoint), methods=["GET"]) for path, endpoint in _PATHS.items()),
    *(Route(f"/log/{{origin}}{path}", cors.public(_of_its_origin(endpoint)), methods=["GET"]) for path, endpoint in _PATHS.items()),
]
