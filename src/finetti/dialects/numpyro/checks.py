"""What is wrong with a model that nothing else would say, or not in words of its user."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from finetti.dialects.numpyro.primitives import CondIndepStackFrame, Message
from finetti.errors import (
    InitialPointError,
    NotYetSupported,
    ParameterError,
    ShapeError,
    warn,
)

_TRACED = (
    "finetti traces the model to get its graph, so the values of latent sites are no numbers yet: "
    "write `jax.numpy` and `jax.scipy` instead of NumPy, SciPy and `math`; "
    "`jax.numpy.where(condition, a, b)` or `numpyro.contrib.control_flow.cond` instead of `if`; "
    "and print what `MCMC.get_samples()` returns, or with `jax.debug.print`."
)


def explain_tracing(error: Exception) -> None:
    """Add to an error of JAX or NumPy what traced values are, where they are its cause."""
    if isinstance(error, jax.errors.JAXTypeError) or "Tracer" in str(error):
        error.add_note(_TRACED)
    elif isinstance(error, ValueError) and isinstance(error.__cause__, jax.errors.JAXTypeError):
        error.add_note(_TRACED)  # NumPy found a traced value in an array


CANNOT_START = "Cannot find valid initial parameters. Please check your model again."
# what finetti's own advice is called here
_WORDS = {
    "`pm.math.exp`": "`jax.numpy.exp`",
    "an `initval=` where it is finite": "a start where it is finite by `init_to_value`",
    "another `initval=`": "another start by `init_to_value`",
    "an `initval=`": "a start by `init_to_value`",
    "other initial values with `initval=`": "other initial values by `init_to_value`",
}


class InvalidStart(InitialPointError, RuntimeError):
    """No point with a finite density was found; NumPyro raises a RuntimeError then."""


def cannot_start(sentence: str | None) -> str:
    """Why there is no starting point, in NumPyro's words and then in ours."""
    for word, here in _WORDS.items():
        sentence = sentence and sentence.replace(word, here)
    return f"{CANNOT_START} {sentence}" if sentence else CANNOT_START


class Plates:
    """The plates of a model: those of one name are one plate, of one size."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def see(self, msg: Message) -> None:
        """Refuse a plate with another size than before."""
        name, size = msg["name"], int(msg["args"][0])
        before = self._sizes.setdefault(name, size)
        if before != size:
            raise ParameterError(
                f"plate {name!r} has size {size} here and {before} before: plates of one name are "
                "one plate. Give them different names."
            )


def table(frames: list[CondIndepStackFrame]) -> str:
    """Plates in words."""
    return ", ".join(f"{f.name} (dim {f.dim}, size {f.size})" for f in frames)


def observed_shape(msg: Message) -> tuple[int, ...]:
    """The shape of an observed site: its distribution's and its data's together.

    Raises
    ------
    ShapeError
        Where they do not fit.
    """
    name, own, given = msg["name"], tuple(msg["fn"].shape()), tuple(np.shape(msg["value"]))
    open_plates = table(msg.get("cond_indep_stack", []))
    plates = f" The open plates are: {open_plates}." if open_plates else ""
    try:
        shape = tuple(np.broadcast_shapes(own, given))
    except ValueError:
        raise ShapeError(
            f"site {name!r}: the data have shape {given}, its distribution has batch shape "
            f"{msg['fn'].batch_shape} and event shape {msg['fn'].event_shape}.{plates} Axes count "
            "from the right: give the plate the length of the data, or the data another shape."
        ) from None
    if shape not in (own, given):
        warn(
            f"site {name!r}: data of shape {given} and a distribution of shape {own} make "
            f"{int(np.prod(shape))} terms of shape {shape}.{plates} Give them the same shape if "
            "every number is one observation."
        )
    return shape


def fixed_support(support: Any) -> bool:
    """Whether a support is the same wherever a distribution is made: its bounds are numbers."""
    own = vars(support).values() if hasattr(support, "__dict__") else ()
    return not any(
        isinstance(x, jax.core.Tracer) or (hasattr(x, "is_discrete") and not fixed_support(x))
        for x in own
    )


def missing_plates(sites: dict[str, Any]) -> None:
    """Warn of axes without a plate, of sites that are in some plate."""
    for name, site in sites.items():
        message = site.message
        dims = {frame.dim for frame in message.get("cond_indep_stack", ())}
        if site.kind not in ("latent", "observed") or site.hidden or not dims:
            continue
        batch = site.shape[: len(site.shape) - message.get("event_dim", 0)]
        for dim in range(-1, -len(batch) - 1, -1):
            steps = dim == -len(batch) and message.get("loop")  # the axis of a loop's steps
            if batch[dim] > 1 and dim not in dims and not steps:
                warn(
                    f"Missing a plate statement for batch dimension {dim} at site '{name}'. You "
                    "can use `numpyro.util.format_shapes` utility to check shapes at all sites of "
                    "your model."
                )


def refuse_discrete(names: list[str], where: str) -> None:
    """Refuse latent sites that NUTS cannot move.

    Raises
    ------
    NotYetSupported
        Always.
    """
    listed = ", ".join(map(repr, names))
    raise NotYetSupported(
        f"{where}: {listed} {'is' if len(names) == 1 else 'are'} discrete and latent. If that is "
        "data, `obs=` was None: hand the data to `MCMC.run`. Summing discrete sites out "
        "(NumPyro's enumeration) is not there yet: write the mixture with "
        "`dist.MixtureSameFamily`, or `numpyro.factor` with `jax.scipy.special.logsumexp`."
    )
