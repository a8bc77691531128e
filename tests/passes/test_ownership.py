"""Ownership: whoever is moved by an element must name it, and cheap structure must be seen."""

import numpy as np
import pytest
from tests.backends.random_graphs import random_outputs

from finetti.backends import reference
from finetti.ir import ops
from finetti.ir.ops.leaf import new_input
from finetti.passes.ownership import LIMIT, MANY, colours, owners

N = 6
POSITIONS = np.array([0, 3, 3, 5, -1])
ROWS = np.arange(N)
TABLE = np.linspace(0.3, 2.0, 2 * N).reshape(2, N)

# name -> (function of a vector z of length N, a matrix w of shape (3, 2), a scalar s), sets as
# lists by element, or None where only soundness is tested. Elements: z 0..5, w 6..11, s 12.
CASES = {
    "elementwise": (lambda z, w, s: ops.exp(z) * 2.0 + 1.0, [[i] for i in range(N)]),
    "constant": (lambda z, w, s: ops.as_tensor(np.ones(3)) * 2.0, None),
    "with a scalar": (lambda z, w, s: z * s, [[i, 12] for i in range(N)]),
    "outer": (lambda z, w, s: z[:, None] + z[None, :], None),
    "slice": (lambda z, w, s: z[1:4:2], [[1], [3]]),
    "reversed": (lambda z, w, s: z[::-1], [[i] for i in reversed(range(N))]),
    "int": (lambda z, w, s: z[-1], [5]),
    "positions": (lambda z, w, s: z[POSITIONS], [[0], [3], [3], [5], [5]]),
    "chain": (lambda z, w, s: ops.square(z[1:] - z[:-1]), [[i, i + 1] for i in range(N - 1)]),
    "second order": (
        lambda z, w, s: z[2:] - z[1:-1] * z[:-2], [[i, i + 1, i + 2] for i in range(N - 2)]
    ),
    "sum": (lambda z, w, s: ops.sum_(z), list(range(N))),
    "row sums": (lambda z, w, s: ops.sum_(w, 1), [[6, 7], [8, 9], [10, 11]]),
    "column sums": (lambda z, w, s: ops.sum_(w, 0), [[6, 8, 10], [7, 9, 11]]),
    "transpose": (lambda z, w, s: ops.transpose(w)[1], [[7], [9], [11]]),
    "reshape": (lambda z, w, s: ops.reshape(w, (6,))[2:4], [[8], [9]]),
    "broadcast": (lambda z, w, s: ops.broadcast_to(w[:, :1], (3, 2))[1], [[8], [8]]),
    "join": (
        lambda z, w, s: ops.concatenate([z[:2], ops.zeros(1), w[0]], 0),
        [[0], [1], [], [6], [7]],
    ),
    "stack": (lambda z, w, s: ops.stack([s, z[0]]), [[12], [0]]),
    "looked up by an element": (
        lambda z, w, s: ops.as_tensor(TABLE[0])[ops.cast(ops.sigmoid(z) * 6, "int64")],
        [[i] for i in range(N)],
    ),
    "looked up by row and element": (
        lambda z, w, s: ops.as_tensor(TABLE)[:, ops.cast(ops.sigmoid(z) * 6, "int64")][1],
        [[i] for i in range(N)],
    ),
    "two indices": (
        lambda z, w, s: ops.as_tensor(TABLE)[
            ops.cast(ops.sigmoid(z) * 2, "int64"), ops.as_tensor(ROWS)
        ],
        [[i] for i in range(N)],
    ),
    "matrix of indices": (
        lambda z, w, s: ops.as_tensor(TABLE)[ops.cast(ops.sigmoid(w) * 2, "int64"), :][:, 0, 3],
        [[6], [8], [10]],
    ),
    "looked up in a moving table": (
        lambda z, w, s: z[ops.cast(ops.sigmoid(w) * 6, "int64")], None
    ),
    "where by a constant": (
        lambda z, w, s: ops.where(ROWS < 2, z, s), [[0], [1], [12], [12], [12], [12]]
    ),
    "where by an element": (lambda z, w, s: ops.where(z > 0.0, w[0, 0], 0.0), None),
    "written into": (
        lambda z, w, s: ops.set_at(z, slice(1, 3), w[0]), [[0], [6], [7], [3], [4], [5]]
    ),
    "added into": (
        lambda z, w, s: ops.add_at(ops.zeros(3), np.array([0, 2, 0]), z[:3]), [[0, 2], [], [1]]
    ),
    "added at a moving place": (
        lambda z, w, s: ops.add_at(
            ops.zeros(3), ops.cast(ops.sigmoid(z[:2]) * 3, "int64"), w[0]
        ),
        None,
    ),
    "running sum": (lambda z, w, s: ops.cumsum(z), None),
    "recurrence": (lambda z, w, s: ops.recurrence(z * 0.1, z), None),
    "product of matrices": (
        lambda z, w, s: ops.matmul(w, np.ones((2, 2)))[:, 0], [[6, 7], [8, 9], [10, 11]]
    ),
    "matrix and vector": (lambda z, w, s: ops.matmul(w, z[:2]), None),
    "softmax": (lambda z, w, s: ops.log_softmax(w, 1)[:, 0], [[6, 7], [8, 9], [10, 11]]),
    "sorted": (lambda z, w, s: ops.sort(z), None),
    "taken along": (
        lambda z, w, s: ops.take_along(w, np.array([[1], [0], [1]]), 1)[:, 0], [[7], [8], [11]]
    ),
    "taken along a moving axis": (
        lambda z, w, s: ops.take_along(TABLE, ops.cast(ops.sigmoid(w[:2]) * 6, "int64"), 1)[:, 0],
        [[6], [8]],
    ),
    "factorised": (lambda z, w, s: ops.cholesky(ops.diag(1.0 + ops.square(z[:3])))[2, 2], None),
    "minimum of a window": (
        lambda z, w, s: ops.min_(ops.stack([z[1:], z[:-1]], 1), 1),
        [[i, i + 1] for i in range(N - 1)],
    ),
}  # fmt: skip


