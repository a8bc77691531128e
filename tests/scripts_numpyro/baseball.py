# Batting averages with no, complete and partial pooling; predictions for held-out at bats.
import argparse

import jax.numpy as jnp
import jax.random as random
import numpy as np
from jax.scipy.special import logsumexp

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, log_likelihood

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'alpha[0]': (-0.9154, 0.172), 'alpha[5]': (-0.95881, 0.176), 'loc': (-0.91746, 0.111),
    'scale': (0.16249, 0.105),
}

PLAYERS = ['Adams', 'Baker', 'Clark', 'Davis', 'Evans', 'Foster', 'Green', 'Hill', 'Irwin', 'Jones', 'King', 'Lopez']
SEASON = np.random.RandomState(3).binomial(300, np.random.RandomState(5).beta(60, 160, 12)) / 300.


def fully_pooled(at_bats, hits=None):
    phi_prior = dist.Uniform(0, 1)
    phi = numpyro.sample("phi", phi_prior)
    num_players = at_bats.shape[0]
    with numpyro.plate("num_players", num_players):
        return numpyro.sample("obs", dist.Binomial(at_bats, probs=phi), obs=hits)


def not_pooled(at_bats, hits=None):
    num_players = at_bats.shape[0]
    with numpyro.plate("num_players", num_players):
        phi_prior = dist.Uniform(0, 1)
        phi = numpyro.sample("phi", phi_prior)
        return numpyro.sample("obs", dist.Binomial(at_bats, probs=phi), obs=hits)


def partially_pooled(at_bats, hits=None):
    m = numpyro.sample("m", dist.Uniform(0, 1))
    kappa = numpyro.sample("kappa", dist.Pareto(1, 1.5))
    num_players = at_bats.shape[0]
    with numpyro.plate("num_players", num_players):
        phi_prior = dist.Beta(m * kappa, (1 - m) * kappa)
        phi = numpyro.sample("phi", phi_prior)
        return numpyro.sample("obs", dist.Binomial(at_bats, probs=phi), obs=hits)


def partially_pooled_with_logit(at_bats, hits=None):
    loc = numpyro.sample("loc", dist.Normal(-1, 1))
    scale = numpyro.sample("scale", dist.HalfCauchy(1))
    num_players = at_bats.shape[0]
    with numpyro.plate("num_players", num_players):
        alpha = numpyro.sample("alpha", dist.Normal(loc, scale))
        return numpyro.sample("obs", dist.Binomial(at_bats, logits=alpha), obs=hits)


def run_inference(model, at_bats, hits, rng_key, args):
    kernel = NUTS(model)
    mcmc = MCMC(kernel, num_warmup=args.num_warmup, num_samples=args.num_samples, num_chains=args.num_chains, progress_bar=False)
    mcmc.run(rng_key, at_bats, hits)
    return mcmc


def predict(model, at_bats, hits, z, rng_key, player_names, train=True):
    predictions = Predictive(model, posterior_samples=z)(rng_key, at_bats)["obs"]
    print("\n" + ("Training" if train else "Testing"))
    for name, x, p in zip(player_names, hits, jnp.quantile(predictions, jnp.array([0.05, 0.5, 0.95]), axis=0).T):
        print(f"{name:>10} {x} {p}")
    if not train:
        post_loglik = log_likelihood(model, z, at_bats, hits)["obs"]
        exp_log_density = logsumexp(post_loglik, axis=0) - jnp.log(jnp.shape(post_loglik)[0])
        print(f"log density of the held-out data: {exp_log_density.sum():.2f}")
        return float(exp_log_density.sum())


parser = argparse.ArgumentParser(description="batting averages")
parser.add_argument("-n", "--num-samples", nargs="?", default=600, type=int)
parser.add_argument("--num-warmup", nargs="?", default=300, type=int)
parser.add_argument("--num-chains", nargs="?", default=1, type=int)
args = parser.parse_args([])

train_at, season_at = np.full(12, 45), np.full(12, 300)
train_hits, season_hits = np.random.RandomState(0).binomial(45, SEASON), (SEASON * 300).astype(int)
density = {}
for i, model in enumerate((fully_pooled, not_pooled, partially_pooled, partially_pooled_with_logit)):
    mcmc = run_inference(model, train_at, train_hits, random.fold_in(random.PRNGKey(1), i), args)
    mcmc.print_summary()
    draws = mcmc.get_samples()
    predict(model, train_at, train_hits, draws, random.PRNGKey(2), PLAYERS)
    density[model.__name__] = predict(model, season_at, season_hits, draws, random.PRNGKey(3), PLAYERS, train=False)
    if model is not_pooled:  # conjugate: Beta(1 + hits, 1 + misses)
        exact = dist.Beta(1. + train_hits, 46. - train_hits)
        error = jnp.sqrt(exact.variance / 300)
        assert (jnp.abs(draws['phi'].mean(0) - exact.mean) < 5 * error).all()
    if model is fully_pooled:
        exact = dist.Beta(1. + train_hits.sum(), 1. + 45 * 12 - train_hits.sum())
        assert abs(draws['phi'].mean() - exact.mean) < 5 * jnp.sqrt(exact.variance / 150)
assert max(density, key=density.get).startswith('partially')
assert density['not_pooled'] < density['partially_pooled']
close(mcmc, REFERENCE)
