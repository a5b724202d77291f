"""law.md R10, R15: the citizen takes the history along, each entry with its proof; taking it is an entry; nobody else's is in it."""

from __future__ import annotations

import base64
import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from consent import history_file, merkle
from consent.access_log import leaf as leaves
from consent.errors import LogUnavailable

if TYPE_CHECKING:
    from tests.support.running import Provider
    from tests.support.visitor import Page, Visitor

pytestmark = pytest.mark.parametrize("kind", ["sqlite", "postgresql"])

PATH = "/me/history/file"


async def public(provider: Provider) -> None:
    """Let the public checkpoint cover every entry so far."""
    consent = provider.services.consent
    assert consent.signer
    await consent.signer.sign_once()
    async with consent.database.transaction() as transaction:
        await transaction.connection.exec_driver_sql("UPDATE log_checkpoints SET time = time - 60000000")
        await transaction.commit()
    await consent.signer.sign_once()


async def reader(provider: Provider) -> Visitor:
    """Give somebody whose data a service has read, and whose entries are public."""
    visitor = await provider.visitor()
    tokens = await provider.tokens(visitor=visitor)
    assert (await provider.userinfo(tokens["access_token"])).status_code == 200
    await public(provider)
    return visitor


async def taken(visitor: Visitor, kind: str) -> Page:
    page = await visitor.get(PATH)
    form = next(form for form in page.forms if form.fields.get("kind") == kind)
    return await visitor.submit(page, form)


async def test_the_file_verifies_with_the_key_alone_and_its_taking_is_an_entry(provider: Provider) -> None:
    visitor = await reader(provider)
    answer = (await taken(visitor, "json")).response
    assert (answer.headers["content-type"], answer.headers["cache-control"]) == ("application/json", "no-store")
    key = await provider.services.consent.verifier_key()
    assert key
    verdict = history_file.verify(answer.content, key)
    assert (verdict.problem, verdict.first, verdict.entries >= 2) == (None, 0, True)
    _, entries = history_file.read(answer.content)
    person = entries[0].subject["person"]
    newest = (await provider.services.consent.access_log.history(person))[0]
    assert (newest.record["action"], newest.record["channel"], newest.subject["actor"]) == ("export", "history", {"type": "citizen"})
    changed = json.loads(answer.content)
    changed["entries"].pop(1)
    assert not history_file.verify(json.dumps(changed).encode(), key).holds


async def test_each_line_of_the_sheet_opens_and_proves_its_entry(provider: Provider) -> None:
    visitor = await reader(provider)
    content = (await taken(visitor, "csv")).response.content.decode("utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(content)))
    assert [row["n"] for row in rows] == [str(n) for n in range(len(rows))]
    assert any("email" in row["claims"] and row["client_name"] == "Aduan Warga" for row in rows)
    for row in rows:
        leaf, nonce_a, nonce_s, root = (base64.b64decode(row[name]) for name in ("leaf", "nonce_a", "nonce_s", "checkpoint_root"))
        ac = leaves.access_commitment(nonce_a, row["record"].encode())
        assert leaf == leaves.leaf(leaves.subject_commitment(nonce_s, ac, row["subject"].encode()), ac)
        path = [base64.b64decode(step) for step in row["proof"].split()]
        merkle.verify_inclusion(int(row["index"]), int(row["checkpoint_size"]), merkle.leaf_hash(leaf), path, root)


async def test_the_printed_page_has_every_entry_with_its_proof_and_the_signed_note(provider: Provider) -> None:
    visitor = await reader(provider)
    page = await taken(visitor, "print")
    note = await provider.services.consent.published_checkpoint()
    assert note
    assert (page.status, "Aduan Warga" in page.text, note.note.splitlines()[2] in page.text) == (200, True, True)
    assert page.text.count('class="small mono kept"') == page.text.count("Nomor catatan") >= 2


async def test_nothing_is_given_that_cannot_be_entered_nor_without_the_form_nor_without_end(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = await reader(provider)
    assert (await visitor.post(PATH, {"kind": "json"})).status == 403
    assert (await (await provider.visitor()).get(PATH)).path == "/login"
    size = (await provider.services.consent.access_log.status()).size
    pages = [await taken(visitor, "print") for _ in range(11)]
    assert [page.status for page in pages] == [200] * 10 + [429]
    assert (await provider.services.consent.access_log.status()).size == size + 10
    provider.clock.move(hours=2)

    async def down(*_: object) -> None:
        raise LogUnavailable("down")

    monkeypatch.setattr(provider.services.consent.access_log, "append", down)
    await visitor.sign_in(await visitor.get("/login"), provider.person())
    assert (await taken(visitor, "json")).status == 503
