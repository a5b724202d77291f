"""RFC 6962 §2.1 as written, against the right edge and the proofs we compute."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent import merkle
from consent.merkle import Edge, Node, ProofInvalid, Span

LEAVES = [merkle.leaf_hash(b"leaf %d" % i) for i in range(600)]


def mth(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1, literally."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def path(m: int, leaves: list[bytes]) -> list[bytes]:
    """RFC 6962 §2.1.1, literally."""
    if len(leaves) == 1:
        return []
    k = merkle.split(len(leaves))
    return [*path(m, leaves[:k]), mth(leaves[k:])] if m < k else [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: list[bytes], *, whole: bool) -> list[bytes]:
    """RFC 6962 §2.1.2, literally."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = merkle.split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def nodes(spans: tuple[Span, ...]) -> dict[Node, bytes]:
    return {node: mth(LEAVES[node.n << node.level : (node.n + 1) << node.level]) for node in merkle.needed(spans)}


sizes = st.integers(1, len(LEAVES))


@given(st.integers(0, len(LEAVES)), st.integers(0, len(LEAVES)))
def test_the_right_edge_gives_the_root_however_leaves_arrive(first: int, second: int) -> None:
    edge = Edge().extend(LEAVES[:first]).extend(LEAVES[first : first + second])
    assert edge.root == mth(LEAVES[: first + second])
    assert Edge.unpack(edge.size, edge.pack()) == edge


@given(st.integers(0, 6), st.integers(0, 8))
def test_a_perfect_subtree_can_be_appended_whole(level: int, before: int) -> None:
    start = before << level
    leaves = LEAVES[start : start + (1 << level)]
    if len(leaves) == 1 << level:
        assert Edge().extend(LEAVES[:start]).extend_perfect(level, merkle.perfect_root(leaves)) == Edge().extend(
            LEAVES[: start + len(leaves)]
        )


@given(st.integers(0, 6), st.integers(0, 64))
def test_an_edge_remembers_where_its_last_whole_subtrees_ended(level: int, size: int) -> None:
    assert Edge().extend(LEAVES[:size]).aligned(level) == Edge().extend(LEAVES[: size >> level << level])


def test_a_subtree_does_not_follow_where_it_does_not_fit() -> None:
    with pytest.raises(ValueError, match="whole number"):
        Edge().extend(LEAVES[:3]).extend_perfect(1, LEAVES[0])


def test_an_edge_with_a_hash_too_few_is_refused() -> None:
    with pytest.raises(ValueError, match="one hash for each bit"):
        Edge.unpack(3, LEAVES[0])


@given(st.data(), sizes)
def test_an_inclusion_proof_is_the_rfcs_path_and_verifies(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    spans = merkle.inclusion_spans(index, size)
    proof = merkle.proof(spans, nodes(spans))
    assert list(proof) == path(index, LEAVES[:size])
    merkle.verify_inclusion(index, size, LEAVES[index], proof, mth(LEAVES[:size]))


@given(st.data(), sizes)
def test_an_inclusion_proof_shows_nothing_else(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = path(index, LEAVES[:size]), mth(LEAVES[:size])
    wrong = [
        (index, size, LEAVES[(index + 1) % 600], proof, root),
        (index, size, LEAVES[index], [*proof, LEAVES[0]], root),
        (index, size, LEAVES[index], proof, LEAVES[-1]),
        (size, size, LEAVES[index], proof, root),
    ]
    if proof:
        wrong.append((index, size, LEAVES[index], proof[:-1], root))
        other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index))
        wrong.append((other, size, LEAVES[index], proof, root))
    for claim in wrong:
        with pytest.raises(ProofInvalid):
            merkle.verify_inclusion(*claim)


@given(st.data(), sizes)
def test_a_consistency_proof_is_the_rfcs_and_verifies(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(0, new))
    spans = merkle.consistency_spans(old, new)
    proof = merkle.proof(spans, nodes(spans))
    assert list(proof) == (subproof(old, LEAVES[:new], whole=True) if old else [])
    merkle.verify_consistency(old, new, mth(LEAVES[:old]), mth(LEAVES[:new]), proof)


@given(st.data(), st.integers(2, len(LEAVES)))
def test_a_tree_that_lost_or_changed_an_old_leaf_has_no_consistency_proof(data: st.DataObject, new: int) -> None:
    old = data.draw(st.integers(1, new - 1))
    changed = data.draw(st.integers(0, old - 1))
    forged = [*LEAVES[:changed], LEAVES[-1] if changed != 599 else LEAVES[0], *LEAVES[changed + 1 : new]]
    proof = subproof(old, forged, whole=True)
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, mth(LEAVES[:old]), mth(forged), proof)


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [(3, 2, []), (-1, 2, []), (0, 2, LEAVES[:1]), (2, 2, LEAVES[:1]), (1, 2, []), (1, 2, LEAVES[:2]), (3, 7, LEAVES[:2])],
)
def test_consistency_proofs_of_the_wrong_shape_are_refused(old: int, new: int, path: list[bytes]) -> None:
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(old, new, mth(LEAVES[: max(old, 0)]), mth(LEAVES[:new]), path)


def test_equal_sizes_need_equal_roots_and_the_empty_tree_its_own() -> None:
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(2, 2, LEAVES[0], LEAVES[1], [])
    with pytest.raises(ProofInvalid):
        merkle.verify_consistency(0, 2, LEAVES[0], LEAVES[1], [])


@given(sizes, st.integers(1, 5))
def test_a_range_splits_into_subtrees_that_cover_it_once(size: int, k: int) -> None:
    for span in (*merkle.inclusion_spans(size // (k + 1), size), Span(0, size)):
        covered = [i for node in merkle.subtrees(span) for i in range(node.n << node.level, (node.n + 1) << node.level)]
        assert covered == list(range(span.start, span.end))


@pytest.mark.parametrize("claim", [(3, 3), (-1, 3), (0, 0)])
def test_a_leaf_outside_the_tree_has_no_proof(claim: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="not in the tree"):
        merkle.inclusion_spans(*claim)


def test_a_shrinking_tree_has_no_proof() -> None:
    with pytest.raises(ValueError, match="only grows"):
        merkle.consistency_spans(3, 2)
