"""Names of NumPyro that finetti does not have: what to say when a program asks for one."""

from __future__ import annotations

from collections.abc import Iterable

from finetti.errors import NotYetSupported, nearest

_SVI = "stochastic variational inference is not there yet: sample with numpyro.infer.MCMC."
_ENUM = (
    "discrete sites are not summed out yet: write the mixture with "
    "`dist.MixtureSameFamily`, or use `numpyro.factor` with `jax.scipy.special.logsumexp`."
)
_NETS = "networks made by libraries are not there yet: write their weights as sample sites."
_LATER = "it is not there yet."
_GIBBS = (
    "kernels for discrete sites are not there yet: sum them out with `dist.MixtureSameFamily` or "
    "`jax.scipy.special.logsumexp`, and use NUTS."
)
_FUNCTIONAL = (
    "the parts of NumPyro's sampler are not there: finetti's is native code. Give a kernel to "
    "`MCMC`, or take the density for another sampler from `numpyro.infer.util.initialize_model`."
)
# the beginning of a name -> why it is refused
REASONS = {
    "infer.SVI": _SVI,
    "infer.Trace": _SVI,
    "infer.TraceEnum": _SVI,
    "infer.RenyiELBO": _SVI,
    "infer.ELBO": _SVI,
    "infer.autoguide": _SVI,
    "infer.elbo": _SVI,
    "infer.svi": _SVI,
    "optim": _SVI,
    "contrib.funsor": _ENUM,
    "contrib.einstein": _SVI,
    "contrib.module": _NETS,
    "contrib.nested_sampling": _LATER,
    "contrib.stochastic_support": _LATER,
    "contrib.ecs_proxies": "subsampling inside of HMC (HMCECS) is not there yet.",
    "contrib.tfp": "distributions of TensorFlow Probability are not there.",
    "contrib": _LATER,
    "examples": "data sets are not shipped: load them from their source.",
    "nn": _NETS,
    "compat": "the names of Pyro's common interface are not there: write NumPyro's own.",
    "distributions.flows": _SVI,
    "infer.calibration": _SVI,
    "infer.gibbs": _GIBBS,
    "infer.hmc.": _FUNCTIONAL,
    "infer.hmc_util.": _FUNCTIONAL,
    "infer.hmc_gibbs": _GIBBS,
    "infer.importance": _SVI,
    "infer.mixed_hmc": _GIBBS,
    "infer.psis_diagnostic": _SVI,
    "ops": _LATER,
    "infer": _LATER,
    "util.check_model_guide_match": _SVI,
    "util.progress_bar_factory": "runs show finetti's own progress.",
}


def explain(name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that NumPyro may have and finetti lacks.

    Parameters
    ----------
    name : str
        The name below `numpyro`.
    known : iterable of str
        Names that are there.
    """
    last = name.rpartition(".")[2]
    if last.startswith("__"):
        return AttributeError(f"numpyro has no {name!r}")
    close = nearest(last, [word for word in known if not word.startswith("_")])
    near = f" The nearest names there are: {', '.join(close)}." if close else ""
    for beginning in sorted(REASONS, key=len, reverse=True):
        if name.startswith(beginning):
            reason = REASONS[beginning]
            return NotYetSupported(f"numpyro.{name}: {reason}{near if reason is _LATER else ''}")
    return NotYetSupported(f"numpyro.{name}: finetti does not have it.{near}")
