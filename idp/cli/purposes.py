"""`idp purposes`: declare what applications read and why, and look at what was declared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from idp.cli.terminal import Exit, Json, read_text, refuse, show, table, with_services

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consent.records import Purpose
    from idp.protocol.services import Services

app = typer.Typer(no_args_is_help=True, add_completion=False, help="Declare what applications read, and why.")


@app.command()
def add(
    file: Annotated[Path, typer.Argument(help="The declaration, in TOML; - reads standard input.")],
    as_json: Json = False,
) -> None:
    """Declare a purpose. The same content again changes nothing; other content becomes the next version.

    Exit code 2 when the declaration lacks something or says it wrongly: the message names the file and the field.
    """
    text = _checked(file)

    async def work(services: Services) -> tuple[Purpose, bool]:
        known = {purpose.id: purpose.version for purpose in await services.consent.purposes.list()}
        purpose = await services.consent.purposes.add(text)
        return purpose, known.get(purpose.id) != purpose.version

    purpose, fresh = with_services(work)
    advice = _advice(purpose)
    show(
        _plain(purpose) | {"added": fresh, "advice": advice},
        as_json=as_json,
        text=lambda: "\n".join([f"{purpose.id} version {purpose.version} {'declared' if fresh else 'was declared before'}", *advice]),
    )


@app.command("list")
def list_purposes(as_json: Json = False) -> None:
    """List the newest version of every purpose."""

    async def work(services: Services) -> Sequence[Purpose]:
        return await services.consent.purposes.list()

    found = with_services(work)
    show([_plain(purpose) for purpose in found], as_json=as_json, text=lambda: _table(found))


@app.command("show")
def show_purpose(
    purpose: Annotated[str, typer.Argument(help="The purpose's id.")],
    version: Annotated[int | None, typer.Option("--version", min=1, help="This version; default: the newest.")] = None,
    as_json: Json = False,
) -> None:
    """Show a declaration as citizens are told it."""

    async def work(services: Services) -> Purpose | None:
        return await services.consent.purposes.get(purpose, version)

    found = with_services(work)
    if found is None:
        refuse(f"there is no purpose {purpose}" + (f" with a version {version}" if version else "") + "; see: idp purposes list")
    show(_plain(found), as_json=as_json, text=lambda: _described(found))


def _checked(file: Path) -> str:
    from consent.errors import PurposeRefused
    from consent.purposes import parse

    text = read_text(file)
    try:
        parse(text)
    except PurposeRefused as error:
        refuse(f"{file}: {error}", Exit.USAGE)
    return text


def _advice(purpose: Purpose) -> list[str]:
    from consent.purposes import long_sentences

    return [f"advice: {field}: more than 15 words in one sentence: {sentence}" for field, sentence in long_sentences(purpose)]


def _plain(purpose: Purpose) -> dict[str, Any]:
    import dataclasses

    return dataclasses.asdict(purpose)


def _table(purposes: Sequence[Purpose]) -> str:
    rows = [
        (purpose.id, purpose.version, purpose.basis, purpose.agency, " ".join(sorted(purpose.declared)), purpose.title["id"])
        for purpose in purposes
    ]
    return table(("purpose", "version", "basis", "agency", "data", "title"), rows)


def _described(purpose: Purpose) -> str:
    lines = [
        f"{purpose.id} version {purpose.version}, declared {purpose.declared_at:%Y-%m-%d %H:%M}Z, hash {purpose.text_hash}",
        f"agency        {purpose.agency} ({purpose.agency_name['id']})",
        f"basis         {purpose.basis}" + (f", {purpose.legal_ref}" if purpose.legal_ref else ""),
        f"at most       {purpose.max_validity_days} days",
    ]
    for field in ("title", "text", "legality", "details", "retention", "period", "recipients", "rights"):
        lines += [f"{field:<13} {language}: {text}" for language, text in getattr(purpose, field).items()]
    for kind, needs in (("required", purpose.required), ("optional", purpose.optional)):
        lines += [f"{kind:<13} {need.name}: {need.relevance['id']} / {need.relevance['en']}" for need in needs]
    return "\n".join(lines)
