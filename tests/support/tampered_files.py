"""Everything that somebody with the files of a log may do to them; every verifier must refuse each."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from consent import tiles
from consent.checkpoint import parse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    Change = Callable[[bytes], bytes]


def _bit(at: int) -> Change:
    """Flip one bit of the byte at this place; negative ones count from the end."""
    return lambda content: bytes(byte ^ (number == at % len(content)) for number, byte in enumerate(content))


def _entries(change: Callable[[list[bytes]], list[bytes]]) -> Change:
    return lambda bundle: tiles.encode_bundle(change(tiles.decode_bundle(bundle)))


def _lines(change: Callable[[list[str]], list[str]]) -> Change:
    return lambda note: "\n".join(change(note.decode().split("\n"))).encode()


def tamperings(folder: Path) -> Mapping[str, tuple[str, Change | None]]:
    """Name what can be done to the log in a folder: which file, and what becomes of it; None when it is taken away."""
    size = parse((folder / "checkpoint").read_text()).size
    last = tiles.bundle_path(size // tiles.WIDTH, size % tiles.WIDTH)
    found: dict[str, tuple[str, Change | None]] = {
        "a bit of the first entry": ("tile/entries/000", _bit(2)),
        "a bit of the newest entry": (last, _bit(-1)),
        "two entries change places": ("tile/entries/000", _entries(lambda all_: [all_[1], all_[0], *all_[2:]])),
        "the newest entry is gone": (last, _entries(lambda all_: all_[:-1])),
        "an entry is put in, and one falls out": ("tile/entries/000", _entries(lambda all_: [bytes(65), *all_[:-1]])),
        "entries are gone": (last, None),
        "the size": ("checkpoint", _lines(lambda all_: [all_[0], str(size - 1), *all_[2:]])),
        "the root": ("checkpoint", _lines(lambda all_: [*all_[:2], "A" * 43 + "=", *all_[3:]])),
        "the origin": ("checkpoint", _lines(lambda all_: [f"{all_[0]}/2", *all_[1:]])),
        "the signature": ("checkpoint", _lines(lambda all_: [*all_[:4], _other_signature(all_[4]), *all_[5:]])),
        "no signature": ("checkpoint", _lines(lambda all_: [*all_[:4], ""])),
        "no checkpoint": ("checkpoint", None),
    }
    for path in (tiles.tile_path(tiles.TileAddress(0, 0)), *map(tiles.tile_path, tiles.tiles_of(size))):
        found |= {f"a bit of {path}": (path, _bit(0)), f"{path} is gone": (path, None)}
    return found


def _other_signature(line: str) -> str:
    return line[:-10] + ("A" if line[-10] != "A" else "B") + line[-9:]


@contextlib.contextmanager
def tampered(folder: Path, path: str, change: Change | None) -> Iterator[None]:
    """Change a file as long as the block runs."""
    file = folder / path
    before = file.read_bytes()
    if change is None:
        file.unlink()
    else:
        after = change(before)
        assert after != before
        file.write_bytes(after)
    yield
    file.write_bytes(before)
