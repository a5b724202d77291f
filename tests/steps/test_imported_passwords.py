"""design.md §4: "Foreign hashes can be imported": argon2id, checked as it is, and hashed anew at the first sign-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import argon2
import pytest

from idp.__main__ import run
from idp.accounts.records import Account, Identifier, IdentifierKind, Source, Value
from idp.cli.terminal import Exit
from idp.protocol import counter
from idp.protocol.counter import Officer
from keys.passwords import importable

if TYPE_CHECKING:
    from tests.support.running import Provider

PASSWORD = "kucing oranye tidur"
ELSEWHERE = argon2.PasswordHasher(time_cost=1, memory_cost=32, parallelism=2).hash(PASSWORD)


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_somebody_from_another_system_signs_in_with_the_password_of_there(provider: Provider) -> None:
    values = [Value("name", "Nurhayati"), Value("email", "nur@contoh.id", Source.VERIFIED, "counter", "shown")]
    officer = Officer("rina", "brought from the old system", unit=None, legal_basis="e", legal_ref="UU 25/2009")
    made = await counter.add(provider.services, officer, values, password_hash=ELSEWHERE)
    assert isinstance(made, Account)
    visitor = await provider.visitor()
    page = await visitor.get("/login")
    page = await visitor.submit(page, page.form("password"), identifier="nur@contoh.id", password=PASSWORD)
    assert page.path == "/"
    (account,) = await provider.services.accounts.find(Identifier(IdentifierKind.EMAIL, "nur@contoh.id"))
    assert account.password_hash != ELSEWHERE  # its parameters were not ours


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "kucing",
        "$2b$12$abcdefghijklmnopqrstuuN0PCeJ0TTlTKT4rTOvnY8AuHrEnWp6",
        "pbkdf2_sha256$600000$salt$aGFzaA==",
        ELSEWHERE.replace("argon2id", "argon2i"),
        ELSEWHERE.replace("m=32", "m=4194304"),
        ELSEWHERE.replace("t=1", "t=1000"),
    ],
    ids=["nothing", "clear text", "bcrypt", "pbkdf2", "argon2i", "too much memory", "too many passes"],  # the salt is random
)
def test_what_cannot_be_checked_here_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert importable(ELSEWHERE)
    assert not importable(wrong)
    assert run(["accounts", "add", "--name", "Nur", "--officer", "rina", "--reason", "import", "--password-hash", wrong]) == Exit.USAGE
    assert "must be an argon2id hash" in capsys.readouterr().err
