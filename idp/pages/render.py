"""The renderer: a template, a context and the reader's language become an answer that no cache keeps.

What every template can use: `t(name, **values)`, `has_text(name)`, `lang`, `local(text)` (picks from {"id": …, "en": …}), the formats
`when` `clock` `day` `date` `month` `number`, `form_token(purpose)` (the hidden input), `asset(name)`, `site`, `viewer` (None, or
`.name` of who is signed in: steps set `request.state.viewer`), `path`, and `here(lang="en")` (this page's own address with parameters
changed).
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from idp.pages.assets import Assets
from idp.pages.formats import Formats
from idp.pages.texts import DEFAULT_LANGUAGE, LANGUAGES, catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

TEMPLATES: Final = Path(__file__).parent / "templates"
_WORTH_PACKING: Final = 600


@dataclass(frozen=True, slots=True)
class Site:
    """What every page says about whose it is."""

    issuer: str
    operator_name: str
    dpo_contact: str

    @property
    def host(self) -> str:
        """The official address as people read it: without the scheme."""
        return self.issuer.partition("://")[2].rstrip("/")


class Viewer(Protocol):
    """Who is signed in, as a page names him; steps put it into `request.state.viewer`."""

    name: str


@dataclass(frozen=True, slots=True)
class Plumbing:
    """What pages need from `idp.web`, handed in by the composition root.

    `language(request)` "id" or "en"; `form_token(request, purpose)` binds a form to this browser; `form_targets(request, uris)` lets forms
    of this answer end at other origins (CSP form-action); `attach(request, response)` sets the cookies that this page made.
    """

    language: Callable[[Request], str]
    form_token: Callable[[Request, str], str]
    form_targets: Callable[[Request, Sequence[str]], None]
    attach: Callable[[Request, Response], None]


class Renderer:
    """Turns templates into answers."""

    def __init__(self, site: Site, plumbing: Plumbing, templates: Path = TEMPLATES) -> None:
        self.site = site
        self.assets = Assets()
        self._plumbing = plumbing
        self._templates = Environment(
            loader=FileSystemLoader(templates),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._templates.filters["b64"] = lambda data: base64.b64encode(data).decode()
        self._templates.globals.update(site=site, asset=self.assets.path, languages=LANGUAGES)

    def page(
        self, request: Request, template: str, *, status: int = 200, form_action: Sequence[str] = (), **context: object
    ) -> HTMLResponse:
        """Render a page for this request. `form_action`: URIs besides ours to which forms of this page may lead."""
        if form_action:
            self._plumbing.form_targets(request, form_action)
        body = self.text(request, template, **context).encode()
        headers = {"vary": "accept-encoding, accept-language, cookie"}
        if len(body) > _WORTH_PACKING and "gzip" in request.headers.get("accept-encoding", ""):
            body, headers["content-encoding"] = gzip.compress(body, 6), "gzip"
        response = HTMLResponse(body, status_code=status, headers=headers)
        self._plumbing.attach(request, response)
        return response

    def text(self, request: Request, template: str, **context: object) -> str:
        """Render a template to a string (also for files to download)."""
        return self._templates.get_template(template).render({**self._common(request), **context})

    def t(self, request: Request, name: str, /, **values: object) -> str:
        """Give one text in the language of this request."""
        return catalogue(self._plumbing.language(request)).text(name, **values)

    def _common(self, request: Request) -> dict[str, Any]:
        language = self._plumbing.language(request)

        def hidden(purpose: str) -> Markup:
            return Markup('<input type="hidden" name="form_token" value="{}">').format(self._plumbing.form_token(request, purpose))

        return {
            **_language_tools(language),
            "form_token": hidden,
            "viewer": getattr(request.state, "viewer", None),
            "path": request.url.path,
            "here": _here(request),
        }


@lru_cache(maxsize=len(LANGUAGES))
def _language_tools(language: str) -> Mapping[str, object]:
    """Give what depends on the language alone."""
    formats = Formats(language)
    texts = catalogue(language)

    def local(text: Mapping[str, str]) -> str:
        return text.get(language) or text[DEFAULT_LANGUAGE]

    tools = {name: getattr(formats, name) for name in ("when", "clock", "day", "date", "month", "number")}
    return {"t": texts.text, "lang": language, "has_text": texts.__contains__, "local": local, **tools}


def _here(request: Request) -> Callable[..., str]:
    """Make `here(lang="en")`: this page's own address with parameters changed; None removes one.

    RFC 3986 §4.2: a reference that begins with two slashes names a host, and so must not lead away who asked for `//elsewhere`.
    """
    path = "/" + request.url.path.lstrip("/\\")

    def here(**changed: object) -> str:
        query = {**dict(request.query_params), **changed}
        text = urlencode([(name, value) for name, value in query.items() if value is not None])
        return f"{path}?{text}" if text else path

    return here
