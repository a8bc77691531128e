"""The model: variables, data and dims, registered while a ``with`` block is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from finetti.dist.base import make_rv
from finetti.dist.bijectors import Bijector, bijector_for
from finetti.errors import ModelError, NotYetSupported, ParameterError, did_you_mean
from finetti.ir import FLOAT, Tensor, ops
from finetti.ir.ops.leaf import new_input
from finetti.model import context, data
from finetti.model.data import data_only
from finetti.model.dims import Dims, as_dims, check_lengths
from finetti.model.frozen import fit_observed, freeze
from finetti.model.imputed import missing_in, register_imputed
from finetti.model.initial import check_initval
from finetti.model.logdensity import Automatic
from finetti.model.methods import ModelMethods
from finetti.model.observed import check_observed, observed_tensor
from finetti.model.variables import UNSET, VarList, dist_of, explicit_shape, params_of

KINDS = ("free_RVs", "observed_RVs", "deterministics", "potentials", "data_vars")
TABLES = ("named_vars", "named_vars_to_dims", "rvs_to_values", "values_to_rvs", "rvs_to_transforms",
          "rvs_to_initial_values")  # fmt: skip
AUTOMATIC = Automatic(bijector_for)


class _OpenWhileMade(type):
    """Opens a model while its ``__init__`` runs, so that subclasses can declare variables there."""

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        instance: Any = object.__new__(cls)  # type: ignore[arg-type]
        instance._parent = _parent(kwargs.get("model", UNSET))
        with instance:
            instance.__init__(*args, **kwargs)
        return instance


def _parent(model: Any) -> Any:
    return context.current(error_if_none=False) if model is UNSET else model


class Model(ModelMethods, metaclass=_OpenWhileMade):
    """A probabilistic model.

    Variables made inside ``with model:`` belong to it. A model opened inside another one is part
    of it: its variables are the outer model's too, with the inner name in front (``inner::x``).

    Parameters
    ----------
    name : str
        Prefix of the names of its variables.
    coords : mapping, optional
        Dimension name -> labels.
    check_bounds : bool
        As in PyMC: whether parameters outside their valid range give -inf. finetti drops the checks
        that it can prove to hold and keeps the others, whose cost is not measurable, so that
        False changes nothing for valid parameters.
    model : Model or None, optional
        The outer model: the open one by default, none with None.
    """

    # What a dialect may change: the class of its variables, whether observed data may depend on
    # random variables, whether they fix the shape of a variable whose parameters may get another
    # one with other predictors, and what stands between the names of nested models.
    variable_type: type[Tensor] = Tensor
    observes_expressions = False
    observed_fix_shapes = True
    separator = "::"
    missing_suffix = "unobserved"  # of the variable made of the missing elements of data
    _parent: Model | None
    dims: Dims

    def __init__(
        self,
        name: str = "",
        coords: Mapping[str, Any] | None = None,
        check_bounds: bool = True,
        *,
        model: Any = UNSET,
    ):
        if not isinstance(name, str) or "::" in name:
            raise ModelError(f"Model(name={name!r}): expected a string without '::'.")
        if coords is not None and not isinstance(coords, Mapping):
            raise ModelError(
                f"Model(coords={coords!r}): expected a mapping, e.g. {{'city': ['A', 'B']}}."
            )
        self.name = name
        self.check_bounds = bool(check_bounds)
        for kind in KINDS:
            setattr(self, kind, VarList())
        for table in TABLES:
            setattr(self, table, {})
        self.basic_in_order = VarList()
        self.observations: dict[Tensor, Tensor] = {}
        self.dims = self._parent.dims if self._parent is not None else Dims(self._is_variable)
        self.add_coords(coords)

    # -- the context
    def __enter__(self) -> Model:
        context.push(self)
        return self

    def __exit__(self, *exc_info: object) -> None:
        context.pop()

    @staticmethod
    def current(error_if_none: bool = True) -> Any:
        """The innermost open model."""
        return context.current(error_if_none)

    @classmethod
    def get_context(cls, error_if_none: bool = True) -> Any:
        """The innermost open model."""
        return context.current(error_if_none)

    @property
    def parent(self) -> Model | None:
        """The model that this one is part of."""
        return self._parent

    @property
    def root(self) -> Model:
        """The outermost model."""
        return self if self._parent is None else self._parent.root

    @property
    def isroot(self) -> bool:
        """Whether it is part of no other model."""
        return self._parent is None

    def _lineage(self) -> list[Model]:
        return [self, *(self._parent._lineage() if self._parent is not None else [])]

    # -- names
    @property
    def prefix(self) -> str:
        """What stands before the names of its variables."""
        outer = self._parent.prefix if self._parent is not None else ""
        return self.separator.join(part for part in (outer, self.name) if part)

    def name_for(self, name: str) -> str:
        """`name` with the model's prefix."""
        self._check_name(name)
        prefix = f"{self.prefix}{self.separator}" if self.prefix else ""
        return name if name.startswith(prefix) else prefix + name

    def name_of(self, name: str) -> str:
        """`name` without the model's prefix."""
        self._check_name(name)
        return name.removeprefix(f"{self.prefix}{self.separator}") if self.prefix else name

    @staticmethod
    def _check_name(name: Any) -> None:
        if not isinstance(name, str) or not name:
            raise ModelError(
                f"a variable's first argument is its name: expected a string, got {name!r}. Write "
                'e.g. `pm.Normal("x", 0, 1)`, or `pm.Normal.dist(0, 1)` for one without a name.'
            )
        if name.endswith("::"):
            raise ModelError(f"the name {name!r} ends with '::', which separates models' names.")

    def _is_variable(self, name: str) -> bool:
        return name in self.root.named_vars

    def check_new_name(self, name: str, owner: str) -> None:
        """Refuse a name that the model has already."""
        if self._is_variable(name):
            raise ModelError(
                f"{owner}: the model already has a variable {name!r}. Give each variable its own "
                "name; in a notebook, open a new `with pm.Model()` before running the cell again."
            )
        if name in self.dims:
            raise ModelError(
                f"{owner}: the model has a dimension of that name. Rename the variable or the dim."
            )
        for rv in self.root.free_RVs:
            if self.root.rvs_to_values[rv].name == name:
                raise ModelError(f"{owner}: {name!r} is the unconstrained value of {rv.name!r}.")

    def __getitem__(self, key: str) -> Tensor:
        for name in (key, self._prefixed(key)):
            if name in self.named_vars:
                return self.named_vars[name]  # type: ignore[no-any-return]
        raise UnknownVariable(
            f"the model has no variable {key!r}. "
            + (did_you_mean(str(key), self.named_vars) if self.named_vars else "It is empty.")
        )

    def _prefixed(self, key: Any) -> str:
        return f"{self.prefix}{self.separator}{key}" if self.prefix else str(key)

    def __contains__(self, key: object) -> bool:
        if isinstance(key, Tensor):
            return any(key is var for var in self.named_vars.values())
        return key in self.named_vars or self._prefixed(key) in self.named_vars

    def __getattr__(self, name: str) -> Any:
        # PyMC's `model.x` for the variable called "x"
        tables = self.__dict__.get("named_vars")
        if tables is not None and not name.startswith("__"):
            for key in (name, self._prefixed(name)):
                if key in tables:
                    return tables[key]
            self.later(name)
        raise AttributeError(f"a model has no attribute and no variable {name!r}")

    # -- dims
    def add_coord(self, name: str, values: Any = None, *, length: int | None = None) -> None:
        """Add a dimension with labels, or with a length only."""
        self.dims.add(name, values, length)

    def add_coords(
        self, coords: Mapping[str, Any] | None, *, lengths: Mapping[str, int] | None = None
    ) -> None:
        """Add several dimensions."""
        for name, values in (coords or {}).items():
            self.dims.add(name, values, (lengths or {}).get(name))

    def set_dim(self, name: str, new_length: int, coord_values: Any = None) -> None:
        """Give a dimension another length and other labels."""
        self.dims.resize(name, new_length, coord_values)

    @property
    def coords(self) -> dict[str, tuple[Any, ...] | None]:
        """Dimension name -> labels; None where it only has a length."""
        return self.dims.coords()

    @property
    def dim_lengths(self) -> dict[str, int]:
        """Dimension name -> present length."""
        return {name: dim.as_size for name, dim in self.dims.known.items()}

    def shape_from_dims(self, dims: Any) -> tuple[int, ...]:
        """The shape that dims stand for."""
        names = as_dims(dims, "shape_from_dims")
        return self.dims.sizes(names or (), "shape_from_dims")

    # -- data
    def set_data(self, name: str, values: Any, coords: Mapping[str, Any] | None = None) -> None:
        """Exchange the value of a data variable; lengths may change."""
        data.set_value_of(self, name, values, coords)

    def register_data_var(self, tensor: Tensor, dims: Any = None) -> None:
        """Add a data variable."""
        self._add(tensor, "data_vars", dims)

    def register_expression(self, tensor: Tensor, kind: str, dims: Any = None) -> None:
        """Add a named expression to "deterministics" or "potentials"."""
        self._add(tensor, kind, dims)

    def _add(self, tensor: Tensor, kind: str, dims: Sequence[str | None] | None) -> None:
        for model in self._lineage():
            getattr(model, kind).append(tensor)
            model.named_vars[tensor.name or ""] = tensor
            if dims is not None:
                model.named_vars_to_dims[tensor.name] = tuple(dims)

    # -- random variables
    def register_rv(
        self,
        rv_var: Tensor,
        name: str,
        *,
        observed: Any = None,
        total_size: Any = None,
        dims: Any = None,
        default_transform: Any = UNSET,
        transform: Any = UNSET,
        initval: Any = None,
    ) -> Tensor:
        """Add a random variable.

        Parameters
        ----------
        rv_var : Tensor
            Made by `.dist(...)`. Without a shape of its own it takes that of `dims`, else that of
            `observed`.
        name : str
            Its name.
        observed : array_like, Data or expression of data, optional
            Its data.
        total_size : None
            Not supported yet.
        dims : str or tuple of str, optional
            A name for each axis.
        default_transform, transform : Bijector or None, optional
            The map to unconstrained values; None for none.
        initval : array_like, str or Tensor, optional
            Where sampling starts.

        Returns
        -------
        Tensor
            The variable: use this one in the model.
        """
        full = self.name_for(name)
        dist = dist_of(rv_var.node)
        owner = f"{dist.name} {full!r}"
        if total_size is not None:
            raise NotYetSupported(f"{owner}: total_size= (minibatches) is not there yet.")
        self.check_new_name(full, owner)
        if any(rv_var.node is var.node for var in self.root.basic_in_order):
            raise ModelError(f"{owner}: this variable is in the model already; make another one.")
        names = as_dims(dims, owner)
        gaps = missing_in(observed, owner)
        if gaps is not None:
            whole = self._shaped(rv_var, names, Tensor(ops.as_tensor(gaps[0]).node), owner)
            options = {"transform": transform, "default_transform": default_transform}
            return register_imputed(self, whole, name, gaps, names, initval=initval, **options)
        values = None
        if observed is not None:
            values = observed_tensor(observed, owner, self.root.observes_expressions)
        rv = self._shaped(rv_var, names, values, owner)
        fresh = self._dims_of(rv, names, owner)
        if values is not None:
            if initval is not None:
                raise ParameterError(f"{owner}: initval= was given, but observed data need none.")
            frozen_rv, frozen_values = freeze([rv.node, values.node])
            fitted = fit_observed(Tensor(frozen_values), frozen_rv, owner, cast=False)
            if data_only(values):
                check_observed(frozen_rv, fitted, full)
            chosen = None
        else:
            chosen = self._transform(rv, transform, default_transform, owner)
            shape = tuple(map(int, rv.node.shape))
            initval = check_initval(initval, shape, rv.node.type.dtype, owner)
        variable = self.variable_type(rv.node, full)
        value = values if values is not None else self._value_variable(variable, chosen)
        self._register(variable, value, chosen, names, observed=values is not None)
        for dim, size in fresh:
            self.dims.add(dim, None, size)
        for model in self._lineage():
            model.rvs_to_initial_values[variable] = initval
        return variable

    def _shaped(self, rv: Tensor, dims: Any, values: Tensor | None, owner: str) -> Tensor:
        """The variable in the shape of its dims or data, unless it has one of its own."""
        if explicit_shape(rv.node) is not None or (dims is None and values is None):
            return Tensor(rv.node)
        shape: tuple[int, ...]
        if dims is not None:
            shape, origin = self.dims.sizes(dims, owner), f"dims={dims!r}"
        else:
            assert values is not None
            shape = values.shape
            if not self.root.observed_fix_shapes and rv.node.dynamic and rv.shape == shape:
                return Tensor(rv.node)
            origin = f"observed data of shape {tuple(map(int, shape))}"
        return make_rv(dist_of(rv.node), params_of(rv.node), shape, where=owner, origin=origin)

    def _dims_of(self, rv: Tensor, dims: Any, owner: str) -> list[tuple[str, int]]:
        """Check dims against the shape; the dims that the variable is the first to name."""
        if dims is None:
            return []
        check_lengths(dims, rv.node.shape, self.dims.known, owner)
        fresh = [
            (name, size)
            for name, size in zip(dims, rv.shape, strict=True)
            if name is not None and name not in self.dims
        ]
        for name, size in fresh:
            self.dims.checked(name, None, size)
        return fresh

    def _transform(self, rv: Tensor, transform: Any, default: Any, owner: str) -> Any:
        if rv.node.type.dtype != FLOAT:
            if isinstance(transform, Bijector):
                raise ParameterError(f"{owner}: a discrete variable takes no transform.")
            return None
        for keyword, given in (("transform", transform), ("default_transform", default)):
            if given is not UNSET and given is not None and not isinstance(given, Bijector):
                raise ParameterError(
                    f"{owner}: {keyword}={given!r} is no transform: expected None or one of "
                    "`finetti.dist.bijectors`."
                )
        if transform is None:
            return None
        automatic = None if default is None else AUTOMATIC if default is UNSET else default
        if transform is UNSET:
            return automatic if self._needs_map(rv, automatic) else None
        if automatic is not None and self._needs_map(rv, automatic):
            raise NotYetSupported(
                f"{owner}: a transform on top of the automatic one is not there yet. Write "
                "default_transform=None too, to use only your own."
            )
        return transform

    @staticmethod
    def _needs_map(rv: Tensor, chosen: Any) -> bool:
        if not isinstance(chosen, Automatic):
            return chosen is not None
        return chosen(dist_of(rv.node).support(**params_of(rv.node))) is not None

    def value_name(self, rv: Tensor, bijector: Bijector) -> str:
        """What the unconstrained value of a variable is called."""
        return bijector.value_name(rv.name or "")

    def _value_variable(self, rv: Tensor, chosen: Any) -> Tensor:
        bijector = chosen
        if isinstance(chosen, Automatic):
            bijector = chosen(dist_of(rv.node).support(**params_of(rv.node)))
        shape, name = rv.node.shape, rv.name or ""
        if bijector is not None:
            shape, name = bijector.unconstrained_shape(shape), self.value_name(rv, bijector)
        value = new_input(name, tuple(map(int, shape)), rv.node.type.dtype)
        value.name = name
        return value

    def _register(
        self, rv: Tensor, value: Tensor, transform: Any, dims: Any, observed: bool
    ) -> None:
        self._add(rv, "observed_RVs" if observed else "free_RVs", dims)
        for model in self._lineage():
            model.basic_in_order.append(rv)
            model.rvs_to_values[rv] = value
            model.rvs_to_transforms[rv] = transform
            if observed:
                model.observations[rv] = value
            else:
                model.values_to_rvs[value] = rv


class UnknownVariable(ModelError, KeyError):
    """A name that the model does not have."""

    def __str__(self) -> str:
        return str(self.args[0])
