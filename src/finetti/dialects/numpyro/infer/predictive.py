"""`Predictive` and `log_likelihood`: a model's sites for given draws of some of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import numpy as np

from finetti.dialects.numpyro import handlers
from finetti.dialects.numpyro.infer.device import to_jax
from finetti.dialects.numpyro.infer.running import seed_of
from finetti.dialects.numpyro.primitives import Message
from finetti.dialects.numpyro.translate import Translated, translate
from finetti.errors import NotYetSupported, ParameterError, did_you_mean
from finetti.ir import Node
from finetti.model.forward import compute, draw_all

__all__ = ["Predictive", "log_likelihood"]

Array = Any
Model = Callable[..., Any]


class Predictive:
    """Draws from the predictive distribution.

    Parameters
    ----------
    model : callable
        The model.
    posterior_samples : dict, optional
        Name -> draws, e.g. of `MCMC.get_samples()`; without them all sites are drawn.
    guide : None
        Guides are not there yet.
    params : dict, optional
        Values of `param` sites.
    num_samples : int, optional
        How many draws, without posterior ones.
    return_sites : sequence of str, optional
        What to return; by default deterministic sites and those without posterior draws.
    infer_discrete : bool
        Only False.
    parallel : bool
        Accepted: draws are made all at once.
    batch_ndims : int, optional
        How many leading axes of the posterior draws are draws; 1 by default.
    condition_deterministic : bool
        Take deterministic sites from the posterior draws, rather than compute them again.
    exclude_deterministic : bool, optional
        NumPyro's earlier word for its opposite.
    """

    def __init__(  # noqa: PLR0913, a user's keywords
        self,
        model: Model,
        posterior_samples: Mapping[str, Any] | None = None,
        *,
        guide: Any = None,
        params: Mapping[str, Any] | None = None,
        num_samples: int | None = None,
        return_sites: Sequence[str] | None = None,
        infer_discrete: bool = False,
        parallel: bool = False,
        batch_ndims: int | None = None,
        condition_deterministic: bool | None = None,
        exclude_deterministic: bool | None = None,
    ) -> None:
        if guide is not None:
            raise NotYetSupported("Predictive: guide=: variational inference is not there yet.")
        if infer_discrete:
            raise NotYetSupported(
                "Predictive: infer_discrete=True: discrete sites are not summed out yet, so they "
                "cannot be recovered."
            )
        if exclude_deterministic is not None:
            warnings.warn(
                "`exclude_deterministic` is deprecated: write `condition_deterministic="
                f"{not exclude_deterministic}`.",
                FutureWarning,
                stacklevel=2,
            )
            condition_deterministic = not exclude_deterministic
        if posterior_samples is None and num_samples is None:
            raise ValueError("Either posterior_samples or num_samples must be specified.")
        if return_sites is not None and isinstance(return_sites, str):
            raise ParameterError("Predictive: return_sites: expected a list of names.")
        self.model = model
        self.posterior_samples = dict(posterior_samples or {})
        self.params = dict(params or {})
        self.return_sites = return_sites
        self.parallel, self.infer_discrete, self.guide = parallel, False, None
        self.batch_ndims = 1 if batch_ndims is None else int(batch_ndims)
        self.condition_deterministic = bool(condition_deterministic)
        shape = _batch_shape(self.posterior_samples, self.batch_ndims)
        if shape is not None and num_samples is not None and int(np.prod(shape)) != num_samples:
            warnings.warn(
                f"Predictive: the posterior has {int(np.prod(shape))} draws, num_samples="
                f"{num_samples} is ignored.",
                UserWarning,
                stacklevel=2,
            )
        if shape is None:
            if num_samples is None:
                raise ValueError("No sample sites in posterior samples to infer `num_samples`.")
            shape = (1,) * (self.batch_ndims - 1) + (int(num_samples),)
        self._batch_shape = shape
        self.num_samples = int(np.prod(shape))

    def __call__(self, rng_key: Any, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Draws by name.

        Parameters
        ----------
        rng_key : key
            A random key; the same key gives the same draws.
        *args, **kwargs
            The model's arguments.
        """
        batch = len(self._batch_shape)
        traced = is_traced((rng_key, args, kwargs, self.posterior_samples))
        given = {
            name: x.reshape(self.num_samples, *x.shape[batch:])
            for name, x in _arrays(self.posterior_samples, traced).items()
        }
        found = None if traced else self._by_engine(rng_key, given, args, kwargs)
        if found is None:
            found = self._by_jax(rng_key, given, args, kwargs)
        return {
            name: to_jax(found[name].reshape(*self._batch_shape, *found[name].shape[1:]))
            for name in sorted(found)
        }

    def _wanted(self, kinds: Mapping[str, str], given: Mapping[str, Any]) -> list[str]:
        """Names to return, among all sites' names -> "sample" or "deterministic"."""
        if self.return_sites is not None:
            return [name for name in kinds if name in set(self.return_sites)]
        return [n for n, kind in kinds.items() if kind == "deterministic" or n not in given]

    def _by_engine(
        self, rng_key: Any, given: Mapping[str, Array], args: Any, kwargs: Any
    ) -> dict[str, Array] | None:
        """All draws of a site at once; None where the engine has no draws of some site."""
        key = rng_key if handlers.is_prng_key(rng_key) else None
        try:
            translated = translate(
                self.model, args, kwargs,
                rng_key=key, params=self.params, subsampling=False,
            )  # fmt: skip
        except NotYetSupported:  # what finetti's graph has no word for, JAX can still run
            return None
        count = self.num_samples
        known = known_rows(translated, given, self.condition_deterministic)
        if known is None:
            return None
        kinds = {
            name: site.message.get("type", "sample")
            for name, site in translated.sites.items()
            if not site.hidden
        }
        wanted = self._wanted(kinds, given)
        nodes = {n: translated.values[n].node for n in wanted if n in translated.values}
        labels = {tensor.node: name for name, tensor in translated.values.items()}
        try:
            drawn = draw_all(list(nodes.values()), count, known, seed_of(rng_key), labels)
        except NotYetSupported:
            return None
        found = dict(zip(nodes, drawn, strict=True))
        for name in wanted:
            if name not in nodes:  # factors have no value
                found[name] = np.zeros((count, *translated.terms[name].node.shape, 0))
        return found

    def _by_jax(
        self, rng_key: Any, given: Mapping[str, Array], args: Any, kwargs: Any
    ) -> dict[str, Array]:
        """Run the model in JAX, draw by draw."""
        kinds: dict[str, str] = {}

        def one(key: Any, point: Mapping[str, Any]) -> dict[str, Any]:
            def fixed(msg: Message) -> Any:
                if msg["type"] == "deterministic" and not self.condition_deterministic:
                    return None
                return point.get(msg.get("name", ""), self.params.get(msg.get("name", "")))

            model = handlers.substitute(self.model, substitute_fn=fixed)
            trace = handlers.trace(handlers.seed(model, key)).get_trace(*args, **kwargs)
            kinds.update({n: m["type"] for n, m in trace.items()
                          if m["type"] in ("sample", "deterministic")})  # fmt: skip
            return {name: trace[name]["value"] for name in self._wanted(kinds, given)}

        keys = jax.random.split(rng_key, self.num_samples)
        rows: dict[str, Array] = jax.lax.map(lambda pair: one(*pair), (keys, dict(given)))
        return rows


