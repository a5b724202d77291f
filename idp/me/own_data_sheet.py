"""law.md R15 (UU 27/2022 Art. 13): what is kept about a citizen as a sheet (RFC 4180), in words that people read. Pure.

It says what the JSON object of `idp.me.own_data_file` says, a line for each thing: part, thing, what is kept, and when it came.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from idp.me.sheets import MARK, safe
from idp.pages.formats import Formats
from idp.pages.texts import catalogue
from idp.pages.values import order_of, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

COLUMNS: Final = ("part", "thing", "kept", "source", "time")
_NIK: Final = 16
_FOUR: Final = 4


class Row(NamedTuple):
    """One line; `part` and `time` are written in words of the language."""

    part: str
    thing: str
    kept: str = ""
    source: str = ""
    time: str | None = None


def write(content: Mapping[str, Any], values: Mapping[str, str], language: str) -> bytes:
    """Write the sheet. `values`: the citizen's own, as they were kept."""
    words = _Words(language)
    text = io.StringIO()
    sheet = csv.writer(text, lineterminator="\r\n", quoting=csv.QUOTE_ALL)
    sheet.writerow(words.t(f"mydata.file.column.{name}") for name in COLUMNS)
    for row in _rows(content, values, words):
        part = words.t(f"mydata.file.part.{row.part}")
        sheet.writerow(safe(cell) for cell in (part, row.thing, row.kept, row.source, words.when(row.time)))
    return MARK + text.getvalue().encode()


class _Words:
    """The catalogue of one language, for lines of a sheet."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._texts, self._formats = catalogue(language), Formats(language)

    def t(self, name: str, **values: object) -> str:
        return self._texts.text(name, **values)

    def any(self, name: str, otherwise: str) -> str:
        return self.t(name) if name in self._texts else otherwise

    def when(self, time: str | None) -> str:
        return self._formats.when(dt.datetime.fromisoformat(time)) if time else ""

    def claims(self, names: list[str]) -> str:
        return ", ".join(self.any(f"data.{name}", name) for name in sorted(names, key=order_of))


def _rows(content: Mapping[str, Any], values: Mapping[str, str], words: _Words) -> Iterator[Row]:
    for one in sorted(content["values"], key=lambda one: order_of(one["claim"])):
        yield _value(one, values[one["claim"]], words)
    yield from _account(content, words)
    yield from _sign_in(content["sign_in"], words)
    for one in content["permissions"]:
        yield from _permission(one, words)
    for part in ("access", "waiting"):
        for one in content[part]:
            yield Row(part, one["service"], words.t("mydata.file.until", until=words.when(one["until"])), time=one["since"])
    for one in content["complaints"]:
        yield Row("complaints", one["number"], one["text"], words.t(f"complaints.state.{one['state']}"), one["received_at"])
        if one["answer"] is not None:
            yield Row("complaints", f"{one['number']}: {words.t('data.complaint_answer')}", one["answer"], time=one["answered_at"])
    if content["staff"]:
        for one in content["staff"]["roles"]:
            kept = " ".join(part for part in (content["staff"]["pseudonym"], one["agency"], one["unit"]) if part)
            yield Row("staff", words.any(f"audit.role.{one['role']}", one["role"]), kept, time=one["since"])
    yield Row(
        "history",
        words.t("history.title"),
        words.t("mydata.file.entries", count=content["history"]["entries"], entries=content["history"]["entries"]),
    )


def _value(one: Mapping[str, Any], value: str, words: _Words) -> Row:
    checked = one["source"] == "verified"
    source = "code" if checked and one["claim"] in {"email", "phone_number"} else one["source"]
    by = " ".join(part for part in (one["checked_by"], one["checked_how"]) if part and checked)
    source = words.t(f"common.source.{source}") + (f" ({by})" if by else "")
    return Row("own", words.claims([one["claim"]]), _whole(one["claim"], value, words), source, one["checked_at"] or one["changed_at"])


def _whole(claim: str, value: str, words: _Words) -> str:
    """A NIK whole, in groups of four: as one number a spreadsheet would round its last digit away."""
    if claim == "nik" and len(value) == _NIK:
        return " ".join(value[start : start + _FOUR] for start in range(0, _NIK, _FOUR))
    return readable(claim, value, words.language)


def _account(content: Mapping[str, Any], words: _Words) -> Iterator[Row]:
    account, wishes = content["account"], content["wishes"]
    yield Row("account", words.t("mydata.account"), account["number"], time=account["created_at"])
    yield Row("account", words.t("mydata.file.last_used"), time=account["last_used_at"])
    yield Row("account", words.t("data.locale"), readable("locale", account["locale"], words.language))
    if account["nik_paused_until"]:
        yield Row("account", words.t("mydata.file.nik_paused"), time=account["nik_paused_until"])
    letter = words.t("wishes.told.digest") if wishes["monthly_letter"] else ""
    told = words.t(f"wishes.told.by_{wishes['told_by']}")
    yield Row("account", words.t("wishes.told.title"), ", ".join(part for part in (told, letter) if part))
    if wishes["frozen_at"]:
        yield Row("account", words.t("wishes.freeze.on"), time=wishes["frozen_at"])


def _sign_in(sign_in: Mapping[str, Any], words: _Words) -> Iterator[Row]:
    if sign_in["authenticator_app_since"]:
        yield Row("sign_in", words.t("security.totp.title"), time=sign_in["authenticator_app_since"])
    if card := sign_in["code_card"]:
        yield Row("sign_in", words.t("security.card.title"), words.t("security.card.left", count=card["codes_left"]), time=card["made_at"])
    for one in sign_in["passkeys"]:
        yield Row("sign_in", words.t("security.passkey.title"), one["name"], time=one["added_at"])
    for one in sign_in["linked"]:
        yield Row("sign_in", words.t("security.events.upstream_linked"), one["with"], time=one["since"])
    for one in sign_in["known_devices"]:
        yield Row("sign_in", words.t("mydata.file.known_device"), time=one["last_seen"])
    for one in sign_in["sessions"]:
        yield Row(
            "sign_in", words.t("security.sessions.title"), one["device"] or words.t("security.sessions.unknown"), time=one["last_seen"]
        )
    for one in sign_in["events"]:
        kind = one["kind"].replace("-", "_")
        yield Row("events", words.any(f"security.events.{kind}", one["kind"]), time=one["at"])


def _permission(one: Mapping[str, Any], words: _Words) -> Iterator[Row]:
    agency = one["agency_name"].get(words.language) or one["agency_name"].get("id") or one["agency"]
    title = one["purpose"]["title"].get(words.language) or one["purpose"]["title"].get("id") or one["purpose"]["id"]
    thing = f"{one['service']} ({agency}): {title}"
    state = words.t("mydata.file.active") if one["state"] == "active" else words.t(f"permissions.state.{one['state']}")
    kept = words.claims(one["allowed"]) or words.t("permissions.line.nothing")
    yield Row("permissions", thing, kept, state, one["given_at"])
    for event in one["events"]:
        yield Row("permissions", thing, words.t(f"history.did.consent_{event['kind']}"), time=event["at"])
