"""What the steps work with, composed once by `idp.app` and carried by the application's state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    import httpx2
    from starlette.requests import HTTPConnection

    from consent.service import Consent
    from idp.accounts.store import AccountStore
    from idp.authorizations.store import AuthorizationStore
    from idp.clients.store import ClientStore
    from idp.complaints.store import ComplaintStore
    from idp.deferred.store import DeferredStore
    from idp.events.store import EventStore
    from idp.interactions.pushed.store import PushedRequestStore
    from idp.interactions.store import InteractionStore
    from idp.notices.store import NoticeStore
    from idp.openings.store import OpeningStore
    from idp.pages.render import Renderer
    from idp.proposals.store import ProposalStore
    from idp.protocol.arrivals import Arrivals
    from idp.protocol.courier import Courier
    from idp.protocol.erasure_journal import ErasedPeople
    from idp.protocol.fetcher import Fetcher
    from idp.protocol.upstreams import UpstreamClient
    from idp.sessions.store import SessionStore
    from idp.settings import Settings
    from idp.staff.store import StaffStore
    from idp.subjects.store import SubjectStore
    from idp.web.forms import Forms
    from idp.web.rate_limits import RateLimits
    from idp.wishes.store import WishStore
    from keys.database import Database
    from keys.keyring import Keyring


@dataclass(frozen=True, slots=True)
class Services:
    """Everything a step may use.

    `database` is the idp store; `outgoing` is the HTTP client for addresses that settings name, `fetcher` the one for addresses that
    applications registered. `erased`: whom the journal of erased people names, in spite of what a restored store still says.
    """

    settings: Settings
    database: Database
    keyring: Keyring
    consent: Consent
    clients: ClientStore
    accounts: AccountStore
    sessions: SessionStore
    interactions: InteractionStore
    pushed: PushedRequestStore
    authorizations: AuthorizationStore
    deferred: DeferredStore
    events: EventStore
    notices: NoticeStore
    staff: StaffStore
    subjects: SubjectStore
    proposals: ProposalStore
    openings: OpeningStore
    complaints: ComplaintStore
    wishes: WishStore
    renderer: Renderer
    forms: Forms
    courier: Courier
    limits: RateLimits
    arrivals: Arrivals
    outgoing: httpx2.AsyncClient
    fetcher: Fetcher
    erased: ErasedPeople
    upstreams: Mapping[str, UpstreamClient]
    clock: Callable[[], datetime]


def services(request: HTTPConnection) -> Services:
    """Give the services of the application that serves this request."""
    return cast("Services", request.app.state.services)
