"""Data made ready for the code: packed constants, scratch memory, and rows grouped by bin."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass

import numpy as np

LANES = 8
ALIGN = 64
# Grouped rows are cut into pieces of at most this many, so that lanes stay evenly filled.
LONGEST_PIECE = 32
# Rows of a wide matrix that are worked on together.
BLOCK_ROWS = 32


class Pack:
    """Constants, each at an aligned offset of one read-only block."""

    def __init__(self) -> None:
        self._offsets: dict[Hashable, int] = {}
        self._arrays: list[tuple[int, np.ndarray]] = []
        self.size = 0

    def put(self, key: Hashable, *parts: np.ndarray) -> int:
        """The byte offset of parts that lie one after another; they are added when the key is new.

        They are copied where they belong only in the end: strided views cost nothing here.
        """
        offset = self._offsets.get(key)
        if offset is None:
            offset = self._offsets[key] = self.size
            for array in parts:
                self._arrays.append((self.size, array))
                self.size += array.nbytes
            self.size = _aligned(self.size)
        return offset

    def block(self) -> np.ndarray:
        """The block itself: bytes that start on an aligned address."""
        buffer = aligned_bytes(self.size)
        for offset, array in self._arrays:
            room = buffer[offset : offset + array.nbytes].view(array.dtype)
            room.reshape(array.shape)[...] = array
        return buffer


def row_blocks(matrix: np.ndarray, rows: int) -> list[np.ndarray]:
    """A matrix as [block][column][row], in parts; a last block of less rows ends with the matrix."""
    matrix = np.asarray(matrix, float)
    whole, columns = len(matrix) // rows, matrix.shape[1]
    parts = [matrix[: whole * rows].reshape(whole, rows, columns).transpose(0, 2, 1)]
    return parts if whole * rows == len(matrix) else [*parts, matrix[-rows:].T]


class Scratch:
    """Offsets in the memory that one evaluation writes to."""

    def __init__(self) -> None:
        self.size = 0

    def take(self, doubles: int) -> int:
        """The byte offset of room for so many doubles, and a vector beyond."""
        offset = self.size
        self.size = _aligned(self.size + 8 * (doubles + LANES))
        return offset


def _aligned(size: int) -> int:
    return -(-size // ALIGN) * ALIGN


def aligned_bytes(size: int) -> np.ndarray:
    """Zeroed bytes on an aligned address, with a vector's room to spare."""
    raw = np.zeros(size + 2 * ALIGN, np.uint8)
    start = -raw.ctypes.data % ALIGN
    return raw[start : start + size + ALIGN]


@dataclass(frozen=True)
class Grouped:
    """Rows laid out so that eight pieces of groups are walked in step, one in each lane.

    A slice holds eight pieces; step t of a slice reads eight neighbours. All rows of a piece belong
    to one bin, so what depends on the bin is read once a slice and sums stay in registers.
    """

    rows: np.ndarray  # int32[slots]: the row in each slot; padding repeats a row
    first: np.ndarray  # int64[slices]: the first slot of a slice
    steps: np.ndarray  # int64[slices]
    bins: np.ndarray  # int32[slices * 8]
    lengths: np.ndarray  # int64[slices * 8]: rows of a lane that count

    @property
    def slices(self) -> int:
        return len(self.steps)


def group_rows(bins: np.ndarray) -> Grouped:
    """The grouped layout of rows that fall into `bins`."""
    order = np.argsort(bins, kind="stable")
    cuts = np.flatnonzero(np.diff(bins[order])) + 1
    pieces: list[np.ndarray] = []
    for group in np.split(order, cuts):
        pieces += np.array_split(group, -(-len(group) // LONGEST_PIECE))
    pieces.sort(key=len, reverse=True)
    rows, first, steps, piece_bins, lengths = [], [], [], [], []
    slot = 0
    for start in range(0, len(pieces), LANES):
        lanes = pieces[start : start + LANES]
        count = len(lanes[0])
        grid = np.full((count, LANES), lanes[0][0])
        for lane, piece in enumerate(lanes):
            grid[: len(piece), lane] = piece
            grid[len(piece) :, lane] = piece[-1]
        blank = LANES - len(lanes)
        piece_bins += [bins[piece[0]] for piece in lanes] + [bins[lanes[0][0]]] * blank
        lengths += [len(piece) for piece in lanes] + [0] * blank
        rows.append(grid.ravel())
        first.append(slot)
        steps.append(count)
        slot += grid.size
    return Grouped(
        np.concatenate(rows).astype(np.int32), np.array(first, np.int64), np.array(steps, np.int64),
        np.array(piece_bins, np.int32), np.array(lengths, np.int64),
    )  # fmt: skip
