# BEST: two groups, Student's t, difference of means and effect size.
import numpy as np
import pandas as pd
import pymc3 as pm
import matplotlib.pyplot as plt

np.random.seed(47)
drug = np.round(np.random.normal(102, 2, 47))
placebo = np.round(np.random.normal(100.2, 1.5, 42))
drug[:2] = [124, 82]
y1, y2 = np.array(drug), np.array(placebo)
y = pd.DataFrame(dict(value=np.r_[y1, y2], group=np.r_[['drug'] * len(drug), ['placebo'] * len(placebo)]))
y.hist('value', by='group')

mu_m = y.value.mean()
mu_s = y.value.std() * 2
with pm.Model() as model:
    group1_mean = pm.Normal('group1_mean', mu_m, sd=mu_s)
    group2_mean = pm.Normal('group2_mean', mu_m, sd=mu_s)

sigma_low = 1
sigma_high = 10
with model:
    group1_std = pm.Uniform('group1_std', lower=sigma_low, upper=sigma_high)
    group2_std = pm.Uniform('group2_std', lower=sigma_low, upper=sigma_high)

with model:
    nu = pm.Exponential('nu_minus_one', 1 / 29.) + 1

with model:
    lambda1 = group1_std**-2
    lambda2 = group2_std**-2
    group1 = pm.StudentT('drug', nu=nu, mu=group1_mean, lam=lambda1, observed=y1)
    group2 = pm.StudentT('placebo', nu=nu, mu=group2_mean, lam=lambda2, observed=y2)

with model:
    diff_of_means = pm.Deterministic('difference of means', group1_mean - group2_mean)
    diff_of_stds = pm.Deterministic('difference of stds', group1_std - group2_std)
    effect_size = pm.Deterministic('effect size', diff_of_means / np.sqrt((group1_std**2 + group2_std**2) / 2))

with model:
    trace = pm.sample(2000, cores=2)

pm.kdeplot(np.random.exponential(29, size=1000) + 1)
pm.plot_posterior(trace[100:], varnames=['group1_mean', 'group2_mean', 'group1_std', 'group2_std', 'nu_minus_one'], color='#87ceeb')
pm.plot_posterior(trace[100:], varnames=['difference of means', 'difference of stds', 'effect size'], ref_val=0, color='#87ceeb')
pm.forestplot(trace, varnames=[v.name for v in model.vars[:2]])
pm.forestplot(trace, varnames=['group1_std', 'group2_std', 'nu_minus_one'])
plt.show()
print(pm.summary(trace[100:], varnames=['difference of means', 'difference of stds', 'effect size']))

# The outliers aside, the difference is that of the medians or nearly so: within one posterior sd.
diff = trace['difference of means']
assert abs(diff.mean() - (np.mean(np.sort(y1)[2:-2]) - np.mean(np.sort(y2)[2:-2]))) < diff.std()
assert (trace['effect size'] > 0).mean() > 0.9
assert np.allclose(trace['difference of stds'], trace['group1_std'] - trace['group2_std'])
