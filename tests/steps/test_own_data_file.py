"""law.md R15 (UU 27/2022 Art. 13): a citizen takes along all that is kept about them; the taking is one entry, and nobody else is in it."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import pytest

from consent.errors import LogUnavailable
from idp.accounts.records import Identifier, IdentifierKind
from idp.me.sheets import safe
from idp.protocol import complaints

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

PATH = "/me/data/file"
FORMULA = '=HYPERLINK("https://evil.example";"klik")'


@pytest.fixture
def kind() -> str:
    """What is gathered is read by stores that are tested on both databases."""
    return "sqlite"


async def taken(visitor: Visitor, kind: str) -> Page:
    page = await visitor.get(PATH)
    form = next(form for form in page.forms if form.fields.get("kind") == kind)
    return await visitor.submit(page, form)


async def test_all_that_is_kept_is_in_the_file_and_its_taking_is_one_entry(provider: Provider) -> None:
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    found, person = provider.services, provider.person()
    account = (await found.accounts.find(Identifier(IdentifierKind.EMAIL, person.email)))[0]
    entry = (await found.consent.access_log.history(account.person, limit=1))[0]
    await complaints.submit(found, account.person, entry, FORMULA)
    before = (await found.consent.access_log.status()).size

    answer = (await taken(visitor, "json")).response
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")
    content = answer.json()
    assert content["format"] == "gerbang-data/v1"
    assert content["claims"]["name"] == person.name
    assert {one["claim"] for one in content["values"]} <= {*content["claims"], "locale"}
    assert [one["text"] for one in content["complaints"]] == [FORMULA]
    assert content["permissions"][0]["service"] == "Aduan Warga"
    assert content["permissions"][0]["receipt"].count(".") == 2
    assert content["history"]["entries"] == entry.n + 1
    assert account.person not in answer.text

    size = (await found.consent.access_log.status()).size
    newest = (await found.consent.access_log.history(account.person, limit=1))[0]
    assert (size, newest.record["action"], newest.record["channel"]) == (before + 1, "export", "own_data")
    assert newest.subject["actor"] == {"type": "citizen"}
    assert {"name", "complaint"} <= set(newest.record["claims"])

    rows = list(csv.reader(io.StringIO((await taken(visitor, "csv")).response.content.decode("utf-8-sig"))))
    assert any(row[2] == person.name for row in rows)
    assert any(row[2] == safe(FORMULA) for row in rows)
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "-", "@"))]


async def test_nothing_is_taken_without_a_fresh_sign_in_the_form_and_the_log(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    visitor = await provider.visitor()
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    assert (await visitor.post(PATH, {"kind": "json"})).status == 403
    page = await visitor.get(PATH)
    form = next(form for form in page.forms if form.fields.get("kind") == "json")
    size = (await provider.services.consent.access_log.status()).size

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    with monkeypatch.context() as broken:
        broken.setattr(provider.services.consent.access_log, "append", down)
        assert (await visitor.submit(page, form)).status == 503
    provider.clock.move(minutes=14)
    await visitor.get("/me/data")  # used, so that the session lives on; the sign-in grows old all the same
    provider.clock.move(minutes=2)
    assert (await visitor.submit(page, form)).path == "/login"
    assert (await provider.services.consent.access_log.status()).size == size


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        ("=1+1", "'=1+1"),
        (" \t@SUM(A1)", " \t'@SUM(A1)"),
        ("a;=1", "a;'=1"),
        ('x"\n-2', "x\"\n'-2"),
        ("\uff1d1", "'\uff1d1"),
        ("Jl. Mawar 3-5", "Jl. Mawar 3-5"),
        ("a@b.id", "a@b.id"),
    ],
)
def test_no_cell_is_a_formula_wherever_a_spreadsheet_believes_it_begins(cell: str, written: str) -> None:
    assert safe(cell) == written
