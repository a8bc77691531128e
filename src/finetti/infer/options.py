"""The keywords of `sample`: each one is checked, and honoured or refused by its name."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from finetti import _core
from finetti.errors import NotYetSupported, ParameterError, did_you_mean, warn
from finetti.model.compile import BACKENDS
from finetti.model.forward import seed_number

DEFAULT_CHAINS = 4
INITS = {  # PyMC's names -> whether the start is jittered
    "auto": True, "jitter+adapt_diag": True, "jitter+adapt_diag_grad": True, "adapt_diag": False,
    "jitter+adapt_full": True, "adapt_full": False,
}  # fmt: skip
# PyMC's keywords of NUTS -> the field of the sampler's configuration
NUTS_FIELDS = {
    "target_accept": "target_accept", "max_treedepth": "max_treedepth", "Emax": "max_energy_error",
    "adapt_step_size": "adapt_step_size", "gamma": "dual_averaging_gamma",
    "k": "dual_averaging_kappa", "t0": "dual_averaging_t0",
}  # fmt: skip
# keywords of PyMC's NUTS without a counterpart
NUTS_LATER = (
    "early_max_treedepth", "step_scale", "step_rand", "potential", "dtype", "path_length",
)  # fmt: skip
OTHER_NUTS = ("nutpie", "numpyro", "blackjax")
PYMC_BACKENDS = ("numba", "c", "jax", "cvm")
IDATA_KEYS = ("log_likelihood", "coords", "dims")
KEYWORDS = (
    "draws", "tune", "chains", "cores", "random_seed", "progressbar", "progressbar_theme", "quiet",
    "step", "var_names", "nuts_sampler", "initvals", "init", "jitter_max_retries", "n_init",
    "trace", "discard_tuned_samples", "compute_convergence_checks", "keep_warning_stat",
    "return_inferencedata", "idata_kwargs", "nuts_sampler_kwargs", "callback", "mp_ctx",
    "blas_cores", "model", "backend", "compile_kwargs", "nuts", *NUTS_FIELDS,
)  # fmt: skip


# keywords for the other steps that are chosen automatically, by the steps' names
STEP_NAMES = (
    "hmc", "metropolis", "binary_metropolis", "binary_gibbs_metropolis", "slice",
    "categorical_gibbs_metropolis", "DEMetropolis", "DEMetropolisZ",
)  # fmt: skip

# words of PyMC3's `sample` -> what they are called now
RENAMED = {
    "start": "initvals", "njobs": "cores", "nchains": "chains", "nuts_kwargs": "nuts",
    "step_kwargs": "nuts", "samples": "draws", "n_iter": "draws", "burn": "tune", "seed":
    "random_seed", "progress_bar": "progressbar",
}  # fmt: skip


@dataclass(frozen=True)
class Options:
    """Checked settings of one run.

    Parameters
    ----------
    draws, tune, chains, cores : int
        Sizes.
    seed : int
        Of all streams.
    init : str
        The name of the initialisation, for the log.
    jitter : bool
        Whether starts are jittered.
    retries : int or None
        How many jittered starts are tried.
    keep_warmup : bool
        Whether warm-up draws are returned too.
    checks : bool
        Whether to warn about convergence.
    log_likelihood : bool or list of str
        Whether, or of which observed variables, to store the elementwise log likelihood.
    coords, dims : mapping
        More labels for the result.
    nuts : dict
        Field of the sampler's configuration -> value.
    backend : str or None
        "native" or "reference".
    multitrace : bool
        Whether the result is a MultiTrace.
    dense : bool
        Whether the metric of an automatic NUTS is a matrix.
    step : object
        The user's step method, or a list of them, or None.
    step_keywords : dict
        Name of a step method -> keywords for the steps of that kind that are chosen automatically.
    watch : Watch, optional
        Tells the user's callback of every draw.
    """

    draws: int
    tune: int
    chains: int
    cores: int
    seed: int
    init: str
    jitter: bool
    retries: int | None
    keep_warmup: bool
    checks: bool
    log_likelihood: Any
    coords: Mapping[str, Any]
    dims: Mapping[str, Any]
    nuts: dict[str, Any]
    backend: str | None
    multitrace: bool = False
    dense: bool = False
    step: Any = None
    step_keywords: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    watch: Any = None

    @property
    def stores_warmup(self) -> bool:
        """Whether the core keeps the warm-up: to be returned, or for a callback."""
        return self.keep_warmup or self.watch is not None


def parse(given: Mapping[str, Any], extra: Mapping[str, Any]) -> Options:
    """Check the keywords of `sample`.

    Parameters
    ----------
    given : mapping
        Every keyword of its signature.
    extra : mapping
        Keywords beyond it: settings of NUTS, or mistakes.
    """
    _refuse(given)
    _warn_without_meaning(given)
    steps = {name: _keywords_of(name, extra[name]) for name in STEP_NAMES if name in extra}
    nuts = _nuts(given, {name: value for name, value in extra.items() if name not in steps})
    init = str(given["init"])
    if init.lower() not in INITS:
        raise NotYetSupported(
            f"sample: init={init!r} is not there. Use one of {', '.join(map(repr, INITS))}."
        )
    shown = "jitter+adapt_diag" if init.lower() == "auto" else init.lower()
    idata = _idata_kwargs(given["idata_kwargs"])
    tune = 1000 if given["tune"] is None else given["tune"]
    chains = _count(given["chains"], "chains", 1, DEFAULT_CHAINS)
    retries = given["jitter_max_retries"]
    retries = None if retries is None else _count(retries, "jitter_max_retries", 0)
    return Options(
        draws=_count(given["draws"], "draws", 1),
        tune=_count(tune, "tune", 0),
        chains=chains,
        cores=_count(given["cores"], "cores", 1, _cores(chains)),
        seed=seed_number(given["random_seed"]),
        init=shown,
        jitter=INITS[init.lower()],
        retries=retries,
        keep_warmup=not given["discard_tuned_samples"],
        checks=bool(given["compute_convergence_checks"]),
        log_likelihood=idata.get("log_likelihood", False),
        coords=idata.get("coords") or {},
        dims=idata.get("dims") or {},
        nuts=nuts,
        backend=_backend(given["backend"]),
        multitrace=not given["return_inferencedata"],
        dense=init.lower().endswith("adapt_full"),
        step=given["step"],
        step_keywords=steps,
    )


def _keywords_of(name: str, value: Any) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ParameterError(f"sample: {name}={value!r}: expected a dict of the step's keywords.")
    return value


def _cores(chains: int) -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    available = len(affinity(0)) if affinity is not None else os.cpu_count() or 1
    return min(available, chains)


def _count(value: Any, name: str, least: int, default: int | None = None) -> int:
    if value is None and default is not None:
        return default
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        if not (isinstance(value, float) and value.is_integer()):
            raise ParameterError(f"sample: {name}={value!r}, expected a whole number >= {least}.")
    if value < least:
        raise ParameterError(f"sample: {name}={value!r}, expected a whole number >= {least}.")
    return int(value)


def _refuse(given: Mapping[str, Any]) -> None:
    refused = {
        "trace": "draws are kept in memory; save the result with `idata.to_netcdf(path)`",
    }
    if given["callback"] is not None and not callable(given["callback"]):
        raise ParameterError(
            f"sample: callback={given['callback']!r}: expected a function `f(trace, draw)`."
        )
    for name, reason in refused.items():
        if given[name] is not None:
            raise NotYetSupported(f"sample: {name}={given[name]!r}: {reason}.")
    if given["keep_warning_stat"]:
        raise NotYetSupported("sample: keep_warning_stat=True: there is no such statistic.")
    if given["n_init"] not in (None, 200_000):
        raise NotYetSupported(
            f"sample: n_init={given['n_init']!r} belongs to init='advi', which is not there yet."
        )


def _warn_without_meaning(given: Mapping[str, Any]) -> None:
    """Keywords that choose among PyMC's machinery and cannot change the answer."""
    spoken = []
    if given["nuts_sampler"] not in (None, "pymc", "finetti"):
        if given["nuts_sampler"] not in OTHER_NUTS:
            valid = ("finetti", "pymc", *OTHER_NUTS)
            raise ParameterError(
                f"sample: nuts_sampler={given['nuts_sampler']!r}. "
                f"{did_you_mean(str(given['nuts_sampler']), valid)}"
            )
        spoken.append(f"nuts_sampler={given['nuts_sampler']!r} (finetti samples with its own NUTS)")
    if given["mp_ctx"] is not None:
        spoken.append(f"mp_ctx={given['mp_ctx']!r} (chains are threads, not processes)")
    if given["blas_cores"] not in (None, "auto"):
        spoken.append(f"blas_cores={given['blas_cores']!r} (chains make no BLAS threads)")
    if given["compile_kwargs"]:
        spoken.append(f"compile_kwargs={given['compile_kwargs']!r} (finetti has its own compiler)")
    if given["backend"] in PYMC_BACKENDS:
        spoken.append(f"backend={given['backend']!r} (finetti has its own compiler)")
    if spoken:
        warn(
            f"sample: without effect in finetti: {'; '.join(spoken)}.",
        )