def inputs():
    z, w, s = new_input("z", (N,)), new_input("w", (3, 2)), new_input("s", ())
    return (z, w, s), {z.node: 0, w.node: N, s.node: N + 6}


def moved_by(output, nodes, rng):
    """bool[element of the output, element of the inputs]: what changes it, in 30 trials."""
    found = np.zeros((output.type.size, N + 7), bool)
    for _ in range(30):
        values = {node: rng.normal(0.0, 2.0, node.shape) for node in nodes}
        base = reference.evaluate([output], values)[0].ravel()
        first = 0
        for node in nodes:
            for element in range(node.type.size):
                other = values[node].copy()
                other.reshape(-1)[element] = rng.normal(0.0, 2.0)
                (now,) = reference.evaluate([output], {**values, node: other})
                found[:, first + element] |= now.ravel() != base
            first += node.type.size
    return found


def as_lists(sets, size):
    if sets is None:
        return [[] for _ in range(size)]
    rows = sets.reshape(-1, sets.shape[-1]).tolist()
    return [None if row[0] == MANY else sorted(v for v in row if v >= 0) for row in rows]


@pytest.mark.parametrize("name", CASES)
def test_who_moves_an_element_is_in_its_set(name, rng):
    function, exact = CASES[name]
    tensors, first = inputs()
    output = function(*tensors).node
    (sets,) = owners([output], first)
    if sets is not None:
        assert sets.shape[:-1] == output.shape
    rows = as_lists(sets, output.type.size)
    moved = moved_by(output, list(first), rng)
    for row, who in zip(rows, moved, strict=True):
        assert row is None or set(np.flatnonzero(who)) <= set(row), name
    if exact is not None:
        exact = exact if exact and isinstance(exact[0], list) else [exact]
        assert rows == exact


def test_larger_sets_than_the_limit_are_many():
    z = new_input("z", (LIMIT + 1,))
    (total, part) = owners([ops.sum_(z).node, ops.sum_(z[1:]).node], {z.node: 0})
    assert as_lists(total, 1) == [None]
    assert as_lists(part, 1) == [list(range(1, LIMIT + 1))]


def test_many_is_catching():
    z = new_input("z", (LIMIT + 1,))
    (sets,) = owners([(z[:3] + ops.sum_(z)).node], {z.node: 0})
    assert as_lists(sets, 3) == [None] * 3


def grid(z):
    return [z[1:] * z[:-1], z[:, 1:] * z[:, :-1]]


@pytest.mark.parametrize(
    ("shape", "terms", "count"),
    [
        ((50,), lambda z: [ops.square(z)], 1),
        ((50,), lambda z: [z[1:] * z[:-1]], 2),
        ((50,), lambda z: [z[2:] * z[1:-1] * z[:-2]], 3),
        ((8, 9), grid, 2),
        ((7,), lambda z: [ops.sum_(z)], 7),
        ((5, 3), lambda z: [ops.logsumexp(z, 1)], 3),
    ],
    ids=["independent", "chain", "second order", "grid", "all", "rows"],
)  # fmt: skip
def test_no_factor_holds_two_elements_of_one_colour(shape, terms, count):
    z = new_input("z", shape)
    sets = owners([term.node for term in terms(z)], {z.node: 0})
    chosen = colours(sets, z.node.type.size)
    assert max(chosen) + 1 == count
    for part in sets:
        for row in as_lists(part, 0):
            used = [chosen[i] for i in (range(len(chosen)) if row is None else row)]
            assert len(set(used)) == len(used)


def test_many_gives_every_element_its_colour():
    z = new_input("z", (LIMIT + 1,))
    sets = owners([ops.sum_(z).node], {z.node: 0})
    assert colours(sets, LIMIT + 1) == list(range(LIMIT + 1))


@pytest.mark.parametrize("seed", range(60))
def test_random_graphs_depend_on_no_more_than_the_sets_say(seed, rng):
    outputs, inputs, point = random_outputs(seed, length=14)
    edges = np.cumsum([0, *(x.node.type.size for x in inputs)]).tolist()
    first = {x.node: start for x, start in zip(inputs, edges, strict=False)}

    def values(at):
        return {
            node: at[start : start + node.type.size].reshape(node.shape)
            for node, start in first.items()
        }

    nodes = [output.node for output in outputs]
    found = owners(nodes, first)
    base = reference.evaluate(nodes, values(point))
    for element in rng.permutation(len(point))[:25]:
        other = point.copy()
        other[element] = rng.normal()
        for sets, before, after in zip(
            found, base, reference.evaluate(nodes, values(other)), strict=True
        ):
            changed = ~((before == after) | ((before != before) & (after != after)))
            if sets is None:
                assert not changed.any()
            else:
                assert ((sets == element) | (sets == MANY)).any(-1)[changed].all()
