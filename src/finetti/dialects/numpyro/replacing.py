"""Handlers that put other statements in the place of a model's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any

from finetti.dialects.numpyro import distributions as dist
from finetti.dialects.numpyro.primitives import Message, Messenger, apply_stack
from finetti.errors import ParameterError

__all__ = ["do", "lift", "reparam"]

Model = Callable[..., Any]


class do(Messenger):
    """Fixes what a statement returns, while the variable of its name no longer matters.

    Parameters
    ----------
    fn : callable, optional
        The model.
    data : dict
        Name -> value.
    """

    def __init__(self, fn: Model | None = None, data: Mapping[str, Any] | None = None) -> None:
        self.data = {} if data is None else data
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        before = msg.get("_intervener")
        if msg["type"] != "sample" or before is self or msg["name"] not in self.data:
            return
        if before is not None:
            warnings.warn(
                f"do: {msg['name']!r} is fixed by two handlers; the inner one counts for what "
                "follows from it.",
                RuntimeWarning,
                stacklevel=2,
            )
        msg["_intervener"] = self
        # the variable itself, seen by all handlers from the innermost on
        apply_stack({
            **msg, "kwargs": msg["kwargs"].copy(), "infer": msg["infer"].copy(), "scale": None,
            "cond_indep_stack": [],
        })  # fmt: skip
        value = self.data[msg["name"]]
        msg.update(name=f"{msg['name']}__CF", value=value, is_observed=True, stop=True)


class lift(Messenger):
    """Turns `param` statements into samples of a prior.

    Parameters
    ----------
    fn : callable, optional
        The model.
    prior : Distribution or dict
        For all parameters, or by their names.
    """

    def __init__(self, fn: Model | None = None, prior: Any = None) -> None:
        self.prior = prior
        self._drawn: dict[str, Message] = {}
        super().__init__(fn)

    def __enter__(self) -> Any:
        self._drawn = {}
        return super().__enter__()

    def process_message(self, msg: Message) -> None:
        if msg["type"] != "param":
            return
        name, kwargs = msg["name"], msg["kwargs"]
        fn = self.prior.get(name) if isinstance(self.prior, dict) else self.prior
        if not isinstance(fn, dist.Distribution):
            return
        msg.update(
            type="sample", fn=fn, args=(), intermediates=[], infer=msg.get("infer", {}),
            is_observed=False,
            kwargs={"rng_key": kwargs.get("rng_key"),
                    "sample_shape": kwargs.get("sample_shape", ())},
        )  # fmt: skip
        if name in self._drawn:  # the same parameter again is the same variable
            msg.update(value=self._drawn[name]["value"], is_observed=True, stop=True)
        else:
            self._drawn[name] = msg


class reparam(Messenger):
    """Writes sample statements with other variables; see `numpyro.infer.reparam`.

    Parameters
    ----------
    fn : callable, optional
        The model.
    config : dict or callable
        Name -> strategy, or a function from a message to a strategy or None.
    """

    def __init__(self, fn: Model | None = None, config: Any = None) -> None:
        if not isinstance(config, dict) and not callable(config):
            raise ParameterError("reparam: config must be a dict or a function of the message.")
        self.config = config
        super().__init__(fn)

    def process_message(self, msg: Message) -> None:
        if msg["type"] != "sample":
            return
        config = self.config
        strategy = config.get(msg["name"]) if isinstance(config, dict) else config(msg)
        if strategy is None:
            return
        fn, value = strategy(msg["name"], msg["fn"], msg["value"])
        if value is None:
            msg["fn"] = fn
        elif fn is None:
            kept = {key: msg[key] for key in ("name", "cond_indep_stack")}
            msg.clear()
            msg.update(type="deterministic", value=value, **kept)
        else:
            msg["is_observed"] = msg["is_observed"] or msg["value"] is None
            msg.update(fn=fn, value=value)
