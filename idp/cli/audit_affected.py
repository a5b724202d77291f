"""`idp audit affected`: whom a breach at an application concerns, the letters to them, and the authority's form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.account_options import By, Unit, officer_of
from idp.cli.terminal import Exit, Json, refuse, show, table, with_services

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from idp.protocol.breach import Breach, Concerned
    from idp.protocol.services import Services

LAW = "UU 27/2022 Art. 46"


def affected(
    client: Annotated[str, typer.Option(help="The application where data was revealed.")],
    claims: Annotated[str, typer.Option(help="The kinds of data, separated by commas: name,nik,address.")],
    since: Annotated[str, typer.Option("--from", help="Reads from this moment on: 2026-11-01T00:00:00+08:00, or a day in WITA.")],
    until: Annotated[str, typer.Option("--to", help="Reads before this moment; a day is meant whole.")],
    officer: By,
    reason: Annotated[str, typer.Option("--reason", help="Why; each person whose letter is written reads it.")],
    letters: Annotated[Path | None, typer.Option(metavar="DIR", help="Write letters and form into this empty folder.")] = None,
    happened: Annotated[str | None, typer.Option(help="When and how data was revealed, for the letters.")] = None,
    measures: Annotated[str | None, typer.Option(help="What is done about it, for the letters.")] = None,
    noticed: Annotated[str | None, typer.Option(help="When it was noticed; default: now. 72 hours run from then.")] = None,
    unit: Unit = None,
    as_json: Json = False,
) -> None:
    """List whose data an application read, from the access log; with --letters, write the notices that UU 27/2022 Art. 46 demands.

    The question is an entry of the log. Each letter opens a name, which is an entry that the person sees.
    """
    if letters is not None and not (happened and measures):
        refuse("letters say what happened and what is done about it: give --happened and --measures (UU 27/2022 Art. 46(2))", Exit.USAGE)
    by = officer_of(officer, reason, unit, "c", LAW)
    kinds = _kinds(claims)
    if _moment(until, whole_day=True) <= _moment(since):
        refuse("--to lies before --from: nothing was read in between", Exit.USAGE)
    if letters is not None:
        _prepare(letters)

    async def work(services: Services) -> tuple[Breach, Concerned, Sequence[tuple[str, str]]]:
        from idp.protocol import breach

        found = await services.clients.get(client)
        if found is None:
            refuse(f"there is no application {client}; see: idp clients list")
        what = breach.Breach(
            client=found,
            claims=kinds,
            since=_moment(since),
            until=_moment(until, whole_day=True),
            noticed=_moment(noticed) if noticed else services.clock(),
            happened=happened or "",
            measures=measures or "",
        )
        whom = await breach.concerned(services, by, what)
        if letters is not None:
            written = await breach.letters(services, by, what, whom.people)
            _write(letters, written, breach.form(services, what, whom))
        return what, whom, await _numbers(services, whom)

    what, whom, numbers = with_services(work)
    show(_value(what, whom, numbers), as_json=as_json, text=lambda: _text(what, whom, numbers, letters))


async def _numbers(services: Services, whom: Concerned) -> Sequence[tuple[str, str]]:
    """Give each person with their account number, which letters are filed under."""
    return [(person, account.number if (account := await services.accounts.get(person)) else "") for person in whom.people]


def _kinds(text: str) -> frozenset[str]:
    from idp.spec.claims import PERSONAL_CLAIMS

    kinds = frozenset(name.strip() for name in text.split(",")) - {""}
    if not kinds or not kinds <= PERSONAL_CLAIMS:
        refuse(f"--claims names kinds of data: {', '.join(sorted(PERSONAL_CLAIMS))}", Exit.USAGE)
    return kinds


def _moment(text: str, *, whole_day: bool = False) -> dt.datetime:
    from idp.pages.formats import ZONE

    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError:
        refuse(f"{text!r} is no moment: write 2026-11-24, or 2026-11-24T10:15:00+08:00", Exit.USAGE)
    if whole_day and len(text) == len("2026-11-24"):
        found += dt.timedelta(days=1)
    return found if found.tzinfo is not None else found.replace(tzinfo=ZONE)


def _prepare(folder: Path) -> None:
    """Make the folder, for its owner's eyes only: letters hold names. Refuses one in use, before anything is looked at."""
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(folder.iterdir()):
            refuse(f"{folder} is not empty: letters of two breaches do not mix", Exit.USAGE)
        folder.chmod(0o700)
    except OSError as error:
        refuse(f"cannot write {folder}: {error.strerror or error}", Exit.USAGE)


def _write(folder: Path, letters: Mapping[str, str], form: str) -> None:
    try:
        for number, text in letters.items():
            _put(folder / f"{number}.txt", text)
        _put(folder / "authority.txt", form)
    except OSError as error:
        refuse(f"cannot write {folder}: {error.strerror or error}", Exit.USAGE)


def _put(file: Path, text: str) -> None:
    file.touch(mode=0o600)
    file.write_text(text.strip() + "\n", encoding="utf-8")


def _value(what: Breach, whom: Concerned, numbers: Sequence[tuple[str, str]]) -> dict[str, Any]:
    return {
        "client": what.client.id,
        "noticed": what.noticed,
        "deadline": what.deadline,
        "people": [
            {
                "person": person,
                "number": number,
                "claims": sorted(reads.claims),
                "times": reads.times,
                "first": reads.first,
                "last": reads.last,
            }
            for person, number in numbers
            for reads in (whom.people[person],)
        ],
        "entries_of_erased_people": whom.nobody,
        "unknown": whom.unknown,
    }


def _text(what: Breach, whom: Concerned, numbers: Sequence[tuple[str, str]], letters: Path | None) -> str:
    rows = [
        (number, " ".join(sorted(reads.claims)), reads.times, f"{reads.first:%Y-%m-%d %H:%M}Z", f"{reads.last:%Y-%m-%d %H:%M}Z")
        for person, number in numbers
        for reads in (whom.people[person],)
    ]
    lines = [table(("account", "data", "reads", "first", "last"), rows)] if rows else ["Nobody's data was read so."]
    lines.append(f"\n{len(whom.people)} people; entries of people erased since: {whom.nobody}; not recognised: {whom.unknown}")
    lines.append(f"To be told by {what.deadline.astimezone(dt.UTC):%Y-%m-%d %H:%M}Z: every person, and the authority ({LAW}).")
    if letters is not None:
        lines.append(f"Letters and authority.txt are in {letters}. They hold names: print them, then delete them.")
    return "\n".join(lines)
