"""Whose second factor is asked for, where its pages are, and what follows when it was right. Codes and passkeys share this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from idp.accounts.records import AccountState
from idp.interactions.records import Step
from idp.protocol import current_session, signing_in
from idp.protocol.services import services
from idp.web import cookies
from idp.web.errors import PageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from idp.accounts.records import Account
    from idp.protocol.signing_in import Way
    from idp.sessions.records import SignIn

Kind = Literal["passkey", "totp", "card"]
PATHS: Final[dict[Kind, str]] = {"passkey": "/login/passkey", "totp": "/login/second-factor", "card": "/login/code-card"}


@dataclass(frozen=True, slots=True)
class Asked:
    """Whose second factor is asked for: of a sign-in that waits, or (None) of the session of this browser."""

    account: Account
    sign_in: SignIn | None
    onward: Way

    def has(self, kind: Kind) -> bool:
        """Tell whether the account has this factor."""
        owned: dict[Kind, bool] = {
            "passkey": self.account.has_passkey, "totp": self.account.has_totp, "card": self.account.has_code_card
        }  # fmt: skip
        return owned[kind]

    def address(self, kind: Kind) -> str:
        """Give the address of the page that asks for this factor, on the same way."""
        more = {"sign_in": self.sign_in.id} if self.sign_in else {}
        return self.onward.to(PATHS[kind], **more)

    def others(self, kind: Kind) -> dict[Kind, str]:
        """Give the addresses of the person's other factors."""
        return {other: self.address(other) for other in PATHS if other != kind and self.has(other)}


async def asked(request: Request) -> Asked:
    """Find whose factor is meant. Raises: PageError when the sign-in took too long; a redirect to sign-in when nobody is signed in."""
    found = services(request)
    waiting = request.query_params.get("sign_in")
    onward = await signing_in.way(request, Step.LOGIN if waiting else Step.SECOND_FACTOR)
    if waiting is None:
        person = (await current_session.required(request)).person
        sign_in = None
    else:
        sign_in = await found.sessions.sign_in(waiting, cookies.browser(request) or "", found.clock())
        if sign_in is None:
            raise PageError("expired", 410, href=onward.to("/login"))
        person = sign_in.person
    account = await found.accounts.get(person)
    if account is None or account.state is not AccountState.ACTIVE:
        raise PageError("expired", 410, href=onward.to("/login"))
    return Asked(account, sign_in, onward)


async def passed(request: Request, of: Asked, methods: Sequence[str]) -> Response:
    """Go on after a right answer: the waiting sign-in is finished, or the session grows stronger. Raises: PageError ("finished")."""
    if of.sign_in is None:
        return await signing_in.step_up(request, methods, of.onward)
    if not await services(request).sessions.finish_sign_in(of.sign_in.id):
        raise PageError("finished", 409)
    amr = (*of.sign_in.amr, *methods)
    proven = signing_in.Proven(person=of.account.person, amr=amr, remembered=of.sign_in.remembered)
    return await signing_in.finish(request, proven, of.onward)
