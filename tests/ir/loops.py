"""Loops in several shapes, each beside the same in plain NumPy."""

import numpy as np

from finetti.ir import ops


def ar1(x):
    """A series from its noise: one number carried."""
    _, h = ops.scan(lambda c, e: ((new := x["a"] * c + e), new), x["start"], [x["noise"]])
    return [h]


def ar1_numpy(x):
    h, c = [], x["start"]
    for e in x["noise"]:
        c = x["a"] * c + e
        h.append(c)
    return [np.array(h)]


def two_back(x):
    """AR(2), carried as a pair."""

    def step(carry, e):
        one, two = carry
        new = x["a"] * one - 0.3 * two + e
        return (new, one), new

    (last, before), h = ops.scan(step, (x["start"], x["start"] * 0.5), x["noise"])
    return [last, before, h]


def two_back_numpy(x):
    one, two, h = x["start"], x["start"] * 0.5, []
    for e in x["noise"]:
        one, two = x["a"] * one - 0.3 * two + e, one
        h.append(one)
    return [one, two, np.array(h)]


def growth(x):
    """Logistic growth, backwards, with what each step was before."""

    def step(c, e):
        return c + x["a"] * c * (1 - c / 4.0) + 0.01 * e, (c, ops.log(c))

    last, (c, logs) = ops.scan(step, ops.exp(x["start"]), x["noise"], reverse=True)
    return [last, c, logs]


def growth_numpy(x):
    c, kept = np.exp(x["start"]), []
    for e in x["noise"][::-1]:
        kept.append(c)
        c = c + x["a"] * c * (1 - c / 4.0) + 0.01 * e
    return [c, np.array(kept[::-1]), np.log(kept[::-1])]


def matrices(x):
    """A vector through a matrix in every step, and a matrix through itself."""
    mix = ops.tanh(x["matrix"])

    def step(carry, row):
        v, m = carry
        v = ops.tanh(mix @ v + row)
        return (v, 0.5 * (m @ mix) + ops.outer(v, v)), (ops.sum_(m * mix), v[::-1])

    (v, m), (traces, rows) = ops.scan(step, (x["vector"], np.eye(3)), [x["rows"]])
    return [v, m, traces, rows]


def matrices_numpy(x):
    mix, v, m, traces, rows = np.tanh(x["matrix"]), x["vector"], np.eye(3), [], []
    for row in x["rows"]:
        traces.append((m * mix).sum())
        v = np.tanh(mix @ v + row)
        m = 0.5 * (m @ mix) + np.outer(v, v)
        rows.append(v[::-1])
    return [v, m, np.array(traces), np.array(rows)]


def wide(x):
    """A carry too long for registers."""

    def step(c, row):
        c = 0.6 * c[::-1] + ops.sin(0.2 * ops.concatenate([row, row]).sum() * c)
        return c, ops.max_(c)

    last, tops = ops.scan(step, ops.tanh(x["wide"]), [x["rows"]])
    return [last, tops]


def wide_numpy(x):
    c, tops = np.tanh(x["wide"]), []
    for row in x["rows"]:
        c = 0.6 * c[::-1] + np.sin(0.4 * row.sum() * c)
        tops.append(c.max())
    return [c, np.array(tops)]


def nested(x):
    """A loop in a loop, whose steps use what is outside of both."""

    def inner(c, e):
        return c * x["a"] + e * x["start"], c

    def outer(c, row):
        last, path = ops.scan(inner, c, [row])
        return ops.tanh(last), ops.sum_(path * path)

    last, squares = ops.scan(outer, x["start"], [x["rows"]])
    return [last, squares]


def nested_numpy(x):
    c, squares = x["start"], []
    for row in x["rows"]:
        total = 0.0
        for e in row:
            total += c * c
            c = c * x["a"] + e * x["start"]
        c = np.tanh(c)
        squares.append(total)
    return [c, np.array(squares)]


def spikes(x):
    """A neuron that leaks, fires and rests: whole numbers and truths carried beside its voltage."""

    def step(carry, e):
        v, rest, fired = carry
        resting = rest > 0
        v = ops.where(resting, 0.0, v + 0.3 * (e + x["a"] * 2.0 - v))
        now = v > 0.4
        rest = ops.where(now, 2, ops.maximum(rest - 1, 0))
        return (ops.where(now, 0.0, v), rest, fired | now), (v, now, rest)

    (v, rest, fired), (volts, now, rests) = ops.scan(step, (0.0, 0, False), x["noise"])
    return [v, rest, fired, volts, now, rests]


def spikes_numpy(x):
    v, rest, fired, rows = 0.0, 0, False, []
    for e in x["noise"]:
        v = 0.0 if rest > 0 else v + 0.3 * (e + x["a"] * 2.0 - v)
        now = v > 0.4
        rest = 2 if now else max(rest - 1, 0)
        fired |= now
        rows.append((v, now, rest))
        v = 0.0 if now else v
    volts, nows, rests = zip(*rows, strict=True)
    return [v, rest, fired, np.array(volts), np.array(nows), np.array(rests)]


