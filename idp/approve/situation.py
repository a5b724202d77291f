"""Loading what a card stands on: the running request, who is signed in, what is asked, and whether anything is left to ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consent.decision import Ask, decide
from consent.records import Asking
from idp.accounts.records import AccountState
from idp.approve import rules
from idp.approve.rules import Parties, Shown
from idp.clients.self_registered import unchecked
from idp.interactions.records import Step
from idp.pages.values import readable
from idp.protocol import current_session, steps
from idp.protocol.faces import face_of
from idp.protocol.services import services
from idp.spec.errors import ErrorCode
from idp.spec.prompt import Prompt
from idp.web.request_context import language

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from consent.records import Purpose
    from idp.accounts.records import Account
    from idp.approve.rules import CardView
    from idp.protocol.steps import RunningInteraction
    from idp.sessions.records import Session


@dataclass(frozen=True, slots=True)
class Situation:
    """A card that is due, and whom it is for."""

    interaction: RunningInteraction
    session: Session
    account: Account
    purpose: Purpose
    ask: Ask

    @property
    def asking(self) -> Asking:
        """The citizen at the door, in the ledger's words."""
        client = self.interaction.client
        return Asking(
            person=self.session.person,
            client=client.id,
            client_name=client.name,
            acr=self.session.acr,
            auth_time=self.session.auth_time,
            contact=client.agency.dpo_contact,
        )


async def load(request: Request) -> Situation | Response:
    """Give the card that is due, or the way on when there is none. Raises: PageError for an interaction that cannot go on."""
    found = services(request)
    interaction = await steps.open(request, Step.APPROVE)
    session = await current_session.optional(request)
    if session is None or session.unattended or _somebody_must_sign_in(interaction):
        return await steps.resume(request, interaction)
    account = await found.accounts.get(session.person)
    purpose = await found.consent.purposes.get(interaction.purpose)
    if account is None or account.state is not AccountState.ACTIVE or purpose is None:
        return await steps.refuse(request, interaction, ErrorCode.ACCESS_DENIED)
    grant = await found.consent.ledger.find(session.person, interaction.client.id, purpose.id)
    force = Prompt.CONSENT in interaction.request.prompt and not interaction.approved
    ask = decide(interaction.asked, purpose, grant, found.clock(), force=force)
    if not isinstance(ask, Ask):  # answered before: a second tab, or the way back
        return await steps.resume(request, interaction)
    return Situation(interaction, session, account, purpose, ask)


async def card(request: Request, situation: Situation) -> CardView:
    """Build the card with the citizen's own values, and put the citizen's name on the page. Raises: CardIncomplete."""
    found = services(request)
    person, ask, client = situation.session.person, situation.ask, situation.interaction.client
    sealed = await found.accounts.sealed(person, ask.required | ask.optional | {"name"})
    opened = await found.consent.disclosure.to_self(person, sealed)
    chosen = language(request)
    shown = {cell.claim: Shown(readable(cell.claim, opened[cell.claim], chosen), str(cell.source)) for cell in sealed}
    request.state.viewer = current_session.Viewer(opened.get("name", ""))
    face = await face_of(found, client, chosen)
    parties = Parties(
        face.name,
        client.agency.dpo_contact,
        found.settings.dpo_contact,
        unchecked=unchecked(client, situation.purpose.id),
        policy=face.policy,
        terms=face.terms,
        logo=face.logo,
    )
    return rules.card(ask, situation.purpose, parties, shown, chosen)


def _somebody_must_sign_in(interaction: RunningInteraction) -> bool:
    """Show nobody's values before the sign-in that the service demands; `max_age` may be met already, dispatch knows."""
    return bool(interaction.request.prompt & {Prompt.LOGIN, Prompt.SELECT_ACCOUNT}) and not interaction.authenticated
