# A/B testing, the way the "hackers" books did it in 2016: Uniform priors, Bernoulli data, Metropolis.
import numpy as np
import pymc3 as pm
from matplotlib import pyplot as plt
from scipy import stats

np.random.seed(20)
true_p_A = 0.05
true_p_B = 0.04
N_A = 1500
N_B = 750

observations_A = stats.bernoulli.rvs(true_p_A, size=N_A)
observations_B = stats.bernoulli.rvs(true_p_B, size=N_B)
print("Mean of A: %.4f, mean of B: %.4f" % (observations_A.mean(), observations_B.mean()))

with pm.Model() as model:
    p_A = pm.Uniform("p_A", 0, 1)
    p_B = pm.Uniform("p_B", 0, 1)
    delta = pm.Deterministic("delta", p_A - p_B)
    obs_A = pm.Bernoulli("obs_A", p_A, observed=observations_A)
    obs_B = pm.Bernoulli("obs_B", p_B, observed=observations_B)
    step = pm.Metropolis()
    trace = pm.sample(20000, step=step, njobs=2)
    burned_trace = trace[1000:]

p_A_samples = burned_trace["p_A"]
p_B_samples = burned_trace["p_B"]
delta_samples = burned_trace["delta"]

plt.figure(figsize=(12.5, 10))
ax = plt.subplot(311)
plt.hist(p_A_samples, histtype="stepfilled", bins=30, alpha=0.85, label="posterior of $p_A$",
         color="#A60628", density=True)
plt.vlines(true_p_A, 0, 80, linestyle="--", label="true $p_A$ (unknown)")
plt.legend(loc="upper right")
ax = plt.subplot(313)
plt.hist(delta_samples, histtype="stepfilled", bins=30, alpha=0.85, density=True)
plt.vlines(0, 0, 60, color="black", alpha=0.2)
plt.show()

print("Probability site A is WORSE than site B: %.3f" % np.mean(delta_samples < 0))
print("Probability site A is BETTER than site B: %.3f" % np.mean(delta_samples > 0))

# Uniform prior and Bernoulli data: the posteriors are Beta.
post_A = stats.beta(1 + observations_A.sum(), 1 + N_A - observations_A.sum())
post_B = stats.beta(1 + observations_B.sum(), 1 + N_B - observations_B.sum())
# 38000 Metropolis draws are worth some 5000: the standard error is sd / 70, and this allows 7 of them.
assert len(p_A_samples) == 2 * 19000
assert abs(p_A_samples.mean() - post_A.mean()) < 0.1 * post_A.std()
assert abs(p_B_samples.mean() - post_B.mean()) < 0.1 * post_B.std()
assert abs(delta_samples.std() - np.hypot(post_A.std(), post_B.std())) < 0.1 * delta_samples.std()
