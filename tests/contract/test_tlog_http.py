"""C2SP tlog-tiles and tlog-proof as strangers fetch them over HTTP from a running provider."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from typing import TYPE_CHECKING

import pytest

from consent.access_log import Actor
from consent.export import export
from consent.tiles import decode_bundle
from consent.transition import Change
from tests.support.log import grow
from tests.support.mirror import leaf_hash, mirror, opened, tree_hash

if TYPE_CHECKING:
    from pathlib import Path

    import httpx2

    from tests.support.running import Provider

SIZE = 600


@pytest.fixture
async def http(provider: Provider) -> httpx2.AsyncClient:
    """A stranger's client."""
    return await provider.client()


async def published(provider: Provider, size: int) -> str:
    """Let the log grow to `size`, and be public so far; give its key line."""
    consent = provider.services.consent
    assert consent.signer
    await grow(consent.database, size)
    await consent.signer.sign_once()
    async with consent.database.transaction() as transaction:
        await transaction.connection.exec_driver_sql("UPDATE log_checkpoints SET time = time - 60000000")
        await transaction.commit()
    await consent.signer.sign_once()
    public = await consent.published_checkpoint()
    assert public
    assert public.size == size
    return str(await consent.verifier_key())


def files(folder: Path) -> dict[str, bytes]:
    """Give what an export and a mirror have in common."""
    found = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    return {name: content for name, content in found.items() if name == "checkpoint" or name.startswith("tile/")}


