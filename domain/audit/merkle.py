"""Computes the Merkle tree over all audit events (RFC 6962, section 2.1).

It makes and checks roots and proofs. Hashes are 32 bytes; many leaves are one string of bytes, 32 for each leaf
hash, in order.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
_LARGEST_BLOCK: Final = 1 << 12


def leaf_hash(data: bytes) -> bytes:
    """Returns the hash of a leaf, which cannot be mistaken for a node's."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Returns the hash of two neighbours."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(slots=True)
class Frontier:
    """Keeps what a tree needs to grow: one hash for each full subtree.

    The largest comes first. There are as many as `size` has binary ones, so a tree of a thousand million leaves
    takes a kilobyte.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def extend(self, leaves: bytes) -> None:
        """Adds leaves at the right end.

        Blocks that are full subtrees are hashed level by level.
        """
        place, end = 0, len(leaves) // SIZE
        while place < end:
            block = _block(self.size, end - place)
            self._push(_full_root(leaves[place * SIZE : (place + block) * SIZE]), block)
            place += block

    def _push(self, peak: bytes, block: int) -> None:
        while self.size & block:
            peak = node_hash(self.peaks.pop(), peak)
            self.size -= block
            block *= 2
        self.peaks.append(peak)
        self.size += block

    def root(self) -> bytes:
        """Returns the root of the tree at its present size."""
        if not self.peaks:
            return EMPTY_ROOT
        above = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            above = node_hash(peak, above)
        return above


def root(leaves: bytes) -> bytes:
    """Returns the root of the tree over these leaves."""
    frontier = Frontier()
    frontier.extend(leaves)
    return frontier.root()


def inclusion_proof(leaves: bytes, index: int) -> list[bytes]:
    """Returns the neighbours that lead from the leaf at `index` to the root.

    They come from the leaf up (RFC 6962, 2.1.1). Raises `IndexError` for a leaf that there is not.
    """
    begin, end, proof = 0, len(leaves) // SIZE, []
    if not 0 <= index < end:
        raise IndexError(f"There is no leaf {index} in a tree of {end}.")
    while end - begin > 1:
        middle = begin + _split(end - begin)
        if index < middle:
            proof.append(root(leaves[middle * SIZE : end * SIZE]))
            end = middle
        else:
            proof.append(root(leaves[begin * SIZE : middle * SIZE]))
            begin = middle
    return proof[::-1]


def includes(top: bytes, size: int, index: int, leaf: bytes, proof: Sequence[bytes]) -> bool:
    """Checks a proof from this leaf at `index` to the root `top`.

    The tree has `size` leaves.
    """
    if not 0 <= index < size:
        return False
    place, last, above, rest = index, size - 1, leaf, iter(proof)
    for neighbour in rest:
        if last == 0:
            return False
        if place & 1 or place == last:
            above = node_hash(neighbour, above)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            above = node_hash(above, neighbour)
        place, last = place >> 1, last >> 1
    return last == 0 and above == top


def consistency_proof(leaves: bytes, old: int) -> list[bytes]:
    """Proves that the tree of the first `old` leaves begins the whole.

    RFC 6962, 2.1.2. Raises `IndexError` for more leaves than there are, or none.
    """
    begin, end, proof = 0, len(leaves) // SIZE, []
    if not 0 < old <= end:
        raise IndexError(f"A tree of {end} cannot begin with one of {old}.")
    whole = True
    while old != end:
        middle = begin + _split(end - begin)
        if old <= middle:
            proof.append(root(leaves[middle * SIZE : end * SIZE]))
            end = middle
        else:
            proof.append(root(leaves[begin * SIZE : middle * SIZE]))
            begin, whole = middle, False
    if not whole:
        proof.append(root(leaves[begin * SIZE : end * SIZE]))
    return proof[::-1]


def extends(old_root: bytes, old: int, new_root: bytes, new: int, proof: Sequence[bytes]) -> bool:
    """Checks a proof that the tree of `new` leaves begins with that of `old`."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    rest = iter(proof)
    start = next(rest, None) if place else old_root
    return start is not None and _climb(start, place, last, rest) == (old_root, new_root)


def _climb(start: bytes, place: int, last: int, proof: Iterator[bytes]) -> tuple[bytes, bytes] | None:
    """Returns the old and the new root that a consistency proof leads to; None for one of the wrong length."""
    before = after = start
    for neighbour in proof:
        if last == 0:
            return None
        if place & 1 or place == last:
            before, after = node_hash(neighbour, before), node_hash(neighbour, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, neighbour)
        place, last = place >> 1, last >> 1
    return (before, after) if last == 0 else None


def _block(size: int, room: int) -> int:
    """Returns the largest full subtree that fits on a tree of `size` leaves and within `room`."""
    fits = 1 << (room.bit_length() - 1)
    return min(fits, _LARGEST_BLOCK, size & -size or fits)


def _full_root(level: bytes) -> bytes:
    """Returns the root of a full subtree: its number of leaves is a power of two."""
    while len(level) > SIZE:
        pairs = range(0, len(level), 2 * SIZE)
        level = b"".join([sha256(b"\x01" + level[pair : pair + 2 * SIZE]).digest() for pair in pairs])
    return level


def _split(size: int) -> int:
    """Returns the largest power of two below `size`: the left subtree of RFC 6962."""
    return 1 << ((size - 1).bit_length() - 1)
