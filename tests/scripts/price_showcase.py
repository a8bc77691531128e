# A game show: two prizes with uncertain prices, past totals as prior, and a Potential in between.
import numpy as np
np.random.seed(2017)
import pymc3 as pm
import matplotlib.pyplot as plt
import scipy.stats as stats

norm_pdf = stats.norm.pdf
data_mu = [3e3, 12e3]
data_std = [5e2, 3e3]
mu_prior = 35e3
std_prior = 75e2

with pm.Model() as model:
    true_price = pm.Normal("true_price", mu=mu_prior, sd=std_prior)
    prize_1 = pm.Normal("first_prize", mu=data_mu[0], sd=data_std[0])
    prize_2 = pm.Normal("second_prize", mu=data_mu[1], sd=data_std[1])
    price_estimate = prize_1 + prize_2
    logp = pm.Normal.dist(mu=price_estimate, sd=(3e3)).logp(true_price)
    error = pm.Potential("error", logp)

    trace = pm.sample(50000, step=pm.Metropolis())
    burned_trace = trace[10000:]

price_trace = burned_trace["true_price"]
x = np.linspace(5000, 40000)
plt.plot(x, norm_pdf(x, mu_prior, std_prior), c="k", lw=2, label="prior dist. of suite price")
_hist = plt.hist(price_trace, bins=35, density=True, histtype="stepfilled")
plt.vlines(mu_prior, 0, 1.1 * np.max(_hist[0]), label="prior's mean", linestyles="--")
plt.vlines(price_trace.mean(), 0, 1.1 * np.max(_hist[0]), label="posterior's mean", linestyles="-.")
plt.legend(loc="upper left")


def showdown_loss(guess, true_price, risk=80000):
    loss = np.zeros_like(true_price)
    ix = true_price < guess
    loss[~ix] = np.abs(guess - true_price[~ix])
    close_mask = [abs(true_price - guess) <= 250]
    loss[tuple(close_mask)] = -2 * true_price[tuple(close_mask)]
    loss[ix] = risk
    return loss


guesses = np.linspace(5000, 50000, 70)
results = [showdown_loss(g, price_trace).mean() for g in guesses]
plt.plot(guesses, results)
plt.show()

# Two Gaussians for one number: precision-weighted.
v_prior, v_like = std_prior ** 2, 500. ** 2 + 3000. ** 2 + 3000. ** 2
exact = (mu_prior / v_prior + 15e3 / v_like) / (1 / v_prior + 1 / v_like)
exact_sd = np.sqrt(1 / (1 / v_prior + 1 / v_like))
# Metropolis on correlated prices: some 2000 effective draws, so 0.12 sd is 5 standard errors.
assert abs(price_trace.mean() - exact) < 0.12 * exact_sd, (price_trace.mean(), exact)
assert abs(price_trace.std() / exact_sd - 1) < 0.1
