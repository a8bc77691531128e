"""JAX's calls, loops and branches: inner functions are laid open into the outer graph."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from finetti.dialects.jaxpr.own import graph_of
from finetti.errors import NotYetSupported
from finetti.ir import Tensor, ops

Value = Any

# equations that call one inner function: all of it becomes part of the outer graph
INLINED = frozenset(
    "jit pjit closed_call core_call remat remat2 checkpoint custom_jvp_call custom_vjp_call "
    "custom_vjp_call_jaxpr custom_lin xla_call named_call run_state".split()
)
# more equations than this are refused rather than compiled for minutes
MOST_EQUATIONS = 60_000
# loops with so few are written out: their steps can then be simplified with what is around them
FEW_EQUATIONS = 40


def _slogdet(x: Tensor) -> list[Tensor]:
    return list(ops.slogdet(x))


# JAX's own functions whose inside is worse than what they mean
_MEANINGS: dict[str, tuple[int, Callable[..., Any]]] = {
    "logaddexp": (2, ops.logaddexp), "xlogy": (2, ops.xlogy), "xlog1py": (2, ops.xlog1py),
    "log_ndtr": (1, ops.log_ndtr), "_ndtri": (1, ops.ndtri), "inv": (1, ops.inv),
    "solve": (2, ops.solve),
    "slogdet": (1, _slogdet),
}  # fmt: skip


def inner_jaxpr(eqn: Any) -> tuple[Any, Sequence[Any]]:
    """The jaxpr that an equation calls, and its constants."""
    for name in ("call_jaxpr", "jaxpr", "fun_jaxpr"):
        if name in eqn.params:
            return opened(eqn.params[name])
    raise NotYetSupported(f"JAX's call {eqn.primitive.name!r} of this kind.")


def opened(jaxpr: Any) -> tuple[Any, Sequence[Any]]:
    """A jaxpr and its constants, closed or not."""
    if hasattr(jaxpr, "jaxpr"):
        return jaxpr.jaxpr, jaxpr.consts
    return jaxpr, getattr(jaxpr, "consts", ()) if jaxpr.constvars else ()


def named_function(eqn: Any) -> Callable[..., Value] | None:
    """The operation that means one of JAX's own functions or is a graph of ours, else None."""
    jaxpr, consts = inner_jaxpr(eqn)
    info = getattr(getattr(jaxpr, "debug_info", None), "func_src_info", None) or ""
    name, _, source = info.partition(" at ")
    graph = graph_of(name, eqn)
    if graph is not None:
        return graph.build
    if name not in _MEANINGS or f"{_SEP}jax{_SEP}_src{_SEP}" not in source.replace("\\", _SEP):
        return None
    count, function = _MEANINGS[name]
    floats = all(v.aval.dtype.kind == "f" for v in (*jaxpr.invars, *jaxpr.outvars))
    if len(eqn.invars) != count or len(consts) or not floats:
        return None
    return function


_SEP = "/"


def results_of(value: Any) -> list[Value]:
    """One result or several as a list."""
    return value if isinstance(value, list) else [value]


# -- branches ------------------------------------------------------------------------------------


def _cond(walk: Any, eqn: Any, args: list[Value], used: Sequence[bool]) -> list[Value]:
    which, operands = args[0], args[1:]
    branches = [opened(branch) for branch in eqn.params["branches"]]
    number = ops.constant_value(which)
    if number is not None:
        place = min(max(int(number), 0), len(branches) - 1)
        return _call(walk, branches[place], operands)
    if walk.holds_site(eqn):
        raise NotYetSupported("a sample site inside `lax.cond`; use numpyro's `cond` or `where`.")
    every = [_call(walk, branch, operands) for branch in branches]
    chosen = []
    for cases in zip(*every, strict=True):
        result = cases[-1]
        for k in range(len(cases) - 2, -1, -1):
            result = ops.where(ops.less_equal(which, k), cases[k], result)
        chosen.append(result)
    return chosen


def _call(walk: Any, branch: tuple[Any, Sequence[Any]], args: Sequence[Value]) -> list[Value]:
    jaxpr, consts = branch
    return walk.open(jaxpr, [_constant(c) for c in consts], args)


