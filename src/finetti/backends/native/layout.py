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
    """A matrix as [block][column][row], in parts; a last short block begins so as to be full."""
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
    counted: np.ndarray  # bool[slots]: false for padding

    @property
    def slices(self) -> int:
        return len(self.steps)

    def shared(self, positions: np.ndarray) -> np.ndarray | None:
        """The position that the rows of each step have in common, None where some have not."""
        walked = positions[self.rows].reshape(-1, LANES)
        counted = self.counted.reshape(-1, LANES)
        common = walked[np.arange(len(walked)), counted.argmax(1)]
        return common if ((walked == common[:, None]) | ~counted).all() else None


def group_rows(bins: np.ndarray) -> Grouped:
    """The grouped layout of rows that fall into `bins`."""
    order = np.argsort(bins, kind="stable")
    counts = np.unique(bins, return_counts=True)[1]
    # Groups are cut into pieces of nearly equal lengths; `which` is a piece's number in its group.
    cuts = -(-counts // LONGEST_PIECE)
    group = np.repeat(np.arange(len(counts)), cuts)
    which = np.arange(len(group)) - np.repeat(np.cumsum(cuts) - cuts, cuts)
    base, longer = (counts // cuts)[group], (counts % cuts)[group]
    length = base + (which < longer)
    start = (np.cumsum(counts) - counts)[group] + which * base + np.minimum(which, longer)
    longest_first = np.argsort(-length, kind="stable")
    start, length = start[longest_first], length[longest_first]
    # Eight pieces make a slice; lanes left over read what the last slice's first lane reads.
    blank = -len(start) % LANES
    first_of_last = (len(start) - 1) // LANES * LANES
    start = np.append(start, np.full(blank, start[first_of_last])).reshape(-1, LANES)
    read = np.append(length, np.ones(blank, int)).reshape(-1, LANES)
    counted = np.append(length, np.zeros(blank, int)).reshape(-1, LANES)
    steps = read[:, 0]
    slices = np.repeat(np.arange(len(steps)), steps)
    step = np.arange(len(slices)) - np.repeat(np.cumsum(steps) - steps, steps)
    rows = order[start[slices] + np.minimum(step[:, None], read[slices] - 1)]
    return Grouped(
        rows.ravel().astype(np.int32), LANES * (np.cumsum(steps) - steps), steps.astype(np.int64),
        bins[order[start]].ravel().astype(np.int32), (step[:, None] < counted[slices]).ravel(),
    )  # fmt: skip


def _lanes(bins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Bins that have rows, those of most first, and for each row the place of its bin there."""
    counts = np.bincount(bins)
    names = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    place = np.empty(len(counts), int)
    place[names] = np.arange(len(names))
    return names, place[bins]


def crossed_steps(bins: np.ndarray, others: np.ndarray) -> int:
    """How many steps the layout of `cross_rows` has."""
    names, lane_of = _lanes(bins)
    width, lines = int(others.max()) + 1, -(-len(names) // LANES) * LANES
    table = np.bincount(lane_of * width + others, minlength=lines * width)
    return int(table.reshape(-1, LANES, width).max(1).sum())


def cross_rows(bins: np.ndarray, others: np.ndarray) -> Grouped:
    """The layout of rows that fall into two kinds of bins, as the cells of a table do.

    A lane is one of `bins`, and the rows of a step fall into one of `others`: what depends on
    either is read once for eight rows. Cells without a row are padding.
    """
    names, lane_of = _lanes(bins)
    # The rows of one cell take several steps.
    cell = lane_of * (int(others.max()) + 1) + others
    order = np.argsort(cell, kind="stable")
    starts = np.flatnonzero(np.diff(cell[order], prepend=-1))
    again = np.empty(len(cell), int)
    again[order] = np.arange(len(cell)) - np.repeat(starts, np.diff(starts, append=len(cell)))
    width = (int(others.max()) + 1) * (int(again.max()) + 1)
    key = lane_of // LANES * width + others * (int(again.max()) + 1) + again
    found, step_of = np.unique(key, return_inverse=True)
    steps = np.bincount(found // width)
    slots = step_of * LANES + lane_of % LANES
    counted = np.zeros(len(found) * LANES, bool)
    counted[slots] = True
    some = np.empty(len(found), np.int32)
    some[step_of] = np.arange(len(bins))
    rows = np.repeat(some, LANES)
    rows[slots] = np.arange(len(bins))
    lanes = np.append(names, np.full(-len(names) % LANES, names[0]))
    return Grouped(
        rows, LANES * (np.cumsum(steps) - steps), steps.astype(np.int64),
        lanes.astype(np.int32), counted,
    )  # fmt: skip
