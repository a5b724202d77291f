"""The root key: who may read it, which version wraps, and what a wrong one says."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from keys.custody import RootKeys, version_of
from keys.errors import RootKeyLoose, RootKeyMalformed, RootKeyMissing, RootKeyWrong, SealBroken

if TYPE_CHECKING:
    from pathlib import Path

AD = ("person-1", "1")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "root.key"


def test_a_created_file_has_mode_0400_and_reads_back(path: Path) -> None:
    root = RootKeys.create_file(path)
    assert path.stat().st_mode & 0o777 == 0o400
    assert RootKeys.from_file(path).unwrap("p", AD, root.wrap("p", AD, b"secret")) == b"secret"


@pytest.mark.parametrize("mode", [0o600, 0o440, 0o404, 0o500, 0o644, 0o777])
def test_any_looser_mode_is_refused_and_told(path: Path, mode: int) -> None:
    RootKeys.create_file(path)
    path.chmod(mode)
    with pytest.raises(RootKeyLoose) as refused:
        RootKeys.from_file(path)
    assert (refused.value.path, refused.value.mode) == (str(path), f"{mode:04o}")
    assert "chmod 0400" in str(refused.value)


def test_a_missing_file_is_told(path: Path) -> None:
    with pytest.raises(RootKeyMissing, match=r"root\.key"):
        RootKeys.from_file(path)


@pytest.mark.parametrize("value", [None, "", "  \n"])
def test_an_empty_environment_is_told(value: str | None) -> None:
    with pytest.raises(RootKeyMissing):
        RootKeys.from_environment(value)


@pytest.mark.parametrize(
    "text", ["1 short", "one " + "A" * 43, "1 " + "A" * 43 + "\n1 " + "A" * 43, "0 " + "A" * 43, "1 " + "A" * 42 + "B", "1 " + "é" * 43]
)
def test_malformed_text_is_refused_without_repeating_it(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o400)
    with pytest.raises(RootKeyMalformed) as refused:
        RootKeys.from_file(path)
    assert "AAAA" not in str(refused.value)


def test_a_lone_key_in_the_environment_is_version_1() -> None:
    assert RootKeys.from_environment("A" * 43).versions == {1}
    assert RootKeys.from_environment(f"1 {'A' * 43},7 {'A' * 42}E").newest == 7


def test_the_newest_version_wraps_and_older_ones_unwrap(path: Path) -> None:
    root = RootKeys.create_file(path)
    old = root.wrap("p", AD, b"old")
    assert root.add_version() == 2
    new = root.wrap("p", AD, b"new")
    assert (version_of(old), version_of(new)) == (1, 2)
    assert root.unwrap("p", AD, old) == b"old"
    assert path.stat().st_mode & 0o777 == 0o400


def test_a_version_added_by_another_process_is_read_when_it_is_met(path: Path) -> None:
    ours, theirs = RootKeys.create_file(path), RootKeys.from_file(path)
    theirs.add_version()
    assert ours.unwrap("p", AD, theirs.wrap("p", AD, b"secret")) == b"secret"


def test_a_missing_version_is_named(path: Path) -> None:
    root = RootKeys.create_file(path)
    wrapped = root.wrap("p", AD, b"secret")
    root.add_version()
    root.forget_version(1)
    with pytest.raises(RootKeyWrong) as refused:
        root.unwrap("p", AD, wrapped)
    assert refused.value.version == 1


def test_a_wrapped_value_opens_only_for_its_purpose_place_and_key(path: Path) -> None:
    root = RootKeys.create_file(path)
    wrapped = root.wrap("p", AD, b"secret")
    for purpose, ad in (("q", AD), ("p", ("person-2", "1")), ("p", ("person-11", ""))):
        with pytest.raises(SealBroken):
            root.unwrap(purpose, ad, wrapped)
    with pytest.raises(SealBroken):
        RootKeys({1: os.urandom(32)}).unwrap("p", AD, wrapped)
    with pytest.raises(SealBroken):
        root.unwrap("p", AD, wrapped[:30])


def test_two_processes_that_create_the_file_together_share_one_key(path: Path) -> None:
    made: list[RootKeys] = []
    threads = [threading.Thread(target=lambda: made.append(RootKeys.create_file(path))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wrapped = made[0].wrap("p", AD, b"secret")
    assert [root.unwrap("p", AD, wrapped) for root in made] == [b"secret"] * 8
    assert [file.name for file in path.parent.iterdir()] == ["root.key"]


def test_versions_added_together_are_all_kept(path: Path) -> None:
    RootKeys.create_file(path)
    threads = [threading.Thread(target=RootKeys.from_file(path).add_version) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert RootKeys.from_file(path).versions == frozenset(range(1, 8))


def test_keys_of_the_environment_are_not_changed_here() -> None:
    root = RootKeys.from_environment("A" * 43)
    assert not root.reload()
    with pytest.raises(RootKeyMissing, match="environment"):
        root.add_version()
