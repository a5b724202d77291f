"""OIDC Core §3.1.2.3, §3.1.2.4, §3.1.2.6, RFC 9470 §5: what comes next for a request. Pure: a situation in, a decision out."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.decision import Allowed, Ask, Refused
from idp.spec import assurance, prompt
from idp.spec.errors import ErrorCode, Refusal
from idp.spec.prompt import Prompt

if TYPE_CHECKING:
    from consent.records import Grant
    from idp.spec.authorization_request import AuthorizationRequest

Consent = Ask | Allowed | Refused


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, as far as it matters here. `subject` is their name in this application's sector."""

    subject: str
    auth_time: dt.datetime
    acr: str
    unattended: bool = False


@dataclass(frozen=True, slots=True)
class Progress:
    """What is behind in the running interaction; a request that just arrived has nothing behind."""

    began_at: dt.datetime
    signed_in: bool = False
    approved: bool = False


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the decision depends on.

    `subjects`: whom an id_token_hint or the claims parameter names; empty: anybody will do. `consent` is None while nobody is signed in.
    """

    request: AuthorizationRequest
    session: SignedIn | None
    subjects: frozenset[str]
    consent: Consent | None
    progress: Progress
    now: dt.datetime


@dataclass(frozen=True, slots=True)
class Login:
    """Show sign-in. `error` is what it becomes under prompt=none."""

    error: ErrorCode = ErrorCode.LOGIN_REQUIRED


@dataclass(frozen=True, slots=True)
class Create:
    """Show enrolment. It is never asked for together with prompt=none, and is no error then."""

    error: ErrorCode = ErrorCode.INTERACTION_REQUIRED


@dataclass(frozen=True, slots=True)
class SecondFactor:
    """Ask for a second factor."""

    error: ErrorCode = ErrorCode.INTERACTION_REQUIRED


@dataclass(frozen=True, slots=True)
class Passkey:
    """Ask for a passkey that stays in one device: nothing else makes aal3."""

    error: ErrorCode = ErrorCode.INTERACTION_REQUIRED


@dataclass(frozen=True, slots=True)
class Approve:
    """Show the card."""

    error: ErrorCode = ErrorCode.CONSENT_REQUIRED


@dataclass(frozen=True, slots=True)
class Issue:
    """Give a code that stands on this grant."""

    grant: Grant
    claims: frozenset[str]


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the application that it cannot be."""

    refusal: Refusal


Decision = Login | Create | SecondFactor | Passkey | Approve | Issue | Refuse


def dispatch(situation: Situation) -> Decision:
    """Decide what comes next.

    OIDC Core §3.1.2.1, prompt=none: "An error is returned if an End-User is not already Authenticated or the Client does not have
    pre-configured consent for the requested Claims or does not fulfill other conditions for processing the request."
    """
    decision = _next(situation)
    if Prompt.NONE in situation.request.prompt and isinstance(decision, Login | Create | SecondFactor | Passkey | Approve):
        return Refuse(Refusal(decision.error, "prompt=none was asked for, and the citizen has to do something first."))
    return decision


def _next(situation: Situation) -> Decision:
    request, session = situation.request, situation.session
    if Prompt.CREATE in request.prompt and not situation.progress.signed_in:
        # Initiating User Registration §4: "the client desires that the user be shown the account creation UX rather than the login flow"
        return Create()
    if session is None:
        return Login()
    pending = _pending_login(situation, session)
    if pending is not None:
        return pending
    wanted = request.essential_acr or request.wanted_acr
    if not prompt.satisfies(session.acr, wanted):
        return Passkey() if assurance.least(wanted) == assurance.AAL3 else SecondFactor()
    return _consent(situation)


def _pending_login(situation: Situation, session: SignedIn) -> Decision | None:
    """Say whether a sign-in is due although somebody is signed in. One that happened within this interaction settles it."""
    request, progress = situation.request, situation.progress
    fresh = progress.signed_in and session.auth_time >= progress.began_at
    if Prompt.LOGIN in request.prompt and not fresh:
        return Login()
    if Prompt.SELECT_ACCOUNT in request.prompt and not progress.signed_in:
        return Login(ErrorCode.ACCOUNT_SELECTION_REQUIRED)
    if request.max_age is not None and not fresh and situation.now - session.auth_time > dt.timedelta(seconds=request.max_age):
        return Login()
    if situation.subjects and session.subject not in situation.subjects:
        return _somebody_else(progress)
    # Design §6: on a shared device, after a while, a service first asks who is there.
    return Login(ErrorCode.ACCOUNT_SELECTION_REQUIRED) if session.unattended else None


def _somebody_else(progress: Progress) -> Decision:
    """Answer when another person is signed in than the hint names.

    §3.1.2.1: "If the End-User identified by the ID Token is already logged in or is logged in as a result of the request […], then the
    Authorization Server returns a positive response; otherwise, it MUST return an error, such as login_required."
    """
    if progress.signed_in:
        return Refuse(Refusal(ErrorCode.LOGIN_REQUIRED, "Another person signed in than id_token_hint or claims names."))
    return Login()


def _consent(situation: Situation) -> Decision:
    consent = situation.consent
    if isinstance(consent, Allowed):
        return Issue(consent.grant, consent.claims)
    if isinstance(consent, Refused) or consent is None:
        return Refuse(Refusal(ErrorCode.ACCESS_DENIED, "Nothing may be read for this purpose."))
    return Approve()
