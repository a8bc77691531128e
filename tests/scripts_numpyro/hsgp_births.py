# A Hilbert space approximation of a Gaussian process, its basis written by hand; module functions.
import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'alpha': (1.0891, 0.525), 'length': (0.76905, 0.108), 'sigma': (0.24293, 0.0124),
    'weekday[0]': (0.12108, 0.0633), 'weekday[5]': (-1.0081, 0.0641),
}


def spectral_density(w, alpha, length):
    c = alpha * jnp.sqrt(2 * jnp.pi) * length
    e = jnp.exp(-0.5 * (length ** 2) * (w ** 2))
    return c * e


def diag_spectral_density(alpha, length, L, M):
    sqrt_eigenvalues = jnp.arange(1, 1 + M) * jnp.pi / 2 / L
    return spectral_density(sqrt_eigenvalues, alpha, length)


def eigenfunctions(x, L, M):
    m1 = (jnp.pi / (2 * L)) * jnp.tile(L + x[:, None], M)
    m2 = jnp.diag(jnp.linspace(1, M, num=M))
    return jnp.sin(m1 @ m2) / jnp.sqrt(L)


def approx_se(x, alpha, length, L, M):
    phi = eigenfunctions(x, L, M)
    spd = jnp.sqrt(diag_spectral_density(alpha, length, L, M))
    with numpyro.plate("basis", M):
        beta = numpyro.sample("beta", dist.Normal(0, 1))
    return numpyro.deterministic("f", phi @ (spd * beta))


class GP:
    def __init__(self, x, L=1.5, M=12):
        self.x_mean, self.x_sd = x.mean(), x.std()
        self.L, self.M = L * 1.7, M

    def model(self, x, day_of_week, y=None):
        xs = (x - self.x_mean) / self.x_sd
        alpha = numpyro.sample("alpha", dist.HalfNormal(1))
        length = numpyro.sample("length", dist.InverseGamma(5, 5))
        f = approx_se(xs, alpha, length, self.L, self.M)
        weekday = numpyro.sample("weekday", dist.Normal(0, 1).expand([6]))
        beta = jnp.concatenate([jnp.zeros(1), weekday])
        mu = functools.reduce(operator.add, [f, beta[day_of_week]])
        sigma = numpyro.sample("sigma", dist.HalfNormal(0.5))
        with numpyro.plate("obs", x.shape[0]):
            return numpyro.sample("y", dist.Normal(mu, sigma), obs=y)


rng = np.random.default_rng(0)
x = np.arange(200)
dow = x % 7
y = np.sin(x / 25.) + np.array([0, .2, .1, .1, 0, -.8, -1.])[dow] + rng.normal(0, 0.25, 200)

gp = GP(x)
mcmc = MCMC(NUTS(gp.model), num_warmup=300, num_samples=400, progress_bar=False)
mcmc.run(jax.random.key(3), jnp.array(x), jnp.array(dow), jnp.array(y))
mcmc.print_summary()
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
curve = samples["f"].mean(0) - samples["f"].mean()
assert np.abs(curve - (np.sin(x / 25.) - np.sin(x / 25.).mean())).max() < 0.4
more = Predictive(gp.model, samples)(jax.random.key(0), jnp.arange(250), jnp.arange(250) % 7)
assert more["f"].shape == (400, 250) and more["y"].shape == (400, 250)
