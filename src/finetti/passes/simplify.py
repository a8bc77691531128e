"""Simplification: each operation has a list of rules, tried in order when its node is rebuilt.

A rule takes the arguments and attributes and answers with a node that means the same, or None.
Canonical forms: differences and negatives are sums and products, quotients are products with
reciprocals, squares are products; in a product of an array and scalars the scalars are one factor,
outermost, from where it leaves sums, gathers and matrix products.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from finetti.ir import BOOL, FLOAT, OPS, Node, topological
from finetti.ir.node import constant_data, make
from finetti.ir.ops.leaf import const
from finetti.passes.signs import nonnegative, positive

Rule = Callable[..., Node | None]
RULES: dict[str, list[Rule]] = {}
FOLD_LIMIT = 1 << 16


def rules(*names: str) -> Callable[[Rule], Rule]:
    """Register a rule for operations, after those registered before."""

    def register(rule: Rule) -> Rule:
        for name in names:
            RULES.setdefault(name, []).append(rule)
        return rule

    return register


# -- building simplified nodes -------------------------------------------------------------------


def build(name: str, *args: Node, attrs: tuple[Any, ...] = ()) -> Node:
    """The simplest node that means `name` applied to simplified arguments."""
    folded = _fold(name, args, attrs)
    if folded is not None:
        return folded
    for rule in RULES.get(name, ()):
        result = rule(*args, *attrs)
        if result is not None:
            return result
    return make(OPS[name], args, attrs)


def number(value: float) -> Node:
    """A scalar constant."""
    return make(const, (), (constant_data(float(value)),))


def simplify(outputs: Iterable[Node]) -> list[Node]:
    """Rebuild a graph by the rules, arguments first."""
    outputs = list(outputs)
    new: dict[Node, Node] = {}
    for node in topological(outputs):
        if node.op.family in ("leaf", "random"):
            new[node] = _leaf(node)
        else:
            new[node] = build(node.op.name, *(new[arg] for arg in node.args), attrs=node.attrs)
    return [_like(new[node], node) for node in outputs]


def _leaf(node: Node) -> Node:
    """Data and lengths become constants; inputs stay."""
    if node.op.name in ("data", "size", "arange"):
        return make(const, (), (constant_data(node.op.evaluate((), node.attrs)),))
    return node


def _like(node: Node, old: Node) -> Node:
    """An output keeps its type, whatever the rules found out about it."""
    if node.type.dtype != old.type.dtype:
        node = make(OPS["cast"], (node,), (old.type.dtype,))
    return node if node.shape == old.shape else _stretch(node, old.shape)


def value(node: Node) -> Any:
    """The array of a constant, else None."""
    return node.attrs[0].value if node.op is const else None


def scalar_value(node: Node) -> float | None:
    """The number of a constant of one element, else None."""
    if node.op is const and node.type.size == 1:
        return float(node.attrs[0].value.reshape(()))
    return None


def _is(node: Node, wanted: float) -> bool:
    array = value(node)
    if array is None or not array.size:
        return False
    return bool(array.flat[0] == wanted) and bool((array == wanted).all())


def _fold(name: str, args: tuple[Node, ...], attrs: tuple[Any, ...]) -> Node | None:
    if not args or any(arg.op is not const for arg in args):
        return None
    op = OPS[name]
    if op.family == "random" or name == "broadcast_to":
        return None
    node_type = op.infer(*(a.type for a in args), **dict(zip(op.attr_names, attrs, strict=True)))
    largest = max(arg.type.size for arg in args)
    # Matrices keep their transposes symbolic, so that one copy serves both products with it.
    if name == "transpose" and largest > 64 or node_type.size > max(largest, FOLD_LIMIT):
        return None
    with np.errstate(all="ignore"):
        result = op.evaluate(tuple(value(arg) for arg in args), attrs)
    return make(const, (), (constant_data(np.asarray(result, node_type.dtype)),))


def _stretch(node: Node, shape: tuple[int, ...]) -> Node:
    """`node` filling a shape that it broadcasts to."""
    if node.shape == shape:
        return node
    if node.type.size == int(np.prod(shape, dtype=np.int64)):
        return build("reshape", node, attrs=(shape,))
    return build("broadcast_to", node, attrs=(shape,))


def _fit(node: Node, *operands: Node, dtype: str = FLOAT) -> Node:
    """`node` in the shape and dtype that an elementwise operation on `operands` has."""
    if node.type.dtype != dtype:
        node = build("cast", node, attrs=(dtype,))
    shape = np.broadcast_shapes(*(operand.shape for operand in operands))
    return _stretch(node, shape)


def add(x: Node, y: Node) -> Node:
    return build("add", x, y)


def mul(x: Node, y: Node) -> Node:
    return build("multiply", x, y)


def scale(x: Node, factor: float) -> Node:
    return build("multiply", x, number(factor))


def negate(x: Node) -> Node:
    return scale(x, -1.0)


# -- operands that only stretch ------------------------------------------------------------------


def _narrowed(args: tuple[Node, ...]) -> tuple[Node, ...] | None:
    """Drop stretches that another operand makes anyway."""
    shape = np.broadcast_shapes(*(arg.shape for arg in args))
    changed = list(args)
    for i, arg in enumerate(args):
        if arg.op.name == "broadcast_to" or arg.type.size == 1 and arg.shape:
            inner = build("reshape", arg, attrs=((),)) if arg.type.size == 1 else arg.args[0]
            others = (changed[j].shape for j in range(len(args)) if j != i)
            if np.broadcast_shapes(inner.shape, *others) == shape:
                changed[i] = inner
    return tuple(changed) if any(a is not b for a, b in zip(changed, args, strict=True)) else None


def _narrow(name: str) -> Rule:
    def rule(*args: Any) -> Node | None:
        arity = len(args) - len(OPS[name].attr_names)
        narrowed = _narrowed(args[:arity])
        if narrowed is None:
            if args[0].op.name == "broadcast_to" and arity == 1:
                inner = build(name, args[0].args[0], attrs=args[1:])
                return build("broadcast_to", inner, attrs=args[0].attrs)
            return None
        return build(name, *narrowed, attrs=args[arity:])

    return rule


for _op in list(OPS.values()):
    if _op.family == "elementwise":
        RULES.setdefault(_op.name, []).append(_narrow(_op.name))


# -- arithmetic ----------------------------------------------------------------------------------


def _float(*nodes: Node) -> bool:
    return all(node.type.dtype == FLOAT for node in nodes)


@rules("subtract")
def _subtract(x: Node, y: Node) -> Node:
    return add(x, build("multiply", y, _minus_one(y)))


@rules("negative")
def _negative(x: Node) -> Node:
    return build("multiply", x, _minus_one(x))


def _minus_one(x: Node) -> Node:
    return make(const, (), (constant_data(-1.0 if x.type.dtype == FLOAT else -1),))


@rules("divide")
def _divide(x: Node, y: Node) -> Node:
    return mul(x, build("reciprocal", y))


@rules("square")
def _square(x: Node) -> Node:
    return mul(x, x)


@rules("add")
def _add(x: Node, y: Node) -> Node | None:
    dtype = FLOAT if FLOAT in (x.type.dtype, y.type.dtype) else "int64"
    for a, b in ((x, y), (y, x)):
        if _is(a, 0.0):
            return _fit(b, x, y, dtype=dtype)
    if value(x) is not None or (value(y) is None and x.order > y.order):
        return add(y, x)
    if x is y:
        return mul(x, make(const, (), (constant_data(2.0 if dtype == FLOAT else 2),)))
    c = scalar_value(y)
    if c is not None and _float(x, y):
        if x.op.name == "add" and scalar_value(x.args[1]) is not None:
            return add(x.args[0], build("add", x.args[1], y))
        one_minus = _one_minus_sigmoid(x, c)
        if one_minus is not None:
            return _fit(one_minus, x, y)
    return _softplus_difference(x, y) or _softplus_difference(y, x)


def _one_minus_sigmoid(x: Node, c: float) -> Node | None:
    if c == 1.0 and x.op.name == "multiply" and scalar_value(x.args[1]) == -1.0:
        inner = x.args[0]
        if inner.op.name == "sigmoid":
            return build("sigmoid", negate(inner.args[0]))
    return None


def _softplus_difference(x: Node, y: Node) -> Node | None:
    """softplus(x) - softplus(-x) is x: the logit of a sigmoid."""
    if x.op.name != "softplus" or y.op.name != "multiply" or not _is(y.args[1], -1.0):
        return None
    mirrored = y.args[0]
    if mirrored.op.name == "softplus" and mirrored.args[0] is negate(x.args[0]):
        return x.args[0]
    return None


def split_scale(x: Node) -> tuple[Node, Node | None]:
    """(array factor, scalar factor) of a canonical product."""
    if x.op.name == "multiply" and x.args[1].type.size == 1 and x.type.size > 1 and _float(*x.args):
        return x.args
    return x, None


@rules("multiply")
def _multiply_unit(x: Node, y: Node) -> Node | None:
    dtype = FLOAT if FLOAT in (x.type.dtype, y.type.dtype) else "int64"
    for a, b in ((x, y), (y, x)):
        if _is(a, 1.0):
            return _fit(b, x, y, dtype=dtype)
        if _is(a, 0.0):
            return _fit(number(0.0), x, y, dtype=dtype)
    return None


@rules("multiply")
def _multiply(x: Node, y: Node) -> Node | None:
    if not _float(x, y):
        return None
    if x.type.size == 1 and y.type.size == 1:
        return _multiply_scalars(x, y)
    (xv, xs), (yv, ys) = _factors(x), _factors(y)
    if xs is not None and ys is not None or (xs is not None and xv is not None and yv is not None):
        factor = xs if ys is None else ys if xs is None else mul(xs, ys)
    elif ys is not None and xv is not None and yv is not None:
        factor = ys
    else:
        factor = None
    if factor is not None:
        array = yv if xv is None else xv if yv is None else mul(xv, yv)
        return _fit(mul(array, factor), x, y) if array is not None else _fit(factor, x, y)
    if x.type.size == 1 or (y.type.size != 1 and x.order > y.order):
        return mul(y, x)
    return None


def _factors(x: Node) -> tuple[Node | None, Node | None]:
    if x.type.size == 1:
        return None, x
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1:
        return None, x.args[0]
    return split_scale(x)


def _multiply_scalars(x: Node, y: Node) -> Node | None:
    if value(x) is not None:
        return mul(y, x)
    if x.op.name == "multiply" and value(x.args[1]) is not None:
        if value(y) is not None:
            return mul(x.args[0], build("multiply", x.args[1], y))
        return mul(mul(x.args[0], y), x.args[1])
    if y.op.name == "multiply" and value(y.args[1]) is not None:
        return mul(mul(x, y.args[0]), y.args[1])
    if value(y) is None and x.order > y.order:
        return mul(y, x)
    return None


@rules("reciprocal")
def _reciprocal(x: Node) -> Node | None:
    if x.op.name == "reciprocal":
        return x.args[0]
    if x.op.name == "exp":
        return build("exp", negate(x.args[0]))
    if x.op.name == "multiply":
        array, factor = split_scale(x)
        if factor is not None or value(x.args[1]) is not None:
            return mul(build("reciprocal", x.args[0]), build("reciprocal", x.args[1]))
    return None


def _chain(x: Node, exponent: int) -> Node:
    if exponent == 1:
        return x
    half = _chain(x, exponent // 2)
    return mul(mul(half, half), x) if exponent % 2 else mul(half, half)


@rules("power")
def _power(x: Node, y: Node) -> Node | None:
    exponent = scalar_value(y)
    if exponent is None or x.type.dtype != FLOAT:
        return None
    if exponent == 0.0:
        return _fit(number(1.0), x, y)
    if x.op.name == "exp":
        return _fit(build("exp", scale(x.args[0], exponent)), x, y)
    size = abs(exponent)
    if size == int(size) and size <= 8:
        result = _chain(x, int(size))
    elif size == 0.5:
        result = build("sqrt", x)
    else:
        return None
    return _fit(result if exponent > 0 else build("reciprocal", result), x, y)


@rules("sqrt")
def _sqrt(x: Node) -> Node | None:
    if x.op.name == "exp":
        return build("exp", scale(x.args[0], 0.5))
    if x.op.name == "multiply" and x.args[0] is x.args[1]:
        return build("absolute", x.args[0])
    return None


@rules("absolute")
def _absolute(x: Node) -> Node | None:
    if x.op.name == "multiply" and _is(x.args[1], -1.0):
        return _stretch(build("absolute", x.args[0]), x.shape)
    return x if nonnegative(x) else None


# -- exponentials and logarithms -----------------------------------------------------------------


@rules("exp")
def _exp(x: Node) -> Node | None:
    if x.op.name == "log" and nonnegative(x.args[0]):
        return x.args[0]
    return None


@rules("log")
def _log(x: Node) -> Node | None:
    inner = x.args[0] if x.args else x
    match x.op.name:
        case "exp":
            return inner
        case "sigmoid":
            return negate(build("softplus", negate(inner)))
        case "reciprocal":
            return negate(build("log", inner))
        case "sqrt":
            return scale(build("log", inner), 0.5)
        case "multiply":
            a, b = x.args
            if positive(a) and positive(b) and any(_log_is_cheap(side) for side in (a, b)):
                return _fit(add(build("log", a), build("log", b)), a, b)
        case "add":
            # log(1 + x), and log(1 - p) among them
            if scalar_value(x.args[1]) == 1.0:
                return build("log1p", inner)
    return None


def _log_is_cheap(x: Node) -> bool:
    return x.op.name in ("exp", "sigmoid", "const") or (
        x.op.name == "reciprocal" and _log_is_cheap(x.args[0])
    )


@rules("log1p")
def _log1p(x: Node) -> Node | None:
    if x.op.name == "exp":
        return build("softplus", x.args[0])
    if x.op.name == "multiply" and _is(x.args[1], -1.0) and x.args[0].op.name == "sigmoid":
        return negate(build("softplus", x.args[0].args[0]))
    return None


@rules("xlogy")
def _xlogy(x: Node, y: Node) -> Node | None:
    k = value(x)
    if k is not None and (k == 0).all():
        return _fit(number(0.0), x, y)
    logarithm = build("log", y)
    bounded = not any(node.op.name in ("log", "log1p") for node in _terms(logarithm))
    if bounded or (k is not None and (k != 0).all()):
        return mul(x, logarithm)
    return None


@rules("xlog1py")
def _xlog1py(x: Node, y: Node) -> Node | None:
    k = value(x)
    if k is not None and (k == 0).all():
        return _fit(number(0.0), x, y)
    logarithm = build("log1p", y)
    bounded = not any(node.op.name in ("log", "log1p") for node in _terms(logarithm))
    if bounded or (k is not None and (k != 0).all()):
        return mul(x, logarithm)
    return None


def _terms(x: Node) -> list[Node]:
    """The factors and terms that a logarithm was split into."""
    if x.op.name in ("add", "multiply", "broadcast_to"):
        return [leaf for arg in x.args for leaf in _terms(arg)]
    return [x]


@rules("sigmoid")
def _sigmoid(x: Node) -> Node | None:
    if x.op.name == "add" and _is_logit(x):
        return x.args[0].args[0]
    return None


def _is_logit(x: Node) -> bool:
    """log(p) - log1p(-p)"""
    a, b = x.args
    if a.op.name != "log" or b.op.name != "multiply" or not _is(b.args[1], -1.0):
        return False
    tail = b.args[0]
    return tail.op.name == "log1p" and tail.args[0] is negate(a.args[0])


# -- conditions ----------------------------------------------------------------------------------


def _truth(shape: tuple[int, ...], holds: bool) -> Node:
    return _stretch(make(const, (), (constant_data(holds),)), shape)


@rules("greater")
def _greater(x: Node, y: Node) -> Node | None:
    if _is(y, 0.0) and positive(x):
        return _truth(np.broadcast_shapes(x.shape, y.shape), True)
    return None


@rules("greater_equal")
def _greater_equal(x: Node, y: Node) -> Node | None:
    if _is(y, 0.0) and nonnegative(x):
        return _truth(np.broadcast_shapes(x.shape, y.shape), True)
    return None


@rules("less")
def _less(x: Node, y: Node) -> Node | None:
    if _is(y, 1.0) and _in_unit_interval(x):
        return _truth(np.broadcast_shapes(x.shape, y.shape), True)
    return build("greater", y, x)


@rules("less_equal")
def _less_equal(x: Node, y: Node) -> Node | None:
    if _is(y, 1.0) and _in_unit_interval(x):
        return _truth(np.broadcast_shapes(x.shape, y.shape), True)
    return build("greater_equal", y, x)


def _in_unit_interval(x: Node) -> bool:
    if x.op.name in ("broadcast_to", "reshape", "index"):
        return _in_unit_interval(x.args[0])
    return x.op.name == "sigmoid"


def _uniform(x: Node) -> bool | None:
    """True or False when a boolean node is that everywhere, else None."""
    if x.op.name == "broadcast_to":
        return _uniform(x.args[0])
    array = value(x)
    if array is None or not array.size:
        return None
    return True if array.all() else False if not array.any() else None


@rules("logical_and")
def _and(x: Node, y: Node) -> Node | None:
    for a, b in ((x, y), (y, x)):
        if _uniform(a) is not None:
            return _fit(b if _uniform(a) else a, x, y, dtype=BOOL)
    return x if x is y else None


@rules("logical_or")
def _or(x: Node, y: Node) -> Node | None:
    for a, b in ((x, y), (y, x)):
        if _uniform(a) is not None:
            return _fit(a if _uniform(a) else b, x, y, dtype=BOOL)
    return x if x is y else None


@rules("where")
def _where(c: Node, x: Node, y: Node) -> Node | None:
    dtype = FLOAT if FLOAT in (x.type.dtype, y.type.dtype) else x.type.dtype
    certain = _uniform(c)
    if certain is not None:
        return _fit(x if certain else y, c, x, y, dtype=dtype)
    if x is y:
        return _fit(x, c, x, y, dtype=dtype)
    return None


@rules("isnan", "isinf")
def _finite_test(x: Node) -> Node | None:
    return _truth(x.shape, False) if x.type.dtype != FLOAT else None


@rules("cast")
def _cast(x: Node, dtype: str) -> Node | None:
    return x if x.type.dtype == dtype else None


# -- sums ----------------------------------------------------------------------------------------


def _multiplicity(shape: tuple[int, ...], axes: tuple[int, ...]) -> float:
    return float(np.prod([shape[a] for a in axes], dtype=np.float64))


@rules("sum")
def _sum(x: Node, axes: tuple[int, ...]) -> Node | None:
    if x.type.dtype != FLOAT:
        return None
    full = len(axes) == len(x.shape)
    kept = tuple(n for a, n in enumerate(x.shape) if a not in axes)
    if x.type.size == 1 or all(x.shape[a] == 1 for a in axes):
        return build("reshape", x, attrs=(kept,))
    if x.op.name == "broadcast_to":
        return _sum_stretched(x, axes, kept)
    array, factor = split_scale(x)
    if factor is not None:
        total = build("sum", array, attrs=(axes,))
        return mul(total, build("reshape", factor, attrs=((),)))
    if full and x.op.name == "add":
        a, b = x.args
        for p, q in ((a, b), (b, a)):
            if value(p) is not None or p.type.size == 1:
                return add(_total(p, x.shape), _total(q, x.shape))
    if full and x.op.name in ("reshape", "transpose"):
        return _total(x.args[0], x.args[0].shape)
    if full and x.op.name == "index_add":
        return _total(x.args[0], x.args[0].shape)
    if x.op.name == "where" and x.args[0].type.size == 1:
        branches = [
            build("sum", _stretch(branch, x.shape), attrs=(axes,)) for branch in x.args[1:]
        ]
        return build("where", build("reshape", x.args[0], attrs=((),)), *branches)
    return None


def _total(x: Node, shape: tuple[int, ...]) -> Node:
    """The sum of all elements of `x` stretched over a shape."""
    own = build("sum", x, attrs=(tuple(range(len(x.shape))),)) if x.shape else x
    copies = float(np.prod(shape, dtype=np.float64)) / x.type.size
    return scale(own, copies) if copies != 1.0 else own


def _sum_stretched(x: Node, axes: tuple[int, ...], kept: tuple[int, ...]) -> Node:
    inner = x.args[0]
    lead = len(x.shape) - len(inner.shape)
    padded = (1,) * lead + inner.shape
    copies = _multiplicity(x.shape, tuple(a for a in axes if padded[a] == 1))
    own = tuple(a - lead for a in axes if a >= lead)
    reduced = build("sum", inner, attrs=(own,)) if own else inner
    return scale(_stretch_kept(reduced, padded, axes, kept), copies)


def _stretch_kept(
    reduced: Node, padded: tuple[int, ...], axes: tuple[int, ...], kept: tuple[int, ...]
) -> Node:
    shape = tuple(n for a, n in enumerate(padded) if a not in axes)
    return _stretch(build("reshape", reduced, attrs=(shape,)), kept)


@rules("prod", "max", "min", "all", "any")
def _reduce_single(x: Node, axes: tuple[int, ...]) -> Node | None:
    if all(x.shape[a] == 1 for a in axes):
        return build("reshape", x, attrs=(tuple(n for a, n in enumerate(x.shape) if a not in axes),))
    return None


@rules("all", "any")
def _reduce_certain(x: Node, axes: tuple[int, ...]) -> Node | None:
    certain = _uniform(x)
    if certain is None:
        return None
    return _truth(tuple(n for a, n in enumerate(x.shape) if a not in axes), certain)


# -- movement ------------------------------------------------------------------------------------


@rules("reshape")
def _reshape(x: Node, shape: tuple[int, ...]) -> Node | None:
    shape = tuple(map(int, shape))
    if x.shape == shape:
        return x
    if x.op.name == "reshape":
        return build("reshape", x.args[0], attrs=(shape,))
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1:
        return build("broadcast_to", build("reshape", x.args[0], attrs=((),)), attrs=(shape,))
    array, factor = split_scale(x)
    if factor is not None:
        moved = build("reshape", array, attrs=(shape,))
        return _stretch(mul(moved, build("reshape", factor, attrs=((),))), shape)
    return None


@rules("broadcast_to")
def _broadcast_to(x: Node, shape: tuple[int, ...]) -> Node | None:
    shape = tuple(map(int, shape))
    if x.shape == shape:
        return x
    if x.type.size == int(np.prod(shape, dtype=np.int64)):
        return build("reshape", x, attrs=(shape,))
    if x.op.name == "broadcast_to":
        return build("broadcast_to", x.args[0], attrs=(shape,))
    return None


@rules("transpose")
def _transpose(x: Node, axes: tuple[int, ...]) -> Node | None:
    shape = tuple(x.shape[a] for a in axes)
    if x.op.name == "transpose":
        inner = tuple(x.attrs[0][a] for a in axes)
        if inner == tuple(range(len(inner))):
            return x.args[0]
        return build("transpose", x.args[0], attrs=(inner,))
    if sum(n != 1 for n in shape) <= 1:
        return build("reshape", x, attrs=(shape,))
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1:
        return build("broadcast_to", x.args[0], attrs=(shape,))
    return None


@rules("index")
def _index(x: Node, *rest: Any) -> Node | None:
    *indices, spec = rest
    node_type = OPS["index"].infer(x.type, *(i.type for i in indices), spec=spec)
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1:
        return _stretch(build("reshape", x.args[0], attrs=((),)), node_type.shape)
    array, factor = split_scale(x)
    if factor is not None:
        picked = build("index", array, *indices, attrs=(spec,))
        return _fit(mul(picked, factor), picked)
    return None


@rules("index_add")
def _index_add(g: Node, *rest: Any) -> Node | None:
    *indices, shape, spec = rest
    array, factor = split_scale(g)
    if factor is None and g.op.name == "broadcast_to" and g.args[0].type.size == 1:
        ones = make(const, (), (constant_data(np.ones(g.shape)),))
        array, factor = ones, g.args[0]
    if factor is None:
        return None
    return _stretch(mul(build("index_add", array, *indices, attrs=(shape, spec)), factor),
                    tuple(map(int, shape)))  # fmt: skip


@rules("concatenate")
def _concatenate(*rest: Any) -> Node | None:
    *parts, axis = rest
    filled = [part for part in parts if part.type.size]
    if len(filled) == 1:
        return filled[0]
    return build("concatenate", *filled, attrs=(axis,)) if 0 < len(filled) < len(parts) else None


def _scaled(x: Node) -> tuple[Node, Node | None]:
    """(array factor, scalar factor), a repeated scalar being ones times it."""
    if x.op.name == "broadcast_to" and x.args[0].type.size == 1 and value(x.args[0]) is None:
        return make(const, (), (constant_data(np.ones(x.shape)),)), x.args[0]
    return split_scale(x)


@rules("matmul")
def _matmul(a: Node, b: Node) -> Node | None:
    (av, as_), (bv, bs) = _scaled(a), _scaled(b)
    factor = as_ if bs is None else bs if as_ is None else mul(as_, bs)
    if factor is None:
        return None
    product = build("matmul", av, bv)
    return _stretch(mul(product, factor), product.shape)


__all__ = ["RULES", "add", "build", "mul", "negate", "number", "rules",
           "scalar_value", "scale", "simplify", "split_scale", "value"]  # fmt: skip
