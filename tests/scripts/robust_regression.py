# Robust regression written out: Student's t with free degrees of freedom, old spellings everywhere.
import numpy as np
import matplotlib.pyplot as plt
import pymc3 as pm
import theano.tensor as tt

rng = np.random.RandomState(123)
n = 80
x = np.linspace(0, 10, n)
y = 2.5 + 0.9 * x + rng.normal(0, 0.5, n)
y[::16] += 9
x_c = x - x.mean()

with pm.Model() as model_t:
    alpha = pm.Normal('alpha', mu=y.mean(), sd=1)
    beta = pm.Normal('beta', mu=0, sd=1)
    epsilon = pm.HalfCauchy('epsilon', 5)
    nu = pm.Deterministic('nu', pm.Exponential('nu_', 1 / 29) + 1)

    y_pred = pm.StudentT('y_pred', mu=alpha + beta * x_c, sd=epsilon, nu=nu, observed=y)

    alpha_ = pm.Deterministic('alpha_', alpha - beta * x.mean())

    start = pm.find_MAP()
    step = pm.NUTS(scaling=start)
    trace_t = pm.sample(2000, step=step, start=start, njobs=1)

pm.traceplot(trace_t, varnames=['alpha_', 'beta', 'epsilon', 'nu'])
pm.autocorrplot(trace_t, varnames=['alpha', 'beta'])
pm.forestplot(trace_t, varnames=['alpha_', 'beta'])
plt.figure()
alpha_m = trace_t['alpha_'].mean()
beta_m = trace_t['beta'].mean()
plt.plot(x, y, 'C0o')
plt.plot(x, alpha_m + beta_m * x, c='k', label='robust')
plt.legend()

ppc = pm.sample_ppc(trace_t, samples=200, model=model_t, random_seed=2)
data_ppc = ppc['y_pred']
print(data_ppc.shape, pm.hpd(data_ppc).shape)
plt.figure()
for y_tilde in data_ppc[:50]:
    pm.kdeplot(y_tilde, alpha=0.5, c='g')
plt.xlim(-5, 25)
plt.show()
print(pm.df_summary(trace_t, varnames=['alpha_', 'beta', 'epsilon', 'nu']))

clean = np.ones(n, bool)
clean[::16] = False
slope, inter = np.polyfit(x[clean], y[clean], 1)
# The tails take the five outliers: the fit is that of the other points, within a posterior sd or so.
assert abs(beta_m - slope) < 1.5 * trace_t['beta'].std(), (beta_m, slope)
assert abs(alpha_m - inter) < 1.5 * trace_t['alpha_'].std(), (alpha_m, inter)
assert 1 < trace_t['nu'].mean() < 8
assert data_ppc.shape == (200, n)
assert pm.hpd(data_ppc).shape == (n, 2)
