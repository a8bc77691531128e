# Predator and prey by jax.experimental.ode.odeint, as in the ODE example of the documentation.
import jax.numpy as jnp
import numpy as np
from jax.experimental.ode import odeint
from jax.random import PRNGKey

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive, init_to_value

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 300 draws
REFERENCE = {
    'sigma[0]': (0.21033, 0.0554), 'sigma[1]': (0.20207, 0.0456), 'theta[0]': (0.6519, 0.0592),
    'theta[1]': (0.040731, 0.00534), 'theta[2]': (0.72861, 0.0656), 'theta[3]': (0.020227, 0.00281),
    'z_init[0]': (30.332, 3.03), 'z_init[1]': (3.9106, 0.32),
}


def dz_dt(z, t, theta):
    u = z[0]
    v = z[1]
    alpha, beta, gamma, delta = (theta[..., 0], theta[..., 1], theta[..., 2], theta[..., 3])
    du_dt = (alpha - beta * v) * u
    dv_dt = (-gamma + delta * u) * v
    return jnp.stack([du_dt, dv_dt])


def model(N, y=None):
    z_init = numpyro.sample("z_init", dist.LogNormal(jnp.log(10), 1).expand([2]))
    ts = jnp.arange(float(N))
    theta = numpyro.sample("theta", dist.TruncatedNormal(
        low=0.0, loc=jnp.array([1.0, 0.05, 1.0, 0.05]), scale=jnp.array([0.2, 0.01, 0.2, 0.01])))
    z = odeint(dz_dt, z_init, ts, theta, rtol=1e-6, atol=1e-5, mxstep=1000)
    sigma = numpyro.sample("sigma", dist.LogNormal(-1, 1).expand([2]))
    numpyro.sample("y", dist.LogNormal(jnp.log(z), sigma), obs=y)


theta = jnp.array([0.55, 0.028, 0.84, 0.026])
z = odeint(dz_dt, jnp.array([30., 4.]), jnp.arange(13.), theta, rtol=1e-6, atol=1e-5, mxstep=1000)
data = np.exp(np.log(z) + 0.2 * np.random.RandomState(1).randn(13, 2))
start = {"z_init": jnp.array([25., 5.]), "theta": theta, "sigma": jnp.array([.3, .3])}
mcmc = MCMC(NUTS(model, dense_mass=False, init_strategy=init_to_value(values=start)), num_warmup=150, num_samples=150, num_chains=1, progress_bar=False)
mcmc.run(PRNGKey(1), N=data.shape[0], y=data)
mcmc.print_summary()
close(mcmc, REFERENCE)
pop_pred = Predictive(model, {k: v[::10] for k, v in mcmc.get_samples().items()})(PRNGKey(2), data.shape[0])["y"]
assert pop_pred.shape == (15, 13, 2) and np.isfinite(pop_pred).all()
