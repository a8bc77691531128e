# Dirichlet process mixture by stick breaking, truncated at K components.
import numpy as np
import pymc3 as pm
import scipy as sp
from matplotlib import pyplot as plt
from theano import tensor as tt

SEED = 5132290
np.random.seed(SEED)
N = 150
K = 10
waiting = np.concatenate([np.random.normal(54, 6, 50), np.random.normal(80, 6, 100)])
std_waiting = (waiting - waiting.mean()) / waiting.std()


def stick_breaking(beta):
    portion_remaining = tt.concatenate([[1], tt.extra_ops.cumprod(1 - beta)[:-1]])
    w = beta * portion_remaining
    return w / w.sum()


with pm.Model() as model:
    alpha = pm.Gamma('alpha', 1., 1.)
    beta = pm.Beta('beta', 1., alpha, shape=K)
    w = pm.Deterministic('w', stick_breaking(beta))

    tau = pm.Gamma('tau', 1., 1., shape=K)
    lambda_ = pm.Uniform('lambda', 0, 5, shape=K)
    mu = pm.Normal('mu', 0, tau=lambda_ * tau, shape=K)
    obs = pm.NormalMixture('obs', w, mu, tau=lambda_ * tau, observed=std_waiting)

with model:
    trace = pm.sample(500, tune=700, init='adapt_diag', random_seed=SEED, chains=2)

pm.traceplot(trace, varnames=['alpha'])
fig, ax = plt.subplots(figsize=(8, 6))
plot_w = np.arange(K) + 1
ax.bar(plot_w - 0.5, trace['w'].mean(axis=0), width=1., lw=0)

x_plot = np.linspace(-3, 3, 200)
post_pdf_contribs = sp.stats.norm.pdf(np.atleast_3d(x_plot),
                                      trace['mu'][:, np.newaxis, :],
                                      1. / np.sqrt(trace['lambda'] * trace['tau'])[:, np.newaxis, :])
post_pdfs = (trace['w'][:, np.newaxis, :] * post_pdf_contribs).sum(axis=-1)
post_pdf_low, post_pdf_high = np.percentile(post_pdfs, [2.5, 97.5], axis=0)
ax.fill_between(x_plot, post_pdf_low, post_pdf_high, color='gray', alpha=0.45)
ax.plot(x_plot, post_pdfs.mean(axis=0), c='gray', label='Posterior expected density')
plt.show()

assert np.allclose(trace['w'].sum(axis=1), 1, )
density = post_pdfs.mean(axis=0)
truth = (1 / 3 * sp.stats.norm.pdf(x_plot, (54 - waiting.mean()) / waiting.std(), 6 / waiting.std())
         + 2 / 3 * sp.stats.norm.pdf(x_plot, (80 - waiting.mean()) / waiting.std(), 6 / waiting.std()))
# The labels may switch, the density may not: an L1 distance below 0.25 (150 points alone cost some 0.1).
distance = np.trapezoid(np.abs(density - truth), x_plot) if hasattr(np, 'trapezoid') else np.trapz(np.abs(density - truth), x_plot)
assert distance < 0.25, distance
