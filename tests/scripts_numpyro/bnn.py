# A small neural network with two hidden layers; predictions by vmap over the draws' dict.
import argparse
import time

import jax.numpy as jnp
import jax.random as random
import numpy as np
from jax import nn, vmap

import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 1000 draws
REFERENCE = {
    'prec_obs': (11.565, 2.45),
}


def nonlin(x):
    return jnp.tanh(x)


def model(X, Y, D_H, D_Y=1):
    N, D_X = X.shape
    w1 = numpyro.sample("w1", dist.Normal(jnp.zeros((D_X, D_H)), jnp.ones((D_X, D_H))))
    assert w1.shape == (D_X, D_H)
    z1 = nonlin(jnp.matmul(X, w1))
    assert z1.shape == (N, D_H)
    w2 = numpyro.sample("w2", dist.Normal(jnp.zeros((D_H, D_H)), jnp.ones((D_H, D_H))))
    z2 = nonlin(jnp.matmul(z1, w2))
    w3 = numpyro.sample("w3", dist.Normal(jnp.zeros((D_H, D_Y)), jnp.ones((D_H, D_Y))))
    z3 = jnp.matmul(z2, w3)
    assert z3.shape == (N, D_Y)
    if Y is not None:
        assert z3.shape == Y.shape
    prec_obs = numpyro.sample("prec_obs", dist.Gamma(3.0, 1.0))
    sigma_obs = 1.0 / jnp.sqrt(prec_obs)
    with numpyro.plate("data", N):
        numpyro.sample("Y", dist.Normal(z3, sigma_obs).to_event(1), obs=Y)


def run_inference(model, args, rng_key, X, Y, D_H):
    start = time.time()
    kernel = NUTS(model)
    mcmc = MCMC(kernel, num_warmup=args.num_warmup, num_samples=args.num_samples, num_chains=args.num_chains, progress_bar=False)
    mcmc.run(rng_key, X, Y, D_H)
    mcmc.print_summary()
    print("\nMCMC elapsed time:", time.time() - start)
    return mcmc


def predict(model, rng_key, samples, X, D_H):
    model = handlers.substitute(handlers.seed(model, rng_key), samples)
    model_trace = handlers.trace(model).get_trace(X=X, Y=None, D_H=D_H)
    return model_trace["Y"]["value"]


def get_data(N=50, D_X=3, sigma_obs=0.05, N_test=100):
    D_Y = 1
    np.random.seed(0)
    X = jnp.linspace(-1, 1, N)
    X = jnp.power(X[:, np.newaxis], jnp.arange(D_X))
    W = 0.5 * np.random.randn(D_X)
    Y = jnp.dot(X, W) + 0.5 * jnp.power(0.5 + X[:, 1], 2.0) * jnp.sin(4.0 * X[:, 1])
    Y += sigma_obs * np.random.randn(N)
    Y = Y[:, np.newaxis]
    Y -= jnp.mean(Y)
    Y /= jnp.std(Y)
    X_test = jnp.linspace(-1.3, 1.3, N_test)
    X_test = jnp.power(X_test[:, np.newaxis], jnp.arange(D_X))
    return X, Y, X_test


args = argparse.Namespace(num_warmup=200, num_samples=200, num_chains=1)
X, Y, X_test = get_data()
rng_key, rng_key_predict = random.split(random.PRNGKey(0))
mcmc = run_inference(model, args, rng_key, X, Y, 5)
close(mcmc, REFERENCE)
samples = mcmc.get_samples()
vmap_args = (samples, random.split(rng_key_predict, args.num_samples * args.num_chains))
predictions = vmap(lambda samples, key: predict(model, key, samples, X_test, 5))(*vmap_args)
predictions = predictions[..., 0]
mean_prediction = jnp.mean(predictions, axis=0)
percentiles = np.percentile(predictions, [5.0, 95.0], axis=0)
assert predictions.shape == (200, 100)
inside = np.abs(X_test[:, 1]) < 1
truth = np.interp(X_test[inside, 1], X[:, 1], Y[:, 0])
assert np.corrcoef(truth, mean_prediction[inside])[0, 1] > 0.9