def _backend(backend: Any) -> str | None:
    if backend is None or backend in PYMC_BACKENDS:
        return None
    if backend not in BACKENDS:
        raise ParameterError(f"sample: backend={backend!r}. {did_you_mean(str(backend), BACKENDS)}")
    return str(backend)


def _nuts(given: Mapping[str, Any], extra: Mapping[str, Any]) -> dict[str, Any]:
    settings: dict[str, Any] = {}
    for where, keywords in (
        ("sample", {**_written(given), **extra}),
        ("sample(nuts=...)", given["nuts"] or {}),
        ("sample(nuts_sampler_kwargs=...)", given["nuts_sampler_kwargs"] or {}),
    ):
        nuts_settings(where, keywords, settings)
    return settings


def nuts_settings(
    where: str, keywords: Any, settings: dict[str, Any] | None = None
) -> dict[str, Any]:
    """PyMC's keywords of NUTS as fields of the sampler's configuration.

    Parameters
    ----------
    where : str
        Who was given them, for messages.
    keywords : mapping
        Name -> value.
    settings : dict, optional
        What is there already; the new fields are added.
    """
    settings = {} if settings is None else settings
    if not isinstance(keywords, Mapping):
        raise ParameterError(f"{where}: expected a mapping, got {keywords!r}.")
    for name, value in keywords.items():
        field_name = NUTS_FIELDS.get(name)
        if field_name is None and where != "sample" and name in _own_fields():
            field_name = name
        if field_name is None:
            raise _unknown(where, name, value)
        if field_name in settings:
            raise ParameterError(f"{where}: {name}={value!r} came twice; give it once.")
        settings[field_name] = _setting(name, value)
    return settings


