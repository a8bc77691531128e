"""Functions of tensors that NumPy has too: same values, types and shapes, by NumPy's names."""

import numpy as np
import pytest

from finetti.backends.native import compile_map
from finetti.backends.reference import evaluate
from finetti.errors import ShapeError
from finetti.ir import Tensor, ops

RNG = np.random.default_rng(3)
V, W = RNG.normal(size=6), RNG.normal(size=4)
A, B = RNG.normal(size=(3, 4)), RNG.normal(size=(4, 5))
C, S = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(3, 3)) + 2.0 * np.eye(3)
D = RNG.normal(size=(2, 4, 5))
E = np.zeros((0, 3))
Q = S @ S.T

CASES = {
    "flip": (lambda m, x: m.flip(x), C),
    "flip of one axis": (lambda m, x: m.flip(x, -1), C),
    "flip of two axes": (lambda m, x: m.flip(x, (0, 2)), C),
    "flip of nothing": (lambda m, x: m.flip(x, 0), E),
    "roll": (lambda m, x: m.roll(x, 5), C),
    "roll along": (lambda m, x: m.roll(x, -1, 1), C),
    "roll along two": (lambda m, x: m.roll(x, (1, 2), (0, -1)), C),
    "roll of nothing": (lambda m, x: m.roll(x, 2, 0), E),
    "split": (lambda m, x: m.split(x, 3)[1], V),
    "split at places": (lambda m, x: m.split(x, [1, 3, 9], axis=1)[2], A),
    "split with an empty part": (lambda m, x: m.split(x, [2, 2], axis=1)[1], A),
    "tile": (lambda m, x: m.tile(x, (2, 1, 3)), A),
    "tile of more axes": (lambda m, x: m.tile(x, 2), C),
    "tile to nothing": (lambda m, x: m.tile(x, (0, 2)), A),
    "repeat": (lambda m, x: m.repeat(x, 3, axis=1), A),
    "repeat each in its number": (lambda m, x: m.repeat(x, [0, 2, 1], axis=0), A),
    "diag": (lambda m, x: m.diag(x), W),
    "diag above": (lambda m, x: m.diag(x, 2), W),
    "diag below": (lambda m, x: m.diag(x, -1), W),
    "diagonal": (lambda m, x: m.diag(x, 1), A),
    "diagonal below": (lambda m, x: m.diag(x, -2), A),
    "diagonal outside": (lambda m, x: m.diag(x, 7), A),
    "tril": (lambda m, x: m.tril(x, 1), A),
    "triu": (lambda m, x: m.triu(x, -1), C),
    "trace": (lambda m, x: m.trace(x), S),
    "kron": (lambda m, x, y: m.kron(x, y), A, B),
    "kron of unequal axes": (lambda m, x, y: m.kron(x, y), W, A),
    "outer": (lambda m, x, y: m.outer(x, y), V, W),
    "dot": (lambda m, x, y: m.dot(x, y), C, B),
    "dot with a vector": (lambda m, x, y: m.dot(x, y), C, W),
    "tensordot": (lambda m, x, y: m.tensordot(x, y, 1), A, B),
    "tensordot over pairs": (lambda m, x, y: m.tensordot(x, y, ([2, 0], [1, 0])), C, D),
    "tensordot of all": (lambda m, x, y: m.tensordot(x, y, 3), C, C),
    "tensordot of none": (lambda m, x, y: m.tensordot(x, y, 0), W, A),
    "matmul in batches": (lambda m, x, y: m.matmul(x, y), C, D),
    "sort": (lambda m, x: m.sort(x), C),
    "sort along": (lambda m, x: m.sort(x, axis=1), C),
    "sort all": (lambda m, x: m.sort(x, axis=None), A),
    "argsort": (lambda m, x: m.argsort(x, 0), A),
    "argmax": (lambda m, x: m.argmax(x), C),
    "argmax along": (lambda m, x: m.argmax(x, 1), C),
    "argmin": (lambda m, x: m.argmin(x, -1), C),
    "cumprod": (lambda m, x: m.cumprod(x), A),
    "cumprod along": (lambda m, x: m.cumprod(x, axis=-1), C),
    "cummax": (lambda m, x: np.maximum.accumulate(x, axis=1), C),
    "cummin": (lambda m, x: np.minimum.accumulate(x, axis=0), C),
    "inverse": (lambda m, x: np.linalg.inv(x), S),
    "solve": (lambda m, x, y: np.linalg.solve(x, y), S, A),
    "solve for a vector": (lambda m, x, y: np.linalg.solve(x, y), S, V[:3]),
    "det": (lambda m, x: np.linalg.det(x), S),
    "det of a singular matrix": (lambda m, x: np.linalg.det(x), np.ones((3, 3))),
    "matrix power": (lambda m, x: np.linalg.matrix_power(x, 5), S),
    "inverse matrix power": (lambda m, x: np.linalg.matrix_power(x, -2), S),
    "matrix power 0": (lambda m, x: np.linalg.matrix_power(x, 0), S),
    "eigenvalues": (lambda m, x: np.linalg.eigh(x)[0], Q),
    "eigenvectors": (lambda m, x: np.square(np.linalg.eigh(x)[1]), Q),
    "log determinant": (lambda m, x: np.linalg.slogdet(x)[1], S),
    "norm": (lambda m, x: np.linalg.norm(x), A),
    "norm along": (lambda m, x: np.linalg.norm(x, axis=1), A),
    "norm 1": (lambda m, x: np.linalg.norm(x, 1), V),
    "largest norm": (lambda m, x: np.linalg.norm(x, np.inf, axis=0), A),
    "isfinite": (lambda m, x: np.isfinite(x), np.array([1.0, np.inf, np.nan])),
    "clip": (lambda m, x: m.clip(x, -0.5, 0.5), A),
}
EINSUM = {
    "i,i->": (V, V), "i,j->ij": (V, W), "ij->ji": (A,), "ij->": (A,), "ii->i": (S,), "ii": (S,),
    "ij,jk": (A, B), "ij,jk->ki": (A, B), "bij,bjk->bik": (C, D), "bij,bjk->bi": (C, D),
    "ij,jk,kl->il": (A, B, B.T), "i,ij,j->": (V[:3], A, W), "bij,j->b": (C, W), "ijk->kji": (C,),
    "...i,i->...": (C, W), "...ij,...jk->...ik": (C, D), "ij,ij->i": (A, A), "aij,bij->ab": (C, C),
    "bii->b": (np.stack([S, Q]),), "ij,kl->ijkl": (A, B), "ij,j->ij": (A, W), 
    "ab,cd,bc->ad": (A, B.T, np.ones((4, 5))),
    "...,...->...": (C, A), "i...->...": (C,), "ij,jk->ik": (np.ones((3, 1)), B), 
    "b...d,bd->b...": (C, C[:, 0]),
    "ii,i->i": (S, W[:3]), "ij,ij->": (A, A), "i,i,i->i": (W, W, W),
}  # fmt: skip


