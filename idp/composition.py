"""The composition root: opens stores and keys, builds the services, closes them in reverse, for servers, commands and tests."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
from typing import TYPE_CHECKING

import httpx2
import structlog

from consent.access_log.batcher import BatchOptions
from consent.service import Consent, ConsentOptions
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
from idp.pages.render import Plumbing, Renderer, Site
from idp.proposals.store import ProposalStore
from idp.protocol import erasure, told_reads, upstreams, witnesses
from idp.protocol.arrivals import Arrivals
from idp.protocol.carriers import carriers
from idp.protocol.courier import Courier
from idp.protocol.destinations import resolve
from idp.protocol.erasure_journal import ErasedPeople, Journal
from idp.protocol.fetcher import Fetcher, connections
from idp.protocol.services import Services
from idp.protocol.unopened import Unopened
from idp.sessions.records import SessionRules
from idp.sessions.store import SessionStore
from idp.staff.store import StaffStore
from idp.subjects.store import SubjectStore
from idp.web import cookies, headers, request_context
from idp.web.forms import Forms
from idp.web.rate_limits import LimitRules, RateLimits
from idp.wishes.store import WishStore
from keys.custody import RootKeys
from keys.database import Database, store_urls
from keys.keyring import Keyring, KeyringOptions
from keys.passwords import PasswordCost
from keys.rotation import Lifetimes
from migrations import standing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

    from starlette.requests import Request

    from consent.publisher import Witnessing
    from idp.protocol.destinations import Resolver
    from idp.protocol.upstreams import UpstreamClient
    from idp.settings import Settings
    from keys.database import StoreName

    Clock = Callable[[], dt.datetime]

_log = structlog.get_logger()

OUTGOING_SECONDS = 10


def utc_now() -> dt.datetime:
    """Give the time of this machine, aware, in UTC."""
    return dt.datetime.now(dt.UTC)


@contextlib.asynccontextmanager
async def compose(
    settings: Settings,
    *,
    clock: Clock = utc_now,
    background: bool = True,
    transport: httpx2.AsyncBaseTransport | None = None,
    resolver: Resolver = resolve,
) -> AsyncIterator[Services]:
    """Open everything while the block lasts.

    `background`: sign the log in this process, if the settings say so; `transport` replaces the network, `resolver` its names.

    Raises: NotMigrated, StoreUnavailable, RootKeyMissing, RootKeyLoose, RootKeyMalformed, RootKeyWrong, JournalBroken,
    UpstreamMalformed, PolicyInvalid.
    """
    async with contextlib.AsyncExitStack() as stack:
        stores = await _migrated_stores(settings, stack)
        keyring = await Keyring.open(stores["keys"], root_keys(settings), _keyring_options(settings))
        stack.push_async_callback(keyring.close)
        erased = ErasedPeople(Journal(settings.erasure_journal_file))
        await erased.refresh()
        known, registered = (transport, transport) if transport else _network(settings)
        outgoing = await stack.enter_async_context(_outgoing(known))
        witnessing = witnesses.witnessing(settings, outgoing)
        consent = Consent.open(stores["consent"], keyring, _consent_options(settings, clock, erased, witnessing, signs=background))
        await consent.start()
        stack.push_async_callback(consent.stop)
        fetcher = Fetcher(registered, clock, resolver=resolver, anywhere=settings.certification)
        stack.push_async_callback(fetcher.aclose)
        services = _services(
            settings, database=stores["idp"], keyring=keyring, consent=consent, erased=erased, outgoing=outgoing, fetcher=fetcher,
            upstreams=await upstreams.clients(settings.upstream_file, settings.issuer, known), clock=clock,
        )  # fmt: skip
        consent.access_log.observer = told_reads.Watcher(services)
        if settings.certification:
            _log.warning(
                "certification_mode", what="for conformance suites only: self-registered applications read, loopback is fetched from"
            )
        if background:
            for reason in await erasure.unready(services):
                _log.error("not_ready", reason=reason)
        yield services


def root_keys(settings: Settings) -> RootKeys:
    """Read the root key from where the settings say. Raises: RootKeyMissing, RootKeyLoose, RootKeyMalformed."""
    return RootKeys.from_environment(settings.root_key) if settings.root_key else RootKeys.from_file(settings.root_key_file)


def open_stores(settings: Settings) -> Mapping[StoreName, Database]:
    """Give the three stores; nothing connects yet."""
    urls = store_urls(settings.database_url, settings.consent_database_url, settings.keys_database_url)
    sizes = {"consent": settings.consent_pool_size, "keys": settings.keys_pool_size}
    pool = {"max_overflow": settings.pool_overflow, "pool_timeout": settings.pool_timeout}
    return {name: Database.open(url, pool_size=sizes.get(name) or settings.pool_size, **pool) for name, url in urls.items()}


async def _migrated_stores(settings: Settings, stack: contextlib.AsyncExitStack) -> Mapping[StoreName, Database]:
    stores = open_stores(settings)
    for name, store in stores.items():
        stack.push_async_callback(store.close)
        await standing.require(name, store)
    return stores


def _keyring_options(settings: Settings) -> KeyringOptions:
    return KeyringOptions(
        password_cost=PasswordCost(settings.argon2_memory, settings.argon2_time, settings.argon2_parallelism),
        password_threads=settings.password_threads,
        password_queue=settings.password_queue,
        lifetimes=Lifetimes(active=dt.timedelta(seconds=settings.signing_key_lifetime)),
        checkpoint_key_file=settings.log_key_file,
    )


def _consent_options(
    settings: Settings, clock: Clock, erased: ErasedPeople, witnessing: Witnessing | None, *, signs: bool
) -> ConsentOptions:
    return ConsentOptions(
        issuer=settings.issuer,
        anchor_file=settings.log_anchor_file,
        embedded_signer=signs and settings.log_signer == "embedded",
        serving=signs,
        operator_name=settings.operator_name,
        dpo_contact=settings.dpo_contact,
        erased=erased,
        witnessing=witnessing,
        batch=BatchOptions(clock_tolerance=dt.timedelta(seconds=settings.log_tolerance)),
        clock=clock,
    )


def _network(settings: Settings) -> tuple[httpx2.AsyncBaseTransport, httpx2.AsyncBaseTransport]:
    """Give the ways out, authorities as settings say: to addresses of the settings, and to those that applications registered.

    Raises: OSError when the file of authorities cannot be read; those of the system are read by the first request.
    """
    named = ssl.create_default_context(cafile=str(settings.ca_file)) if settings.ca_file else None

    def authorities() -> ssl.SSLContext:
        return named or ssl.create_default_context()

    return (
        Unopened(lambda: httpx2.AsyncHTTPTransport(verify=authorities(), trust_env=False)),
        Unopened(lambda: connections(authorities())),
    )


def _outgoing(transport: httpx2.AsyncBaseTransport) -> httpx2.AsyncClient:
    """Give the client of requests to addresses of the settings: no redirects, no proxy from the environment."""
    return httpx2.AsyncClient(transport=transport, timeout=OUTGOING_SECONDS, follow_redirects=False, trust_env=False)


def _services(
    settings: Settings,
    *,
    database: Database,
    keyring: Keyring,
    consent: Consent,
    erased: ErasedPeople,
    outgoing: httpx2.AsyncClient,
    fetcher: Fetcher,
    upstreams: Mapping[str, UpstreamClient],
    clock: Clock,
) -> Services:
    accounts, events = AccountStore(database, keyring, settings.factor_failures), EventStore(database, keyring)
    forms, messages = Forms(keyring.named_secret("forms"), clock, keyring.secrets), carriers(settings, keyring.secrets, outgoing)
    return Services(
        settings=settings,
        database=database,
        keyring=keyring,
        consent=consent,
        clients=ClientStore(database, keyring),
        accounts=accounts,
        sessions=SessionStore(database, keyring, _session_rules(settings)),
        interactions=InteractionStore(database, keyring),
        pushed=PushedRequestStore(database, keyring, settings.interaction_lifetime),
        authorizations=AuthorizationStore(database, keyring, settings.refresh_grace),
        deferred=DeferredStore(database, keyring),
        events=events,
        notices=NoticeStore(database, keyring),
        staff=StaffStore(database),
        subjects=SubjectStore(database, keyring),
        proposals=ProposalStore(database),
        openings=OpeningStore(database),
        complaints=ComplaintStore(database),
        wishes=WishStore(database),
        renderer=renderer(settings, forms),
        forms=forms,
        courier=Courier(accounts=accounts, events=events, disclosure=consent.disclosure, carriers=messages, clock=clock),
        limits=RateLimits(events.counters, keyring.blind_index.index, clock, LimitRules.of(settings)),
        arrivals=Arrivals.of(settings),
        outgoing=outgoing,
        fetcher=fetcher,
        erased=erased,
        upstreams=upstreams,
        clock=clock,
    )


def _session_rules(settings: Settings) -> SessionRules:
    return SessionRules(
        idle=settings.session_idle,
        absolute=settings.session_absolute,
        remembered_idle=settings.session_remembered_idle,
        remembered_absolute=settings.session_remembered_absolute,
        confirm=settings.session_confirm,
    )


def renderer(settings: Settings, forms: Forms) -> Renderer:
    """Build the renderer: pages get their cookies, form tokens and language from `idp.web`."""

    def form_token(request: Request, purpose: str) -> str:
        return forms.token(purpose, cookies.ensure_browser(request))

    return Renderer(
        Site(settings.issuer, settings.operator_name, settings.dpo_contact),
        Plumbing(
            language=request_context.language,
            form_token=form_token,
            form_targets=headers.allow_form_targets,
            attach=cookies.attach,
        ),
    )
