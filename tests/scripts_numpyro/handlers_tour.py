# Every handler around small models: trace, seed, substitute, condition, block, do, scope, mask, lift...
import jax
import jax.numpy as jnp
import numpy as np
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro import handlers
from numpyro.handlers import block, condition, do, infer_config, lift, mask, replay, scale, scope, seed, substitute, trace, uncondition
from numpyro.infer import MCMC, NUTS, Predictive
from numpyro.infer.util import log_density


def model(x, y=None):
    slope = numpyro.sample('slope', dist.Normal(0, 1))
    intercept = numpyro.sample('intercept', dist.Normal(0, 1))
    mean = numpyro.deterministic('mean', intercept + slope * x)
    with numpyro.plate('data', x.shape[0]):
        return numpyro.sample('y', dist.Normal(mean, 0.5), obs=y)


x = jnp.linspace(-1, 1, 5)
tr = trace(seed(model, rng_seed=0)).get_trace(x)
print({name: (site['type'], site.get('is_observed'), np.shape(site['value'])) for name, site in tr.items()})
assert list(tr) == ['slope', 'intercept', 'mean', 'data', 'y']
assert tr['y']['cond_indep_stack'][0].name == 'data' and tr['y']['cond_indep_stack'][0].dim == -1
assert tr['y']['fn'].batch_shape == (5,) and tr['slope']['kwargs']['sample_shape'] == ()
np.testing.assert_array_equal(tr['data']['value'], np.arange(5))
same = trace(seed(model, random.PRNGKey(0))).get_trace(x)
assert same['slope']['value'] == tr['slope']['value']

with seed(rng_seed=1), trace() as opened:
    model(x)
assert list(opened) == list(tr)

fixed = trace(substitute(seed(model, 0), data={'slope': 2., 'intercept': -1.})).get_trace(x)
np.testing.assert_allclose(fixed['mean']['value'], 2 * x - 1)
assert not fixed['slope']['is_observed']
observed = trace(condition(seed(model, 0), data={'slope': 2.})).get_trace(x)
assert observed['slope']['is_observed'] and observed['slope']['value'] == 2.
back = trace(seed(uncondition(condition(model, data={'slope': 2.})), 3)).get_trace(x)
assert not back['slope']['is_observed'] and back['slope']['value'] != 2.
replayed = trace(replay(seed(model, 7), trace=tr)).get_trace(x)
assert replayed['y']['value'].tolist() == tr['y']['value'].tolist()

hidden = trace(block(seed(model, 0), hide=['slope'])).get_trace(x)
assert 'slope' not in hidden and 'intercept' in hidden
only = trace(block(seed(model, 0), expose=['y'])).get_trace(x)
assert [n for n, s in only.items() if s['type'] == 'sample'] == ['y']
by_rule = trace(block(seed(model, 0), hide_fn=lambda site: site['type'] == 'deterministic')).get_trace(x)
assert 'mean' not in by_rule

done = trace(seed(do(model, data={'slope': 10.}), 0)).get_trace(x)
np.testing.assert_allclose(done['mean']['value'], 10 * x + done['intercept']['value'], rtol=1e-6)
assert not done['slope']['is_observed'] if 'slope' in done else True


def twice(x):
    with scope(prefix='left'):
        a = model(x)
    with scope(prefix='right', divider='.'):
        b = model(x)
    return a + b


names = list(trace(seed(twice, 0)).get_trace(x))
print(names)
assert 'left/slope' in names and 'right.slope' in names

y = 1. + 2. * x
given = {'slope': 2., 'intercept': 1.}
full, _ = log_density(model, (x, y), {}, given)
half, _ = log_density(scale(model, scale=0.5), (x, y), {}, given)
np.testing.assert_allclose(half, full / 2, rtol=1e-6)
none, _ = log_density(mask(model, mask=False), (x, y), {}, given)
assert none == 0.
by_hand = (dist.Normal(0, 1).log_prob(jnp.array([2., 1.])).sum() + dist.Normal(y, 0.5).log_prob(y).sum())
np.testing.assert_allclose(full, by_hand, rtol=1e-6)


def with_param(y):
    loc = numpyro.param('loc', 0.)
    numpyro.sample('y', dist.Normal(loc, 1.), obs=y)


lifted = lift(with_param, prior={'loc': dist.Normal(0., 10.)})
assert trace(seed(lifted, 0)).get_trace(y)['loc']['type'] == 'sample'
mcmc = MCMC(NUTS(lifted), num_warmup=200, num_samples=400, progress_bar=False)
mcmc.run(random.PRNGKey(0), y)
loc = mcmc.get_samples()['loc']
exact = float(y.sum()) / (5 + 0.01)
assert abs(loc.mean() - exact) < 5 * np.sqrt(1 / 5.01 / 130)

marked = trace(infer_config(seed(model, 0), config_fn=lambda site: {'seen': site['name']})).get_trace(x)
assert marked['slope']['infer']['seen'] == 'slope'

mcmc = MCMC(NUTS(condition(model, data={'intercept': 1.})), num_warmup=200, num_samples=300, progress_bar=False)
mcmc.run(random.PRNGKey(1), x, y=y)
assert list(mcmc.get_samples()) == ['mean', 'slope']
posterior = mcmc.get_samples()
s2 = 1 / (1 + float((x ** 2).sum()) / .25)
m2 = s2 * float((x * (y - 1)).sum()) / .25
assert abs(posterior['slope'].mean() - m2) < 5 * np.sqrt(s2 / 100)

# what would y have been, had slope been 0
intervened = Predictive(do(model, data={'slope': jnp.array(0.)}), {'intercept': jnp.ones(50)})(random.PRNGKey(2), x)
print(sorted(intervened))
np.testing.assert_allclose(intervened['mean'], np.ones((50, 5)), rtol=1e-6)

try:
    trace(seed(lambda: (numpyro.sample('a', dist.Normal()), numpyro.sample('a', dist.Normal())), 0)).get_trace()
except AssertionError as error:
    assert 'all sites must have unique names but got `a` duplicated' in str(error)
else:
    raise SystemExit('two sites of a name were accepted')
