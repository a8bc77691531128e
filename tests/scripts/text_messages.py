# When did the texting habit change? DiscreteUniform switch point, Exponential rates.
import numpy as np
import matplotlib.pyplot as plt
import pymc3 as pm
import theano.tensor as tt

np.random.seed(3)
count_data = np.concatenate([np.random.poisson(18, 45), np.random.poisson(23, 29)]).astype(float)
n_count_data = len(count_data)
plt.bar(np.arange(n_count_data), count_data, color="#348ABD")
plt.xlabel("Time (days)")

with pm.Model() as model:
    alpha = 1.0 / count_data.mean()  # Recall count_data is the variable that holds our txt counts
    lambda_1 = pm.Exponential("lambda_1", alpha)
    lambda_2 = pm.Exponential("lambda_2", alpha)
    tau = pm.DiscreteUniform("tau", lower=0, upper=n_count_data - 1)

print("Random output:", tau.random(), tau.random(), tau.random())

with model:
    idx = np.arange(n_count_data)  # Index
    lambda_ = tt.switch(tau > idx, lambda_1, lambda_2)

with model:
    observation = pm.Poisson("obs", lambda_, observed=count_data)

with model:
    step = pm.Metropolis()
    trace = pm.sample(10000, tune=5000, step=step)

lambda_1_samples = trace["lambda_1"]
lambda_2_samples = trace["lambda_2"]
tau_samples = trace["tau"]

plt.figure(figsize=(12.5, 10))
ax = plt.subplot(313)
w = 1.0 / tau_samples.shape[0] * np.ones_like(tau_samples)
plt.hist(tau_samples, bins=n_count_data, alpha=1, weights=w, rwidth=2.0)
plt.xticks(np.arange(n_count_data))
plt.show()

N = tau_samples.shape[0]
expected_texts_per_day = np.zeros(n_count_data)
for day in range(0, n_count_data):
    ix = day < tau_samples
    expected_texts_per_day[day] = (lambda_1_samples[ix].sum() + lambda_2_samples[~ix].sum()) / N
plt.plot(range(n_count_data), expected_texts_per_day, lw=4, color="#E24A33")

# The rates integrate out (Gamma), the switch point is summed over.
from scipy.special import gammaln, softmax

log_weight, rate_1, rate_2 = [], [], []
for t in range(n_count_data):
    s1, s2 = count_data[:t].sum(), count_data[t:].sum()
    n1, n2 = t + alpha, n_count_data - t + alpha
    log_weight.append(gammaln(s1 + 1) - (s1 + 1) * np.log(n1) + gammaln(s2 + 1) - (s2 + 1) * np.log(n2))
    rate_1.append((s1 + 1) / n1)
    rate_2.append((s2 + 1) / n2)
weight = softmax(log_weight)
exact_tau = weight @ np.arange(n_count_data)
exact_1, exact_2 = weight @ rate_1, weight @ rate_2
# Metropolis moves tau slowly: a few hundred effective draws, so a third of a posterior sd is 5 errors.
assert abs(tau_samples.mean() - exact_tau) < 0.35 * tau_samples.std() + 0.1, (tau_samples.mean(), exact_tau)
assert abs(lambda_1_samples.mean() - exact_1) < 0.3 * lambda_1_samples.std()
assert abs(lambda_2_samples.mean() - exact_2) < 0.3 * lambda_2_samples.std()
assert tau_samples.dtype.kind == "i"
