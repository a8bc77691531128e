"""Sums of products named by letters, lowered to transposes, products and sums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from finetti.errors import ShapeError
from finetti.ir.ops.elementwise import multiply
from finetti.ir.ops.indexing import getitem
from finetti.ir.ops.linalg import matmul
from finetti.ir.ops.reduce import sum_
from finetti.ir.ops.shape import as_tensor, expand_dims, reshape, squeeze, transpose
from finetti.ir.tensor import Tensor

_LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def einsum(subscripts: str, *operands: Any) -> Tensor:
    """The sum of products that `subscripts` names, as `numpy.einsum`.

    Operands are contracted from left to right, two at a time.
    """
    tensors = [as_tensor(x) for x in operands]
    terms, output = _parsed(subscripts, tensors)
    parts = [_diagonal(x, term) for x, term in zip(tensors, terms, strict=True)]
    x, labels = parts[0]
    for k, (y, others) in enumerate(parts[1:], 1):
        later = set(output).union(*(term for _, term in parts[k + 1 :]))
        x, labels = _contract(x, labels, y, others, later)
    gone = tuple(a for a, label in enumerate(labels) if label not in output)
    x = sum_(x, gone) if gone else x
    labels = "".join(label for label in labels if label in output)
    return transpose(x, [labels.index(label) for label in output]) if output else x


def _parsed(subscripts: str, tensors: Sequence[Tensor]) -> tuple[list[str], str]:
    """One letter per axis of each operand and of the output, ellipses written out."""
    left, arrow, right = subscripts.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise ShapeError(f"einsum {subscripts!r}: {len(terms)} terms for {len(tensors)} operands")
    hidden = [x.ndim - len(t.replace("...", "")) if "..." in t else 0
              for x, t in zip(tensors, terms, strict=True)]  # fmt: skip
    free = [c for c in _LETTERS if c not in subscripts]
    dots = "".join(free[: max(0, *hidden)]) if hidden else ""
    lengths: dict[str, int] = {}
    for k, (x, term) in enumerate(zip(tensors, terms, strict=True)):
        term = term.replace("...", dots[len(dots) - hidden[k] :] if hidden[k] > 0 else "")
        if len(term) != x.ndim or hidden[k] < 0 or not set(term) <= set(_LETTERS):
            raise ShapeError(f"einsum {subscripts!r}: term {terms[k]!r} does not name {x!r}")
        for label, length in zip(term, x.node.shape, strict=True):
            if lengths.setdefault(label, length) != length and 1 not in (length, lengths[label]):
                raise ShapeError(
                    f"einsum {subscripts!r}: {label!r} has lengths {lengths[label]} and {length}"
                )
            lengths[label] = max(lengths[label], length)
        terms[k] = term
    if arrow:
        output = right.replace("...", dots)
    else:
        counts = Counter("".join(terms))
        output = dots + "".join(sorted(c for c in counts if counts[c] == 1 and c not in dots))
    whole = set(dots) <= set(output)
    if len(set(output)) != len(output) or not set(output) <= set(lengths) or not whole:
        raise ShapeError(
            f"einsum {subscripts!r}: an output names each letter once, and no others; "
            "what `...` stands for stays"
        )
    return terms, output


def _diagonal(x: Tensor, term: str) -> tuple[Tensor, str]:
    """Letters that an operand repeats walk its diagonal."""
    for label in [c for c, count in Counter(term).items() if count > 1]:
        axes = [a for a, c in enumerate(term) if c == label]
        order = [a for a in range(x.ndim) if a not in axes] + axes
        n = np.arange(x.node.shape[axes[0]])
        if any(x.node.shape[a] != len(n) for a in axes):
            raise ShapeError(f"einsum: {label!r} names axes of different lengths of {x!r}")
        x = getitem(transpose(x, order), (Ellipsis, *[n] * len(axes)))
        term = "".join(c for c in term if c != label) + label
    return x, term


def _contract(x: Tensor, left: str, y: Tensor, right: str, later: set[str]) -> tuple[Tensor, str]:
    """The product of two operands, summed over the letters that nothing needs later."""
    x, left = _summed(x, left, later | set(right))
    y, right = _summed(y, right, later | set(left))
    # An axis of length 1 that meets a longer one is stretched: it takes no part in the product.
    x, left_ones = _without_ones(x, left, y, right)
    y, right_ones = _without_ones(y, right, x, left)
    left, right = (
        s.translate({ord(c): None for c in o}) for s, o in ((left, left_ones), (right, right_ones))
    )
    both = [c for c in left if c in right]
    batch = "".join(c for c in both if c in later)
    inner = "".join(c for c in both if c not in later)
    rows = "".join(c for c in left if c not in both)
    columns = "".join(c for c in right if c not in both)
    if not inner:
        return _outer(x, left, y, right, batch + rows + columns)
    a = transpose(x, [left.index(c) for c in batch + rows + inner])
    b = transpose(y, [right.index(c) for c in batch + inner + columns])
    heads, sizes = a.shape[: len(batch)], a.shape[len(batch) : len(batch) + len(rows)]
    tails = b.shape[len(batch) + len(inner) :]
    count = [1, 1, 1]
    for k, lengths in enumerate((sizes, a.shape[len(batch) + len(rows) :], tails)):
        for length in lengths:
            count[k] = length * count[k]
    product = matmul(
        reshape(a, (*heads, count[0], count[1])), reshape(b, (*heads, count[1], count[2]))
    )
    result = reshape(product, (*heads, *sizes, *tails))
    labels = batch + rows + columns
    gone = tuple(a for a, c in enumerate(labels) if c not in later)
    return (
        (sum_(result, gone), "".join(c for c in labels if c in later)) if gone else (result, labels)
    )


def _summed(x: Tensor, labels: str, needed: set[str]) -> tuple[Tensor, str]:
    gone = tuple(a for a, c in enumerate(labels) if c not in needed)
    return (sum_(x, gone) if gone else x), "".join(c for c in labels if c in needed)


def _without_ones(x: Tensor, labels: str, y: Tensor, others: str) -> tuple[Tensor, str]:
    ones = "".join(
        c for a, c in enumerate(labels)
        if x.node.shape[a] == 1 and c in others and y.node.shape[others.index(c)] != 1
    )  # fmt: skip
    return (squeeze(x, [labels.index(c) for c in ones]) if ones else x), ones


def _outer(x: Tensor, left: str, y: Tensor, right: str, labels: str) -> tuple[Tensor, str]:
    """The product elementwise, each operand with axes of length 1 where it lacks a letter."""
    parts = []
    for tensor, own in ((x, left), (y, right)):
        tensor = transpose(tensor, [own.index(c) for c in labels if c in own])
        missing = [a for a, c in enumerate(labels) if c not in own]
        parts.append(expand_dims(tensor, missing) if missing else tensor)
    return multiply(*parts), labels


def tensordot(a: Any, b: Any, axes: Any = 2) -> Tensor:
    """The sum of products over pairs of axes, as `numpy.tensordot`."""
    a, b = as_tensor(a), as_tensor(b)
    if isinstance(axes, (int, np.integer)):
        pairs = list(zip(range(a.ndim - axes, a.ndim), range(axes), strict=True))
    else:
        first, second = ([s] if isinstance(s, (int, np.integer)) else list(s) for s in axes)
        if len(first) != len(second):
            raise ShapeError(f"tensordot with axes={axes!r}: expected as many axes of each tensor")
        pairs = [(i % a.ndim, j % b.ndim) for i, j in zip(first, second, strict=True)]
    letters = iter(_LETTERS)
    left = [next(letters) for _ in range(a.ndim)]
    right = [next(letters) for _ in range(b.ndim)]
    for i, j in pairs:
        if a.node.shape[i] != b.node.shape[j]:
            raise ShapeError(f"tensordot of {a!r} and {b!r}: axes {i} and {j} differ in length")
        right[j] = left[i]
    taken = {left[i] for i, _ in pairs}
    output = "".join(c for c in (*left, *right) if c not in taken)
    return einsum(f"{''.join(left)},{''.join(right)}->{output}", a, b)


def dot(a: Any, b: Any) -> Tensor:
    """NumPy's dot product: matrix product, or elementwise with a scalar."""
    a, b = as_tensor(a), as_tensor(b)
    if not a.ndim or not b.ndim:
        return multiply(a, b)
    if a.ndim > 2 or b.ndim > 2:
        return tensordot(a, b, axes=([a.ndim - 1], [max(0, b.ndim - 2)]))
    return matmul(a, b)
