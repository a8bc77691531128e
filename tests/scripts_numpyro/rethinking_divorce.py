# Divorce rates, age at marriage and marriage rate: regressions as in the Rethinking ports.
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import random, vmap

import numpyro
import numpyro.distributions as dist
from numpyro.diagnostics import hpdi, print_summary
from numpyro.infer import MCMC, NUTS, Predictive, log_likelihood

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 3000 draws
REFERENCE = {
    'a': (0.0010371, 0.0968), 'bA': (-0.70875, 0.124), 'bM': (-0.27137, 0.125),
    'sigma': (0.77341, 0.083),
}

numpyro.set_platform('cpu')
rng = np.random.RandomState(11)
age = rng.normal(26, 1.3, 50)
df = pd.DataFrame({'MedianAgeMarriage': age, 'Marriage': 20 - 1.5 * (age - 26) + rng.normal(0, 3, 50)})
df['Divorce'] = 9.7 - 1.0 * (age - 26) + rng.normal(0, 1.4, 50)
df['Loc'] = [f'S{i}' for i in range(50)]

standardize = lambda x: (x - x.mean()) / x.std()
df['AgeScaled'] = df.MedianAgeMarriage.pipe(standardize)
df['MarriageScaled'] = df.Marriage.pipe(standardize)
df['DivorceScaled'] = df.Divorce.pipe(standardize)


def model(marriage=None, age=None, divorce=None):
    a = numpyro.sample('a', dist.Normal(0., 0.2))
    M, A = 0., 0.
    if marriage is not None:
        bM = numpyro.sample('bM', dist.Normal(0., 0.5))
        M = bM * marriage
    if age is not None:
        bA = numpyro.sample('bA', dist.Normal(0., 0.5))
        A = bA * age
    sigma = numpyro.sample('sigma', dist.Exponential(1.))
    mu = a + M + A
    numpyro.sample('obs', dist.Normal(mu, sigma), obs=divorce)


rng_key = random.PRNGKey(0)
rng_key, rng_key_ = random.split(rng_key)
kernel = NUTS(model)
mcmc = MCMC(kernel, num_warmup=500, num_samples=1000)
mcmc.run(rng_key_, marriage=df.MarriageScaled.values, age=df.AgeScaled.values, divorce=df.DivorceScaled.values)
mcmc.print_summary()
close(mcmc, REFERENCE)

samples = mcmc.get_samples()
assert list(samples) == ['a', 'bA', 'bM', 'sigma']
print_summary(samples, 0.89, False)
predictive = Predictive(model, samples)
predictions = predictive(rng_key_, marriage=df.MarriageScaled.values, age=df.AgeScaled.values)['obs']
assert predictions.shape == (1000, 50)
df['Mean Predictions'] = jnp.mean(predictions, axis=0)
lo, hi = hpdi(predictions, 0.89)
inside = ((df.DivorceScaled.values > lo) & (df.DivorceScaled.values < hi)).mean()
assert inside > 0.75  # 89 % of 50 states; a binomial's 4 standard deviations are 0.18

prior = Predictive(model, num_samples=200)(random.PRNGKey(2), age=df.AgeScaled.values)
assert prior['obs'].shape == (200, 50) and sorted(prior) == ['a', 'bA', 'obs', 'sigma']


def predict(rng_key, post, *args, **kwargs):
    conditioned = numpyro.handlers.condition(model, post)
    seeded = numpyro.handlers.seed(conditioned, rng_key)
    trace = numpyro.handlers.trace(seeded).get_trace(*args, **kwargs)
    return trace['obs']['value']


keys = random.split(random.PRNGKey(3), 1000)
by_hand = vmap(lambda key, post: predict(key, post, marriage=df.MarriageScaled.values, age=df.AgeScaled.values))(keys, samples)
# same means up to the error of 1000 predictions, 5 times 0.9 / sqrt(1000) each
assert np.abs(by_hand.mean(0) - predictions.mean(0)).max() < 0.2


def expected_log_predictive_density(rng_key, params, model, *args, **kwargs):
    terms = log_likelihood(model, params, *args, **kwargs)['obs']
    return (jnp.log(jnp.exp(terms).mean(0))).sum(), terms


lpd, terms = expected_log_predictive_density(rng_key, samples, model, marriage=df.MarriageScaled.values,
                                             age=df.AgeScaled.values, divorce=df.DivorceScaled.values)
assert terms.shape == (1000, 50) and -75 < float(lpd) < -40