def _constant(value: Any) -> Value:
    return value if isinstance(value, Tensor) else ops.as_tensor(value)


def _platform_index(walk: Any, eqn: Any, args: list[Value], used: Sequence[bool]) -> list[Value]:
    platforms = eqn.params["platforms"]
    for place, names in enumerate(platforms):
        if names is None or "cpu" in names:
            return [ops.as_tensor(place)]
    raise NotYetSupported("JAX code that is made for no CPU.")


# -- loops ---------------------------------------------------------------------------------------


def scan_parts(eqn: Any) -> tuple[int, int]:
    """How many constants a scan has, and how many values it carries."""
    params = eqn.params
    if "num_consts" in params:
        return int(params["num_consts"]), int(params["num_carry"])
    consts, carry, _ = params["ft_in"].unpack()
    return len(consts), len(carry)


def check_length(eqn: Any, jaxpr: Any, count: int) -> None:
    """Refuse a loop that would fill the graph."""
    total = count * max(1, len(jaxpr.eqns))
    if total > MOST_EQUATIONS:
        raise NotYetSupported(
            f"a loop of {count} steps with {len(jaxpr.eqns)} equations each ({total} in all, at "
            f"most {MOST_EQUATIONS}): write it over whole arrays where that is possible."
        )


def _scan(walk: Any, eqn: Any, args: list[Value], used: Sequence[bool]) -> list[Value]:
    length = int(eqn.params["length"])
    if walk.holds_site(eqn):
        raise NotYetSupported(
            "a sample site inside `lax.scan`; use `numpyro.contrib.control_flow.scan`."
        )
    jaxpr, own = opened(eqn.params["jaxpr"])
    inner = [_constant(c) for c in own]
    loop = _Loop(walk, jaxpr, inner, *scan_parts(eqn), length, bool(eqn.params["reverse"]))
    tensors = all(isinstance(x, Tensor) for x in (*args, *inner))
    if not tensors or length * max(1, len(jaxpr.eqns)) <= FEW_EQUATIONS:
        check_length(eqn, jaxpr, length)
        return _unrolled(loop, args, eqn.outvars)
    return _as_loop(loop, args, used)


@dataclass(frozen=True)
class _Loop:
    """A scan: its body, how many constants and carries it has, its steps and their direction."""

    walk: Any
    jaxpr: Any
    inner: list[Value]
    consts: int
    carried: int
    length: int
    reverse: bool

    def split(self, args: list[Value]) -> tuple[list[Value], list[Value], list[Value]]:
        """Constants, first carry and sequences among the arguments."""
        a, b = self.consts, self.consts + self.carried
        return args[:a], args[a:b], args[b:]


def _as_loop(loop: _Loop, args: list[Value], used: Sequence[bool]) -> list[Value]:
    """One operation for all steps; what nobody reads is not kept."""
    fixed, carry, sequences = loop.split(args)
    kept = [k for k, wanted in enumerate(used[loop.carried :]) if wanted]

    def step(state: Any, *row: Any) -> Any:
        found = loop.walk.open(
            loop.jaxpr, loop.inner, [*fixed, *state, *row],
            [*range(loop.carried), *(loop.carried + k for k in kept)],
        )  # fmt: skip
        return found[: loop.carried], found[loop.carried :]

    last, rows = ops.scan(step, list(carry), list(sequences), length=loop.length,
                          reverse=loop.reverse)  # fmt: skip
    results = [*last, *[None] * (len(used) - loop.carried)]
    for k, row in zip(kept, rows or [], strict=True):
        results[loop.carried + k] = row
    return results


def _unrolled(loop: _Loop, args: list[Value], outvars: Sequence[Any]) -> list[Value]:
    """Every step by itself."""
    fixed, carry, sequences = loop.split(args)
    rows: list[list[Value]] = []
    steps = range(loop.length - 1, -1, -1) if loop.reverse else range(loop.length)
    for i in steps:
        row = [row_of(x, i) for x in sequences]
        out = loop.walk.open(loop.jaxpr, loop.inner, [*fixed, *carry, *row])
        carry = out[: loop.carried]
        rows.append(out[loop.carried :])
    if loop.reverse:
        rows.reverse()
    stacked = [
        stacked_rows([row[k] for row in rows], var.aval)
        for k, var in enumerate(outvars[loop.carried :])
    ]
    return [*carry, *stacked]


