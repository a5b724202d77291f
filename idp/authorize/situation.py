"""Loading what the decision depends on: who is signed in, what was allowed, what is behind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.decision import decide
from idp.authorize.dispatch import Progress, SignedIn, Situation
from idp.clients.self_registered import closed
from idp.protocol import current_session, issue
from idp.protocol.hints import hint
from idp.protocol.steps import purpose_of
from idp.spec import scopes
from idp.spec.prompt import Prompt

if TYPE_CHECKING:
    import datetime as dt

    from starlette.requests import Request

    from consent.decision import Allowed, Ask, Refused
    from consent.records import Purpose
    from idp.clients.records import Client
    from idp.protocol.services import Services
    from idp.protocol.steps import RunningInteraction
    from idp.sessions.records import Session
    from idp.spec.authorization_request import AuthorizationRequest


@dataclass(frozen=True, slots=True)
class Asking:
    """A valid request on its way: just arrived, or coming back from a step (`interaction`)."""

    client: Client
    request: AuthorizationRequest
    interaction: RunningInteraction | None = None

    @property
    def scope(self) -> tuple[str, ...]:
        """The part of the scope that the application may have."""
        return scopes.granted(self.request.scope, self.client.scopes)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The situation, and the whole records behind it that the answer needs."""

    situation: Situation
    session: Session | None
    purpose: Purpose | None


async def load(request: Request, asking: Asking, found: Services) -> Loaded:
    """Load the situation of a request: one read each for the session and the grant."""
    now = found.clock()
    session = await current_session.optional(request)
    named = purpose_of(asking.request, asking.client) or ""
    ended = closed(named, certification=found.settings.certification)
    purpose = None if ended else await found.consent.purposes.get(named)
    signed_in = consent = None
    if session is not None:
        subject = issue.subject(found, asking.client, session.person)
        signed_in = SignedIn(subject, session.auth_time, session.acr, session.unattended)
        consent = None if purpose is None else await _consent(asking, session.person, purpose, found, now)
    hinted = await hint(asking.request.id_token_hint, found)
    subjects = frozenset({hinted.subject} if hinted else asking.request.wanted_subjects)
    situation = Situation(asking.request, signed_in, subjects, consent, _progress(asking, now), now)
    return Loaded(situation, session, purpose)


async def _consent(asking: Asking, person: str, purpose: Purpose, found: Services, now: dt.datetime) -> Ask | Allowed | Refused:
    asked = frozenset[str]().union(*asking.request.asked_claims(asking.scope).values())
    grant = await found.consent.ledger.find(person, asking.client.id, purpose.id)
    approved = asking.interaction is not None and asking.interaction.approved
    return decide(asked, purpose, grant, now, force=Prompt.CONSENT in asking.request.prompt and not approved)


def _progress(asking: Asking, now: dt.datetime) -> Progress:
    if asking.interaction is None:
        return Progress(now)
    return Progress(asking.interaction.row.created_at, asking.interaction.authenticated, asking.interaction.approved)
