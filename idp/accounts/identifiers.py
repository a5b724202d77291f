"""What a person types to say who they are, brought to the one form it is indexed under."""

from __future__ import annotations

from idp.accounts import nik, numbers
from idp.accounts.records import Identifier, IdentifierKind

LONGEST = 254
HOME_REGION = "ID"


def parse(text: str) -> Identifier | None:
    """Tell a NIK, an e-mail address, an account number and a telephone number apart; None when it is none of them."""
    text = text.strip()
    if not 1 <= len(text) <= LONGEST:
        return None
    if "@" in text:
        address = email(text)
        return Identifier(IdentifierKind.EMAIL, address) if address else None
    compact = nik.normalise(text)
    if isinstance(nik.parse(compact), nik.Nik):
        return Identifier(IdentifierKind.NIK, compact)
    if numbers.is_number(compact):
        return Identifier(IdentifierKind.NUMBER, compact)
    number = phone(text)
    return Identifier(IdentifierKind.PHONE, number) if number else None


def email(text: str) -> str | None:
    """Give the address in the form it is stored and indexed (domain lower-cased, IDN decoded); None when it is no address.

    The local part is folded too: no mailbox provider that people use tells `Siti@` from `siti@`, and two accounts would.
    """
    from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - 60 ms and dnspython, at first use

    try:
        found = validate_email(text.strip(), check_deliverability=False, test_environment=False)
    except EmailNotValidError:
        return None
    return found.normalized.casefold()


def phone(text: str) -> str | None:
    """Give a telephone number as E.164 (`08…`, `628…`, `+62 8…` are one number); None when it is not a possible number."""
    import phonenumbers  # noqa: PLC0415 - 30 MB of metadata, only where a number is typed

    text = text.strip()
    if text.startswith("62"):
        text = f"+{text}"
    try:
        number = phonenumbers.parse(text, HOME_REGION)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def contact(text: str) -> Identifier | None:
    """Read an identifier that codes can be sent to: an e-mail address or a telephone number."""
    found = parse(text)
    return found if found and found.kind in (IdentifierKind.EMAIL, IdentifierKind.PHONE) else None


def masked(identifier: Identifier) -> str:
    """Show just enough for its owner to know it again."""
    value = identifier.value
    if identifier.kind is IdentifierKind.EMAIL:
        local, _, domain = value.partition("@")
        return f"{local[:1]}•••@{domain}"
    if identifier.kind is IdentifierKind.NIK:
        return nik.masked(value)
    return f"{value[:3]}•••{value[-3:]}"
