"""The Merkle tree, held against pymerkle and against the words of RFC 6962."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymerkle import InmemoryTree
from pymerkle import verify_consistency as oracle_consistency
from pymerkle import verify_inclusion as oracle_inclusion

from domain.audit import merkle

entries = st.lists(st.binary(max_size=40), min_size=1, max_size=70)


def leaves_of(data: list[bytes]) -> bytes:
    return b"".join(map(merkle.leaf_hash, data))


def oracle(data: list[bytes]) -> InmemoryTree:
    tree = InmemoryTree(algorithm="sha256")
    for entry in data:
        tree.append_entry(entry)
    return tree


def test_the_empty_tree_and_the_single_leaf() -> None:
    """As the RFC defines them."""
    assert merkle.root(b"") == sha256(b"").digest()
    assert merkle.root(merkle.leaf_hash(b"x")) == sha256(b"\x00x").digest()


@given(entries)
def test_roots_are_those_of_the_oracle(data: list[bytes]) -> None:
    """At every size on the way."""
    tree, frontier = oracle(data), merkle.Frontier()
    for size, entry in enumerate(data, 1):
        frontier.extend(merkle.leaf_hash(entry))

        assert frontier.root() == tree.get_root(size)
    assert frontier.root() == merkle.root(leaves_of(data))


@given(entries, st.data())
def test_a_tree_may_grow_in_any_portions(data: list[bytes], drawn: st.DataObject) -> None:
    """What is kept of it does not depend on them."""
    leaves, frontier, whole = leaves_of(data), merkle.Frontier(), merkle.Frontier()
    whole.extend(leaves)
    while frontier.size < len(data):
        end = drawn.draw(st.integers(frontier.size + 1, len(data)))
        frontier.extend(leaves[frontier.size * 32 : end * 32])

    assert frontier == whole
    assert len(frontier.peaks) == len(data).bit_count()


def test_a_large_tree_is_hashed_in_blocks() -> None:
    """Beyond the largest block the root is still the oracle's."""
    data = [str(number).encode() for number in range(10_001)]

    assert merkle.root(leaves_of(data)) == oracle(data).get_root(10_001)


@given(entries, st.data())
def test_inclusion_proofs_are_those_of_the_oracle(data: list[bytes], drawn: st.DataObject) -> None:
    """Each of them is accepted here, and the oracle's path holds the same neighbours."""
    index = drawn.draw(st.integers(0, len(data) - 1))
    leaves, tree = leaves_of(data), oracle(data)
    proof = merkle.inclusion_proof(leaves, index)

    theirs = tree.prove_inclusion(index + 1)
    oracle_inclusion(tree.get_leaf(index + 1), tree.get_root(), theirs)
    assert merkle.includes(merkle.root(leaves), len(data), index, merkle.leaf_hash(data[index]), proof)
    assert proof == [bytes.fromhex(step) for step in theirs.serialize()["path"]][1:]


@given(entries, st.data())
def test_a_wrong_inclusion_proof_is_refused(data: list[bytes], drawn: st.DataObject) -> None:
    """Another leaf, another place, a changed, missing or added neighbour."""
    index = drawn.draw(st.integers(0, len(data) - 1))
    leaves = leaves_of(data)
    top, leaf, proof = merkle.root(leaves), merkle.leaf_hash(data[index]), merkle.inclusion_proof(leaves, index)
    size, other = len(data), b"\xff" * 32

    assert not merkle.includes(top, size, index, other, proof)
    assert not merkle.includes(top, size, size, leaf, proof)
    assert not merkle.includes(top, size, index, leaf, [*proof, other])
    for place in range(len(proof)):
        assert not merkle.includes(top, size, index, leaf, [*proof[:place], other, *proof[place + 1 :]])
        assert not merkle.includes(top, size, index, leaf, proof[:place] + proof[place + 1 :])


@given(entries, st.data())
def test_consistency_is_shown_and_checked(data: list[bytes], drawn: st.DataObject) -> None:
    """Between any two sizes, and the oracle finds its own roots and the same ones consistent."""
    old = drawn.draw(st.integers(1, len(data)))
    leaves, tree = leaves_of(data), oracle(data)
    old_root, new_root = merkle.root(leaves[: old * 32]), merkle.root(leaves)
    proof = merkle.consistency_proof(leaves, old)

    oracle_consistency(old_root, new_root, tree.prove_consistency(old, len(data)))
    assert merkle.extends(old_root, old, new_root, len(data), proof)


@given(entries, st.data())
def test_a_rewritten_beginning_is_not_consistent(data: list[bytes], drawn: st.DataObject) -> None:
    """Whoever rewrote a leaf finds no proof, neither their own nor a patched one."""
    old = drawn.draw(st.integers(1, len(data)))
    place = drawn.draw(st.integers(0, old - 1))
    rewritten = [*data[:place], data[place] + b"!", *data[place + 1 :]]
    leaves, forged = leaves_of(data), leaves_of(rewritten)
    old_root, size = merkle.root(leaves[: old * 32]), len(data)
    proof = merkle.consistency_proof(forged, old)

    assert not merkle.extends(old_root, old, merkle.root(forged), size, proof)
    assert not merkle.extends(old_root, old, merkle.root(leaves), size, [*proof, b"\xff" * 32])


def test_what_is_not_there_is_not_proved() -> None:
    """No leaf beyond the end, no beginning longer than the whole, none of nothing."""
    leaves = leaves_of([b"a", b"b"])

    for index in (-1, 2):
        with pytest.raises(IndexError):
            merkle.inclusion_proof(leaves, index)
    for old in (0, 3):
        with pytest.raises(IndexError):
            merkle.consistency_proof(leaves, old)
    assert not merkle.extends(merkle.root(leaves), 3, merkle.root(leaves), 2, [])
