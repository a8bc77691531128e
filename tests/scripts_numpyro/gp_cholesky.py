# A Gaussian process with a squared exponential kernel, predictions by vmap over the draws.
import jax
import jax.numpy as jnp
import jax.random as random
import numpy as np
from jax import vmap

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, init_to_feasible, init_to_median, init_to_sample, init_to_uniform, init_to_value

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 1500 draws
REFERENCE = {
    'kernel_length': (0.67895, 0.196), 'kernel_noise': (0.066392, 0.0241), 'kernel_var': (1.4855, 1.2),
}


def kernel(X, Z, var, length, noise, jitter=1.0e-6, include_noise=True):
    deltaXsq = jnp.power((X[:, None] - Z) / length, 2.0)
    k = var * jnp.exp(-0.5 * deltaXsq)
    if include_noise:
        k += (noise + jitter) * jnp.eye(X.shape[0])
    return k


def model(X, Y):
    var = numpyro.sample("kernel_var", dist.LogNormal(0.0, 1.0))
    noise = numpyro.sample("kernel_noise", dist.LogNormal(-2.0, 1.0))
    length = numpyro.sample("kernel_length", dist.LogNormal(0.0, 1.0))
    k = kernel(X, X, var, length, noise)
    numpyro.sample("Y", dist.MultivariateNormal(loc=jnp.zeros(X.shape[0]), covariance_matrix=k), obs=Y)


def run_inference(init, num_chains, rng_key, X, Y):
    if init == "value":
        init_strategy = init_to_value(values={"kernel_var": 1.0, "kernel_noise": 0.05, "kernel_length": 0.5})
    elif init == "median":
        init_strategy = init_to_median(num_samples=10)
    elif init == "feasible":
        init_strategy = init_to_feasible()
    elif init == "sample":
        init_strategy = init_to_sample()
    elif init == "uniform":
        init_strategy = init_to_uniform(radius=1)
    nuts = NUTS(model, init_strategy=init_strategy)
    mcmc = MCMC(nuts, num_warmup=200, num_samples=300, num_chains=num_chains, thinning=2, progress_bar=False)
    mcmc.run(rng_key, X, Y)
    return mcmc


def predict(rng_key, X, Y, X_test, var, length, noise, use_cholesky=True):
    k_pp = kernel(X_test, X_test, var, length, noise, include_noise=True)
    k_pX = kernel(X_test, X, var, length, noise, include_noise=False)
    k_XX = kernel(X, X, var, length, noise, include_noise=True)
    if use_cholesky:
        K_xx_cho = jax.scipy.linalg.cho_factor(k_XX)
        K = k_pp - jnp.matmul(k_pX, jax.scipy.linalg.cho_solve(K_xx_cho, jnp.transpose(k_pX)))
        mean = jnp.matmul(k_pX, jax.scipy.linalg.cho_solve(K_xx_cho, Y))
    else:
        K_xx_inv = jnp.linalg.inv(k_XX)
        K = k_pp - jnp.matmul(k_pX, jnp.matmul(K_xx_inv, jnp.transpose(k_pX)))
        mean = jnp.matmul(k_pX, jnp.matmul(K_xx_inv, Y))
    sigma_noise = jnp.sqrt(jnp.clip(jnp.diag(K), 0.0)) * jax.random.normal(rng_key, X_test.shape[:1])
    return mean, mean + sigma_noise


np.random.seed(0)
X = jnp.linspace(-1, 1, 25)
Y = X + 0.2 * jnp.power(X, 3.0) + 0.5 * jnp.power(0.5 + X, 2.0) * jnp.sin(4.0 * X)
Y += 0.15 * np.random.randn(25)
Y -= jnp.mean(Y)
Y /= jnp.std(Y)
X_test = jnp.linspace(-1.3, 1.3, 40)

for i, init in enumerate(["value", "median", "feasible", "uniform", "sample"]):
    mcmc = run_inference(init, 1, random.PRNGKey(i), X, Y)
    close(mcmc, REFERENCE)
    samples = mcmc.get_samples()
    assert samples["kernel_var"].shape == (150,)
mcmc.print_summary()

vmap_args = (random.split(random.PRNGKey(9), samples["kernel_var"].shape[0]), samples["kernel_var"], samples["kernel_length"], samples["kernel_noise"])
means, predictions = vmap(lambda rng_key, var, length, noise: predict(rng_key, X, Y, X_test, var, length, noise))(*vmap_args)
mean_prediction = np.mean(means, axis=0)
inside = (X_test > -1) & (X_test < 1)
assert np.corrcoef(np.interp(X_test[inside], X, Y), mean_prediction[inside])[0, 1] > 0.97
