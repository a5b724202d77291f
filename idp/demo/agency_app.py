"""One application of an agency: a small Starlette program that signs citizens in with Authlib's client, as any agency's would."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import httpx2
from authlib.integrations.base_client import OAuthError
from authlib.integrations.starlette_client import OAuth
from joserfc.errors import JoseError
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.templating import Jinja2Templates

if TYPE_CHECKING:
    from starlette.requests import Request

    from idp.demo.applications import Application

TEMPLATES = Jinja2Templates(Path(__file__).parent / "templates")
MAX_SIGNED_IN = 10_000
LABELS = {
    "name": "Nama",
    "nik": "NIK",
    "birthdate": "Tanggal lahir",
    "address": "Alamat rumah",
    "email": "Alamat email",
    "phone_number": "Nomor HP",
}


@dataclass(slots=True)
class SignedIn:
    """What the application keeps of a signed-in citizen: in memory, never in a cookie."""

    token: dict[str, Any]
    claims: dict[str, Any]
    entry: str | None = None
    refreshed_at: float | None = None
    problem: str | None = None


@dataclass(slots=True)
class AgencyApp:
    """The application's own state."""

    application: Application
    issuer: str
    base_url: str
    client_secret: str
    oauth: Any = None
    signed_in: dict[str, SignedIn] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Configure Authlib with what an agency is given: the issuer, a client id and a secret."""
        oauth = OAuth()
        self.oauth = oauth.register(
            "gerbang",
            client_id=self.application.client_id,
            client_secret=self.client_secret,
            server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
            client_kwargs={"scope": self.application.scope, "code_challenge_method": "S256"},
        )

    async def home(self, request: Request) -> Response:
        """Show who is signed in and what was read, or the button."""
        return self._page(request, "home.html", signed_in=self._of(request), labels=LABELS)

    async def sign_in(self, request: Request) -> Response:
        """Send the browser to the provider."""
        extra = {name: value for name, value in request.query_params.items() if name in {"prompt", "ui_locales", "login_hint"}}
        redirect: Response = await self.oauth.authorize_redirect(request, f"{self.base_url}/callback", **extra)
        return redirect

    async def callback(self, request: Request) -> Response:
        """Take the code, get tokens, read the data, remember the citizen."""
        if request.query_params.get("iss") != self.issuer:  # RFC 9207 §2.4: "MUST reject the response" when it differs
            return self._page(request, "refused.html", status=400, error="iss", description="Jawaban ini bukan dari Gerbang.")
        try:
            token = await self.oauth.authorize_access_token(request)
        except OAuthError as error:
            return self._page(request, "refused.html", status=403, error=error.error, description=error.description)
        except (JoseError, httpx2.HTTPError) as error:
            return self._page(request, "refused.html", status=502, error=type(error).__name__, description=None)
        signed_in = SignedIn(token=token, claims=dict(token["userinfo"]))
        await self._read(signed_in)
        return self._remember(request, signed_in)

    async def read(self, request: Request) -> Response:
        """Read the citizen's data again."""
        signed_in = self._of(request)
        if signed_in is not None:
            await self._read(signed_in)
        return RedirectResponse("/", 303)

    async def refresh(self, request: Request) -> Response:
        """Trade the refresh token for new tokens."""
        signed_in = self._of(request)
        if signed_in is not None and "refresh_token" in signed_in.token:
            try:
                fresh = await self.oauth.fetch_access_token(grant_type="refresh_token", refresh_token=signed_in.token["refresh_token"])
                signed_in.token.update(fresh)
                signed_in.refreshed_at, signed_in.problem = time.time(), None
            except OAuthError as error:
                signed_in.problem = error.error
        return RedirectResponse("/", 303)

    async def sign_out(self, request: Request) -> Response:
        """Forget the citizen here, then let the provider sign out too (OpenID Connect RP-Initiated Logout)."""
        signed_in = self.signed_in.pop(request.session.pop("citizen", ""), None)
        request.session.clear()
        if signed_in is None:
            return RedirectResponse("/", 303)
        metadata = await self.oauth.load_server_metadata()
        asked = {
            "id_token_hint": signed_in.token["id_token"],
            "post_logout_redirect_uri": f"{self.base_url}/selesai",
            "client_id": self.application.client_id,
        }
        return RedirectResponse(f"{metadata['end_session_endpoint']}?{urlencode(asked)}", 303)

    async def signed_out(self, request: Request) -> Response:
        """Say that it is done."""
        return self._page(request, "signed_out.html")

    async def style(self, request: Request) -> Response:
        """Give the stylesheet, in the agency's colour."""
        text: str = TEMPLATES.get_template("agency.css").render(colour=self.application.colour)
        del request
        return Response(text, media_type="text/css", headers={"cache-control": "max-age=3600"})

    async def _read(self, signed_in: SignedIn) -> None:
        """Read the data, and keep the number under which the citizen finds this read in the provider's record."""
        metadata = await self.oauth.load_server_metadata()
        try:
            answer = await self.oauth.get(metadata["userinfo_endpoint"], token=signed_in.token)
        except (OAuthError, httpx2.HTTPError) as error:
            signed_in.problem = type(error).__name__
            return
        if answer.status_code != 200:  # noqa: PLR2004 - HTTP's OK
            signed_in.problem = answer.headers.get("www-authenticate", str(answer.status_code))
            return
        signed_in.claims, signed_in.problem = answer.json(), None
        signed_in.entry = answer.headers.get("x-access-log-id")

    def _remember(self, request: Request, signed_in: SignedIn) -> Response:
        while len(self.signed_in) >= MAX_SIGNED_IN:
            self.signed_in.pop(next(iter(self.signed_in)))
        request.session["citizen"] = citizen = secrets.token_urlsafe(24)
        self.signed_in[citizen] = signed_in
        return RedirectResponse("/", 303)

    def _of(self, request: Request) -> SignedIn | None:
        return self.signed_in.get(request.session.get("citizen", ""))

    def _page(self, request: Request, template: str, *, status: int = 200, **context: object) -> Response:
        shown = {"application": self.application, "issuer": self.issuer, "base_url": self.base_url, **context}
        response = TEMPLATES.TemplateResponse(request, template, shown, status_code=status)
        response.headers.update(
            {"cache-control": "no-store", "content-security-policy": _policy(self.issuer), "referrer-policy": "no-referrer"}
        )
        return response


def _policy(issuer: str) -> str:
    return f"default-src 'none'; style-src 'self'; form-action 'self' {issuer}; base-uri 'none'; frame-ancestors 'none'"


def create(application: Application, *, issuer: str, base_url: str, client_secret: str, cookie_key: str) -> Starlette:
    """Build the application; its cookie carries its own name, for browsers do not tell ports of localhost apart."""
    app = AgencyApp(application, issuer, base_url, client_secret)
    routes = [
        Route("/", app.home),
        Route("/masuk", app.sign_in),
        Route("/callback", app.callback),
        Route("/baca", app.read, methods=["POST"]),
        Route("/segarkan", app.refresh, methods=["POST"]),
        Route("/keluar", app.sign_out, methods=["POST"]),
        Route("/selesai", app.signed_out),
        Route("/agency.css", app.style),
    ]
    session = Middleware(
        SessionMiddleware, secret_key=cookie_key, session_cookie=f"{application.client_id}_session", max_age=None, same_site="lax"
    )
    return Starlette(routes=routes, middleware=[session])
