"""What a model is made of: `sample`, `plate` and the other statements that handlers see.

Each statement makes a message, a dict with the keys that programs know, and sends it through the
stack of handlers: from the innermost one outwards, then back in from where it was stopped.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from finetti.dialects.numpyro import distributions as dist
from finetti.errors import NotYetSupported, ParameterError

Message = dict[str, Any]

_PYRO_STACK: list[Messenger] = []  # the name that programs which look at the stack know


class CondIndepStackFrame(NamedTuple):
    """A plate as a message carries it."""

    name: str
    dim: int
    size: int


class Messenger:
    """A handler: a context manager, a decorator, and a wrapper of a model.

    Parameters
    ----------
    fn : callable, optional
        The model that it wraps.
    """

    def __init__(self, fn: Callable[..., Any] | None = None) -> None:
        if fn is not None and not callable(fn):
            raise ValueError(
                f"{type(self).__name__}: expected a model, which is a function, got {fn!r}."
            )
        self.fn = fn
        if fn is not None:
            functools.update_wrapper(self, fn, updated=[])

    def __enter__(self) -> Any:
        _PYRO_STACK.append(self)
        return None

    def __exit__(self, kind: Any, error: Any, traceback: Any) -> None:
        if kind is None:
            if _PYRO_STACK[-1] is not self:
                raise RuntimeError(f"{type(self).__name__}: handlers were closed in a wrong order.")
            _PYRO_STACK.pop()
        elif self in _PYRO_STACK:
            # an error may have left handlers open that were opened inside of this one
            del _PYRO_STACK[_PYRO_STACK.index(self) :]

    def process_message(self, msg: Message) -> None:
        """Change a message on its way out."""

    def postprocess_message(self, msg: Message) -> None:
        """See a message, which has its value now, on its way back."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fn is None:  # used as a decorator
            if len(args) != 1 or kwargs or not callable(args[0]):
                raise ParameterError(f"{type(self).__name__}: expected one model to decorate.")
            self.fn = args[0]
            return self
        with self:
            return self.fn(*args, **kwargs)


def default_process_message(msg: Message) -> None:
    """Give a message without a value its own: a draw, or what its function returns."""
    if msg["value"] is not None:
        return
    if msg["type"] == "sample":
        msg["value"] = drawn(msg["name"], msg["fn"], **msg["kwargs"])
        msg["intermediates"] = []
    else:
        msg["value"] = msg["fn"](*msg["args"], **msg["kwargs"])


class StatementError(ParameterError, AssertionError):
    """A statement that cannot be, where NumPyro asserts that it is not."""


def drawn(name: str, fn: Any, rng_key: Any, sample_shape: tuple[int, ...] = ()) -> Any:
    """A draw of a site's distribution."""
    if rng_key is None and not isinstance(fn, _WITHOUT_KEY):
        raise StatementError(
            f"site {name!r}: there is no random key to draw it with. Run the model inside of "
            "`numpyro.handlers.seed(model, rng_seed=0)`, or give the site a value with "
            "`substitute` or `condition`."
        )
    return fn.sample(rng_key, sample_shape)


_WITHOUT_KEY = (dist.Delta, dist.Unit)


def apply_stack(msg: Message) -> Message:
    """Send a message through the handlers and give it its value."""
    passed = 0
    for handler in reversed(_PYRO_STACK):
        passed += 1
        handler.process_message(msg)
        if msg.get("stop"):
            break
    default_process_message(msg)
    for handler in _PYRO_STACK[len(_PYRO_STACK) - passed :]:
        handler.postprocess_message(msg)
    return msg


# -- statements ----------------------------------------------------------------------------------


def sample(
    name: str,
    fn: Any,
    obs: Any = None,
    rng_key: Any = None,
    sample_shape: tuple[int, ...] = (),
    infer: dict[str, Any] | None = None,
    obs_mask: Any = None,
) -> Any:
    """A random variable, or with `obs` an observation.

    Parameters
    ----------
    name : str
        Its name.
    fn : Distribution
        Its distribution.
    obs : array_like, optional
        Its observed value.
    rng_key : optional
        The key to draw it with, where no `seed` handler gives one.
    sample_shape : tuple of int
        More axes in front of the distribution's.
    infer : dict, optional
        Remarks for inference algorithms.
    obs_mask : array_like of bool, optional
        Where it is observed; elsewhere it is a latent variable ``<name>_unobserved``.
    """
    if not isinstance(sample_shape, tuple):
        raise StatementError(
            f"sample {name!r}: sample_shape={sample_shape!r}, expected a tuple of whole numbers, "
            "e.g. (3,)."
        )
    if isinstance(name, dist.Distribution):
        raise TypeError(
            f"sample: the name comes first, then the distribution: `numpyro.sample({fn!r}, "
            f"dist.{type(name).__name__}(...))`."
        )
    if not isinstance(fn, dist.Distribution):
        raise TypeError(
            f"sample {name!r}: expected an instance of numpyro.distributions.Distribution, got "
            f"{type(fn).__name__}. Distributions of TensorFlow Probability and funsor are not "
            "there."
        )
    if not _PYRO_STACK:
        return drawn(name, fn, rng_key, sample_shape) if obs is None else obs
    if obs_mask is not None:
        return _masked_sample(name, fn, obs, obs_mask, {"rng_key": rng_key, "infer": infer})
    return apply_stack({
        "type": "sample", "name": name, "fn": fn, "args": (),
        "kwargs": {"rng_key": rng_key, "sample_shape": sample_shape}, "value": obs, "scale": None,
        "is_observed": obs is not None, "intermediates": [], "cond_indep_stack": [],
        "infer": {} if infer is None else infer,
    })["value"]  # fmt: skip