def row_of(x: Value, i: int) -> Value:
    """One step's part of a sequence."""
    number = ops.constant_value(x) if isinstance(x, Tensor) else None
    return x[i] if number is None else ops.as_tensor(number[i])


def stacked_rows(rows: list[Value], aval: Any) -> Value:
    """What the steps gave, one after another."""
    if not rows:
        return ops.zeros(tuple(aval.shape))
    return ops.stack(rows)


def _while(walk: Any, eqn: Any, args: list[Value], used: Sequence[bool]) -> list[Value]:
    params = eqn.params
    test, body = opened(params["cond_jaxpr"]), opened(params["body_jaxpr"])
    first, second = int(params["cond_nconsts"]), int(params["body_nconsts"])
    to_test, to_body = args[:first], args[first : first + second]
    carry, count = args[first + second :], 0
    steps = _steps_of_while(walk, (*test, to_test), (*body, to_body), carry)
    if steps * max(1, len(body[0].eqns)) > FEW_EQUATIONS:
        return ops.scan(  # type: ignore[no-any-return]
            lambda state: (_call(walk, body, [*to_body, *state]), None), list(carry), length=steps
        )[0]
    while True:
        (holds,) = _call(walk, test, [*to_test, *carry])
        number = ops.constant_value(holds) if isinstance(holds, Tensor) else None
        if number is None:
            raise NotYetSupported(
                "JAX's `while_loop` whose number of steps depends on random variables. Give it a "
                "fixed number of steps (`lax.scan`, `lax.fori_loop`) and `jnp.where`."
            )
        if not number.any():
            return carry
        count += 1
        check_length(eqn, body[0], count)
        carry = _call(walk, body, [*to_body, *carry])


# A jaxpr, its constants, and the values that come before the carry among its arguments.
_Part = tuple[Any, Sequence[Any], list[Value]]


def _steps_of_while(walk: Any, test: _Part, body: _Part, carry: list[Value]) -> int:
    """How many steps a loop takes whose test looks at known numbers only, counters; else 0."""
    if not all(isinstance(x, Tensor) for x in (*carry, *test[2], *body[2])):
        return 0
    asked = _carried(test, test[0].outvars)
    while True:  # what the test asks for may be made of other things that are carried
        more = asked | _carried(body, [body[0].outvars[k] for k in asked])
        if more == asked:
            break
        asked = more
    if not asked or any(ops.constant_value(carry[k]) is None for k in asked):
        return 0
    places, state, count = sorted(asked), list(carry), 0
    while True:
        (holds,) = _call(walk, test[:2], [*test[2], *state])
        number = ops.constant_value(holds)
        if number is None:
            return 0
        if not number.any():
            return count
        count += 1
        if count * max(1, len(asked)) > MOST_EQUATIONS:
            return 0
        given = [*body[2], *state]
        following = walk.open(body[0], [_constant(c) for c in body[1]], given, places)
        for place, value in zip(places, following, strict=True):
            state[place] = value


def _carried(part: _Part, outvars: Sequence[Any]) -> set[int]:
    """The places in the carry of what some results of a jaxpr depend on."""
    jaxpr, _, before = part
    wanted = {id(v) for v in outvars}
    for eqn in reversed(jaxpr.eqns):
        if not wanted.isdisjoint(map(id, eqn.outvars)):
            wanted.update(map(id, eqn.invars))
    return {k for k, v in enumerate(jaxpr.invars[len(before) :]) if id(v) in wanted}


STRUCTURED: dict[str, Callable[[Any, Any, list[Value], Sequence[bool]], list[Value]]] = {
    "cond": _cond, "scan": _scan, "while": _while, "platform_index": _platform_index,
}  # fmt: skip