def is_traced(tree: Any) -> bool:
    """Whether JAX is tracing (`jit`, `vmap`, ...) something of a tree: then it is no number."""
    return any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree_util.tree_leaves(tree))


def _arrays(samples: Mapping[str, Any], traced: bool) -> dict[str, Array]:
    give = jax.numpy.asarray if traced else np.asarray
    return {name: give(x) for name, x in samples.items()}


def _batch_shape(samples: Mapping[str, Any], ndims: int) -> tuple[int, ...] | None:
    first, shape = "", None
    for name, x in samples.items():
        own = tuple(np.shape(x)[:ndims])
        if shape is not None and own != shape:
            raise ValueError(
                f"Batch shapes at site {name} and {first} should be the same, but got {own} and "
                f"{shape}"
            )
        first, shape = name, own
    return shape


def known_rows(
    translated: Translated, given: Mapping[str, Array], deterministic: bool = False
) -> dict[Node, Array] | None:
    """Node -> rows of draws; None where a site has another shape now than the draws have."""
    known: dict[Node, Array] = {}
    for name, rows in given.items():
        tensor = translated.values.get(name)
        if tensor is None:
            continue
        site = translated.sites[name]
        hidden = f"_{name}_unconstrained" in translated.sites
        if site.kind == "deterministic" and not deterministic and not hidden:
            continue
        if rows.shape[1:] != tuple(map(int, tensor.node.shape)):
            return None
        known[tensor.node] = rows.astype(tensor.node.type.dtype)
    return known


