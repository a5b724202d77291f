"""`idp audit verify URL`: a stranger checks the served log with the key held on paper, and no answer of the server is believed."""

from __future__ import annotations

import contextlib
import functools
import json
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from consent.checkpoint import NoteInvalid, VerifierKey
from consent.export import export
from consent.verify_public import verify_public
from idp.__main__ import run
from idp.cli.served_log import NotServed, ServedLog, read_prefix
from idp.cli.terminal import Exit
from tests.support import synthetic_log
from tests.support.log import LogHouse, grow, log_house

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from consent.verify import Verdict

__all__ = ["log_house"]
SIZE = 600
URL = "https://id.example/log"


@pytest.fixture
def kind() -> str:
    """What is served is files; where they came from is not asked here."""
    return "sqlite"


@pytest.fixture
async def served(log_house: LogHouse) -> Path:
    """A log as a folder of files, which any web server could serve."""
    await grow(log_house.database, SIZE)
    await log_house.signer.sign_once()
    await export(log_house.database, log_house.folder / "log", log_house.key)
    (log_house.folder / "log" / "records.jsonl").unlink()
    return log_house.folder / "log"


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without writing of each."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextlib.contextmanager
def listening(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_a_served_log_is_verified_by_url_and_only_its_hashes(
    log_house: LogHouse, served: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key, old = str(log_house.key), tmp_path / "old.checkpoint"
    old.write_text((served / "checkpoint").read_text())
    with listening(served) as url:
        assert run(["audit", "verify", url, "--vkey", key]) == Exit.OK
        said = capsys.readouterr().out
        assert said.startswith("only hashes are served")
        assert said.endswith("ALL HOLDS\n")
        assert run(["audit", "verify", f"{url}/", "--vkey", key, "--since", str(old), "--json"]) == Exit.OK
        value = json.loads(capsys.readouterr().out)
        assert (value["size"], value["checked"], value["holds"]) == (SIZE, "hashes", True)
        flip(served / "tile" / "entries" / "001", 67 * 10 + 9)
        assert run(["audit", "verify", url, "--vkey", key, "--json"]) == Exit.REFUSED
        assert json.loads(capsys.readouterr().out)["first_bad_index"] == 266
        assert run(["audit", "verify", f"{url}/nothing", "--vkey", key]) == Exit.USAGE
        assert "name the log's own prefix" in capsys.readouterr().err
    assert run(["audit", "verify", url, "--vkey", "nonsense"]) == Exit.USAGE


def flip(file: Path, at: int) -> None:
    """Change one bit."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def network(folder: Path, change: Callable[[httpx2.Request, int], httpx2.Response | None] = lambda _request, _count: None) -> Any:
    """A network on which the folder is served at URL; `change` answers in its place, and is told the how-manieth request it is."""
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(request.url.path)
        changed = change(request, len(asked))
        if changed is not None:
            return changed
        file = folder / request.url.path.removeprefix("/log/")
        return httpx2.Response(200, content=file.read_bytes()) if file.is_file() else httpx2.Response(404)

    return httpx2.MockTransport(answer)


def verified(house: LogHouse, transport: httpx2.BaseTransport, pauses: list[float] | None = None, since: str | None = None) -> Verdict:
    with ServedLog(URL, transport=transport, pause=(pauses if pauses is not None else []).append) as log:
        return verify_public(log.checkpoint(), log.files, house.key, since, lambda _done, _all: None)


async def test_every_tampered_file_is_named_by_its_first_bad_index(log_house: LogHouse, served: Path) -> None:
    assert verified(log_house, network(served)).holds
    for name, at, index in (
        ("tile/entries/000", 2, 0),
        ("tile/entries/002.p/88", 67 * 87 + 66, 599),
        ("tile/0/001", 32 * 5, 261),
        ("tile/0/002.p/88", 0, 512),
        ("tile/1/000.p/2", 32, 256),
    ):
        flip(served / name, at)
        verdict = verified(log_house, network(served))
        assert (verdict.holds, verdict.first_bad) == (False, index), name
        flip(served / name, at)
    for name, cut, index in (("tile/entries/001", 67, 511), ("tile/0/001", 32, 256), ("tile/entries/001", 1, 256), ("tile/0/000", 7, 0)):
        whole = (served / name).read_bytes()
        (served / name).write_bytes(whole[:-cut])
        assert verified(log_house, network(served)).first_bad == index, (name, cut)
        (served / name).unlink()
        assert verified(log_house, network(served)).first_bad == int(name[-3:]) * 256
        (served / name).write_bytes(whole)


async def test_a_checkpoint_that_the_key_did_not_sign_asks_for_nothing_more(log_house: LogHouse, served: Path) -> None:
    """Whoever serves it could claim a size that nobody can ever fetch."""
    note = (served / "checkpoint").read_text().split("\n")
    note[1] = str(2**60)
    (served / "checkpoint").write_text("\n".join(note))
    asked = []
    verdict = verified(log_house, network(served, lambda request, _: asked.append(request.url.path)))
    assert (verdict.holds, asked) == (False, ["/log/checkpoint"])
    assert "signature" in str(verdict.problems[0])


async def test_another_logs_checkpoint_says_where_a_change_of_key_is_told(log_house: LogHouse, served: Path) -> None:
    other = VerifierKey(f"{log_house.key.name}/2", log_house.key.public)
    with ServedLog(URL, transport=network(served)) as log:
        verdict = verify_public(log.checkpoint(), log.files, other, None, lambda _done, _all: None)
    assert "an export tells how" in str(verdict.problems[0])


async def test_a_log_behind_an_older_checkpoint_does_not_hold(log_house: LogHouse, served: Path) -> None:
    await grow(log_house.database, SIZE + 1)
    await log_house.signer.sign_once()
    verdict = verified(log_house, network(served), since=log_house.anchor.read())
    assert [str(problem) for problem in verdict.problems] == [f"the older checkpoint has {SIZE + 1} entries, this log only {SIZE}"]


async def test_an_older_checkpoint_of_another_key_is_said_to_need_an_export(log_house: LogHouse, served: Path) -> None:
    older = synthetic_log.note(3, bytes(32), succeeded=True)
    with pytest.raises(NoteInvalid, match=r"of .*/2: how the log went on .* verify that folder with --since"):
        verified(log_house, network(served), since=older)


async def test_a_busy_server_is_asked_again_when_it_says_and_not_without_end(log_house: LogHouse, served: Path) -> None:
    pauses: list[float] = []

    def busy(_request: httpx2.Request, count: int) -> httpx2.Response | None:
        return httpx2.Response(503, headers={"retry-after": "7"}) if count <= 2 else None

    assert verified(log_house, network(served, busy), pauses).holds
    assert pauses == [7.0, 7.0]
    with pytest.raises(NotServed, match="cannot answer now"):
        verified(log_house, network(served, lambda *_: httpx2.Response(429, headers={"retry-after": "86400"})), pauses)
    assert pauses[2:] == [30.0] * 3

    def gone(request: httpx2.Request, _count: int) -> httpx2.Response:
        raise httpx2.ConnectError("no route", request=request)

    with pytest.raises(NotServed, match="no route"):
        verified(log_house, network(served, gone))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (httpx2.Response(302, headers={"location": "http://169.254.169.254/"}), "the answer is 302"),
        (httpx2.Response(200, content=bytes(1 << 17)), "longer than such a file can be"),
        (httpx2.Response(200, content=b"\xff\xfe"), "not text"),
    ],
)
async def test_no_answer_leads_astray(log_house: LogHouse, tmp_path: Path, answer: httpx2.Response, said: str) -> None:
    with pytest.raises(NotServed, match=said):
        verified(log_house, network(tmp_path, lambda *_: answer))


async def test_it_says_who_asks_and_takes_the_full_tile_where_the_partial_one_is_gone(log_house: LogHouse, served: Path) -> None:
    """tlog-tiles: logs "MAY delete any partial tile once the corresponding full tile is either available"."""
    note = (served / "checkpoint").read_text()
    await grow(log_house.database, SIZE + 300)
    await log_house.signer.sign_once()
    await export(log_house.database, served, log_house.key)
    (served / "checkpoint").write_text(note)
    (served / "tile/entries/002.p/88").unlink()
    (served / "tile/0/002.p/88").unlink()
    agents = set()
    assert verified(log_house, network(served, lambda request, _: agents.add(request.headers["user-agent"]))).holds
    assert len(agents) == 1
    assert agents.pop().startswith("gerbang-audit/")


@pytest.mark.parametrize(
    "text",
    [
        "http://id.example/log",
        "http://10.0.0.1/log",
        "https://",
        "https://u:p@id.example/log",
        "https://id.example/log?x=1",
        "https://id.example:port/log",
    ],
)
def test_only_a_plain_https_address_or_this_machine_is_asked(text: str) -> None:
    with pytest.raises(NotServed):
        read_prefix(text)


def test_addresses_are_read_without_their_last_slash() -> None:
    assert [read_prefix(text) for text in (f"{URL}/", "http://localhost:8000/log", "http://[::1]:8000/log")] == [
        URL,
        "http://localhost:8000/log",
        "http://[::1]:8000/log",
    ]