def nuts_config(settings: Mapping[str, Any], where: str) -> Any:
    """The sampler's configuration with some fields set, checked."""
    config = _core.NutsConfig()
    try:
        for name, value in settings.items():
            setattr(config, name, value)
        config.validate()
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{where}: {error}") from None
    return config


def _own_fields() -> set[str]:
    """Further settings of the sampler, under its own names."""
    fields = {name for name in dir(_core.NutsConfig) if not name.startswith("_")}
    return fields - {
        "draws", "tune", "store_warmup", "init_jitter", "init_retries", "dense_blocks",
        "validate",
    }  # fmt: skip


def _written(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in NUTS_FIELDS if given.get(name) is not None}


def _unknown(where: str, name: str, value: Any) -> Exception:
    if name in NUTS_LATER:
        return NotYetSupported(f"{where}: {name}={value!r} is a setting that is not there yet.")
    if name in ("scaling", "is_cov"):
        return ParameterError(
            f"{where}: {name}= belongs to a step of your own, as in PyMC: "
            "`pm.sample(step=pm.NUTS(scaling=..., is_cov=True))`."
        )
    if where == "sample" and name in RENAMED:
        return ParameterError(f"{where}: unknown keyword {name}={value!r}. Write {RENAMED[name]}=.")
    valid = KEYWORDS if where == "sample" else {*NUTS_FIELDS, *_own_fields()}
    return ParameterError(f"{where}: unknown keyword {name}={value!r}. {did_you_mean(name, valid)}")


def _setting(name: str, value: Any) -> Any:
    if name.endswith("treedepth"):
        return _count(value, name, 1)
    if isinstance(value, bool) or name.endswith(("window_size", "divergences")):
        return value
    number = float(value)
    if name == "target_accept" and not 0.0 < number < 1.0:
        raise ParameterError(f"sample: target_accept={value!r}, expected a number between 0 and 1.")
    return number


def _idata_kwargs(keywords: Any) -> Mapping[str, Any]:
    keywords = keywords or {}
    for name, value in keywords.items():
        if name not in IDATA_KEYS and value:
            raise NotYetSupported(
                f"sample: idata_kwargs has {name}={value!r}, which is not there yet. It takes "
                f"{', '.join(IDATA_KEYS)}."
            )
    return keywords  # type: ignore[no-any-return]


def names_list(names: Any, where: str, keyword: str) -> list[str] | None:
    """A list of names from one name, several, or None."""
    if names is None:
        return None
    if isinstance(names, str):
        return [names]
    if not isinstance(names, Sequence) and not hasattr(names, "__iter__"):
        raise ParameterError(f"{where}: {keyword}={names!r}: expected names.")
    return [name if isinstance(name, str) else name.name for name in names]
