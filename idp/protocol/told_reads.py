"""Telling citizens of reads: unusual ones at once, everything once a month. Every message is an errand of the outbox first.

A notice is an errand under the id of its entry, so that no entry is told twice. If the idp store is away at that moment the read is not
held up: the month's letter counts it, and the history shows it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Final

import structlog

from consent.access_log.records import Denied
from consent.errors import ChainClosed
from idp.pages.formats import ZONE, Formats
from idp.protocol.unusual import Crowds, unusual
from idp.web.rate_limits import Wait
from keys.encoding import encode
from keys.errors import StoreUnavailable

if TYPE_CHECKING:
    from consent.access_log.records import Entry, Receipt
    from idp.events.outbox.records import Errand
    from idp.protocol.services import Services

NOTICE_TOPIC: Final = "unusual-read"
MORE_TOPIC: Final = "more-unusual-reads"
DIGEST_TOPIC: Final = "digest"
TOGETHER: Final = 3 * 3600
"""Seconds for which unusual reads beyond the limits are gathered into one notice: eight notices a day at most."""
PAGE: Final = 50
"""People in one step, twice a minute: slow enough that codes for signing in do not wait behind letters in the outbox."""
READS: Final = frozenset({"disclose", "consult", "verify", "audit"})
ALL: Final = frozenset({"disclose", "consult", "verify", "update", "erase", "export", "audit", "consent", "denied"})

_log = structlog.get_logger()


class Watcher:
    """Sees every entry of this process once it is committed (`AccessLog.observer`)."""

    def __init__(self, found: Services) -> None:
        self._found = found
        self._crowds = Crowds()

    async def __call__(self, entry: Entry, result: Receipt | Denied) -> None:
        """Keep a notice when the read is unusual. Never raises for a store that is away: the read is committed."""
        if isinstance(result, Denied) or entry.subject is None or entry.record.visibility != "open":
            return  # what is shown later is told later: the monthly letter says that it is there
        kind = unusual(entry.record, result.time, self._crowds.count(entry.record, result.time))
        if kind is None:
            return
        record, now = entry.record, self._found.clock()
        who = record.client_name or (record.actor.unit if record.actor else None) or "Gerbang"  # as the history names them
        by = record.actor.pseudonym if record.actor and record.actor.pseudonym else record.client or ""
        read = (record.occurred or result.time).timestamp()
        payload = {"kind": kind, "who": who, "by": by, "claims": sorted(record.claims), "at": read}
        try:
            await self._found.events.outbox.add(NOTICE_TOPIC, payload, now, person=entry.subject.person, errand=entry.entry_id)
        except (StoreUnavailable, OSError) as error:
            _log.warning("notice_lost", error=type(error).__name__)


async def tell_unusual(found: Services, errand: Errand) -> None:
    """Tell a citizen of one unusual read, over the channel of their choice.

    Three a day that are alike (same officer or service, same kind, same data), twenty in all; the rest is told together,
    some hours later. So nobody uses up the notices of a day with trifles, and nobody's telephone rings a hundred times.
    """
    account = await found.accounts.get(errand.person) if errand.person else None
    if account is None:
        return
    said, now = errand.payload, found.clock()
    alike = "\0".join((said["kind"], said.get("by", ""), *said.get("claims", ())))
    if isinstance(await found.limits.notice(account.person, alike), Wait):
        window = int(now.timestamp()) // TOGETHER
        together = encode(found.limits.digest("identifier", f"{MORE_TOPIC}\0{account.person}\0{window}"))[:22]
        due = dt.datetime.fromtimestamp((window + 1) * TOGETHER, dt.UTC)
        await found.events.outbox.add_once(MORE_TOPIC, now, person=account.person, errand=together, due=due)
        return
    when = Formats(account.locale).when(dt.datetime.fromtimestamp(said["at"], dt.UTC))
    wishes = await found.wishes.of(account.person)
    await found.courier.tell(account.person, f"read_{said['kind']}", {"who": said["who"], "when": when}, by=wishes.channel)


async def tell_more(found: Services, errand: Errand) -> None:
    """Tell a citizen that there were more unusual reads than were told one by one."""
    account = await found.accounts.get(errand.person) if errand.person else None
    if account is not None:
        wishes = await found.wishes.of(account.person)
        await found.courier.tell(account.person, "read_more", by=wishes.channel)


async def write_digests(found: Services) -> int:
    """Begin, or go on with, the letters about last month; return how many people this run looked at."""
    month = last_month(found.clock())[0]
    before = await found.wishes.digest_position(month)
    if before is None:
        return 0
    people, now = await found.accounts.census.after(before, PAGE), found.clock()
    letters = [found.events.outbox.adding(DIGEST_TOPIC, {"month": month}, now, person=person) for person in people]
    last = people[-1] if people else before
    done = len(people) < PAGE
    if not await found.wishes.advance(month, before, last, letters, done=done):
        return 0
    if done:
        await found.wishes.sweep(month)
    return len(people)


async def tell_digest(found: Services, errand: Errand) -> None:
    """Write one citizen's letter: until when, how many entries in all and in the month. No letter about a month without one."""
    account = await found.accounts.get(errand.person) if errand.person else None
    if account is None:
        return
    wishes = await found.wishes.of(account.person)
    month, first, end = last_month(found.clock())
    if not wishes.digest or month != errand.payload["month"]:
        return
    log = found.consent.access_log
    try:
        count, _ = await log.usages(account.person, ALL, first, end, limit=1, offset=0)
        reads, _ = await log.usages(account.person, READS, first, end, limit=1, offset=0)
        total, _ = await log.usages(account.person, ALL, None, end, limit=1, offset=0)
        withheld = await log.withheld(account.person, first, end)
    except ChainClosed:  # erased meanwhile
        return
    if count or withheld:
        formats = Formats(account.locale)
        numbers = {
            name: formats.number(value) for name, value in (("total", total), ("entries", count), ("reads", reads), ("withheld", withheld))
        }
        until = formats.date(end - dt.timedelta(days=1))
        letter = "digest_withheld" if withheld else "digest"
        await found.courier.tell(account.person, letter, {"date": until, **numbers}, by=wishes.channel)


def last_month(now: dt.datetime) -> tuple[str, dt.datetime, dt.datetime]:
    """Give last month's name, its first moment in the city, and the first one after it."""
    end = now.astimezone(ZONE).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    first = (end - dt.timedelta(days=1)).replace(day=1)
    return first.strftime("%Y-%m"), first, end
