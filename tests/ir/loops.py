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


def impossible_moves(x):
    """A hidden Markov chain that starts in the first of its states and never goes back."""
    rates = ops.where(np.tri(3, dtype=bool), -np.inf, ops.log_softmax(x["matrix"], axis=-1))
    rates = ops.where(np.eye(3, dtype=bool), -0.5, rates)

    def step(alpha, row):
        new = ops.logsumexp(alpha[:, None] + rates, axis=0) + row
        return new, new > -np.inf

    alpha, reached = ops.scan(step, np.array([0.0, -np.inf, -np.inf]), [x["rows"][:2]])
    return [alpha[0], reached]


def impossible_moves_numpy(x):
    rates = x["matrix"] - np.log(np.exp(x["matrix"]).sum(-1, keepdims=True))
    rates = np.where(np.eye(3, dtype=bool), -0.5, np.where(np.tri(3, dtype=bool), -np.inf, rates))
    alpha, reached = np.array([0.0, -np.inf, -np.inf]), []
    for row in x["rows"][:2]:
        with np.errstate(divide="ignore"):
            alpha = np.log(np.exp(alpha[:, None] + rates).sum(0)) + row
        reached.append(alpha > -np.inf)
    return [alpha[0], np.array(reached)]


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


def looked_up(x):
    """Places that the sequences decide, of numbers, of rows and of places, some of them hidden."""
    places = np.array([2, 0, 1, 2, 2, 0, -1, 1, 0])
    order, counts = ops.as_tensor(np.array([1, 2, 0])), ops.arange(9)

    def step(carry, e, k, t):
        c, i = carry
        row = x["matrix"][k, :] * x["rows"][i // 2, order[k]]
        pair = x["matrix"][:, order[k]][ops.stack([k, order[k]])]
        c = ops.tanh(c + row + x["vector"][(k + 1) % 3] * x["noise"][t])
        c = c + ops.where(e > 0.5, x["wide"][2 * i + k], 0.0) + ops.sum_(pair)
        return (c, i + 1), ops.sum_(c) * x["wide"][20 - i]

    (last, _), kept = ops.scan(step, (x["vector"], 0), [x["noise"], places, counts])
    return [last, kept]


def looked_up_numpy(x):
    places, order, c, kept = [2, 0, 1, 2, 2, 0, -1, 1, 0], [1, 2, 0], x["vector"], []
    for i, k in enumerate(places):
        row = x["matrix"][k, :] * x["rows"][i // 2, order[k]]
        c = np.tanh(c + row + x["vector"][(k + 1) % 3] * x["noise"][i])
        if x["noise"][i] > 0.5:
            c = c + x["wide"][2 * i + k]
        c = c + x["matrix"][[k, order[k]], order[k]].sum()
        kept.append(c.sum() * x["wide"][20 - i])
    return [c, np.array(kept)]


def wandering(x):
    """Places that the carry decides, in an array larger than what is read of it."""

    def step(carry, e):
        k, v = carry
        v = 0.5 * v + x["wide"][k] * e + ops.where(e > 0.5, x["matrix"][k % 3, :], 0.0).sum()
        return ((5 * k + 3) % 21, v), v

    (_, last), kept = ops.scan(step, (3, x["start"]), [x["noise"]], reverse=True)
    return [last, kept]


def wandering_numpy(x):
    k, v, kept = 3, x["start"], []
    for e in x["noise"][::-1]:
        v = 0.5 * v + x["wide"][k] * e + (x["matrix"][k % 3].sum() if e > 0.5 else 0.0)
        k = (5 * k + 3) % 21
        kept.append(v)
    return [v, np.array(kept[::-1])]


def volatility(x):
    """Square roots that are squared again, and a density that is added up on the way."""

    def step(carry, e):
        sd, lp = carry
        sd = ops.sqrt(0.1 + 0.2 * x["a"] * e**2 + 0.5 * x["start"] * sd**2)
        return (sd, lp - 0.5 * (e / sd) ** 2 - ops.log(sd)), None

    (sd, lp), _ = ops.scan(step, (ops.exp(x["start"]), 0.0), [x["noise"]])
    return [sd, lp]


def volatility_numpy(x):
    sd, lp = np.exp(x["start"]), 0.0
    for e in x["noise"]:
        sd = np.sqrt(0.1 + 0.2 * x["a"] * e**2 + 0.5 * x["start"] * sd**2)
        lp = lp - 0.5 * (e / sd) ** 2 - np.log(sd)
    return [sd, lp]


def leaky(x):
    """A neuron that is reset where it passes a bound."""

    def step(v, e):
        v = v + (x["a"] * 3.0 * e - v) / (1.0 + x["start"])
        v = ops.where(v > 0.9, -0.5, v)
        return v, v

    return [ops.scan(step, -0.5, [x["noise"]])[1]]


def leaky_numpy(x):
    v, kept = -0.5, []
    for e in x["noise"]:
        v = v + (x["a"] * 3.0 * e - v) / (1.0 + x["start"])
        v = -0.5 if v > 0.9 else v
        kept.append(v)
    return [np.array(kept)]


def scaled_chains(x):
    """Several hidden Markov chains side by side, scaled in every step; one series is longer."""
    rates = ops.softmax(x["matrix"], axis=-1)
    skill = ops.reshape(x["wide"], (7, 3))

    def step(carry, e):
        p, total, seen = carry
        p = (p @ rates) * ops.exp(-0.5 * (e - skill) ** 2)
        scale = ops.sum_(p, axis=1, keepdims=True)
        return (p / scale, total + ops.log(scale[:, 0]), seen + ops.outer(p[:, 0], p[0])), None

    start = ops.broadcast_to(ops.softmax(x["vector"]), (7, 3))
    (p, total, seen), _ = ops.scan(step, (start, np.zeros(7), np.zeros((7, 3))), [x["noise"]])
    return [p, total, seen]


def scaled_chains_numpy(x):
    rates, skill = np.exp(x["matrix"]), x["wide"].reshape(7, 3)
    rates = rates / rates.sum(-1, keepdims=True)
    p = np.tile(np.exp(x["vector"]) / np.exp(x["vector"]).sum(), (7, 1))
    total, seen = np.zeros(7), np.zeros((7, 3))
    for e in x["noise"]:
        p = (p @ rates) * np.exp(-0.5 * (e - skill) ** 2)
        scale, seen = p.sum(1, keepdims=True), seen + np.outer(p[:, 0], p[0])
        p, total = p / scale, total + np.log(scale[:, 0])
    return [p, total, seen]


def many_states(x):
    """A hidden Markov chain of more states than a vector has lanes, and the best way through it."""
    rates = ops.log_softmax(ops.outer(x["wide"][:10], x["wide"][11:]), axis=1)

    def step(carry, e):
        alpha, best = carry
        seen = -0.5 * (e - x["wide"][:10]) ** 2
        alpha = ops.logsumexp(alpha[:, None] + rates, axis=0) + seen
        best = ops.max_(best[:, None] + rates, axis=0) + seen
        return (alpha, best), ops.sum_(ops.transpose(rates) * alpha, axis=1)

    (alpha, best), kept = ops.scan(step, (ops.zeros((10,)), ops.zeros((10,))), [x["noise"]])
    return [alpha, best, kept]


def many_states_numpy(x):
    rates = np.outer(x["wide"][:10], x["wide"][11:])
    rates = rates - np.log(np.exp(rates).sum(1, keepdims=True))
    alpha, best, kept = np.zeros(10), np.zeros(10), []
    for e in x["noise"]:
        seen = -0.5 * (e - x["wide"][:10]) ** 2
        alpha = np.log(np.exp(alpha[:, None] + rates).sum(0)) + seen
        best = (best[:, None] + rates).max(0) + seen
        kept.append((rates.T * alpha).sum(1))
    return [alpha, best, np.array(kept)]


def same_places(x):
    """Sums that get something at the same places in every step."""
    places = np.array([1, 1, 5])

    def step(carry, row, k):
        c, one, few = carry
        c = ops.tanh(x["a"] * c + row)
        one = ops.add_at(one, (k,), ops.exp(-c[0]))
        return (c, one, ops.add_at(few, (places,), c * x["start"])), None

    rows = ops.outer(x["noise"], x["vector"])
    init = (x["vector"], ops.zeros((7,)), x["wide"])
    (c, one, few), _ = ops.scan(step, init, [rows, np.full(9, 4)])
    return [c, one, few]


def same_places_numpy(x):
    c, one, few = x["vector"], np.zeros(7), x["wide"].copy()
    for e in x["noise"]:
        c = np.tanh(x["a"] * c + e * x["vector"])
        one[4] += np.exp(-c[0])
        np.add.at(few, [1, 1, 5], c * x["start"])
    return [c, one, few]


def counted_out(x):
    """A function that only some steps ask for, of what is outside of its domain in others."""
    asked, count = np.arange(9) < 3, 0.1 * np.arange(1.0, 10.0)

    def step(c, e, m, k):
        new = c + ops.where(m, k * ops.log(c), 0.0) - 4.0 * x["a"] * (1.0 + e)
        return new, new

    return list(ops.scan(step, 4.0, [x["noise"], asked, count]))


def counted_out_numpy(x):
    c, kept = 4.0, []
    for i, e in enumerate(x["noise"]):
        c = c + (0.1 * (i + 1) * np.log(c) if i < 3 else 0.0) - 4.0 * x["a"] * (1.0 + e)
        kept.append(c)
    return [c, np.array(kept)]


HOLES = np.array([0.3, np.nan, -0.2, np.inf, 0.5, 0.1, np.nan, -np.inf, 0.4])


def holes(x):
    """Numbers that are not finite, in the carry until a step forgets it."""
    forget = np.concatenate([[True], ~np.isfinite(HOLES[:-1])])

    def step(carry, e, f, u):
        c, d = carry
        c = ops.where(f, 0.0, 0.7 * c) + e
        return (c, d * x["start"] + ops.where(ops.isfinite(c), ops.where(f, e, u), u)), d

    (_, last), kept = ops.scan(step, (np.nan, x["start"]), [HOLES, forget, x["noise"]])
    return [last, kept]


def holes_numpy(x):
    c, d, kept, forget = np.nan, x["start"], [], True
    for e, u in zip(HOLES, x["noise"], strict=True):
        kept.append(d)
        c = (0.0 if forget else 0.7 * c) + e
        d = d * x["start"] + (e if forget and np.isfinite(c) else u)
        forget = not np.isfinite(e)
    return [d, np.array(kept)]


LOOPS = {
    "ar1": (ar1, ar1_numpy), "two back": (two_back, two_back_numpy),
    "growth": (growth, growth_numpy), "matrices": (matrices, matrices_numpy),
    "wide": (wide, wide_numpy), "nested": (nested, nested_numpy),
    "spikes": (spikes, spikes_numpy), "lookup": (lookup, lookup_numpy),
    "hidden Markov": (forward_algorithm, forward_algorithm_numpy),
    "looked up": (looked_up, looked_up_numpy), "wandering": (wandering, wandering_numpy),
    "volatility": (volatility, volatility_numpy), "leaky": (leaky, leaky_numpy),
    "scaled chains": (scaled_chains, scaled_chains_numpy),
    "many states": (many_states, many_states_numpy),
    "impossible moves": (impossible_moves, impossible_moves_numpy),
    "same places": (same_places, same_places_numpy), "holes": (holes, holes_numpy),
    "counted out": (counted_out, counted_out_numpy),
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
