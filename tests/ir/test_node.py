"""Interning, freezing, substitution, and sizes that follow the data."""

import gc
import pickle

import numpy as np
import pytest

from finetti.errors import CompileError, ShapeError
from finetti.ir import OPS, Size, ops, rebuild, topological
from finetti.ir.node import _interned, make
from finetti.ir.show import show
from finetti.ir.types import TensorType, broadcast
from finetti.ir.verify import verify


class Handle:
    """What a data node holds."""

    def __init__(self, value):
        self.value = np.asarray(value)


def data(handle):
    return OPS["data"](handle=handle)


def test_equal_expressions_are_one_node():
    x = ops.new_input("x", (3,))
    assert (np.exp(x) + 1).node is (np.exp(x) + 1).node
    assert (x + np.arange(3.0)).node is (x + np.arange(3.0)).node
    assert (x + 1).node is not (x + 1.0).node  # int and float constants differ


def test_nodes_are_frozen():
    node = ops.new_input("x", ()).node
    with pytest.raises(AttributeError, match="frozen"):
        node.args = ()


def test_unused_nodes_are_freed():
    _ = ops.as_tensor(3.25), ops.as_tensor(77.0)  # numbers are kept, so many of them
    gc.collect()
    before = len(_interned)
    y = ops.new_input("gone", (4,)) * 3.25 + 77.0
    del y
    gc.collect()
    assert len(_interned) <= before


def test_topological_puts_arguments_first():
    x = ops.new_input("x", (2,))
    y = ops.sum_(np.exp(x) * x)
    order = topological([y.node])
    assert all(order.index(arg) < order.index(n) for n in order for arg in n.args)


def test_data_sizes_survive_a_change_of_length():
    handle = Handle(np.zeros(5))
    x = data(handle)
    n = x.shape[0]
    assert isinstance(n, Size) and n == 5
    y = ops.zeros((2 * n - 1,)) + ops.sum_(x) / n
    z = ops.mean(x) + ops.reshape(x, (-1, 1))
    handle.value = np.ones(7)
    new_y, new_z = rebuild([y.node, z.node], {})
    assert new_y.shape == (13,)
    assert new_z.shape == (7, 1)
    assert y.node.shape == (9,)  # the old graph is what it was


def test_a_size_is_not_merged_with_an_equal_int():
    handle = Handle(np.zeros(5))
    fixed = ops.zeros((5,))
    following = ops.zeros((data(handle).shape[0],))
    assert fixed.node is not following.node
    handle.value = np.zeros(8)
    a, b = rebuild([fixed.node, following.node], {})
    assert (a.shape, b.shape) == ((5,), (8,))


def test_rebuild_substitutes():
    x, y = ops.new_input("x", (3,)), ops.new_input("y", (3,))
    total = ops.sum_(x * 2.0)
    (swapped,) = rebuild([total.node], {x.node: y.node})
    assert swapped is ops.sum_(y * 2.0).node


def test_broadcast_equals_numpy():
    assert broadcast((3, 1), (4,)) == (3, 4)
    assert broadcast((), (2, 1)) == (2, 1)
    assert broadcast((0,), (1,)) == (0,)
    with pytest.raises(ShapeError, match="3 and 4"):
        broadcast((3,), (4,))


def test_verifier_finds_a_wrong_type():
    x = ops.new_input("x", (3,)).node
    good = make(OPS["exp"], (x,))
    verify([good], "test")
    object.__setattr__(good, "type", TensorType("float64", (4,)))
    with pytest.raises(CompileError, match="after test"):
        verify([good], "test")
    object.__setattr__(good, "type", TensorType("float64", (3,)))


def test_show_names_types_and_operations():
    x = ops.new_input("x", (3,))
    text = show([ops.sum_(np.exp(x)).node], {x.node: "the input"})
    assert "f64[3] = exp %0" in text and "# the input" in text and text.endswith("return %2")


def test_pickle_round_trip_keeps_identity():
    x = ops.new_input("p", (3,))
    y = ops.sum_(np.exp(x) * np.arange(3.0))
    assert pickle.loads(pickle.dumps(y)).node is y.node
