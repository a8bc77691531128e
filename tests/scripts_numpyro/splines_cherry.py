# A spline for a trend, as in the cherry blossom example: B-splines by SciPy, a random walk on weights.
import jax.numpy as jnp
import numpy as np
from jax import lax, random, vmap
from scipy.interpolate import BSpline

import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import hpdi
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'mu[80]': (101.55, 0.539), 'mu[10]': (106.96, 0.757), 'sigma': (2.4841, 0.145),
}

rng = np.random.default_rng(4)
year = np.linspace(850, 1980, 160)
trend = 104 + 3 * np.sin(year / 120) - 4 * (year > 1850) * (year - 1850) / 130
doy = trend + rng.normal(0, 2.5, 160)
knots = np.quantile(year, np.linspace(0, 1, 10))
t = np.pad(knots, (3, 3), mode="edge")
B = BSpline(t, np.identity(len(knots) + 2), k=3)(year)


def model(B, D=None):
    a = numpyro.sample("a", dist.Normal(100, 10))
    w = numpyro.sample("w", dist.Normal(0, 10).expand(B.shape[1:]))
    sigma = numpyro.sample("sigma", dist.Exponential(1))
    mu = numpyro.deterministic("mu", a + B @ w)
    numpyro.sample("D", dist.Normal(mu, sigma), obs=D)


def walk(B, D=None):
    a = numpyro.sample("a", dist.Normal(100, 10))
    tau = numpyro.sample("tau", dist.HalfNormal(5.))
    w = numpyro.sample("w", dist.GaussianRandomWalk(1.0, num_steps=B.shape[1]))
    sigma = numpyro.sample("sigma", dist.Exponential(1))
    mu = numpyro.deterministic("mu", a + jnp.dot(B, tau * w))
    numpyro.sample("D", dist.Normal(mu, sigma), obs=D)


mcmc = MCMC(NUTS(model), num_warmup=400, num_samples=500, progress_bar=False)
mcmc.run(random.PRNGKey(0), B=B, D=doy)
mcmc.print_summary(0.89)
close(mcmc, REFERENCE)
post = Predictive(model, mcmc.get_samples(), return_sites=["mu", "D"])(random.PRNGKey(1), B=B)
low, high = hpdi(post["mu"], prob=0.97)
assert ((low < trend) & (trend < high)).mean() > 0.7
assert np.abs(post["mu"].mean(0) - trend).mean() < 1.5
other = MCMC(NUTS(walk), num_warmup=400, num_samples=400, progress_bar=False)
other.run(random.PRNGKey(1), B=B, D=doy)
assert np.abs(other.get_samples()["mu"].mean(0) - trend).mean() < 1.5
