"""A model's log density in the form that other libraries take."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from finetti.backends import jax_lowering
from finetti.errors import ShapeError
from finetti.model.compile import Layout, build_density
from finetti.model.context import modelcontext
from finetti.model.logdensity import Density


class JaxDensity:
    """The log density of a model as a pure JAX function; `to_jax` makes it.

    Call it with a point: a dict under the names that `model.initial_point()` has. `flat` takes the
    same numbers as one vector. Both go through `jax.jit`, `vmap`, `grad` and `hessian`.

    Parameters
    ----------
    density : Density
        The graph.
    jacobian : bool
        With the log-determinants of the transforms.
    """

    def __init__(self, density: Density, jacobian: bool):
        self._density = density
        self._layout = Layout.of(density.inputs)
        logp = density.logp(jacobian=jacobian).node
        self._logp = jax_lowering.density(logp, density.inputs)

    def __repr__(self) -> str:
        return f"<JAX log density of {', '.join(self.names)}>"

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the unconstrained values, in the order of the vector."""
        return tuple(self._layout.names)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name -> shape of each unconstrained value."""
        return dict(zip(self._layout.names, self._layout.shapes, strict=True))

    @property
    def n(self) -> int:
        """The length of the vector."""
        return self._layout.n

    def __call__(self, point: Mapping[str, Any]) -> Any:
        """The log density at a point."""
        jax_lowering.library()
        return self._logp(*self._layout.ordered(point, "logp"))

    def flat(self, x: Any) -> Any:
        """The log density at a vector, which holds the values one after another."""
        return self(self.unpack(x))

    def pack(self, point: Mapping[str, Any]) -> Any:
        """A point as one vector."""
        jnp = jax_lowering.library().numpy
        parts = [jnp.ravel(jnp.asarray(v, float)) for v in self._layout.ordered(point, "pack")]
        return jnp.concatenate([jnp.zeros(0), *parts])

    def unpack(self, x: Any) -> dict[str, Any]:
        """A vector (or rows of them, along leading axes) as a point."""
        x = jax_lowering.library().numpy.asarray(x, float)
        if not x.ndim or x.shape[-1] != self.n:
            raise ShapeError(
                f"logp: a vector of shape {x.shape}, expected ({self.n},): the values of "
                f"{', '.join(self.names)}, one after another."
            )
        return self._layout.unpack(x)

    def constrain(self, point: Mapping[str, Any]) -> dict[str, Any]:
        """The model's free variables and deterministics at a point."""
        names, function = self._constrained
        values = function(*self._layout.ordered(point, "constrain"))
        return dict(zip(names, values, strict=True))

    @cached_property
    def _constrained(self) -> tuple[list[str], Any]:
        hidden = {f.name for f in self._density.factors if f.kind != "free"}
        nodes = {k: v for k, v in self._density.named.items() if k not in hidden}
        return list(nodes), jax_lowering.lower(list(nodes.values()), self._density.inputs)


def to_jax(model: Any = None, *, jacobian: bool = True) -> JaxDensity:
    """The model's log density as a function for JAX: the door to its samplers and to GPUs.

    Needs the extra `finetti[jax]`, and 64-bit numbers switched on by
    ``jax.config.update("jax_enable_x64", True)``. The model's present data become constants of the
    function: call `to_jax` again after `set_data`. First and second derivatives are finetti's own,
    the same as on every other backend.

    Parameters
    ----------
    model : Model, optional
        The open model by default.
    jacobian : bool, default True
        With the log-determinants of the transforms, as samplers need it.

    Returns
    -------
    JaxDensity
        ``logp(point)`` for a dict as ``model.initial_point()`` gives, ``logp.flat(x)`` for one
        vector; `pack`, `unpack` and `constrain` go between these and the variables' own values.
    """
    jax_lowering.library()  # before any work: is it there, and set to 64 bits?
    return JaxDensity(build_density(modelcontext(model)), jacobian)
