"""How NumPyro spells distributions of whole numbers: one row each."""

from __future__ import annotations

from typing import Any

from finetti.dialects.numpyro.distributions import constraints, graphs
from finetti.dialects.numpyro.distributions.names_numbers import CONCENTRATION, PAIR, RATE
from finetti.dialects.numpyro.distributions.tabled import Arg, Row
from finetti.dist import ordered
from finetti.ir import ops

C = constraints

PROBS = Arg("probs", C.unit_interval)
LOGITS = Arg("logits", C.real)
TRIALS = Arg("total_count", C.nonnegative_integer, 1)
SIZE = Arg("total_count", C.positive)
GATE = Arg("gate", C.unit_interval)
SHARES = Arg("probs", C.simplex)
LOG_SHARES = Arg("logits", C.real_vector)
INTEGER = C.dependent(is_discrete=True, event_dim=0)
MOST = Arg("total_count_max", None, None, keyword_only=True)
NO_CDF = ("cdf", "icdf")
NOTHING = ("cdf", "icdf", "entropy")


def up_to(name: str) -> Any:
    """Whole numbers from 0 to an argument."""
    return lambda d: C.integer_interval(0, getattr(d, name))


def categories(name: str) -> Any:
    """The positions along the last axis of an argument."""
    return lambda d: C.integer_interval(0, getattr(d, name).shape[-1] - 1)


def last_axis(name: str) -> Any:
    """The last axis of an argument."""
    return lambda d: tuple(getattr(d, name).shape[-1:])


SIGMOID = {"probs": lambda d: graphs.apply(ops.sigmoid, d.logits)}
LOGIT = {"logits": lambda d: graphs.apply(ops.logit, d.probs)}
SOFTMAX = {"probs": lambda d: graphs.apply(ops.softmax, d.logits)}
LOG = {"logits": lambda d: graphs.apply(ops.log, d.probs)}


