"""C2SP tlog-tiles: paths, bundles, and which tile holds what."""

from __future__ import annotations

import pytest

from consent import merkle, tiles
from consent.merkle import Node
from consent.tiles import TileAddress, TileBroken
from consent.tree_walk import TreeWalk


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (TileAddress(0, 0), "tile/0/000"),
        (TileAddress(1, 999), "tile/1/999"),
        (TileAddress(0, 1000), "tile/0/x001/000"),
        (TileAddress(0, 1234067), "tile/0/x001/x234/067"),
        (TileAddress(2, 0, 17), "tile/2/000.p/17"),
        (TileAddress(0, 1234067, 8), "tile/0/x001/x234/067.p/8"),
    ],
)
def test_a_tile_is_at_the_path_of_the_specification(tile: TileAddress, path: str) -> None:
    assert tiles.tile_path(tile) == path


def test_a_bundle_is_at_the_path_of_the_specification() -> None:
    assert tiles.bundle_path(1234067) == "tile/entries/x001/x234/067"
    assert tiles.bundle_path(0, 3) == "tile/entries/000.p/3"


def test_a_bundle_is_a_sequence_of_uint16_length_prefixed_entries() -> None:
    assert tiles.encode_bundle([b"ab", b"", b"c" * 300]) == b"\x00\x02ab\x00\x00\x01\x2c" + b"c" * 300
    assert tiles.decode_bundle(b"\x00\x02ab\x00\x00") == [b"ab", b""]


@pytest.mark.parametrize("bundle", [b"\x00", b"\x00\x02a", b"\x00\x01a\x00"])
def test_a_bundle_that_ends_inside_an_entry_is_refused(bundle: bytes) -> None:
    with pytest.raises(TileBroken):
        tiles.decode_bundle(bundle)


@pytest.mark.parametrize("length", [0, 31, 33, 32 * 257])
def test_a_tile_holds_1_to_256_hashes(length: int) -> None:
    with pytest.raises(TileBroken):
        tiles.decode_tile(bytes(length))


def test_the_partial_tiles_of_a_tree_are_one_per_level_that_does_not_end_full() -> None:
    assert tiles.tiles_of(0) == []
    assert tiles.tiles_of(256) == [TileAddress(1, 0, 1)]
    assert tiles.tiles_of(70000) == [TileAddress(0, 273, 112), TileAddress(1, 1, 17), TileAddress(2, 0, 1)]


def test_a_node_is_computed_from_the_tile_that_holds_it() -> None:
    hashes = [merkle.leaf_hash(b"%d" % i) for i in range(256)]
    assert tiles.tile_of(Node(3, 40), 400) == TileAddress(0, 1, 144)
    assert tiles.tile_of(Node(8, 0), 400) == TileAddress(1, 0, 1)
    assert tiles.node_from_tile(Node(3, 2), hashes) == merkle.perfect_root(hashes[16:24])
    assert tiles.node_from_tile(Node(0, 257), hashes) == hashes[1]


def test_walking_a_tree_gives_its_full_tiles_then_its_partial_ones_and_roots_on_the_way() -> None:
    entries = [b"%d" % i for i in range(70000)]
    walk = TreeWalk([1, 257, 65536, 70000])
    full = [tile.address for n in range(0, 70000, 256) for tile in walk.add(entries[n : n + 256])]
    assert full == [TileAddress(0, n) for n in range(256)] + [TileAddress(1, 0)] + [TileAddress(0, n) for n in range(256, 273)]
    assert [tile.address for tile in walk.partial()] == tiles.tiles_of(70000)
    hashes = [merkle.leaf_hash(entry) for entry in entries]
    assert walk.roots == {0: merkle.EMPTY_ROOT} | {size: merkle.Edge().extend(hashes[:size]).root for size in (1, 257, 65536, 70000)}


@pytest.mark.parametrize("n", [0, 7, 999, 1000, 1234067, 999_999_999_999_999_999])
@pytest.mark.parametrize("width", [1, 9, 255, 256])
def test_every_address_that_is_written_is_read(n: int, width: int) -> None:
    _, level, number = tiles.tile_path(TileAddress(63, n, width)).split("/", 2)
    assert tiles.parse_tile(level, number) == TileAddress(63, n, width)
    assert tiles.parse_number(tiles.bundle_path(n, width).split("/", 2)[2]) == (n, width)


@pytest.mark.parametrize(
    "number", ["", "0", "0000", "x001", "x000/001", "x1/000", "001/002", "000.p/0", "000.p/256", "000.p/01", "000.p", "\u0660\u0660\u0660"]
)
def test_no_other_number_is_read(number: str) -> None:
    with pytest.raises(tiles.AddressInvalid):
        tiles.parse_number(number)


@pytest.mark.parametrize("level", ["", "00", "01", "64", "-1", "٣", "x", " 1"])
def test_no_other_level_is_read(level: str) -> None:
    with pytest.raises(tiles.AddressInvalid):
        tiles.parse_tile(level, "000")


def test_tlog_tiles_own_example_needs_a_tree_of_70000() -> None:
    """Partial tiles of a tree of 70,000: level 0, 112 wide; level 1, 17 wide; level 2, 1 wide."""
    assert tiles.needed_size(TileAddress(0, 273, 112)) == 70_000
    assert tiles.needed_size(TileAddress(1, 1, 17)) == 273 * 256
    assert tiles.needed_size(TileAddress(2, 0, 1)) == 65_536
