"""Our stylesheet, script and glyph, each under a path that names its content, so that a browser keeps it for a year."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FOLDER: Final = Path(__file__).parent / "static"
_TYPES: Final = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}


class Assets:
    """Every file of the static folder, read and compressed once."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self._plain = {file.name: file.read_bytes() for file in sorted(folder.iterdir()) if file.suffix in _TYPES}
        self._packed = {name: gzip.compress(content, 9, mtime=0) for name, content in self._plain.items()}
        self._paths = {name: f"/static/{hashlib.sha256(content).hexdigest()[:12]}/{name}" for name, content in self._plain.items()}

    def path(self, name: str) -> str:
        """Give the path of a file, with the hash of its content."""
        return self._paths[name]

    def routes(self) -> list[Route]:
        """Give the routes that answer `/static/<hash>/<name>`."""
        return [Route("/static/{digest}/{name}", self._answer), Route("/favicon.ico", self._glyph)]

    async def _answer(self, request: Request) -> Response:
        name = request.path_params["name"]
        if self._paths.get(name) != request.url.path:
            return Response(status_code=404)
        return self._file(request, name, "public, max-age=31536000, immutable")

    async def _glyph(self, request: Request) -> Response:
        return self._file(request, "gerbang.svg", "public, max-age=86400")

    def _file(self, request: Request, name: str, caching: str) -> Response:
        packed = "gzip" in request.headers.get("accept-encoding", "")
        headers = {"cache-control": caching, "vary": "accept-encoding", "content-type": _TYPES[Path(name).suffix]}
        if packed:
            headers["content-encoding"] = "gzip"
        return Response((self._packed if packed else self._plain)[name], headers=headers)
