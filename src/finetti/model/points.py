"""Points of a model: where sampling starts, and what the terms are there."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from finetti.errors import ModelError, NotYetSupported
from finetti.ir import Tensor
from finetti.model import diagnose
from finetti.model.compile import Array, Layout, evaluate
from finetti.model.forward import seed_number
from finetti.model.initial import check_initval, initial_point
from finetti.model.text import model_text

if TYPE_CHECKING:
    from finetti.model.frozen import Frozen
    from finetti.model.logdensity import Density, Factor
    from finetti.model.variables import VarList


class PointMethods:
    """What `Model` knows about points; the rest of its methods are in `methods`."""

    root: Any
    free_RVs: VarList
    rvs_to_initial_values: dict[Tensor, Any]

    if TYPE_CHECKING:  # of ModelMethods

        def frozen(self) -> Frozen: ...
        def density(self) -> Density: ...
        def _factors(self, vars: Any, where: str) -> list[Factor]: ...

    def initial_point(self, random_seed: Any = None) -> dict[str, Array]:
        """Where sampling would start, as unconstrained values by name.

        Parameters
        ----------
        random_seed : int or None
            For variables whose `initval` is "prior".
        """
        return self.start_point(None, seed_number(random_seed))

    def start_point(self, overrides: Mapping[Any, Any] | None, seed: int) -> dict[str, Array]:
        """The initial point with some initial values replaced."""
        strategies = {rv.name: value for rv, value in self.root.rvs_to_initial_values.items()}
        return initial_point(self.frozen(), strategies, overrides, seed)

    def set_initval(self, rv_var: Tensor, initval: Any) -> None:
        """Exchange the initial value of a free variable."""
        owner = f"variable {rv_var.name!r}"
        if rv_var not in self.free_RVs:
            raise ModelError(f"{owner} is no free variable of the model: it has no initial value.")
        shape = tuple(map(int, rv_var.node.shape))
        initval = check_initval(initval, shape, rv_var.node.type.dtype, owner)
        self.root.rvs_to_initial_values[rv_var] = initval
        self.rvs_to_initial_values[rv_var] = initval

    def point_logps(
        self, point: Mapping[str, Any] | None = None, round_vals: int = 2
    ) -> dict[str, Array]:
        """The log density of each variable and potential at a point.

        Parameters
        ----------
        point : dict, optional
            The initial point by default.
        round_vals : int
            Decimals.
        """
        density = self.density()
        point = self.initial_point() if point is None else point
        x = Layout.of(density.inputs).pack(point, "point_logps")
        factors = self._factors(None, "point_logps")
        totals = [factor.total() for factor in factors]
        results = evaluate(totals, diagnose.values_at(density, x))
        return {
            factor.name: np.round(result, round_vals)
            for factor, result in zip(factors, results, strict=True)
        }

    def check_start_vals(self, start: Any) -> None:
        """Refuse points where the log density or its gradient is not finite.

        Parameters
        ----------
        start : dict or list of dict
            Unconstrained values by name.

        Raises
        ------
        InitialPointError
            Naming the term, the row and the values there.
        """
        density = self.density()
        for point in [start] if isinstance(start, Mapping) else start:
            x = Layout.of(density.inputs).pack(point, "check_start_vals")
            diagnose.check_start(density, x, "check_start_vals")

    def debug(
        self, point: Mapping[str, Any] | None = None, fn: str = "logp", verbose: bool = False
    ) -> None:
        """Print which variables have no finite log density at a point, and why.

        Parameters
        ----------
        point : dict, optional
            The initial point by default.
        fn : str
            "logp" or "dlogp": both are looked at.
        verbose : bool
            Print the model too.
        """
        if fn not in ("logp", "dlogp"):
            raise NotYetSupported(f"debug: fn={fn!r} is not there; use 'logp' or 'dlogp'.")
        point = self.initial_point() if point is None else point
        text = diagnose.debug_text(self.density(), point)
        print(f"{model_text(self)}\n{text}" if verbose else text, file=sys.stdout)

    def eval_rv_shapes(self) -> dict[str, tuple[int, ...]]:
        """Present shapes of the free variables and of their unconstrained values."""
        shapes: dict[str, tuple[int, ...]] = {}
        for value in self.density().values:
            shapes[value.value_name] = tuple(map(int, value.input.shape))
            shapes[value.name] = tuple(map(int, value.constrained.shape))
        return shapes
