"""How PyMC3 spelled distributions: only what differs from today, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Old:
    """One distribution in PyMC3's spelling.

    Parameters
    ----------
    today : str
        Its name today.
    order : tuple of str or None
        PyMC3's positional parameters; None when they are today's.
    renamed : mapping
        Keyword of PyMC3 -> today's.
    defaults : mapping
        Parameters that PyMC3 had a default for.
    dropped : tuple of str
        Keywords that said what follows from the shapes anyhow.
    start : str or number, optional
        Where PyMC3 started, if not at today's support point: "mean", "median", or a number.
    """

    today: str
    order: tuple[str, ...] | None = None
    renamed: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    dropped: tuple[str, ...] = ()
    start: Any = None


# Keywords of all distributions: PyMC3's -> today's; they apply where today's exists.
SYNONYMS = {"sd": "sigma"}

# The order of 3.11; 3.0 to 3.8 differ from it in names only where they differ at all.
OLD: dict[str, Old] = {
    "AsymmetricLaplace": Old("AsymmetricLaplace", ("b", "kappa", "mu")),
    "Constant": Old("DiracDelta"),
    "ConstantDist": Old("DiracDelta"),
    "ExGaussian": Old("ExGaussian", ("mu", "sigma", "nu", "sd")),
    "Exponential": Old("Exponential", start="median"),
    "Geometric": Old("Geometric", start=1),
    "Gumbel": Old("Gumbel", defaults={"mu": 0.0, "beta": 1.0}, start="median"),
    "HalfNormal": Old("HalfNormal", start="mean"),
    "HalfStudentT": Old("HalfStudentT", ("nu", "sigma", "lam", "sd"), defaults={"nu": 1.0}),
    "LogNormal": Old("LogNormal", start="median"),
    "Lognormal": Old("LogNormal", start="median"),
    "MvNormal": Old("MvNormal", ("mu", "cov", "tau", "chol", "lower")),
    "MvStudentT": Old("MvStudentT", ("nu", "Sigma", "mu", "cov", "tau", "chol", "lower")),
    "NormalMixture": Old(
        "NormalMixture", ("w", "mu", "sigma", "tau", "sd", "comp_shape"), dropped=("comp_shape",)
    ),
    "OrderedLogistic": Old("OrderedLogistic", defaults={"compute_p": False}),
    "SkewNormal": Old("SkewNormal", ("mu", "sigma", "tau", "alpha", "sd")),
    "StudentT": Old("StudentT", ("nu", "mu", "lam", "sigma", "sd")),
    "TruncatedNormal": Old("TruncatedNormal", ("mu", "sigma", "tau", "lower", "upper")),
    "VonMises": Old("VonMises", defaults={"mu": 0.0}),
    "ZeroInflatedPoisson": Old("ZeroInflatedPoisson", ("psi", "theta"), {"theta": "mu"}),
}
# Distributions whose old parameters are today's under other values of the same names: see faces.py.
SPECIAL = ("AR", "AR1", "DensityDist", "GaussianRandomWalk", "LKJCholeskyCov", "LKJCorr",
           "MixtureSameFamily", "StudentTpos")  # fmt: skip
# Distributions that only the other kind of `transform=` and `testval=` differ for.
SAME = """
    Bernoulli Beta BetaBinomial Binomial Categorical Cauchy ChiSquared Dirichlet
    DirichletMultinomial DiscreteUniform Flat Gamma HalfCauchy HalfFlat HyperGeometric
    Interpolated InverseGamma Kumaraswamy Laplace Logistic
    LogitNormal Mixture Moyal Multinomial NegativeBinomial Normal Pareto Poisson Rice Triangular
    Uniform Wald Weibull ZeroInflatedBinomial ZeroInflatedNegativeBinomial
""".split()

# `init=` names of PyMC3 that have no counterpart: the start is jittered instead, with a warning.
OTHER_INITS = ("advi", "advi+adapt_diag", "advi+adapt_diag_grad", "advi_map", "map", "nuts")

# Root names that are refused, and what to say.
_VI = "variational inference is not there yet; sample with `pm.sample()`"
_FILES = "draws are kept in memory; write them with `pm.save_trace(trace, directory)`"
_REMOVED = "it was removed from PyMC3 itself; {}"
REFUSED: dict[str, str] = {
    **dict.fromkeys(
        """ADVI ASVGD Approximation Empirical FullRank FullRankADVI Group Inference KLqp MeanField
        NFVI NormalizingFlow SVGD Stein advi advi_minibatch align_minibatches approximations fit
        flows sample_approx sample_vp adadelta adagrad adagrad_window adam adamax callbacks momentum
        nesterov_momentum norm_constraint operators opvi rmsprop sgd total_norm_constraint updates
        ImplicitGradient inference""".split(),
        _VI,
    ),
    **dict.fromkeys(
        ("Minibatch", "GeneratorAdapter", "generator"),
        "minibatches belong to variational inference, which is not there yet; pass all data",
    ),
    **dict.fromkeys(("sample_smc", "smc", "SMC", "Simulator"), "SMC is not there yet"),
    **dict.fromkeys(("gp", "plot_gp_dist"), "Gaussian processes are not there yet"),
    "ode": "differential equations are not there yet",
    **dict.fromkeys(("BART", "PGBART"), "additive regression trees are not there"),
    **dict.fromkeys(
        ("MLDA", "MetropolisMLDA", "DEMetropolisZMLDA", "RecursiveDAProposal"),
        "multilevel samplers are not there; use `pm.NUTS()` or `pm.DEMetropolisZ()`",
    ),
    "EllipticalSlice": "use `pm.Slice()` or `pm.NUTS()`",
    "iter_sample": "draws are made in native threads; use `pm.sample(...)` and look at the trace",
    **dict.fromkeys(("Text", "SQLite", "HDF5", "NDArray"), _FILES),
    "get_data_file": "finetti downloads nothing: open the file yourself",
    **dict.fromkeys(("dic", "bpic"), _REMOVED.format("use `pm.waic(trace)` or `pm.loo(trace)`")),
    "df_summary_": "",
    **dict.fromkeys(
        ("Continuous", "Discrete", "Distribution", "NoDistribution", "PositiveContinuous",
         "UnitContinuous"),
        "distributions are no classes here: write `pm.DensityDist(name, logp, ...)`",
    ),
    **dict.fromkeys(
        """ArrayOrdering CallableTensor DictToArrayBijection DictToVarBijection Factor TensorType
        approx_hessian bool_types compilef complex_types cont_inputs continuous_types default_type
        discrete_types eval_univariate fastfn float_types fn gradient guess_scaling hessian
        hessian_diag inputvars int_types isgenerator jacobian join_nonshared_inputs
        make_shared_replacements map_args set_tt_rng take_along_axis test test_functions
        theano_constant tt_rng typefilter""".split(),
        "it belongs to PyMC3's own workings; use the model's methods (`model.logp(point)`, "
        "`model.dlogp()`), `pm.find_hessian(point)`, or `theano.tensor`",
    ),
    "kde2plot": "use `pm.pairplot(trace, kind='kde')`",
    "model_to_networkx": "draw the model with `pm.model_to_graphviz(model)`",
}  # fmt: skip
del REFUSED["df_summary_"]
