"""law.md R10, R12 (UU 27/2022 Art. 7, 9): what the citizen's pages show, decided from records alone. Pure."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from idp.clients.self_registered import unchecked
from idp.pages.formats import ZONE
from idp.pages.values import order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from consent.records import Grant, Purpose
    from idp.clients.records import Client

PERIODS: Final[Mapping[str, dt.timedelta | None]] = {
    "": None,
    "month": dt.timedelta(days=30),
    "quarter": dt.timedelta(days=91),
    "year": dt.timedelta(days=365),
}
MONTHS: Final = 6
_LONGEST_INDEX: Final = 15
_ID: Final = re.compile(r"[A-Za-z0-9_-]{22}")
_LINE = tuple[str, str, None]


@dataclass(frozen=True, slots=True)
class Service:
    """A city service on the door: where it opens, and the grant that connects it, if one does."""

    name: str
    href: str | None
    grant: str | None

    @property
    def connected(self) -> bool:
        """Whether it may read something today."""
        return self.grant is not None


@dataclass(frozen=True, slots=True)
class AgencyServices:
    """The services of one agency."""

    name: str
    services: tuple[Service, ...]


@dataclass(frozen=True, slots=True)
class PermissionView:
    """A grant as the citizen reads it."""

    id: str
    service: str
    agency: str
    title: Mapping[str, str]
    claims: tuple[str, ...]
    by_consent: bool
    law: str | None
    state: str
    given: dt.datetime | None
    until: dt.datetime | None

    def lines(
        self, t: Callable[..., str], local: Callable[..., str], claim_list: Callable[[Sequence[str]], str], date: Callable[..., str]
    ) -> list[_LINE]:
        """Give the lines of its card: what for, which data, on which ground, from when until when."""
        by_law = t("permissions.line.law", law=self.law) if self.law else t("permissions.line.duty")
        ground = t("permissions.line.consent") if self.by_consent else by_law
        lines = [
            ("purpose", local(self.title) if self.title else None),
            ("data", claim_list(self.claims) if self.claims else t("permissions.line.nothing")),
            ("ground", ground),
            ("period", self._period(t, date)),
        ]
        return [(t(f"permissions.line.{name}"), value, None) for name, value in lines if value]

    def _period(self, t: Callable[..., str], date: Callable[..., str]) -> str | None:
        if self.given is None:
            return None
        if self.until is None:
            return t("permissions.line.since", since=date(self.given))
        return t("permissions.line.span", since=date(self.given), until=date(self.until))


def greeting(now: dt.datetime) -> str:
    """Choose the greeting of the hour in the city: pagi until 11, siang until 15, sore until 18, then malam."""
    hour = now.astimezone(ZONE).hour
    limits = ((4, "night"), (11, "morning"), (15, "noon"), (18, "afternoon"))
    return next((name for limit, name in limits if hour < limit), "night")


def door(clients: Iterable[Client], active: Mapping[str, str], language: str, issuer: str) -> Sequence[AgencyServices]:
    """Arrange every service by agency, connected ones first. `active`: grant by client id. One that opens nowhere shows when connected."""
    agencies: dict[str, list[Service]] = {}
    for client in clients:
        service = Service(client.name, _opens(client, issuer), active.get(client.id))
        if service.href or service.connected:
            agencies.setdefault(client.agency.name.get(language) or client.agency.name["id"], []).append(service)
    return [
        AgencyServices(name, tuple(sorted(services, key=lambda service: (not service.connected, service.name))))
        for name, services in sorted(agencies.items())
    ]


def _opens(client: Client, issuer: str) -> str | None:
    """Say where a service opens: where it begins a sign-in by itself, if it registered such an address.

    None for one that registered itself and that nobody has looked at: our page is no place to lead people to strangers' addresses.

    OIDC Core §4: a request to initiate_login_uri carries `iss`, by which the application knows whom to ask. Nothing else is sent along, so
    that a link tells nobody who follows it.
    """
    if unchecked(client, client.default_purpose or ""):
        return None
    uri = client.initiate_login_uri
    return client.uri if uri is None else f"{uri}{'&' if '?' in uri else '?'}{urlencode({'iss': issuer})}"


def permission_view(grant: Grant, purpose: Purpose | None, agency: str) -> PermissionView:
    """Describe a grant; `purpose` is the version that it names."""
    return PermissionView(
        id=grant.id,
        service=grant.client_name,
        agency=agency,
        title=purpose.title if purpose else {},
        claims=tuple(sorted(grant.claims, key=order_of)),
        by_consent=grant.basis.value == "a",
        law=purpose.legal_ref if purpose else None,
        state=grant.state.value,
        given=grant.given_at,
        until=grant.expires_at,
    )


def since(period: str, now: dt.datetime) -> dt.datetime | None:
    """Give the beginning of a period by its name; an unknown one is all of time."""
    length = PERIODS.get(period)
    return now - length if length else None


def last_months(counts: Iterable[tuple[str, int]], now: dt.datetime, months: int = MONTHS) -> Sequence[tuple[str, int]]:
    """Fill the last months in order, the current one last; a month without reads counts zero."""
    known = dict(counts)
    here = now.astimezone(ZONE)
    number = here.year * 12 + here.month - 1
    names = [f"{place // 12:04d}-{place % 12 + 1:02d}" for place in range(number - months + 1, number + 1)]
    return [(name, known.get(name, 0)) for name in names]


def first_of_months(now: dt.datetime, months: int = MONTHS) -> dt.datetime:
    """Give the moment in the city at which the last months began, the current one counted."""
    here = now.astimezone(ZONE)
    number = here.year * 12 + here.month - months
    return dt.datetime(number // 12, number % 12 + 1, 1, tzinfo=ZONE)


def chosen(parameters: Mapping[str, str], allowed: Mapping[str, Iterable[Any]]) -> dict[str, str]:
    """Keep the filters that name something; whatever else a query says is no filter."""
    return {name: value if (value := parameters.get(name, "")) in set(values) else "" for name, values in allowed.items()}


def position(text: str) -> int | None:
    """Read an entry's index from a query; what is no index is no position, and the list begins at the newest."""
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _LONGEST_INDEX else None


def is_id(text: str) -> bool:
    """Say whether a piece of a path has the form of an id of ours, before it goes anywhere near a database."""
    return _ID.fullmatch(text) is not None