COUNTS = (
    Row("BernoulliProbs", "discrete", (PROBS,), "Bernoulli", {"p": "probs"}, C.boolean,
        "Zero or one.", differentiable=(), enumerable=True, derived=LOGIT, missing=NO_CDF),
    Row("BernoulliLogits", "discrete", (LOGITS,), "Bernoulli", {"logit_p": "logits"}, C.boolean,
        "Zero or one, by log odds.", differentiable=(), enumerable=True, derived=SIGMOID,
        missing=NO_CDF),
    Row("BinomialProbs", "discrete", (PROBS, TRIALS), "Binomial",
        {"n": "total_count", "p": "probs"}, up_to("total_count"),
        "The number of successes in a number of trials.", differentiable=(), enumerable=True,
        derived=LOGIT, missing=NOTHING),
    Row("BinomialLogits", "discrete", (LOGITS, TRIALS), "Binomial",
        {"n": "total_count", "logit_p": "logits"}, up_to("total_count"),
        "The number of successes in a number of trials, by log odds.", differentiable=(),
        enumerable=True, derived=SIGMOID, missing=NOTHING),
    Row("CategoricalProbs", "discrete", (SHARES,), "Categorical", {"p": "probs"},
        categories("probs"), "One of several categories.", differentiable=(), enumerable=True,
        derived=LOG, missing=NO_CDF, nan_moments=True),
    Row("CategoricalLogits", "discrete", (LOG_SHARES,), "Categorical", {"logit_p": "logits"},
        categories("logits"), "One of several categories, by unnormalised log probabilities.",
        differentiable=(), enumerable=True, derived=SOFTMAX, missing=NO_CDF, nan_moments=True),
    Row("OrderedLogistic", "discrete",
        (Arg("predictor", C.real), Arg("cutpoints", C.ordered_vector)), "OrderedLogistic",
        {"eta": "predictor", "cutpoints": "cutpoints"},
        lambda d: C.integer_interval(0, d.cutpoints.shape[-1]),
        "One of several categories in an order.", parent="CategoricalProbs", differentiable=(),
        enumerable=True, missing=NOTHING, nan_moments=True,
        derived={"probs": lambda d: graphs.apply(ordered.probabilities, d.predictor, d.cutpoints)}),
    Row("Poisson", "discrete",
        (Arg("rate", C.greater_than_eq(0.0)), Arg("is_sparse", None, False, keyword_only=True)),
        "Poisson", {"mu": "rate"}, C.nonnegative_integer, "A count.", differentiable=(),
        missing=("icdf", "entropy")),
    Row("GeometricProbs", "discrete", (PROBS,), "geometric.Failures", {"p": "probs"},
        C.nonnegative_integer, "The number of failures before a success.", differentiable=(),
        derived=LOGIT, missing=NO_CDF),
    Row("GeometricLogits", "discrete", (LOGITS,), "geometric.Failures", {"logit_p": "logits"},
        C.nonnegative_integer, "The number of failures before a success, by log odds.",
        differentiable=(), derived=SIGMOID, missing=NO_CDF),
    Row("DiscreteUniform", "discrete", (Arg("low", INTEGER, 0), Arg("high", INTEGER, 1)),
        "DiscreteUniform", {"lower": "low", "upper": "high"},
        lambda d: C.integer_interval(d.low, d.high),
        "A whole number between two bounds, each equally likely.", differentiable=(),
        enumerable=True),
    Row("MultinomialProbs", "discrete", (SHARES, TRIALS, MOST), "Multinomial",
        {"n": "total_count", "p": "probs"}, lambda d: C.multinomial(d.total_count),
        "How often each of several categories occurs.", last_axis("probs"), differentiable=(),
        derived=LOG, missing=NOTHING),
    Row("MultinomialLogits", "discrete", (LOG_SHARES, TRIALS, MOST), "multinomial.ByLogits",
        {"n": "total_count", "logit_p": "logits"}, lambda d: C.multinomial(d.total_count),
        "How often each of several categories occurs, by unnormalised log probabilities.",
        last_axis("logits"), differentiable=(), derived=SOFTMAX, missing=NOTHING),
    Row("DirichletMultinomial", "conjugate",
        (Arg("concentration", C.independent(C.positive, 1)), TRIALS, MOST),
        "DirichletMultinomial", {"n": "total_count", "a": "concentration"},
        lambda d: C.multinomial(d.total_count),
        "How often categories occur, with Dirichlet probabilities.", last_axis("concentration"),
        differentiable=(), missing=NOTHING),
    Row("BetaBinomial", "conjugate", (*PAIR, TRIALS), "BetaBinomial",
        {"alpha": "concentration1", "beta": "concentration0", "n": "total_count"},
        up_to("total_count"), "Successes in trials whose probability is a beta number.",
        differentiable=(), enumerable=True, missing=NOTHING),
    Row("BetaNegativeBinomial", "conjugate", (*PAIR, Arg("n", C.positive)),
        "betanegativebinomial.BetaNegativeBinomial",
        {"alpha": "concentration1", "beta": "concentration0", "n": "n"}, C.nonnegative_integer,
        "A negative binomial count whose probability is a beta number.", differentiable=(),
        missing=NOTHING),
    Row("GammaPoisson", "conjugate", (CONCENTRATION, RATE), "negativebinomial.ByRate",
        {"alpha": "concentration", "rate": "rate"}, C.nonnegative_integer,
        "A Poisson count whose mean is a gamma number.", differentiable=(),
        missing=("icdf", "entropy")),
    Row("NegativeBinomial2", "conjugate", (Arg("mean", C.nonnegative), CONCENTRATION),
        "NegativeBinomial", {"mu": "mean", "alpha": "concentration"}, C.nonnegative_integer,
        "An over-dispersed count, by its mean.", parent="GammaPoisson", differentiable=(),
        missing=("icdf", "entropy")),
    Row("NegativeBinomialProbs", "conjugate", (SIZE, PROBS), "negativebinomial.BySuccess",
        {"n": "total_count", "p": "probs"}, C.nonnegative_integer,
        "The number of successes before so many failures.", parent="GammaPoisson",
        differentiable=(), missing=("icdf", "entropy")),
    Row("NegativeBinomialLogits", "conjugate", (SIZE, LOGITS), "negativebinomial.ByLogits",
        {"n": "total_count", "logit_p": "logits"}, C.nonnegative_integer,
        "The number of successes before so many failures, by log odds.", parent="GammaPoisson",
        differentiable=(), missing=("icdf", "entropy")),
)  # fmt: skip