def _masked_sample(name: str, fn: Any, obs: Any, obs_mask: Any, keywords: Any) -> Any:
    """Two sites, one observed and one not, and where they are which."""
    seen = sample(f"{name}_observed", fn.mask(obs_mask), obs=obs, **keywords)
    unseen = sample(f"{name}_unobserved", fn.mask(jnp.logical_not(obs_mask)), **keywords)
    place = jnp.reshape(obs_mask, jnp.shape(obs_mask) + (1,) * fn.event_dim)
    return deterministic(name, jnp.where(place, seen, unseen))


def deterministic(name: str, value: Any) -> Any:
    """Name a value, so that it is part of traces and results."""
    if not _PYRO_STACK:
        return value
    return apply_stack(
        {"type": "deterministic", "name": name, "value": value, "cond_indep_stack": []}
    )["value"]


def factor(name: str, log_factor: Any) -> None:
    """Add a term to the log density."""
    unit = dist.Unit(log_factor)
    value = jnp.zeros(jnp.shape(log_factor) + (0,))
    sample(name, unit, obs=value, infer={"is_auxiliary": True})


def param(name: str, init_value: Any = None, **kwargs: Any) -> Any:
    """A value for optimisation; without a handler that gives another, its initial value.

    Parameters
    ----------
    name : str
        Its name.
    init_value : array_like or callable, optional
        The value, or a function of a random key.
    constraint, event_dim : optional
        Its constraint, and how many trailing axes are no batch.
    """
    if not _PYRO_STACK:
        if callable(init_value):
            raise ParameterError(
                f"param {name!r}: init_value is a function of a random key, which only a model "
                "inside of `numpyro.handlers.seed` has."
            )
        return init_value

    def initial(value: Any, **ignored: Any) -> Any:
        return value(prng_key()) if callable(value) else value

    return apply_stack({
        "type": "param", "name": name, "fn": initial, "args": (init_value,), "kwargs": kwargs,
        "value": None, "scale": None, "cond_indep_stack": [],
    })["value"]  # fmt: skip


def mutable(name: str, init_value: Any = None) -> Any:
    """A value that the model may write into while it runs."""
    if not _PYRO_STACK:
        return init_value
    return apply_stack({
        "type": "mutable", "name": name, "fn": lambda value: value, "args": (init_value,),
        "kwargs": {}, "value": init_value,
    })["value"]  # fmt: skip


def get_mask() -> Any:
    """The mask of the open `mask` handlers; None where there is none."""
    return apply_stack({
        "type": "inspect", "fn": lambda: True, "args": (), "kwargs": {}, "value": None,
        "mask": None,
    })["mask"]  # fmt: skip


def prng_key() -> Any:
    """A fresh random key, inside of a `seed` handler."""
    if not _PYRO_STACK:
        raise ParameterError("prng_key: there are keys only inside of `numpyro.handlers.seed`.")
    return apply_stack({
        "type": "prng_key", "fn": lambda rng_key: rng_key, "args": (),
        "kwargs": {"rng_key": None}, "value": None,
    })["value"]  # fmt: skip


def subsample(data: Any, event_dim: int) -> Any:
    """The rows of data that the open plates have picked.

    Parameters
    ----------
    data : array_like
        All of the data.
    event_dim : int
        How many trailing axes are no plate's.
    """
    if not isinstance(event_dim, int) or event_dim < 0:
        raise ParameterError(f"subsample: event_dim={event_dim!r}, expected a whole number >= 0.")
    if not _PYRO_STACK:
        return data
    return apply_stack({"type": "subsample", "value": data, "kwargs": {"event_dim": event_dim}})[
        "value"
    ]


def module(name: str, nn: Any, input_shape: Any = None) -> Any:
    """Refused: networks of `jax.example_libraries.stax`."""
    raise NotYetSupported(
        f"module {name!r}: networks made by libraries are not there yet. Write its weights as "
        "`numpyro.sample` sites and its layers with `jax.numpy`."
    )


# -- plates --------------------------------------------------------------------------------------


def _pick(size: int, subsample_size: int | None, rng_key: Any = None) -> Any:
    """Rows of a plate without repetition."""
    if rng_key is None:
        raise ValueError(
            "Missing random key to generate subsample indices: HMC and NUTS need all of the data. "
            "Leave subsample_size out, or run the model inside of `numpyro.handlers.seed`."
        )
    return jax.random.choice(rng_key, size, (subsample_size,), replace=False)


