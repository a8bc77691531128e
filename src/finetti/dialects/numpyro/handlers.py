"""Handlers: what changes or records the statements of a model from outside."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from finetti.dialects.numpyro.collapsing import collapse
from finetti.dialects.numpyro.primitives import (
    CondIndepStackFrame,
    Message,
    Messenger,
    StatementError,
    prng_key,
)
from finetti.dialects.numpyro.replacing import do, lift, reparam
from finetti.errors import ParameterError

__all__ = [
    "block", "collapse", "condition", "do", "infer_config", "lift", "mask", "reparam", "replay",
    "scale", "scope", "seed", "substitute", "trace", "uncondition",
]  # fmt: skip

Model = Callable[..., Any]
DRAWN = ("sample", "plate", "control_flow")  # messages that a random key belongs to


class trace(Messenger):
    """Records every statement: an ordered dict from names to messages."""

    def __enter__(self) -> Any:
        super().__enter__()
        self.trace: OrderedDict[str, Message] = OrderedDict()
        return self.trace

    def postprocess_message(self, msg: Message) -> None:
        if "name" not in msg:
            return
        name = msg["name"]
        if msg["type"] in ("sample", "deterministic") and name in self.trace:
            raise StatementError(f"all sites must have unique names but got `{name}` duplicated")
        self.trace[name] = msg.copy()

    def get_trace(self, *args: Any, **kwargs: Any) -> OrderedDict[str, Message]:
        """Run the model and return what was recorded."""
        self(*args, **kwargs)
        return self.trace


class seed(Messenger):
    """Gives the model random keys.

    Parameters
    ----------
    fn : callable, optional
        The model.
    rng_seed : int or key
        Where the keys come from. Every call of a seeded model begins with the same one.
    hide_types : list of str, optional
        Types of messages that get none.
    """

    def __init__(
        self, fn: Model | None = None, rng_seed: Any = None, hide_types: Any = None
    ) -> None:
        self.rng_key = None if rng_seed is None else as_key(rng_seed)
        self.hide_types = [] if hide_types is None else hide_types
        self._begun = False
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] in self.hide_types or msg["type"] not in (*DRAWN, "prng_key"):
            return
        if msg["value"] is not None or msg["kwargs"]["rng_key"] is not None:
            return
        if self.rng_key is not None:
            self.rng_key, msg["kwargs"]["rng_key"] = jax.random.split(self.rng_key)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.fn is None or self._begun:
            return super().__call__(*args, **kwargs)
        again = seed(self.fn, self.rng_key, self.hide_types)
        again._begun = True
        return again(*args, **kwargs)


def is_prng_key(key: Any) -> bool:
    """Whether something is one random key, of JAX's old or new kind."""
    try:
        if jnp.issubdtype(key.dtype, jax.dtypes.prng_key):
            return bool(key.shape == ())
        return bool(key.dtype == np.uint32 and key.shape == (2,))
    except AttributeError:
        return False


def as_key(rng_seed: Any) -> Any:
    """A random key from a number or a key."""
    if is_prng_key(rng_seed):
        return rng_seed
    number = isinstance(rng_seed, (int, np.integer)) or (
        isinstance(rng_seed, (np.ndarray, jax.Array)) and jnp.shape(rng_seed) == ()
    )
    if not number:
        raise TypeError(f"Incorrect type for rng_seed: {type(rng_seed)}: expected an int or a key.")
    return jax.random.key(rng_seed)


class substitute(Messenger):
    """Gives statements a value: samples, parameters, plates and deterministic values.

    Parameters
    ----------
    fn : callable, optional
        The model.
    data : dict, optional
        Name -> value.
    substitute_fn : callable, optional
        ``substitute_fn(message)`` -> value or None.
    """

    types: tuple[str, ...] = ("sample", "param", "mutable", "plate", "deterministic")
    word = "substitute"

    def __init__(
        self,
        fn: Model | None = None,
        data: Mapping[str, Any] | None = None,
        substitute_fn: Callable[[Message], Any] | None = None,
    ) -> None:
        if (data is None) == (substitute_fn is None):
            raise ValueError(f"{self.word}: give either data or a function of the message.")
        self.data, self._given = data, substitute_fn
        super().__init__(fn)

    @property
    def substitute_fn(self) -> Callable[[Message], Any] | None:
        """The function of the message."""
        return self._given

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "control_flow":
            source = self.data if self.data is not None else self._given
            msg["kwargs"]["substitute_stack"].append((self.word, source))
            return
        if msg["type"] not in self.types or msg.get("_control_flow_done", False):
            return
        value = self._value(msg)
        if value is not None:
            if msg["type"] == "mutable" and isinstance(value, dict):
                value = value.copy()
            msg["value"] = value
            self._mark(msg)

    def _value(self, msg: Message) -> Any:
        if self.data is not None:
            return self.data.get(msg.get("name", ""))
        assert self._given is not None
        return self._given(msg)

    def _mark(self, msg: Message) -> None:
        pass


class condition(substitute):
    """Gives sample statements a value and marks them as observed.

    Parameters
    ----------
    fn : callable, optional
        The model.
    data : dict, optional
        Name -> value.
    condition_fn : callable, optional
        ``condition_fn(message)`` -> value or None.
    """

    types = ("sample",)
    word = "condition"

    def __init__(
        self,
        fn: Model | None = None,
        data: Mapping[str, Any] | None = None,
        condition_fn: Callable[[Message], Any] | None = None,
    ) -> None:
        super().__init__(fn, data, condition_fn)

    @property
    def condition_fn(self) -> Callable[[Message], Any] | None:
        """The function of the message."""
        return self._given

    def _mark(self, msg: Message) -> None:
        msg["is_observed"] = True


