"""One record per operation: everything known about it in one row.

A family (`unary`, `binary`, ...) fills in what its members share. A column that does not apply is
an explicit ``None`` with its reason in `notes`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from finetti.errors import DtypeError
from finetti.ir.node import Node, make
from finetti.ir.tensor import Tensor, as_node
from finetti.ir.types import BOOL, FLOAT, INT, TensorType, broadcast, promote

Sample = Callable[[np.random.Generator], tuple[Any, ...]]

OPS: dict[str, OpDef] = {}
UFUNCS: dict[str, Callable[..., Tensor]] = {}


@dataclass(frozen=True, eq=False)
class OpDef:
    """Everything about one operation.

    Parameters
    ----------
    name : str
        Its unique name, as dumps show it.
    family : str
        elementwise, reduction, movement, linalg, random or leaf.
    infer : callable
        ``infer(*types, **attrs) -> TensorType``: the rule for shape and dtype.
    numpy : callable or str
        ``numpy(*arrays, **attrs) -> array``: its meaning. A string is looked up on first use.
    vjp : callable or None
        ``vjp(g, y, *args, **attrs) -> tuple``: for each argument the adjoint as a tensor, or None
        where there is none. Adjoints of broadcast arguments are summed by the gradient pass.
    native : str or None
        How the native backend lowers it.
    jax : str or None
        Name of the JAX function with the same meaning.
    attr_names : tuple of str
        Names of the static attributes, in the order in which nodes hold them.
    ufunc : str or None
        The NumPy ufunc that means this operation on tensors.
    samples : tuple
        Functions ``rng -> args`` (or ``rng -> (args, attrs)`` when there are attributes).
    tol : float
        Relative tolerance of another backend against the reference.
    volatile : bool
        The type can differ from one making to the next (data whose shape changes).
    notes : mapping
        Column -> why it is None.
    """

    name: str
    family: str
    infer: Callable[..., TensorType]
    numpy: Callable[..., Any] | str | None
    vjp: Callable[..., tuple[Tensor | None, ...]] | None
    native: str | None
    jax: str | None
    attr_names: tuple[str, ...] = ()
    ufunc: str | None = None
    samples: tuple[Sample, ...] = ()
    tol: float = 1e-12
    volatile: bool = False
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.name in OPS:
            raise ValueError(f"two operations are named {self.name!r}")
        OPS[self.name] = self
        if self.ufunc is not None:
            UFUNCS[self.ufunc] = self

    def __call__(self, *args: Any, **attrs: Any) -> Tensor:
        values = tuple(attrs[name] for name in self.attr_names) if self.attr_names else ()
        return Tensor(make(self, tuple(map(as_node, args)), values))

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _find, (self.name,)

    def evaluate(self, arrays: tuple[Any, ...], attrs: tuple[Any, ...]) -> Any:
        """The reference meaning on NumPy arrays."""
        function = _resolve(self.numpy) if isinstance(self.numpy, str) else self.numpy
        if function is None:
            raise TypeError(f"{self.name} has no value of its own")
        return function(*arrays, **dict(zip(self.attr_names, attrs, strict=True)))


def _find(name: str) -> OpDef:
    return OPS[name]


@cache
def _resolve(path: str) -> Callable[..., Any]:
    module, _, name = path.rpartition(".")
    return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]


def attrs_of(node: Node) -> dict[str, Any]:
    """The attributes of a node by name."""
    return dict(zip(node.op.attr_names, node.attrs, strict=True))


# -- type rules ----------------------------------------------------------------------------------


def float_type(*types: TensorType) -> TensorType:
    """Float result over the broadcast shape."""
    return TensorType(FLOAT, broadcast(*[t.shape for t in types]))


def bool_type(*types: TensorType) -> TensorType:
    """Boolean result over the broadcast shape."""
    return TensorType(BOOL, broadcast(*(t.shape for t in types)))


def promoted_type(*types: TensorType) -> TensorType:
    """NumPy's common dtype, booleans counted as integers, over the broadcast shape."""
    dtype = promote(INT, *(t.dtype for t in types))
    return TensorType(dtype, broadcast(*(t.shape for t in types)))


def common_type(*types: TensorType) -> TensorType:
    """NumPy's common dtype, booleans staying booleans, over the broadcast shape."""
    return TensorType(promote(*[t.dtype for t in types]), broadcast(*[t.shape for t in types]))


def signed_type(*types: TensorType) -> TensorType:
    """Numbers: NumPy refuses to subtract booleans."""
    if all(t.dtype == BOOL for t in types):
        raise DtypeError(
            f"booleans have no sign and no difference: got {' and '.join(map(str, types))}. Use "
            "`~` and `^`, or count with `x.astype(int)`."
        )
    return common_type(*types)


def logical_type(*types: TensorType) -> TensorType:
    """Boolean arguments only."""
    for t in types:
        if t.dtype != BOOL:
            raise DtypeError(
                f"a logical operation got {t}: expected booleans. Compare first, e.g. `x > 0`."
            )
    return bool_type(*types)


# -- samples for tests ---------------------------------------------------------------------------


def reals(low: float = -3.0, high: float = 3.0, count: int = 1) -> tuple[Sample, ...]:
    """Arguments drawn uniformly from an interval, in several shapes that broadcast."""
    grids: tuple[tuple[tuple[int, ...], ...], ...] = (
        ((),) * count,
        ((5,),) * count,
        ((37,),) + ((),) * (count - 1),
        tuple((4, 3) if i % 2 == 0 else (3,) for i in range(count)),
        tuple((2, 1, 3) if i % 2 == 0 else (5, 1) for i in range(count)),
    )

    def sample(shapes: tuple[tuple[int, ...], ...]) -> Sample:
        return lambda rng: tuple(np.asarray(rng.uniform(low, high, shape)) for shape in shapes)

    return tuple(sample(shapes) for shapes in grids)


# -- families ------------------------------------------------------------------------------------


def unary(name: str, **columns: Any) -> OpDef:
    """An elementwise float function of one argument."""
    columns.setdefault("samples", reals())
    return OpDef(name, "elementwise", infer=columns.pop("infer", float_type), **columns)


def binary(name: str, **columns: Any) -> OpDef:
    """An elementwise function of two arguments that broadcast."""
    columns.setdefault("samples", reals(count=2))
    return OpDef(name, "elementwise", infer=columns.pop("infer", promoted_type), **columns)


def comparison(name: str, **columns: Any) -> OpDef:
    """An elementwise comparison: boolean, without gradient."""
    return binary(name, infer=bool_type, vjp=None, notes={"vjp": "piecewise constant"}, **columns)
