# Stochastic volatility: GaussianRandomWalk and StudentT, saved and loaded results.
import pickle
import tempfile

import jax.numpy as jnp
import jax.random as random
import numpy as np

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'nu': (17.107, 10.8), 's[0]': (-0.16385, 0.173), 's[60]': (-0.26234, 0.268),
    'sigma': (0.17029, 0.051),
}

rng = np.random.RandomState(6)
T = 120
h = np.cumsum(rng.normal(0, .15, T)) - 1.
returns = np.exp(h) * rng.standard_t(8, T)


def model(returns):
    step_size = numpyro.sample("sigma", dist.Exponential(5.0))
    s = numpyro.sample("s", dist.GaussianRandomWalk(scale=step_size, num_steps=jnp.shape(returns)[0]))
    nu = numpyro.sample("nu", dist.Exponential(0.1))
    return numpyro.sample("r", dist.StudentT(df=nu, loc=0.0, scale=jnp.exp(s)), obs=returns)


mcmc = MCMC(NUTS(model), num_warmup=300, num_samples=400, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(2), returns, extra_fields=("potential_energy", "accept_prob", "adapt_state.step_size", "z.sigma"))
mcmc.print_summary()
close(mcmc, REFERENCE)
fields = mcmc.get_extra_fields(group_by_chain=True)
assert sorted(fields) == ["accept_prob", "adapt_state.step_size", "diverging", "potential_energy", "z.sigma"]
assert fields["potential_energy"].shape == (2, 400) and fields["diverging"].dtype == bool
np.testing.assert_allclose(np.exp(fields["z.sigma"]), mcmc.get_samples(group_by_chain=True)["sigma"], rtol=1e-4)
assert 0.6 < fields["accept_prob"].mean() < 0.98
volatility = jnp.exp(mcmc.get_samples()["s"]).mean(0)
assert np.corrcoef(volatility, np.exp(h))[0, 1] > 0.6

with tempfile.NamedTemporaryFile(suffix=".pkl") as file:
    pickle.dump(mcmc.get_samples(), file)
    file.flush()
    with open(file.name, "rb") as again:
        loaded = pickle.load(again)
assert all((loaded[k] == v).all() for k, v in mcmc.get_samples().items())
mcmc2 = pickle.loads(pickle.dumps(mcmc))
assert (mcmc2.get_samples()["sigma"] == mcmc.get_samples()["sigma"]).all()
mcmc2.print_summary(prob=0.5)