def lookup(x):
    """Places that are known only when the loop runs."""

    def step(c, k):
        place = (c + k) % 3
        return place, x["vector"][place] * x["matrix"][place, k]

    last, found = ops.scan(step, 1, [np.array([0, 2, 1, 1, 0, 2])])
    return [last, found]


def lookup_numpy(x):
    c, found = 1, []
    for k in [0, 2, 1, 1, 0, 2]:
        c = (c + k) % 3
        found.append(x["vector"][c] * x["matrix"][c, k])
    return [c, np.array(found)]


def forward_algorithm(x):
    """The log likelihood of a hidden Markov chain, its states summed out."""
    rates = ops.log_softmax(x["matrix"], axis=-1)

    def step(alpha, row):
        alpha = ops.logsumexp(alpha[:, None] + rates, axis=0) + row
        return alpha, None

    alpha, nothing = ops.scan(step, ops.log_softmax(x["vector"]), [x["rows"]])
    assert nothing is None
    return [ops.logsumexp(alpha)]


def forward_algorithm_numpy(x):
    rates = x["matrix"] - np.log(np.exp(x["matrix"]).sum(-1, keepdims=True))
    alpha = x["vector"] - np.log(np.exp(x["vector"]).sum())
    for row in x["rows"]:
        alpha = np.log(np.exp(alpha[:, None] + rates).sum(0)) + row
    return [np.log(np.exp(alpha).sum())]


def kalman(x):
    """A filter of two dimensions: small matrices factored and solved in every step."""
    move = np.array([[1.0, 0.1], [0.0, 0.95]])
    noise = ops.diag(ops.exp(x["vector"][:2]))

    def step(carry, y):
        m, p = carry
        p = move @ p @ move.T + noise
        root = ops.cholesky(p + np.eye(2))
        z = ops.solve_triangular(root, y - move @ m)
        gain = ops.solve_triangular(root, ops.solve_triangular(root, p), trans=True).T
        lp = -0.5 * ops.sum_(z * z) - ops.sum_(ops.log(ops.diagonal(root)))
        return (move @ m + gain @ (y - move @ m), p - gain @ p), lp

    (m, p), lp = ops.scan(step, (np.zeros(2), np.eye(2)), [x["rows"][:, :2]])
    return [m, p, lp]


def kalman_numpy(x):
    move, noise = np.array([[1.0, 0.1], [0.0, 0.95]]), np.diag(np.exp(x["vector"][:2]))
    m, p, lps = np.zeros(2), np.eye(2), []
    for y in x["rows"][:, :2]:
        p = move @ p @ move.T + noise
        s = p + np.eye(2)
        r = y - move @ m
        lps.append(-0.5 * r @ np.linalg.solve(s, r) - 0.5 * np.linalg.slogdet(s)[1])
        gain = p @ np.linalg.inv(s)
        m, p = move @ m + gain @ r, p - gain @ p
    return [m, p, np.array(lps)]


def counted(x):
    """No sequences, and a start that has to become wider and a float."""
    last, kept = ops.scan(lambda c: (c * 0.5 + x["vector"], c), 1, length=4)
    return [last, kept]


def counted_numpy(x):
    c, kept = np.ones(3), []
    for _ in range(4):
        kept.append(c)
        c = c * 0.5 + x["vector"]
    return [c, np.array(kept)]


LOOPS = {
    "ar1": (ar1, ar1_numpy), "two back": (two_back, two_back_numpy),
    "growth": (growth, growth_numpy), "matrices": (matrices, matrices_numpy),
    "wide": (wide, wide_numpy), "nested": (nested, nested_numpy),
    "spikes": (spikes, spikes_numpy), "lookup": (lookup, lookup_numpy),
    "hidden Markov": (forward_algorithm, forward_algorithm_numpy),
    "kalman": (kalman, kalman_numpy), "counted": (counted, counted_numpy),
}  # fmt: skip
SHAPES = {"a": (), "start": (), "noise": (9,), "vector": (3,), "matrix": (3, 3), "rows": (5, 3),
          "wide": (21,)}  # fmt: skip


def arrays(seed=3):
    """Values for everything that the loops use."""
    rng = np.random.default_rng(seed)
    return {name: np.asarray(rng.uniform(0.2, 0.9, shape)) for name, shape in SHAPES.items()}


def built(name):
    """(outputs, inputs, values) of one loop, inputs by name."""
    inputs = {key: ops.new_input(key, shape) for key, shape in SHAPES.items()}
    outputs = LOOPS[name][0](inputs)
    return outputs, inputs, arrays()


def weighted(outputs, seed=4):
    """One number of all outputs that are floats."""
    rng = np.random.default_rng(seed)
    total = ops.as_tensor(0.0)
    for out in outputs:
        if out.node.type.dtype == "float64":
            total = total + ops.sum_(ops.sin(out) * rng.normal(size=out.node.shape))
    return total
