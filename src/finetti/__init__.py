"""Bayesian modelling in PyMC's words, compiled to one native function and sampled in C++.

Public names are found on first use, so that ``import finetti`` costs little more than NumPy.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

# Public name -> the module that has it. A name that ends in "." stands for the module itself.
_EXPORTS: dict[str, str] = {
    # spelling of distributions and functions
    **dict.fromkeys(
        (
            "AsymmetricLaplace", "Bernoulli", "Beta", "BetaBinomial", "Binomial", "Categorical",
            "Cauchy", "ChiSquared", "Dirichlet", "DirichletMultinomial", "DiscreteUniform",
            "ExGaussian", "Exponential", "Flat", "Gamma", "Geometric", "Gumbel", "HalfCauchy",
            "HalfFlat", "HalfNormal", "HalfStudentT", "HyperGeometric", "Interpolated",
            "InverseGamma", "Kumaraswamy", "Laplace", "LogNormal", "Logistic", "LogitNormal",
            "Moyal", "Multinomial", "MvNormal", "MvStudentT", "NegativeBinomial", "Normal",
            "NormalMixture", "Pareto", "Poisson", "Rice", "SkewNormal", "StudentT", "Triangular",
            "TruncatedNormal", "Uniform", "VonMises", "Wald", "Weibull", "ZeroInflatedBinomial",
            "ZeroInflatedNegativeBinomial", "ZeroInflatedPoisson",
        ),
        "finetti.dialects.pymc.distributions",
    ),
    **dict.fromkeys(
        (
            "AR", "CAR", "Censored", "DiracDelta", "GaussianRandomWalk", "LKJCholeskyCov",
            "LKJCorr", "Mixture", "OrderedLogistic", "RandomWalk", "Truncated", "ZeroSumNormal",
        ),
        "finetti.dialects.pymc.composed",
    ),
    **dict.fromkeys(("CustomDist", "DensityDist"), "finetti.dialects.pymc.custom"),
    "math": "finetti.dialects.pymc.math.",
    "transforms": "finetti.dialects.pymc.transforms.",
    "activate": "finetti.dialects.importer",
    "deactivate": "finetti.dialects.importer",
    "load_ipython_extension": "finetti.dialects.importer",
    "unload_ipython_extension": "finetti.dialects.importer",
    # distributions by themselves
    **dict.fromkeys(("icdf", "logccdf", "logcdf", "logp"), "finetti.dist.functions"),
    # models
    **dict.fromkeys(("Data", "set_data"), "finetti.model.data"),
    **dict.fromkeys(("Deterministic", "Potential", "UNSET"), "finetti.model.variables"),
    "Model": "finetti.model.model",
    "Point": "finetti.model.functions",
    "compile_fn": "finetti.model.functions",
    **dict.fromkeys(("do", "observe"), "finetti.model.conditioning"),
    "draw": "finetti.model.forward",
    "blackbox": "finetti.ir.ops.blackbox",
    "explain": "finetti.model.explain",
    "get_data": "finetti.model.functions",
    "modelcontext": "finetti.model.context",
    "from_jax": "finetti.dialects.jaxpr",
    "to_jax": "finetti.model.export",
    # inference
    "sample": "finetti.infer.sample",
    "step_methods": "finetti.infer.steps.",
    **dict.fromkeys(
        (
            "ArrayStep", "ArrayStepShared", "BinaryGibbsMetropolis", "BinaryMetropolis",
            "BlockedStep", "CategoricalGibbsMetropolis", "CauchyProposal", "Competence",
            "CompoundStep", "DEMetropolis", "DEMetropolisZ", "ElemwiseCategorical",
            "HamiltonianMC", "LaplaceProposal", "Metropolis", "MultivariateNormalProposal", "NUTS",
            "NormalProposal", "PoissonProposal", "RaveledVars", "STEP_METHODS", "Slice",
            "UniformProposal", "metrop_select",
        ),
        "finetti.infer.steps",
    ),
    **dict.fromkeys(
        ("compute_deterministics", "sample_posterior_predictive", "sample_prior_predictive"),
        "finetti.infer.predictive",
    ),
    **dict.fromkeys(("compute_log_likelihood", "compute_log_prior"), "finetti.infer.loglik"),
    **dict.fromkeys(("find_MAP", "find_hessian"), "finetti.infer.map"),
    "fit_laplace": "finetti.infer.laplace",
    # results
    "model_to_graphviz": "finetti.report.graphviz",
    "summary": "finetti.report.summary",
    "MultiTrace": "finetti.results.multitrace",
    "to_inference_data": "finetti.results.arviz",
    # errors
    "errors": "finetti.errors.",
    **dict.fromkeys(
        (
            "CompileError", "DimsError", "DtypeError", "FinettiError", "InitialPointError",
            "MissingPackageError", "ModelError", "NotYetSupported", "ParameterError",
            "SamplingError", "ShapeError", "SupportError", "TracedValueError",
        ),
        "finetti.errors",
    ),
}  # fmt: skip

__all__ = sorted([*_EXPORTS, "__version__"])


def __getattr__(name: str) -> Any:
    path = _EXPORTS.get(name)
    if path is not None:
        value = import_module(path.rstrip("."))
        if not path.endswith("."):
            value = getattr(value, name)
    elif name == "__version__":
        value = import_module("finetti.results.datasets")._version()
    elif name.startswith("__"):
        raise AttributeError(f"module 'finetti' has no attribute {name!r}")
    else:
        raise import_module("finetti.dialects.pymc.missing").explain(name, _EXPORTS)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*_EXPORTS, "__version__", *globals()})