def spread(msg: Message, frames: Sequence[CondIndepStackFrame]) -> None:
    """Give a site the plates' axes; axes that were asked for by sample_shape are among them."""
    own = tuple(msg["fn"].batch_shape)
    if "sample_shape" in msg["kwargs"]:
        own = (*msg["kwargs"]["sample_shape"], *own)
        msg["kwargs"]["sample_shape"] = ()
    expected = [1] * max(-frame.dim for frame in frames)
    for frame in frames:
        expected[frame.dim] = frame.size
    try:
        shape = jnp.broadcast_shapes(tuple(expected), own)
    except ValueError:
        rows = ", ".join(f"{f.name} (dim {f.dim}, size {f.size})" for f in frames)
        raise ParameterError(
            f"site {msg['name']!r}: its distribution has batch shape {tuple(own)}, which does "
            f"not fit the open plates: {rows}. Axes count from the right; give the parameters "
            "axes of length 1 (`x[:, None]`) where a plate lies in between, or the plate "
            "another dim."
        ) from None
    msg["fn"] = msg["fn"].expand(shape)


class plate(Messenger):
    """Conditional independence along an axis.

    Parameters
    ----------
    name : str
        Its name.
    size : int
        Its length.
    subsample_size : int, optional
        How many rows are taken in one run of the model; their log densities count
        ``size / subsample_size`` times.
    dim : int, optional
        Its axis, counted from the right; the rightmost free one by default.
    """

    def __init__(
        self, name: str, size: int, subsample_size: int | None = None, dim: int | None = None
    ) -> None:
        if size <= 0:
            raise StatementError(f"plate {name!r}: size={size!r}, expected a positive number.")
        if dim is not None and dim >= 0:
            raise ValueError(f"plate {name!r}: dim={dim!r} must be negative: it counts from the "
                             "right.")  # fmt: skip
        self.name, self.size = name, size
        whole = subsample_size is None or subsample_size == size
        msg = apply_stack({
            "type": "plate", "fn": _pick, "name": name, "args": (size, subsample_size),
            "kwargs": {"rng_key": None}, "value": jnp.arange(size) if whole else None,
            "scale": 1.0, "cond_indep_stack": [],
        })  # fmt: skip
        taken = {frame.dim for frame in msg["cond_indep_stack"]}
        self.dim = dim if dim is not None else next(d for d in _from_right() if d not in taken)
        if self.dim in taken:
            other = next(f.name for f in msg["cond_indep_stack"] if f.dim == self.dim)
            raise StatementError(
                f"plate {name!r}: dim={self.dim} is the axis of plate {other!r}, which is open. "
                "Give them different axes."
            )
        self._indices = msg["value"]
        self.subsample_size = int(jnp.shape(self._indices)[0])
        super().__init__()

    def __enter__(self) -> Any:
        super().__enter__()
        return self._indices

    def process_message(self, msg: Message) -> None:
        kind = msg["type"]
        if kind == "control_flow":
            raise NotImplementedError(
                f"plate {self.name!r} is open around a `scan` or `cond`: open it inside of the "
                "loop's body."
            )
        if kind not in ("param", "sample", "plate", "deterministic"):
            return
        if self.name in msg.get("infer", {}).get("block_plates", ()):
            return
        frames = msg["cond_indep_stack"]
        frames.append(CondIndepStackFrame(self.name, self.dim, self.subsample_size))
        if kind == "deterministic":
            return
        if kind == "sample":
            spread(msg, frames)
        if self.size != self.subsample_size:
            before = 1.0 if msg["scale"] is None else msg["scale"]
            msg["scale"] = before * (self.size / self.subsample_size)

    def postprocess_message(self, msg: Message) -> None:
        if msg["type"] not in ("subsample", "param"):
            return
        event_dim = msg["kwargs"].get("event_dim")
        if event_dim is None:
            return
        axis, shape = self.dim - event_dim, jnp.shape(msg["value"])
        if len(shape) < -axis or shape[axis] == 1:
            return
        if shape[axis] != self.size:
            raise ValueError(
                f"plate {self.name!r} of size {self.size} at dim {self.dim}: the values of "
                f"{msg['type']} {msg.get('name', '')!r} have shape {shape}, with event_dim="
                f"{event_dim}: expected length {self.size} in axis {axis}."
            )
        if self.subsample_size < self.size:
            msg["value"] = jnp.take(msg["value"], self._indices, axis)


def _from_right() -> Iterator[int]:
    dim = -1
    while True:
        yield dim
        dim -= 1


@contextmanager
def plate_stack(prefix: str, sizes: Sequence[int], rightmost_dim: int = -1) -> Iterator[None]:
    """Several plates side by side.

    Parameters
    ----------
    prefix : str
        They are called ``<prefix>_0`` (the rightmost), ``<prefix>_1``, ...
    sizes : sequence of int
        Their sizes, from left to right.
    rightmost_dim : int
        The axis of the last.
    """
    if rightmost_dim >= 0:
        raise ParameterError(f"plate_stack: rightmost_dim={rightmost_dim!r} must be negative.")
    with ExitStack() as stack:
        for i, size in enumerate(reversed(sizes)):
            stack.enter_context(plate(f"{prefix}_{i}", size, dim=rightmost_dim - i))
        yield