class uncondition(Messenger):
    """Draws what is observed; the data stay in the message's `infer`."""

    def process_message(self, msg: Message) -> None:
        if msg["type"] != "sample" or not msg["is_observed"]:
            return
        msg["infer"].update(was_observed=True, obs=msg["value"])
        msg.update(is_observed=False, value=None)
        if msg["kwargs"]["rng_key"] is None:
            msg["kwargs"]["rng_key"] = prng_key()


class replay(Messenger):
    """Gives sample statements the values of a trace.

    Parameters
    ----------
    fn : callable, optional
        The model.
    trace : dict
        What `trace(...).get_trace(...)` returned.
    """

    def __init__(self, fn: Model | None = None, trace: Mapping[str, Message] | None = None) -> None:
        if trace is None:
            raise ParameterError("replay: expected a trace.")
        self.trace = trace
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "control_flow":
            msg["kwargs"]["substitute_stack"].append(("replay", self.trace))
            return
        known = self.trace.get(msg.get("name", ""))
        if known is None or msg["type"] not in ("sample", "plate"):
            return
        if msg["type"] == "plate":
            if known["type"] != "plate":
                raise RuntimeError(f"Site {msg['name']} must be a plate in trace.")
            msg["value"] = known["value"]
            return
        if msg["is_observed"]:
            return
        if known["type"] != "sample" or known["is_observed"]:
            raise RuntimeError(f"Site {msg['name']} must be sampled in trace.")
        msg["value"], msg["infer"] = known["value"], known["infer"].copy()


class block(Messenger):
    """Hides statements from the handlers outside; all of them when nothing is said.

    Parameters
    ----------
    fn : callable, optional
        The model.
    hide_fn : callable, optional
        ``hide_fn(message)`` -> whether it is hidden. The first of the four that is given counts.
    hide : list of str, optional
        Names to hide.
    expose_types : list of str, optional
        Types to let through.
    expose : list of str, optional
        Names to let through.
    """

    def __init__(
        self,
        fn: Model | None = None,
        hide_fn: Callable[[Message], bool] | None = None,
        hide: Any = None,
        expose_types: Any = None,
        expose: Any = None,
    ) -> None:
        if hide_fn is not None:
            self.hide_fn = hide_fn
        elif hide is not None:
            self.hide_fn = lambda msg: msg.get("name") in hide
        elif expose_types is not None:
            self.hide_fn = lambda msg: msg.get("type") not in expose_types
        elif expose is not None:
            self.hide_fn = lambda msg: msg.get("name") not in expose
        else:
            self.hide_fn = lambda msg: True
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "prng_key" or not self.hide_fn(msg):
            return
        msg["stop"] = True
        # the message will not reach the handler that has the keys
        if msg["type"] in DRAWN and msg["value"] is None and msg["kwargs"]["rng_key"] is None:
            msg["kwargs"]["rng_key"] = prng_key()


class mask(Messenger):
    """Leaves elements out of the log density.

    Parameters
    ----------
    fn : callable, optional
        The model.
    mask : bool or array_like of bool
        Where the log density counts.
    """

    def __init__(self, fn: Model | None = None, mask: Any = True) -> None:
        if jnp.result_type(mask).kind != "b":
            raise ValueError("`mask` should be a bool array.")
        self.mask = mask
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "inspect":
            inner = msg["mask"]
            msg["mask"] = self.mask if inner is None else self.mask & inner
        elif msg["type"] == "sample":
            msg["fn"] = msg["fn"].mask(self.mask)
            hidden = msg.get("mask")  # the Jacobian of a latent value is left out where it is
            msg["mask"] = self.mask if hidden is None else self.mask & hidden


class scale(Messenger):
    """Multiplies log densities.

    Parameters
    ----------
    fn : callable, optional
        The model.
    scale : float or array_like
        By how much.
    """

    def __init__(self, fn: Model | None = None, scale: Any = 1.0) -> None:
        if not isinstance(scale, jax.core.Tracer) and np.any(np.less_equal(scale, 0)):
            raise ValueError("'scale' argument should be positive.")
        self.scale = scale
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] in ("param", "sample", "plate"):
            before = msg.get("scale")
            msg["scale"] = self.scale if before is None else self.scale * before


class scope(Messenger):
    """Puts a prefix in front of names.

    Parameters
    ----------
    fn : callable, optional
        The model.
    prefix : str
        The prefix.
    divider : str
        What stands between it and the name.
    hide_types : list of str, optional
        Types of messages that keep their names.
    """

    def __init__(
        self,
        fn: Model | None = None,
        prefix: str = "",
        divider: str = "/",
        *,
        hide_types: Any = None,
    ) -> None:
        self.prefix, self.divider = prefix, divider
        self.hide_types = [] if hide_types is None else hide_types
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        front = f"{self.prefix}{self.divider}"
        if msg.get("name") and msg["type"] not in self.hide_types:
            msg["name"] = front + msg["name"]
        if msg.get("cond_indep_stack") and "plate" not in self.hide_types:
            msg["cond_indep_stack"] = [
                CondIndepStackFrame(front + f.name, f.dim, f.size) for f in msg["cond_indep_stack"]
            ]


class infer_config(Messenger):
    """Adds to the `infer` of sample statements.

    Parameters
    ----------
    fn : callable, optional
        The model.
    config_fn : callable
        ``config_fn(message)`` -> dict.
    """

    def __init__(
        self, fn: Model | None = None, config_fn: Callable[[Message], Any] | None = None
    ) -> None:
        self.config_fn = config_fn
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] == "sample" and self.config_fn is not None:
            msg["infer"].update(self.config_fn(msg))
