"""How often something may be tried, so that guessing is slow and nobody can lock a victim out.

A person who signed in from a browser before is counted by (identifier, that browser) alone: what strangers do does not slow that person.
Strangers are counted by (identifier), by network, and all together. An identifier that nobody has is counted alike.
Counts are taken before the work and given back after a success: what races is counted too.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from idp.settings import Settings

IPV6_LINE = 64
MINUTE = 60


class Counters(Protocol):
    """Where counts are kept (`idp.events.counters`)."""

    async def count(self, keys: Sequence[tuple[str, bytes, int]], now: dt.datetime) -> Mapping[str, tuple[int, dt.datetime]]:
        """Count one attempt in each (name, key, window); give (count, end of window) by name."""
        ...

    async def give_back(self, keys: Sequence[tuple[str, bytes]]) -> None:
        """Take one attempt back from each."""
        ...


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `allowed` attempts in `window` seconds."""

    name: str
    allowed: int
    window: int


@dataclass(frozen=True, slots=True)
class LimitRules:
    """All limits. Networks are generous: mobile carriers put thousands of people behind one address."""

    device: tuple[Limit, ...]
    strangers: tuple[Limit, ...]
    network: tuple[Limit, ...]
    everyone: tuple[Limit, ...]
    factor: tuple[Limit, ...]
    enrolment: tuple[Limit, ...]
    message_to: tuple[Limit, ...]
    message_device: tuple[Limit, ...]
    message_network: tuple[Limit, ...]
    slip: tuple[Limit, ...]
    registration: tuple[Limit, ...]
    user_code: tuple[Limit, ...]
    asked_elsewhere: tuple[Limit, ...]

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Read them from the settings."""
        return cls(
            device=_limits("device", settings.limit_device),
            strangers=_limits("strangers", settings.limit_strangers),
            network=_limits("network", settings.limit_network),
            everyone=_limits("everyone", settings.limit_everyone),
            factor=_limits("factor", settings.limit_factor),
            enrolment=_limits("enrolment", settings.limit_enrolment),
            message_to=_limits("message-to", settings.limit_message),
            message_device=_limits("message-device", settings.limit_message),
            message_network=_limits("message-network", settings.limit_message_network),
            slip=_limits("slip", settings.limit_slip),
            registration=_limits("registration", settings.limit_registration),
            user_code=_limits("user-code", settings.limit_user_code),
            asked_elsewhere=_limits("asked-elsewhere", settings.limit_asked_elsewhere),
        )


DENIED = (Limit("denied", 1, MINUTE),)
EXPORTS = (Limit("export", 10, 60 * MINUTE),)
NOTICES = (Limit("notice", 20, 24 * 60 * MINUTE),)
NOTICES_ALIKE = (Limit("notice-alike", 3, 24 * 60 * MINUTE),)
COMPLAINTS = (Limit("complaint", 10, 24 * 60 * MINUTE),)


def network_of(address: str) -> str:
    """Name the network that an address counts for: an IPv6 line owns its whole /64 and chooses in it freely (RFC 6177 §2)."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, IPV6_LINE), strict=False))


def _limits(group: str, rates: Sequence[tuple[int, int]]) -> tuple[Limit, ...]:
    return tuple(Limit(f"{group}-{window}", allowed, window) for allowed, window in rates)


@dataclass(frozen=True, slots=True)
class Taken:
    """An attempt that may go on; `keys` are what `give_back` needs."""

    keys: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """An attempt that may not: try again in `seconds`."""

    seconds: int

    @property
    def lasting(self) -> dt.timedelta:
        """Give whole minutes, at least one: what a page says, in words of its language."""
        return dt.timedelta(minutes=max(1, math.ceil(self.seconds / MINUTE)))


