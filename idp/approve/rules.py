"""UU 27/2022 Art. 21, 22, 25 (law.md R2, R3, R5, R8, R23, R28): what a card must say, and who cannot be shown one. Pure."""

from __future__ import annotations

import dataclasses
import enum
import hashlib
from typing import TYPE_CHECKING, Final

from consent.records import LegalBasis, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consent.decision import Ask, Kind
    from consent.records import Purpose
    from idp.accounts.records import Account

#: Rises with every change of the templates or texts of a card; a receipt names it.
TEMPLATE: Final = "approve/3"
SWITCH: Final = "allow-"
_MUST_SAY: Final = ("client", "agency", "title", "text", "legality", "details", "retention", "period", "recipients", "rights", "contact")
_ORDER: Final = ("name", "nik", "birthdate", "gender", "address", "email", "phone_number")
_DUTIES: Final = frozenset({LegalBasis.LEGAL_OBLIGATION, LegalBasis.PUBLIC_INTEREST})


class CardIncomplete(Exception):
    """A card lacks something that the law wants said: it is not shown. `item` names it."""

    def __init__(self, item: str) -> None:
        super().__init__(item)
        self.item = item


class Blocked(enum.StrEnum):
    """Why somebody cannot be shown a card yet."""

    MINOR = "minor"
    NIK = "nik"


@dataclasses.dataclass(frozen=True, slots=True)
class Item:
    """One kind of data on the card. `value` is as its owner reads it, None while there is none; `source` says who vouches for it."""

    claim: str
    relevance: str
    value: str | None = dataclasses.field(default=None, repr=False)
    source: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Shown:
    """A value of the citizen's, ready to be read by them."""

    value: str = dataclasses.field(repr=False)
    source: str


@dataclasses.dataclass(frozen=True, slots=True)
class CardView:
    """Everything that stands on a card, in one language. `mandatory` is whether the agency acts by law or public duty."""

    kind: Kind
    mandatory: bool
    purpose: str
    version: int
    client: str
    agency: str
    title: str
    text: str
    legality: str
    legal_ref: str | None
    details: str
    retention: str
    period: str
    recipients: str
    rights: str
    contact: str
    agency_contact: str | None
    required: tuple[Item, ...]
    optional: tuple[Item, ...]
    unchecked: bool = False
    policy: str | None = None
    terms: str | None = None
    logo: str | None = None

    def without_values(self) -> CardView:
        """Give the card as anybody would have seen it: this is what is kept, and hashed."""
        return dataclasses.replace(
            self,
            required=tuple(Item(item.claim, item.relevance) for item in self.required),
            optional=tuple(Item(item.claim, item.relevance) for item in self.optional),
        )

    @property
    def offered(self) -> frozenset[str]:
        """The names of all data on the card."""
        return frozenset(item.claim for item in (*self.required, *self.optional))


@dataclasses.dataclass(frozen=True, slots=True)
class Parties:
    """Who stands on the card besides the citizen: the application, its agency's contact, and the city's data protection officer.

    `unchecked`: nobody of the city has looked at the application. `policy`, `terms`: its own pages; `logo`: its picture, at our address.
    """

    client: str
    agency_contact: str | None
    contact: str
    unchecked: bool = False
    policy: str | None = None
    terms: str | None = None
    logo: str | None = None


def card(ask: Ask, purpose: Purpose, parties: Parties, values: Mapping[str, Shown], language: str) -> CardView:
    """Build a card. Raises: CardIncomplete (law.md R3: "a missing item means the card cannot be rendered")."""

    def items(names: frozenset[str]) -> tuple[Item, ...]:
        return tuple(_item(name, purpose, values.get(name), language) for name in sorted(names, key=_order))

    view = CardView(
        kind=ask.kind,
        mandatory=purpose.basis in _DUTIES,
        purpose=purpose.id,
        version=purpose.version,
        client=parties.client,
        agency=spoken(purpose.agency_name, language),
        title=spoken(purpose.title, language),
        text=spoken(purpose.text, language),
        legality=spoken(purpose.legality, language),
        legal_ref=purpose.legal_ref,
        details=spoken(purpose.details, language),
        retention=spoken(purpose.retention, language),
        period=spoken(purpose.period, language),
        recipients=spoken(purpose.recipients, language),
        rights=spoken(purpose.rights, language),
        contact=parties.contact,
        agency_contact=parties.agency_contact,
        required=items(ask.required),
        optional=items(ask.optional),
        unchecked=parties.unchecked,
        policy=parties.policy,
        terms=parties.terms,
        logo=parties.logo,
    )
    _check(view)
    return view


def text_hash(text: str) -> str:
    """Hash a card's text as it was shown: SHA-256 in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def blocked(ask: Ask, account: Account) -> Blocked | None:
    """Say why somebody cannot be shown this card.

    UU 27/2022 Art. 25: a child's data is read with a guardian's consent only. law.md: only a verified NIK is released.
    """
    if account.minor and (ask.required or ask.optional):
        return Blocked.MINOR
    if "nik" in ask.required and not account.nik_verified:
        return Blocked.NIK
    return None


def allowed(ask: Ask, fields: Mapping[str, str]) -> frozenset[str]:
    """Read an answer: all that is required, and of the rest what was switched on (law.md R2: "off by default")."""
    return ask.required | {name for name in ask.optional if fields.get(SWITCH + name) == "on"}


def _item(name: str, purpose: Purpose, shown: Shown | None, language: str) -> Item:
    relevance = spoken(purpose.relevance(name), language)
    return Item(name, relevance, shown.value if shown else None, shown.source if shown else None)


def _order(claim: str) -> tuple[int, str]:
    return (_ORDER.index(claim) if claim in _ORDER else len(_ORDER), claim)


def _check(view: CardView) -> None:
    for field in _MUST_SAY:
        if not getattr(view, field).strip():
            raise CardIncomplete(field)
    for item in (*view.required, *view.optional):
        if not item.relevance.strip():
            raise CardIncomplete(f"relevance of {item.claim}")
    if view.kind == "notice" and not view.legal_ref:
        raise CardIncomplete("legal_ref")