def log_likelihood(
    model: Model,
    posterior_samples: Mapping[str, Any],
    *args: Any,
    parallel: bool = False,
    batch_ndims: int = 1,
    **kwargs: Any,
) -> dict[str, Any]:
    """The log density of observed sites for draws of all latent ones.

    Parameters
    ----------
    model : callable
        The model.
    posterior_samples : dict
        Name -> draws.
    *args, **kwargs
        The model's arguments, the data among them.
    parallel : bool
        Accepted: it is computed for all draws at once.
    batch_ndims : int
        How many leading axes are draws.

    Returns
    -------
    dict
        Name -> [draws, ...], one number an event. Masks count, scales do not.
    """
    shape = _batch_shape(posterior_samples, batch_ndims)
    shape = (1,) * batch_ndims if shape is None else shape
    count = int(np.prod(shape))
    traced = is_traced((posterior_samples, args, kwargs))
    given = {
        name: x.reshape(count, *x.shape[batch_ndims:])
        for name, x in _arrays(posterior_samples, traced).items()
    }
    if traced:
        terms = _terms_by_jax(model, given, args, kwargs)
        return {name: x.reshape(*shape, *x.shape[1:]) for name, x in sorted(terms.items())}
    translated = translate(model, args, kwargs)
    sites = translated.sites
    latent = [n for n, site in sites.items() if site.kind == "latent" and not site.hidden]
    latent += [name for name in sites if f"_{name}_unconstrained" in sites]
    missing = [name for name in latent if name not in given]
    if missing:
        raise ParameterError(
            f"log_likelihood: the draws have no site {missing[0]!r}. "
            + (did_you_mean(missing[0], given) if given else "They are empty.")
        )
    known = known_rows(translated, given)
    if known is None:
        wrong = next(n for n, x in given.items() if n in translated.values
                     and x.shape[1:] != translated.values[n].node.shape)  # fmt: skip
        raise ParameterError(
            f"log_likelihood: the draws of {wrong!r} have shape {given[wrong].shape[1:]}, the "
            f"model has {tuple(translated.values[wrong].node.shape)} with these arguments."
        )
    names = sorted(translated.terms)
    rows = compute([translated.terms[name].node for name in names], count, known)
    return {
        name: to_jax(np.reshape(x, (*shape, *x.shape[1:])))
        for name, x in zip(names, rows, strict=True)
    }


def _terms_by_jax(model: Model, given: Mapping[str, Array], args: Any, kwargs: Any) -> Any:
    """Each observed site's log density for each draw, where draws or data are traced by JAX."""

    def one(point: Mapping[str, Any]) -> dict[str, Any]:
        found = handlers.trace(handlers.substitute(model, data=point)).get_trace(*args, **kwargs)
        return {
            name: site["fn"].log_prob(site["value"])
            for name, site in found.items()
            if site["type"] == "sample" and site["is_observed"]
        }

    return jax.vmap(one)(dict(given))
