"""Names of PyMC that finetti does not have: what to say when a script asks for one."""

from __future__ import annotations

from collections.abc import Iterable

from finetti.errors import NotYetSupported, nearest

# names that PyMC forwards to ArviZ, or did
_FROM_ARVIZ = """
    autocorrplot bfmi compare densityplot energyplot ess forestplot hdi hpd loo mcse pairplot
    plot_autocorr plot_compare plot_density plot_dist plot_ecdf_pit plot_energy plot_ess
    plot_forest plot_loo_pit plot_mcse plot_pair plot_parallel plot_posterior plot_ppc plot_ppc_dist
    plot_rank plot_trace plot_trace_dist r2_score rhat traceplot waic
"""
_ARVIZ = frozenset(_FROM_ARVIZ.split())
_ARVIZ_NAME = {
    "autocorrplot": "plot_autocorr",
    "densityplot": "plot_density",
    "energyplot": "plot_energy",
    "forestplot": "plot_forest",
    "hpd": "hdi",
    "pairplot": "plot_pair",
    "traceplot": "plot_trace",
}
# names of earlier PyMC versions, and what to write for them
_RENAMED = {
    "sample_ppc": "pm.sample_posterior_predictive",
    "fast_sample_posterior_predictive": "pm.sample_posterior_predictive",
    "sample_ppc_w": "pm.sample_posterior_predictive",
    "trace_to_dataframe": "idata.to_dataframe()",
    "save_trace": "idata.to_netcdf(path)",
    "load_trace": "arviz.from_netcdf(path)",
    "Lognormal": "pm.LogNormal",
    "invlogit": "pm.math.sigmoid",
    "logit": "pm.math.logit",
    "theano": "NumPy's functions on the model's variables",
    "pytensor": "NumPy's functions on the model's variables",
}
# the rest of PyMC 6's root
_FROM_PYMC = """
    AR ASVGD ADVI AsymmetricLaplace BaseModel BetaBinomial BinaryGibbsMetropolis BinaryMetropolis
    BlockedStep Bound CAR Categorical CategoricalGibbsMetropolis Censored ChiSquared CompoundStep
    Continuous CustomDist DEMetropolis DEMetropolisZ Data DensityDist DiracDelta Dirichlet
    DirichletMultinomial Discrete DiscreteUniform DiscreteWeibull Distribution Empirical
    EulerMaruyama ExGaussian Flat FrozenModel FullRank FullRankADVI GARCH11 GaussianRandomWalk
    Geometric Group Gumbel HalfFlat HalfStudentT HamiltonianMC HurdleGamma HurdleLogNormal
    HurdleNegativeBinomial HurdlePoisson HyperGeometric ICAR Interpolated InverseGamma KLqp
    KroneckerNormal Kumaraswamy LKJCholeskyCov LKJCorr Laplace Logistic LogitNormal MatrixNormal
    MeanField Metropolis Minibatch Mixture Moyal MultiTrace Multinomial MvGaussianRandomWalk
    MvStudentT MvStudentTRandomWalk NUTS NegativeBinomial NormalMixture OrderedLogistic
    OrderedMultinomial OrderedProbit Pareto Point PolyaGamma RandomWalk Rice SMC SVGD Simulator
    SkewNormal SkewStudentT Slice StickBreakingWeights Triangular Truncated TruncatedNormal VonMises
    Wald Weibull Wishart WishartBartlett ZeroInflatedBinomial ZeroInflatedNegativeBinomial
    ZeroInflatedPoisson ZeroSumNormal adadelta adagrad adam adamax compile compile_fn
    compute_deterministics compute_log_likelihood compute_log_prior dims distributions do draw
    find_MAP find_constrained_prior find_hessian fit floatX freeze_dims_and_data get_data gp icdf
    init_nuts logccdf logcdf logp math model_to_graphviz model_to_mermaid model_to_networkx
    modelcontext observe ode sample_smc sampling_jax set_data smc stats step_methods summary testing
    transforms tuning util variational vectorize_over_posterior
"""
_PYMC = frozenset(_FROM_PYMC.split())


def explain(name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that `pymc` was asked for and finetti lacks.

    Parameters
    ----------
    name
        The name asked for.
    known
        The names that finetti has.
    """
    public = [
        word for word in known if not word.startswith("_") and not word.endswith("Error")
        and word not in ("NotYetSupported", "UNSET", "backends", "errors")
    ]  # fmt: skip
    close = nearest(name, public)
    near = f" The nearest names there are: {', '.join(close)}." if close else ""
    if name in _RENAMED:
        return NotYetSupported(f"pymc.{name}: write {_RENAMED[name]} instead.")
    if name in _ARVIZ:
        instead = _ARVIZ_NAME.get(name, name)
        return NotYetSupported(
            f"pymc.{name}: finetti leaves it to ArviZ. Write `import arviz as az` and "
            f"az.{instead}(idata)."
        )
    if name in _PYMC:
        return NotYetSupported(f"pymc.{name}: finetti does not have it yet.{near}")
    return AttributeError(f"pymc has no {name!r}.{near}")
