"""Reading registrations from options and files: what is given wins over what the file says, and every refusal names the field."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from idp.cli.terminal import Exit, read_json, refuse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from idp.clients.records import Agency
    from idp.protocol.services import Services
    from idp.spec.client_metadata import ClientMetadata

_AGENCY_FIELDS = frozenset({"code", "name", "unit", "dpo_contact"})


def document(file: Path | None, options: Mapping[str, Any], fields: Sequence[str] | None) -> dict[str, Any]:
    """Put a registration together from a file, options (None: not given), and `--field NAME=VALUE`."""
    whole = _file(file) if file else {}
    whole |= {name: value for name, value in options.items() if value not in (None, [])}
    for field in fields or ():
        name, equals, value = field.partition("=")
        if not equals or not name:
            refuse(f"--field {field}: write NAME=VALUE, as RFC 7591 names it", Exit.USAGE)
        whole[name] = _value(value)
    return whole


def _file(file: Path) -> dict[str, Any]:
    found = read_json(file)
    if not isinstance(found, dict):
        refuse(f"{file} must hold one JSON object", Exit.USAGE)
    return found


def _value(text: str) -> Any:  # noqa: ANN401 - whatever JSON can say
    """Read a value: JSON where it is JSON (true, 60, ["a"]), else the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def checked(document: Mapping[str, Any], *, needs_purpose: bool = True) -> ClientMetadata:
    """Check a registration, or end the command with everything that is wrong with it."""
    from idp.cli.terminal import settings
    from idp.spec import client_metadata

    metadata = client_metadata.read(document, implicit=settings().certification, needs_purpose=needs_purpose)
    if isinstance(metadata, tuple):
        refuse("the registration is refused:\n" + "\n".join(f"  {problem}" for problem in metadata), Exit.USAGE)
    return metadata


async def check_purposes(services: Services, purposes: Sequence[str], agency: str) -> None:
    """Refuse a purpose that is not declared, or not by this agency."""
    for purpose in purposes:
        declared = await services.consent.purposes.get(purpose)
        if declared is None:
            refuse(f"purposes: {purpose} is not declared; declare it first: idp purposes add FILE")
        if declared.agency != agency:
            refuse(f"purposes: {purpose} is a declaration of {declared.agency}, not of {agency}")


def agency(written: object, code: str | None, options: Mapping[str, str | None]) -> dict[str, Any]:
    """Put the agency together from the file's "agency" (a code, or an object) and the options."""
    body = {"code": written} if isinstance(written, str) else written if isinstance(written, dict) else {}
    unknown = sorted(set(body) - _AGENCY_FIELDS)
    if unknown or (written is not None and not body):
        refuse(f"agency: write its code, or an object of {', '.join(sorted(_AGENCY_FIELDS))}", Exit.USAGE)
    body = dict(body) | ({"code": code} if code else {}) | {name: value for name, value in options.items() if value}
    if not isinstance(body.get("code"), str) or not body["code"].strip():
        refuse("agency: say whose application it is (--agency CODE)", Exit.USAGE)
    return body


async def known_agency(services: Services, body: Mapping[str, Any], purposes: Sequence[str]) -> Agency:
    """Give the agency; one that is new, or of which more is told, is written down first.

    A new one that is not named is named as its purpose declares; without either the command ends: citizens would read a code.
    """
    from idp.clients.records import Agency

    known = await services.clients.agency(body["code"])
    if known is not None and set(body) == {"code"}:
        return known
    found = Agency(
        body["code"],
        _names(body["name"]) if body.get("name") else known.name if known else await _declared_names(services, body["code"], purposes),
        body.get("unit") or (known.unit if known else None),
        body.get("dpo_contact") or (known.dpo_contact if known else None),
    )
    await services.clients.put_agency(found, services.clock())
    return found


def _names(name: object) -> Mapping[str, str]:
    names: Mapping[str, str] = name if isinstance(name, dict) else {"id": str(name), "en": str(name)}
    if not isinstance(names.get("id"), str):
        refuse('agency: name must be a text, or an object with "id" and "en"', Exit.USAGE)
    return names


async def _declared_names(services: Services, code: str, purposes: Sequence[str]) -> Mapping[str, str]:
    declared = await services.consent.purposes.get(purposes[0]) if purposes else None
    if declared is None:
        refuse(f"agency: {code} is new; say what citizens call it (--agency-name NAME)", Exit.USAGE)
    return declared.agency_name
