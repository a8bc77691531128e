"""Any shapes, strides, broadcasts and values: native code and gradients as the reference has them.

The examples are the same in every run; `--hypothesis-seed=random` looks at others.
"""

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from tests.ir.test_edges import EDGES, LOOSE, SCALAR, applied, arity, floor_of

from finetti.backends.native import compile_density, compile_map
from finetti.backends.reference import evaluate
from finetti.ir import OPS, ops
from finetti.passes.grad import gradient

COMMON = settings(
    deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], max_examples=250
)
EXACT = [op for op in SCALAR if op.name not in LOOSE]
SMOOTH = [op for op in EXACT if op.vjp is not None and not op.attr_names]


def domain(op):
    """The lowest and highest value of each argument in the op's own samples."""
    case = op.samples[0](np.random.default_rng(0))
    args = case[0] if op.attr_names else case
    rng = np.random.default_rng(1)
    more = [op.samples[0](rng) for _ in range(40)]
    columns = [[np.ravel(np.asarray((m[0] if op.attr_names else m)[i], float)) for m in more]
               for i in range(len(args))]  # fmt: skip
    return [(float(min(c.min() for c in col)), float(max(c.max() for c in col))) for col in columns]


def strided(data, array):
    """The same numbers laid out otherwise in memory."""
    match data.draw(st.sampled_from(["as is", "fortran", "every second", "backwards"])):
        case "fortran":
            return np.asfortranarray(array)
        case "every second" if array.ndim:
            wide = np.zeros((*array.shape[:-1], 2 * array.shape[-1]))
            wide[..., ::2] = array
            return wide[..., ::2]
        case "backwards" if array.ndim:
            return np.ascontiguousarray(array[::-1])[::-1]
    return array


def operands(data, op, edges):
    """Arrays for an op, and which of them are constants in the graph."""
    count = arity(op)
    shapes = data.draw(
        hnp.mutually_broadcastable_shapes(num_shapes=count, min_side=0, max_side=11, max_dims=3)
    ).input_shapes
    arrays = []
    for shape, (low, high) in zip(shapes, domain(op), strict=True):
        inside = st.floats(low, high, allow_subnormal=False)
        elements = st.one_of(inside, st.sampled_from(EDGES.tolist())) if edges else inside
        arrays.append(strided(data, data.draw(hnp.arrays(float, shape, elements=elements))))
    fixed = [data.draw(st.booleans()) for _ in range(count)]
    if all(fixed):
        fixed[data.draw(st.integers(0, count - 1))] = False
    return arrays, fixed


def graph(op, arrays, fixed):
    tensors, values = [], {}
    for i, (array, constant) in enumerate(zip(arrays, fixed, strict=True)):
        tensor = ops.as_tensor(array) if constant else ops.new_input(f"x{i}", array.shape)
        if not constant:
            values[tensor.node] = array
        tensors.append(tensor)
    point = np.concatenate([np.ravel(array) for array in values.values()])
    return applied(op, tensors), values, point


@COMMON
@given(op=st.sampled_from(EXACT), data=st.data())
def test_values(op, data):
    result, values, point = graph(op, *operands(data, op, edges=True))
    with np.errstate(all="ignore"):
        (expected,) = evaluate([result], values)
        (got,) = compile_map([result.node], list(values))(point)
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=max(op.tol, 1e-11), atol=floor_of(op))


@COMMON
@given(op=st.sampled_from(SMOOTH), data=st.data())
def test_gradients(op, data):
    arrays, fixed = operands(data, op, edges=False)
    result, values, point = graph(op, arrays, fixed)
    weights = np.cos(np.arange(result.node.type.size)).reshape(result.shape)
    total = ops.sum_(result * weights)
    inputs = list(values)
    with np.errstate(all="ignore"):
        expected, *slopes = evaluate([total.node, *gradient(total.node, inputs)], values)
        lp, grad = compile_density(total.node, inputs)(point)
    flat = np.concatenate([slope.ravel() for slope in slopes])
    if not np.isfinite([expected, *flat]).all():
        return  # a pole inside of the sampled domain
    size = 1.0 + np.abs(flat).max(initial=abs(float(expected)))
    np.testing.assert_allclose(lp, expected, rtol=1e-9, atol=1e-11 * size)
    np.testing.assert_allclose(grad, flat, rtol=1e-9, atol=1e-11 * size)


REDUCTIONS = ["sum_", "prod", "max_", "min_", "mean", "logsumexp", "var", "any_", "all_"]