@dataclass(frozen=True, slots=True)
class RateLimits:
    """The limits over a store of counters. `digest(kind, value)` is the keyring's blind index."""

    counters: Counters
    digest: Callable[[str, str], bytes]
    clock: Callable[[], dt.datetime]
    rules: LimitRules

    async def sign_in(self, identifier: str, *, address: str, browser: str, known: bool) -> Taken | Wait:
        """Count an attempt to sign in as `identifier`. `known`: this browser signed in as that person before."""
        rules = self.rules
        if known:
            return await self.take((rules.device, f"{browser}\0{identifier}"))
        return await self.take((rules.strangers, identifier), (rules.network, network_of(address)), (rules.everyone, ""))

    async def second_factor(self, person: str) -> Taken | Wait:
        """Count a try of a second factor. The password was right, so this is the owner or a thief of the password."""
        return await self.take((self.rules.factor, person))

    async def own_password(self, person: str) -> Taken | Wait:
        """Count a try of the old password on one's own pages: the session may be a stranger's on a phone left open."""
        return await self.take((self.rules.factor, f"password\0{person}"))

    async def message(self, recipient: str, *, address: str, browser: str, known: bool = False) -> Taken | Wait:
        """Count a code that is asked to be sent to `recipient`. A known device has an allowance that strangers cannot use up."""
        rules = self.rules
        if known:
            return await self.take((rules.message_device, f"{browser}\0{recipient}"))
        return await self.take((rules.message_to, recipient), (rules.message_network, network_of(address)))

    async def enrolment(self, address: str) -> Taken | Wait:
        """Count an enrolment that is begun."""
        return await self.take((self.rules.enrolment, network_of(address)))

    async def registration(self, address: str) -> Taken | Wait:
        """Count an application that registers itself."""
        return await self.take((self.rules.registration, network_of(address)))

    async def slip(self, identifier: str, *, address: str) -> Taken | Wait:
        """Count a try of a slip from the counter."""
        return await self.take((self.rules.slip, f"{identifier}\0{network_of(address)}"), (self.rules.network, network_of(address)))

    async def user_code(self, address: str) -> Taken | Wait:
        """Count a try of another device's code: by network, and all together, since a guess may hit anybody's (RFC 8628 §5.1)."""
        return await self.take((self.rules.user_code, network_of(address)), (self.rules.everyone, "user-code"))

    async def asked_elsewhere(self, person: str) -> Taken | Wait:
        """Count a request that names a person: nobody is to be worn down until they say yes (CIBA §15)."""
        return await self.take((self.rules.asked_elsewhere, person))

    async def export(self, person: str) -> Taken | Wait:
        """Count a file that somebody takes of their own data: each is an entry, and work."""
        return await self.take((EXPORTS, person))

    async def complaint(self, person: str) -> Taken | Wait:
        """Count a complaint that somebody sends: each is work for an officer."""
        return await self.take((COMPLAINTS, person))

    async def notice(self, person: str, alike: str) -> Taken | Wait:
        """Count a notice of an unusual read, and among those `alike`: who gets a hundred reads none. What must wait is told together."""
        found = await self.take((NOTICES_ALIKE, f"{person}\0{alike}"))
        return found if isinstance(found, Wait) else await self.take((NOTICES, person))

    async def denied(self, client: str, person: str) -> Taken | Wait:
        """Count a refused attempt at a person's data: log.md, "one per client, person, minute", by all processes together."""
        return await self.take((DENIED, f"{client}\0{person}"))

    async def take(self, *takes: tuple[tuple[Limit, ...], str]) -> Taken | Wait:
        """Count one attempt against every limit; the longest wait wins."""
        now = self.clock()
        limits = {limit.name: limit for group, _ in takes for limit in group}
        keys = [(limit.name, self._key(limit.name, value), limit.window) for group, value in takes for limit in group]
        counts = await self.counters.count(keys, now)
        waits = [(until - now).total_seconds() for name, (count, until) in counts.items() if count > limits[name].allowed]
        return Wait(max(1, math.ceil(max(waits)))) if waits else Taken(tuple((name, key) for name, key, _ in keys))

    async def give_back(self, taken: Taken) -> None:
        """Forget an attempt that succeeded."""
        await self.counters.give_back(taken.keys)

    def _key(self, name: str, value: str) -> bytes:
        return self.digest("identifier", f"{name}\0{value}")
