"""design.md §4: "Foreign hashes can be imported": argon2id, bcrypt, PBKDF2, checked as they are, and hashed anew at the first sign-in."""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

import argon2
import bcrypt
import pytest

from idp.__main__ import run
from idp.accounts.records import Account, Identifier, IdentifierKind, Source, Value
from idp.cli.terminal import Exit
from idp.protocol import counter
from idp.protocol.counter import Officer
from keys.passwords import PasswordCheck, PasswordCost, Passwords, importable

if TYPE_CHECKING:
    from tests.support.running import Provider

PASSWORD = "kucing oranye tidur"
ELSEWHERE = argon2.PasswordHasher(time_cost=1, memory_cost=32, parallelism=2).hash(PASSWORD)


def pbkdf2(iterations: int = 1000) -> bytes:
    return hashlib.pbkdf2_hmac("sha256", PASSWORD.encode(), b"garam", iterations)


def ab64(data: bytes) -> str:
    return base64.b64encode(data).decode().rstrip("=").replace("+", ".")


FOREIGN = {
    "argon2id": ELSEWHERE,
    "bcrypt": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode(),
    "bcrypt of PHP": bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode().replace("$2b$", "$2y$"),
    "Django": f"pbkdf2_sha256$1000$garam${base64.b64encode(pbkdf2()).decode()}",
    "Passlib": f"$pbkdf2-sha256$1000${ab64(b'garam')}${ab64(pbkdf2())}",
}


@pytest.mark.parametrize("elsewhere", FOREIGN.values(), ids=FOREIGN)
async def test_a_hash_from_elsewhere_is_checked_and_hashed_anew(elsewhere: str) -> None:
    passwords = Passwords(PasswordCost(64, 1, 1), threads=1, queue=4)
    assert importable(elsewhere)
    assert (await passwords.verify(elsewhere, "kucing hitam tidur")) == PasswordCheck(ok=False)
    checked = await passwords.verify(elsewhere, PASSWORD)
    assert checked.ok
    assert checked.rehash is not None
    assert checked.rehash.startswith("$argon2id$")
    assert (await passwords.verify(checked.rehash, PASSWORD)).ok
    passwords.close()


async def test_what_bcrypt_never_read_of_a_long_password_does_not_keep_its_owner_out() -> None:
    long = "k" * 71 + "ü" + " dan seterusnya"
    passwords = Passwords(PasswordCost(64, 1, 1), threads=1, queue=4)
    stored = bcrypt.hashpw(long.encode()[:72], bcrypt.gensalt(4)).decode()
    assert (await passwords.verify(stored, long)).ok
    assert not (await passwords.verify(stored, "\0")).ok
    passwords.close()


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
        "$2b$12$abcdefghijklmnopqrstuuN0PCeJ0TTlTKT4rTOvnY8AuHrEnWp",
        "$2b$15$abcdefghijklmnopqrstuuN0PCeJ0TTlTKT4rTOvnY8AuHrEnWp66",
        "pbkdf2_sha256$600000$salt$aGFzaA==",
        "pbkdf2_sha256$99999999$salt$" + "A" * 43 + "=",
        "pbkdf2_sha256$1$salt$" + "A" * 43 + "=",
        ELSEWHERE.replace("argon2id", "argon2i"),
        ELSEWHERE.replace("m=32", "m=4194304"),
        ELSEWHERE.replace("t=1", "t=1000"),
    ],
    ids=[
        "nothing",
        "clear text",
        "short bcrypt",
        "dear bcrypt",
        "short pbkdf2",
        "dear pbkdf2",
        "cheap pbkdf2",
        "argon2i",
        "too much memory",
        "too many passes",
    ],  # the salt is random
)
def test_what_cannot_be_checked_here_is_refused(wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert importable(ELSEWHERE)
    assert not importable(wrong)
    assert run(["accounts", "add", "--name", "Nur", "--officer", "rina", "--reason", "import", "--password-hash", wrong]) == Exit.USAGE
    assert "--password-hash must be an argon2id hash" in capsys.readouterr().err