async def test_a_mirror_made_by_a_strangers_client_is_our_export_byte_for_byte(
    provider: Provider, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    key = await published(provider, SIZE)
    head = await mirror(http, "/log", key, tmp_path / "mirror")
    assert (head.origin, head.size) == ("localhost:8000/log", SIZE)
    consent = provider.services.consent
    verifier = await consent.verifier_key()
    assert verifier
    await export(consent.database, tmp_path / "export", verifier)
    mirrored = files(tmp_path / "mirror")
    assert mirrored == files(tmp_path / "export")
    assert {"tile/0/001", "tile/0/002.p/88", "tile/1/000.p/2", "tile/entries/002.p/88"} < set(mirrored)
    assert (await http.get("/log/vkey")).text == f"{key}\n"
    for index in (0, 255, 256, 511, 512, SIZE - 1):
        await require_proof(http, index, mirrored, key)


async def require_proof(http: httpx2.AsyncClient, index: int, mirrored: dict[str, bytes], key: str) -> None:
    """tlog-proof: read it as its specification says, and climb from the mirrored leaf to the root."""
    answer = await http.get(f"/log/proof/{index}")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    lines, _, note = answer.text.partition("\n\n")
    first, second, *path = lines.split("\n")
    assert (first, second, note.encode()) == ("c2sp.org/tlog-proof@v1", f"index {index}", mirrored["checkpoint"])
    head = opened(note, key)
    n, at = divmod(index, 256)
    tile = mirrored.get(f"tile/0/{n:03}") or mirrored[f"tile/0/{n:03}.p/{head.size % 256}"]
    result, position, last = tile[at * 32 : at * 32 + 32], index, head.size - 1
    for sibling in map(base64.b64decode, path):  # RFC 9162 §2.1.3.2
        if position & 1 or position == last:
            result = tree_hash([sibling, result])
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            result = tree_hash([result, sibling])
        position, last = position >> 1, last >> 1
    assert (last, result) == (0, head.root)


async def test_media_types_and_caching_are_the_specifications(provider: Provider, http: httpx2.AsyncClient) -> None:
    await published(provider, 257)
    text, hashes = "text/plain; charset=utf-8", "application/octet-stream"
    brief, long = "public, max-age=5", "public, max-age=31536000, immutable"
    for path, kind, kept in (
        ("/log/checkpoint", text, brief),
        ("/log/proof/0", text, brief),
        ("/log/vkey", text, "public, max-age=300"),
        ("/log/tile/0/000", hashes, long),
        ("/log/tile/0/001.p/1", hashes, "public, max-age=86400, immutable"),
        ("/log/tile/entries/000", hashes, long),
        ("/log/tile/entries/001.p/1", hashes, "public, max-age=86400, immutable"),
    ):
        answer = await http.get(path, headers={"cookie": "gerbang_session=x"})
        assert (answer.status_code, answer.headers["content-type"], answer.headers["cache-control"]) == (200, kind, kept), path
        assert answer.headers["access-control-allow-origin"] == "*", path
        assert not {"set-cookie", "vary"} & set(answer.headers), path
        again = await http.get(path, headers={"if-none-match": f'"other", W/{answer.headers["etag"]}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", answer.headers["etag"]), path
        head = await http.head(path)
        assert (head.status_code, head.headers["etag"], head.headers["content-length"]) == (
            200,
            answer.headers["etag"],
            str(len(answer.content)),
        ), path
        assert (await http.post(path)).status_code == 405, path


async def test_what_is_no_address_is_refused_and_what_is_not_there_is_not_kept(provider: Provider, http: httpx2.AsyncClient) -> None:
    await published(provider, 300)
    malformed = (
        "tile/64/000", "tile/00/000", "tile/-1/000", "tile/a/000", "tile/0/0", "tile/0/0000", "tile/0/x000/000", "tile/0/x001",
        "tile/0/001/234", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/", "tile/0/000.p", "tile/0/",
        "tile/0/\u0660\u0660\u0660", "tile/entries/000.p/256", "tile/entries/x000/001", "tile/entries/", "tile/entries/000%00",
        "tile/0/000/", "tile/0/" + "x999/" * 6 + "999", "proof/-1", "proof/01", "proof/x", "proof/1e3", "proof/" + "9" * 19,
    )  # fmt: skip
    absent = (
        "tile/0/001", "tile/0/001.p/45", "tile/0/002.p/1", "tile/1/000", "tile/1/000.p/2", "tile/2/000.p/1", "tile/63/000",
        "tile/63/000.p/1", "tile/entries/001", "tile/entries/001.p/45", "tile/0/" + "x999/" * 5 + "999",
        "tile/63/" + "x999/" * 5 + "999", "proof/300", "proof/" + "9" * 18,
    )  # fmt: skip
    for paths, status in ((malformed, 400), (absent, 404)):
        for path in paths:
            answer = await http.get(f"/log/{path}")
            assert (answer.status_code, answer.headers["cache-control"]) == (status, "no-store"), path
            assert answer.json()["error_description"], path
            assert answer.headers["access-control-allow-origin"] == "*", path
    assert (await http.get("/log/tile/0")).status_code == 404
    assert (await http.get("/log")).headers["location"] == "/audit"  # whoever types the name that stands on paper


async def test_nothing_shows_an_entry_before_the_public_checkpoint_does(provider: Provider, http: httpx2.AsyncClient) -> None:
    """Whoever asks every second for the next entry must not learn in which second somebody's data were read."""
    await published(provider, 300)
    consent = provider.services.consent
    assert consent.signer
    await grow(consent.database, 520)
    await consent.signer.sign_once()
    assert (await http.get("/log/checkpoint")).text.split("\n")[1] == "300"
    for path in ("tile/0/001", "tile/0/001.p/45", "tile/entries/001", "tile/entries/001.p/45", "tile/1/000.p/2", "proof/300"):
        assert (await http.get(f"/log/{path}")).status_code == 404, path
    before = (await http.get("/log/tile/0/001.p/44")).content
    await published(provider, 520)
    assert (await http.get("/log/tile/0/001")).content.startswith(before)
    assert (await http.get("/log/tile/0/001.p/44")).content == before  # the tree of 300 can still be fetched


async def test_nothing_public_tells_of_a_person_or_links_two_entries_of_one(
    provider: Provider, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """Three reads of one citizen by one service, and nothing in what strangers may fetch is there twice, or known from elsewhere."""
    tokens = await provider.tokens()
    answers = [await provider.userinfo(tokens["access_token"]) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {200}
    consent = provider.services.consent
    key = await published(provider, (await consent.access_log.status()).size)
    await mirror(http, "/log", key, tmp_path)
    public = files(tmp_path)
    entries = decode_bundle(next(content for name, content in public.items() if name.startswith("tile/entries/")))
    assert {(len(entry), entry[:1]) for entry in entries} == {(65, b"\x01")}
    halves = [half for entry in entries for half in (entry[1:33], entry[33:])]
    assert len(set(halves)) == len(halves) == 2 * len(entries) >= 8
    async with consent.database.read() as connection:
        private = (await connection.exec_driver_sql("SELECT record, nonce_a, nonce_s, subject_ref, subject_sealed FROM log_entries")).all()
    siti = provider.person()
    known = [answer.headers["x-access-log-id"].encode() for answer in answers]
    known += [value.encode() for value in (siti.name, siti.email, siti.nik, "aduan", answers[0].json()["sub"])]
    known += [bytes(value) for row in private for value in row if value]
    for content in (*public.values(), (await http.get("/log/proof/0")).content):
        assert not [value for value in known if value in content]


async def test_after_a_succession_the_log_has_the_prefix_of_its_new_origin_too(
    provider: Provider, http: httpx2.AsyncClient, tmp_path: Path
) -> None:
    """tlog-tiles: "The origin line SHOULD be the schema-less URL prefix of the log with no trailing slashes."."""
    await published(provider, 300)
    for number in ("2", "1", "0", "02", "x", "9" * 9):
        assert (await http.get(f"/log/{number}/checkpoint")).status_code == 404, number
    transition = provider.services.consent.transition
    assert transition
    said = await transition.rotate(Change(Actor("administrator", pseudonym="rina"), "two years old"))
    assert said.new.name == "localhost:8000/log/2"
    head = await mirror(http, "/log/2", str(said.new), tmp_path / "numbered")
    await mirror(http, "/log", str(said.new), tmp_path / "newest")
    assert (head.origin, head.size) == (said.new.name, 301)
    assert files(tmp_path / "numbered") == files(tmp_path / "newest")
    assert (await http.get("/log/2/vkey")).text == f"{said.new}\n"
    assert (await http.get("/log/2/proof/300")).status_code == 200
    assert "http://localhost:8000/log/2/checkpoint" in (await http.get("/audit")).text


async def test_before_the_first_checkpoint_there_is_nothing(http: httpx2.AsyncClient) -> None:
    for path in ("checkpoint", "vkey", "proof/0", "tile/0/000", "tile/0/000.p/1", "tile/entries/000.p/1"):
        assert (await http.get(f"/log/{path}")).status_code == 404, path


async def test_a_database_that_lost_a_tile_answers_503_and_says_nothing_wrong(provider: Provider, http: httpx2.AsyncClient) -> None:
    await published(provider, 600)
    async with provider.services.consent.database.transaction() as transaction:
        for statement in (
            "DROP TRIGGER log_tiles_no_delete",
            "DROP TRIGGER log_bundles_no_delete",
            "DELETE FROM log_tiles WHERE n = 1",
            "DELETE FROM log_bundles WHERE n = 1",
        ):
            await transaction.connection.exec_driver_sql(statement)
        await transaction.commit()
    for path in ("tile/0/001", "tile/1/000.p/2", "tile/entries/001", "proof/0"):
        answer = await http.get(f"/log/{path}")
        assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store"), path
    assert (await http.get("/log/tile/0/000")).status_code == 200


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)], indirect=True)
async def test_every_process_serves_the_same(provider: Provider, tmp_path: Path) -> None:
    from tests.support.running import running

    key = await published(provider, 600)
    async with running(provider.settings) as other:
        here, there = await provider.client(), await other.client()
        await asyncio.gather(mirror(here, "/log", key, tmp_path / "here"), mirror(there, "/log", key, tmp_path / "there"))
    assert files(tmp_path / "here") == files(tmp_path / "there")
    assert len(files(tmp_path / "here")) == 8


def test_the_strangers_hashing_is_rfc_6962s() -> None:
    """The empty tree, one entry, and two: written out."""
    one, two = hashlib.sha256(b"\x00a").digest(), hashlib.sha256(b"\x00b").digest()
    assert tree_hash([]) == hashlib.sha256(b"").digest()
    assert tree_hash([leaf_hash(b"a")]) == one
    assert tree_hash([leaf_hash(b"a"), leaf_hash(b"b")]) == hashlib.sha256(b"\x01" + one + two).digest()
