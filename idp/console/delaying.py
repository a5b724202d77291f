"""Delayed visibility on the pages of proposals (law.md R17): two people order it, and each names the citizen by an identifier of their own.

No page tells whose it is: the proposal keeps the name of the person's second chain, and whoever confirms must come to the same one. What
one person alone does is an entry about nobody; once two have ordered it, that is an entry of the second chain, which says why and by whom,
so that the citizen sees it with the reads, once due.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from consent.delays import CODES, OrderState
from idp.accounts.records import AccountState
from idp.console import delay_rules, rules
from idp.console.delay_rules import DECIDERS
from idp.proposals.records import ProposalKind, ProposalState
from idp.protocol import counter, staff
from keys.errors import KeyDestroyed
from keys.opaque import new_id

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.accounts.records import Account
    from idp.proposals.records import Proposal
    from idp.protocol.services import Services
    from idp.protocol.staff import OnDuty

STATUS: Final[Mapping[str, int]] = {"own": 403, "late": 409, "other": 409}


async def offered(found: Services) -> Mapping[str, Sequence[tuple[str, str]]]:
    """Give what an order may be about."""
    return {"client": [(one.id, f"{one.name} ({one.id})") for one in await found.clients.list()], "code": [(code, code) for code in CODES]}


async def propose(found: Services, duty: OnDuty, fields: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
    """Propose an order; give the proposal's number, or by field what is wrong. Raises: LogUnavailable, LogBusy, ChainClosed."""
    now, number, kind = found.clock(), new_id(), ProposalKind.DELAY
    reason = rules.reason_of(fields.get("reason", ""))
    about, wrong = delay_rules.read(fields, now, found.settings.delay_days)
    if reason is None:
        wrong = {**wrong, "reason": "staff.wrong.reason"}
    if "client" not in wrong and await found.clients.get(about["client"]) is None:
        wrong = {**wrong, "client": "staff.wrong.field"}
    if not fields.get("identifier", "").strip():
        wrong = {**wrong, "identifier": "staff.wrong.identifier"}
    if wrong or reason is None:
        return "", wrong
    account = await _the_one(found, fields["identifier"])
    chain = await _chain(found, account)
    words = f"{reason} {rules.on_record('proposes', None, kind, about, number)}"
    if account is None or chain is None:
        await staff.enter(found, duty, words, case=about["case"], outcome="nobody")
        return "", {"identifier": "staff.wrong.nobody"}
    if account.person == duty.session.person:
        return "", {"identifier": "staff.wrong.oneself"}
    await staff.enter(found, duty, words, case=about["case"])  # one alone keeps nothing from a citizen, should it never be confirmed
    await found.proposals.propose(kind, {**about, "chain": chain.hex()}, reason, duty.member.pseudonym, now, proposal=number)
    return number, {}


async def decide(found: Services, duty: OnDuty, proposal: Proposal, fields: Mapping[str, str]) -> str | None:
    """Confirm, put into force what a crash left confirmed, or end; give the name of the sentence why not.

    Raises: LogUnavailable, LogBusy (503: nothing was decided), ChainClosed.
    """
    now, wanted = found.clock(), fields["decision"]
    state = proposal.state(now)
    if duty.member.appointment(*DECIDERS) is None or (wanted == "confirm" and rules.barred(proposal, duty.member.pseudonym)):
        return "own"
    if wanted == "confirm" and state is ProposalState.OPEN and now < delay_rules.ends(proposal.subject):
        return await _confirm(found, duty, proposal, fields)
    if wanted == "open" and state is ProposalState.CONFIRMED:
        return await _begin(found, proposal)
    if wanted == "end" and state is ProposalState.DONE:
        return await _end(found, duty, proposal)
    return "late"


async def shown(found: Services, duty: OnDuty, proposal: Proposal, state: ProposalState) -> Mapping[str, Any]:
    """Give what the page of a proposal shows of an order, and what this member may do about it."""
    if proposal.kind is not ProposalKind.DELAY:
        return {"order": None}
    order = await found.consent.delays.get(proposal.id)
    standing = order.state(found.clock()) if order else None
    decider = duty.member.appointment(*DECIDERS) is not None
    may = {
        "confirm": decider and state is ProposalState.OPEN and not rules.barred(proposal, duty.member.pseudonym),
        "open": decider and state is ProposalState.CONFIRMED,
        "end": decider and standing is OrderState.IN_FORCE,
    }
    ends = delay_rules.ends(proposal.subject)
    return {"order": order, "order_state": standing.value if standing else None, "delay_may": may, "delay_ends": ends}


async def _confirm(found: Services, duty: OnDuty, proposal: Proposal, fields: Mapping[str, str]) -> str | None:
    """The second look: the identifier typed anew must lead to the same person. One's own is answered as any other's that does not."""
    account, about, case = await _the_one(found, fields.get("identifier", "")), proposal.subject, proposal.subject["case"]
    chain = await _chain(found, account)
    if account is None or chain is None or chain.hex() != about.get("chain") or account.person == duty.session.person:
        words = rules.on_record("does not confirm", proposal, proposal.kind, about, proposal.id)
        await staff.enter(found, duty, words, case=case, outcome="other")
        return "other"
    delay = delay_rules.delay(about, proposal.by, duty.member.pseudonym)
    words = f"{proposal.reason} {rules.on_record('confirms', proposal, proposal.kind, about, proposal.id)}"
    await staff.enter(found, duty, words, person=account.person, case=case, delay=delay)
    confirmed = await found.proposals.confirm(proposal.id, duty.member.pseudonym, found.clock())
    if confirmed is None:  # somebody was faster, and the log is to say so
        late = rules.on_record("came too late to confirm", proposal, proposal.kind, about, proposal.id)
        await staff.enter(found, duty, late, person=account.person, case=case, delay=delay)
        return "late"
    return await _begin(found, confirmed)


async def _begin(found: Services, proposal: Proposal) -> str | None:
    """Put the order into force, then mark it done: doing it again after a crash does no harm.

    An erasure takes the chain's name out of proposals, then out of orders: whichever comes between, none keeps it.
    """
    if "chain" not in proposal.subject:
        return "late"
    order = delay_rules.order(proposal, found.clock())
    await found.consent.delays.put(order)
    done = await found.proposals.carry_out(proposal.id, found.clock())
    if done is not None and "chain" not in done.subject and order.chain is not None:
        await found.consent.delays.forget(order.chain)
    return None


async def _end(found: Services, duty: OnDuty, proposal: Proposal) -> str | None:
    order = await found.consent.delays.get(proposal.id)
    if order is None or order.state(found.clock()) is not OrderState.IN_FORCE:
        return "late"
    await staff.enter(found, duty, rules.on_record("ends", proposal, proposal.kind, proposal.subject, proposal.id))
    return None if await found.consent.delays.end(order.id, duty.member.pseudonym) else "late"


async def _the_one(found: Services, typed: str) -> Account | None:
    """Find the account; None for none, for several (families share a telephone), and for an erased one."""
    accounts = list(await counter.find(found, typed)) if typed.strip() else []
    only = accounts[0] if len(accounts) == 1 else None
    return None if only is None or only.state is AccountState.CLOSED else only


async def _chain(found: Services, account: Account | None) -> bytes | None:
    """Name the second chain of a person; None when the person has no keys any more."""
    try:
        return None if account is None else (await found.keyring.subject_keys.log_key(account.person)).delayed
    except KeyDestroyed:
        return None
