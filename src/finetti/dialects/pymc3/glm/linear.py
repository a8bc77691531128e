"""Linear components of a model, from matrices or from formulas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

import finetti
from finetti.dialects.notes import note
from finetti.dialects.pymc3.glm.families import Family, family_of
from finetti.dialects.pymc3.glm.formula import design
from finetti.dialects.pymc3.model import Model
from finetti.dist.base import make_rv
from finetti.errors import ParameterError, ShapeError
from finetti.ir import Tensor, ops
from finetti.model.variables import dist_of, explicit_shape, is_rv, params_of


class LinearComponent:
    """A linear predictor ``y_est`` with a coefficient for each column.

    Parameters
    ----------
    x : array_like or DataFrame
        [rows, columns].
    y : array_like
        The data; only its length is used here.
    intercept : bool
        Add a column of ones called "Intercept".
    labels : list of str, optional
        Names of the columns; a frame's own, or x0, x1, ... by default.
    priors : dict, optional
        Label -> prior made with `.dist(...)`; "Regressor" for all other columns. Flat for the
        intercept and Normal(0, sigma=1000) for the others by default.
    vars : dict, optional
        Label -> a variable or number to use as the coefficient; others are called by the label.
    name : str
        Prefix of the variables' names.
    model : Model, optional
        The open model by default; a new one without it.
    offset : array_like
        Added to the predictor.
    """

    def __init__(  # noqa: PLR0913, a user's keywords as PyMC3 spelled them
        self, x: Any, y: Any, intercept: bool = True, labels: Sequence[str] | None = None,
        priors: Mapping[str, Any] | None = None, vars: Mapping[str, Any] | None = None,
        name: str = "", model: Any = None, offset: Any = 0.0,
    ):  # fmt: skip
        note("pm.glm", "Bambi's formulas, or the regression written out")
        outer = model if model is not None else finetti.Model.current(error_if_none=False)
        self.model = Model() if outer is None else outer
        self.name = name
        columns, matrix = _matrix(x, labels)
        if intercept:
            columns, matrix = (
                ["Intercept", *columns],
                np.column_stack([np.ones(len(matrix)), matrix]),
            )
        if len(matrix) != len(np.asarray(y)):
            raise ShapeError(f"glm: x has {len(matrix)} rows and y has {len(np.asarray(y))}.")
        given, fixed = dict(priors or {}), dict(vars or {})
        with self.model:
            coefficients = [self._coefficient(label, given, fixed) for label in columns]
        self.coeffs = ops.stack([ops.as_tensor(value) for value in coefficients])
        self.y_est = ops.dot(matrix, self.coeffs) + offset

    def _coefficient(self, label: str, priors: Mapping[str, Any], fixed: Mapping[str, Any]) -> Any:
        if label in fixed:
            return fixed[label]
        default: Any = finetti.Normal.dist(0.0, 1000.0)
        if label == "Intercept":
            return self.add(label, priors.get(label, finetti.Flat.dist()))
        return self.add(label, priors.get(label, priors.get("Regressor", default)))

    def add(self, name: str, prior: Any) -> Any:
        """A variable of the model from a prior, or (distribution, data); numbers stay numbers."""
        data = None
        if isinstance(prior, tuple):
            prior, data = prior
        if callable(prior) and not isinstance(prior, Tensor):
            prior = prior()
        if not isinstance(prior, Tensor) or not is_rv(prior.node) or prior in self.model:
            return prior
        fresh = make_rv(dist_of(prior.node), params_of(prior.node), explicit_shape(prior.node))
        full = f"{self.name}_{name}" if self.name else name
        return self.model.register_rv(fresh, full, observed=data)

    @classmethod
    def from_formula(cls, formula: str, data: Any, **keywords: Any) -> Any:
        """The component that a formula describes.

        Parameters
        ----------
        formula : str
            ``"y ~ x + g"``, in the language of the package formulae (extra ``finetti[formula]``).
        data : DataFrame or mapping
            Its columns.
        **keywords
            priors, vars, name, model, offset (and family), as for the class.
        """
        for name in ("intercept", "labels"):
            if name in keywords:
                raise ParameterError(
                    f"from_formula: {name}= follows from the formula; leave it out."
                )
        response, labels, matrix = design(formula, data)
        return cls(matrix, response, intercept=False, labels=labels, **keywords)

    def __enter__(self) -> Any:
        return self.model.__enter__()

    def __exit__(self, *exc_info: object) -> None:
        self.model.__exit__(*exc_info)


class GLM(LinearComponent):
    """A generalised linear model: a linear predictor and the data's distribution.

    Parameters
    ----------
    x, y, intercept, labels, priors, vars, name, model, offset
        As for `LinearComponent`.
    family : str or family
        "normal", "student", "binomial", "poisson", "negative_binomial", or one of `pm.glm.families`
        with other priors.
    """

    def __init__(
        self, x: Any, y: Any, *args: Any, family: str | Family = "normal", **keywords: Any
    ):
        # PyMC3's order: intercept, labels, priors, vars, family, name, model, offset
        names = ("intercept", "labels", "priors", "vars", "family", "name", "model", "offset")
        if len(args) > len(names):
            raise ParameterError(f"GLM takes x, y, {', '.join(names)}; got {2 + len(args)} values.")
        given = dict(zip(names, args, strict=False)) | keywords
        chosen = family_of(given.pop("family", family))
        super().__init__(x, y, **given)
        with self.model:
            self.y = chosen.create_likelihood(self.add, self.y_est, np.asarray(y))


def _matrix(x: Any, labels: Sequence[str] | None) -> tuple[list[str], np.ndarray]:
    own = [str(name) for name in getattr(x, "columns", [])]
    matrix = np.asarray(x, float)
    if matrix.ndim == 1:
        matrix = matrix[:, None]
    if matrix.ndim != 2:
        raise ShapeError(f"glm: x has shape {matrix.shape}, expected (rows, columns).")
    names = list(labels) if labels is not None else own or [f"x{i}" for i in range(matrix.shape[1])]
    if len(names) != matrix.shape[1]:
        raise ShapeError(f"glm: {len(names)} labels for {matrix.shape[1]} columns.")
    return names, matrix