@COMMON
@given(name=st.sampled_from(REDUCTIONS), data=st.data())
def test_reductions(name, data):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=9, min_dims=1))
    array = strided(data, data.draw(hnp.arrays(float, shape, elements=st.floats(-3.0, 3.0))))
    axes = data.draw(st.one_of(st.none(), hnp.valid_tuple_axes(len(shape), min_size=1)))
    keepdims = data.draw(st.booleans())
    x = ops.new_input("x", shape)
    operand = x > 0.5 if name in ("any_", "all_") else x
    result = getattr(ops, name)(operand, axes, keepdims=keepdims)
    (expected,) = evaluate([result], {x.node: array})
    (got,) = compile_map([result.node], [x.node])(array.ravel())
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=1e-11, atol=1e-12)


MOVES = {
    "transpose": lambda data, x: x.transpose(data.draw(st.permutations(range(x.ndim)))),
    "flip": lambda data, x: ops.flip(x, data.draw(st.integers(0, x.ndim - 1))),
    "roll": lambda data, x: ops.roll(x, data.draw(st.integers(-5, 5)), x.ndim - 1),
    "repeat": lambda data, x: ops.repeat(x, data.draw(st.integers(0, 3)), 0),
    "tile": lambda data, x: ops.tile(x, (2,) * data.draw(st.integers(1, 2))),
    "cumsum": lambda data, x: ops.cumsum(x, data.draw(st.integers(0, x.ndim - 1))),
    "sort": lambda data, x: ops.sort(x, x.ndim - 1),
    "concatenate": lambda data, x: ops.concatenate([x, 2.0 * x, x[:1]], 0),
    "stack": lambda data, x: ops.stack([x, -x], data.draw(st.integers(0, x.ndim))),
    "flat": lambda data, x: x.flatten(),
}


@COMMON
@given(name=st.sampled_from(sorted(MOVES)), data=st.data())
def test_movement(name, data):
    shape = data.draw(hnp.array_shapes(max_dims=3, max_side=6, min_dims=1))
    array = data.draw(
        hnp.arrays(float, shape, elements=st.floats(-9.0, 9.0), unique=name == "sort")
    )
    x = ops.new_input("x", shape)
    result = MOVES[name](data, x)
    total = ops.sum_(result * np.sin(np.arange(result.node.type.size)).reshape(result.shape))
    want, want_total, want_slope = evaluate(
        [result, total, *gradient(total.node, [x.node])], {x.node: array}
    )
    (got,) = compile_map([result.node], [x.node])(array.ravel())
    lp, slope = compile_density(total.node, [x.node])(array.ravel())
    np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13)
    np.testing.assert_allclose(lp, want_total, rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(slope, want_slope.ravel(), rtol=1e-12, atol=1e-12)


@COMMON
@given(data=st.data())
def test_products(data):
    batch = data.draw(hnp.mutually_broadcastable_shapes(num_shapes=2, max_dims=2, max_side=3))
    m, k, n = (data.draw(st.integers(1, 19)) for _ in range(3))
    rng = np.random.default_rng(data.draw(st.integers(0, 10)))
    left = rng.normal(size=(*batch.input_shapes[0], m, k))
    right = strided(data, rng.normal(size=(*batch.input_shapes[1], k, n)))
    fixed = data.draw(st.sampled_from(["left", "right", "neither"]))
    a = ops.as_tensor(left) if fixed == "left" else ops.new_input("a", left.shape)
    b = ops.as_tensor(right) if fixed == "right" else ops.new_input("b", right.shape)
    values = {t.node: v for t, v in ((a, left), (b, right)) if t.node.op.name == "input"}
    result = ops.matmul(a, b)
    weights = rng.normal(size=result.shape)
    total, inputs = ops.sum_(result * weights), list(values)
    expected, *slopes = evaluate([total.node, *gradient(total.node, inputs)], values)
    point = np.concatenate([v.ravel() for v in values.values()])
    lp, grad = compile_density(total.node, inputs)(point)
    scale = np.abs(left).max() * np.abs(right).max() * np.abs(weights).sum() * k
    np.testing.assert_allclose(lp, expected, atol=1e-13 * scale)
    flat = np.concatenate([slope.ravel() for slope in slopes])
    np.testing.assert_allclose(grad, flat, atol=1e-13 * scale)


def test_every_exact_op_is_reachable():
    assert len(EXACT) > 60 and {op.name for op in EXACT} <= set(OPS)