def compare(result, arrays, inputs, expected):
    values = dict(zip(inputs, arrays, strict=True))
    (got,) = evaluate([result], values)
    assert got.shape == np.shape(expected)
    assert got.dtype == np.asarray(expected).dtype
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    point = np.concatenate([np.ravel(a) for a in arrays])
    (native,) = compile_map([result.node], inputs)(point)
    np.testing.assert_allclose(native, expected, rtol=1e-10, atol=1e-12)


def symbols(arrays):
    return [ops.new_input(f"x{i}", np.shape(a)) for i, a in enumerate(arrays)]


@pytest.mark.parametrize("name", CASES)
def test_functions(name):
    function, *arrays = CASES[name]
    tensors = symbols(arrays)
    result = function(np, *tensors)
    assert isinstance(result, Tensor)
    compare(result, arrays, [t.node for t in tensors], function(np, *arrays))


@pytest.mark.parametrize("subscripts", EINSUM)
def test_einsum(subscripts):
    arrays = EINSUM[subscripts]
    tensors = symbols(arrays)
    result = np.einsum(subscripts, *tensors)
    compare(result, arrays, [t.node for t in tensors], np.einsum(subscripts, *arrays))


@pytest.mark.parametrize(
    ("subscripts", "shapes"),
    [("ij,jk", [(2, 3), (4, 5)]), ("ij", [(2,)]), ("i->ii", [(2,)]), ("i->j", [(2,)]),
     ("i,j", [(2,)]), ("ii", [(2, 3)]),
     ("...i->i", [(2, 3)])],
)  # fmt: skip
def test_einsum_that_makes_no_sense(subscripts, shapes):
    with pytest.raises(ShapeError):
        ops.einsum(subscripts, *(ops.new_input(f"x{i}", s) for i, s in enumerate(shapes)))


def test_other_functions():
    scipy_linalg = pytest.importorskip("scipy.linalg")
    a, s, v = symbols([A, S, V])
    inputs, arrays = [a.node, s.node, v.node], [A, S, V]
    compare(ops.expm(s), arrays, inputs, scipy_linalg.expm(S))
    compare(ops.block_diag(a, s), arrays, inputs, scipy_linalg.block_diag(A, S))
    compare(ops.linspace(v[0], v[1], 7), arrays, inputs, np.linspace(V[0], V[1], 7))
    compare(ops.linspace(v[:2], 3.0, 4), arrays, inputs, np.linspace(V[:2], 3.0, 4))
    compare(ops.argmax(a, 1, keepdims=True), arrays, inputs, A.argmax(1, keepdims=True))
    compare(ops.argmax(a, keepdims=True), arrays, inputs, A.argmax(keepdims=True))
    chol = np.linalg.cholesky(Q)
    compare(ops.cho_solve(chol, a), arrays, inputs, np.linalg.solve(Q, A))
    compare(ops.take_along(a, np.argsort(A, 0), 0), arrays, inputs, np.sort(A, 0))
    filter_ = np.array([V[0], 0.5 * V[0] + V[1], 0.5 * (0.5 * V[0] + V[1]) + V[2]])
    compare(ops.recurrence(0.5, v[:3]), arrays, inputs, filter_)


def test_integers_keep_their_type():
    x = ops.as_tensor(np.array([[3, 1], [2, 5]]))
    for result in (ops.sort(x), ops.cumprod(x, 0), ops.tril(x), ops.cummax(x, 1), ops.flip(x)):
        assert result.dtype == np.int64
    np.testing.assert_array_equal(evaluate([ops.cumprod(x, 1)])[0], [[3, 3], [2, 10]])


def test_gradient_where_a_product_has_zeros():
    pytest.importorskip("scipy")
    x = ops.new_input("x", (4,))
    from finetti.passes.grad import gradient

    for values, expected in (
        ([2.0, 0.0, 3.0, 5.0], [0.0, 30.0, 0.0, 0.0]),
        ([0.0, 0.0, 3.0, 5.0], [0.0, 0.0, 0.0, 0.0]),
    ):
        for density in (ops.prod(x), ops.cumprod(x)[-1]):
            (grad,) = gradient(density.node, [x.node])
            np.testing.assert_array_equal(evaluate([grad], {x.node: np.array(values)})[0], expected)


def test_split_that_does_not_come_out_even():
    with pytest.raises(ShapeError, match="not 4 equal"):
        ops.split(ops.new_input("x", (6,)), 4)
