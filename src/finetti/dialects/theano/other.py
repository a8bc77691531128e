"""Theano's names outside of `tensor`: printing, assertions, black boxes, and what is refused."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from finetti.backends import reference
from finetti.dialects.theano.deferred import Deferred, lift
from finetti.errors import ParameterError, warn
from finetti.ir import Tensor, ops, show
from finetti.ir.ops.blackbox import blackbox
from finetti.ir.types import canonical_dtype
from finetti.model.data import data_only
from finetti.model.forward import draw_tensors
from finetti.model.frozen import freeze

_BLACK_BOX = (
    "operations in C, of scalars and of graphs are Theano's own. Write a subclass of `Op` with "
    "`perform`, wrap a function of NumPy arrays with `as_op`, or write it with tensor functions "
    "(`theano.tensor`, `np.exp(x)`, `pm.math`)."
)
_RANDOM = (
    "random numbers inside a graph are drawn by distributions: write `pm.Normal.dist(...)` and "
    "`pm.draw`, or NumPy's generator for data."
)

# Names that are known and not there: what to do instead.
REFUSED: dict[str, str] = {
    **dict.fromkeys(
        ("COp", "ExternalCOp", "OpFromGraph", "UnaryScalarOp", "ScalarOp"),
        _BLACK_BOX,
    ),
    **dict.fromkeys(
        ("RandomStreams", "MRG_RandomStream", "MRG_RandomStreams", "RandomStream", "random",
         "shared_randomstreams"),
        _RANDOM,
    ),
    **dict.fromkeys(
        ("nonzero", "nonzero_values", "flatnonzero", "unique", "compress"),
        "the number of results depends on values, but shapes must be known. For data use NumPy "
        "before they enter the model; for tensors write `tt.switch(condition, x, 0)`.",
    ),
    **dict.fromkeys(
        ("Rop", "Lop", "subgraph_grad"),
        "write `tt.grad` or `theano.gradient.jacobian`.",
    ),
    **dict.fromkeys(
        ("eig", "eigvals", "lstsq", "pinv", "qr", "svd", "tensorinv", "tensorsolve", "lu",
         "lu_factor", "lu_solve", "solve_sylvester", "solve_discrete_lyapunov",
         "solve_discrete_are", "schur"),
        "this decomposition is not there yet. There are cholesky, solve, solve_triangular, "
        "matrix_inverse, det, eigh and expm; data can be decomposed with NumPy beforehand.",
    ),
    **dict.fromkeys(
        ("conv", "conv2d", "conv3d", "convolve1d", "pool", "pool_2d", "signal", "fft", "rfft",
         "irfft", "batch_normalization"),
        "convolutions and Fourier transforms are not there yet.",
    ),
    **dict.fromkeys(("jv", "j0", "j1", "jn", "yv", "kv", "hyp2f1", "owens_t"),
                    "this special function is not there yet."),
    **dict.fromkeys(("sparse", "sp"), "sparse matrices are not there: leave the matrix dense."),
    **dict.fromkeys(("pydotprint", "d3viz"), "draw the model with `pm.model_to_graphviz`."),
    **dict.fromkeys(
        ("rewriting", "FunctionGraph", "fgraph", "link", "Mode", "PatternSub", "optdb",
         "graph_replace", "rewrite_graph", "node_rewriter"),
        "it belongs to Theano's compiler; finetti has its own. Leave it out.",
    ),
}  # fmt: skip


class Print:
    """`printing.Print`: hands its argument through.

    Parameters
    ----------
    message
        What Theano would print before the value.
    """

    def __init__(self, message: str = "", attrs: Sequence[str] = ("__str__",), *_: Any):
        self.message = message

    def __call__(self, x: Any) -> Any:
        warn(
            f"theano.printing.Print({self.message!r}) prints nothing: values pass through compiled "
            "code. Look at them with `.eval()`, or `pm.draw(x)`.",
        )
        return x


def debugprint(graph: Any, *args: Any, file: Any = None, **options: Any) -> Any:
    """Print a graph.

    Parameters
    ----------
    graph
        A tensor, or a list of them.
    file
        A stream, or "str" for the text itself; the standard output by default.
    """
    tensors = graph if isinstance(graph, (list, tuple)) else [graph]
    text = "\n".join(
        repr(x) if isinstance(x, Deferred) else show.show([ops.as_tensor(x).node]) for x in tensors
    )
    if file == "str":
        return text
    print(text, file=file or sys.stdout)
    return None


def pprint(x: Any) -> str:
    """The text of a graph.

    Parameters
    ----------
    x
        A tensor.
    """
    return str(debugprint(x, file="str"))


class Assert:
    """`raise_op.Assert`: a value, checked.

    Parameters
    ----------
    msg
        What the error says.
    """

    def __init__(self, msg: str = "Theano Assert failed!"):
        self.msg = msg

    def __call__(self, value: Any, *conditions: Any) -> Any:
        return lift(self._check)(value, *conditions)

    def _check(self, value: Any, *conditions: Any) -> Tensor:
        value = ops.as_tensor(value)
        for condition in conditions:
            holds = ops.all_(ops.not_equal(condition, 0))
            if data_only(holds):
                if not bool(reference.evaluate(freeze([holds.node]))[0]):
                    raise AssertionError(self.msg)
                continue
            # a value that fails the check has no density: the sampler turns back there
            value = ops.where(holds, value, np.nan)
        return value


def assert_op(value: Any, *conditions: Any) -> Any:
    """A value, checked.

    Parameters
    ----------
    value, *conditions
        As for `Assert`.
    """
    return Assert()(value, *conditions)


def as_op(itypes: Any, otypes: Any, infer_shape: Any = None) -> Callable[..., Any]:
    """A decorator that makes a Python function of NumPy arrays an operation.

    Parameters
    ----------
    itypes, otypes
        Types of the inputs and outputs, e.g. ``[tt.dscalar]``.
    infer_shape
        Shapes of the outputs, given those of the inputs.
    """
    listed = [list(t) if isinstance(t, (list, tuple)) else [t] for t in (itypes, otypes)]
    for kind in (*listed[0], *listed[1]):
        if not hasattr(kind, "ndim"):
            raise ParameterError(f"as_op: {kind!r}: expected a type, e.g. tt.dvector.")

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        return functools.wraps(function)(lift(_Called(function, listed[1])))

    return decorate


class _Called:
    """A Python function as an operation; its shapes are those of what it gives once.

    Parameters
    ----------
    function
        It takes and gives NumPy arrays.
    otypes
        Types of its outputs.
    """

    def __init__(self, function: Callable[..., Any], otypes: list[Any]):
        self._function, self._otypes = function, otypes
        self.__name__ = getattr(function, "__name__", "as_op")
        self._made: dict[Any, Any] = {}

    def __call__(self, *args: Any) -> Any:
        tensors = [ops.as_tensor(arg) for arg in args]
        key = tuple(tensor.node.type for tensor in tensors)
        if key not in self._made:
            shapes = self._shapes(tensors)
            dtypes = [canonical_dtype(np.dtype(kind.dtype)) for kind in self._otypes]
            single = len(shapes) == 1
            self._made[key] = blackbox(
                self._function,
                shapes[0] if single else shapes,
                dtypes[0] if single else dtypes,
                name=self.__name__,
            )
        return self._made[key](*tensors)

    def _shapes(self, tensors: list[Tensor]) -> list[tuple[int, ...]]:
        if all(kind.ndim == 0 for kind in self._otypes):
            return [()] * len(self._otypes)
        # the values of one draw from the prior: Theano called it with test values
        values = [drawn[0] for drawn in draw_tensors(tensors, 1, 0, backend="reference")]
        result = self._function(*(np.array(value) for value in values))
        outputs = result if isinstance(result, (list, tuple)) else [result]
        return [np.shape(output) for output in outputs]
