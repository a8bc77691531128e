# Coal mining disasters 1851-1962 with two years that were not recorded (-999).
import numpy as np
np.random.seed(2017)
import pymc3 as pm
import matplotlib.pyplot as plt

disaster_data = np.ma.masked_values([4, 5, 4, 0, 1, 4, 3, 4, 0, 6, 3, 3, 4, 0, 2, 6,
                                     3, 3, 5, 4, 5, 3, 1, 4, 4, 1, 5, 5, 3, 4, 2, 5,
                                     2, 2, 3, 4, 2, 1, 3, -999, 2, 1, 1, 1, 1, 3, 0, 0,
                                     1, 0, 1, 1, 0, 0, 3, 1, 0, 3, 2, 2, 0, 1, 1, 1,
                                     0, 1, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0, 1, 1, 0, 2,
                                     3, 3, 1, -999, 2, 1, 1, 1, 1, 2, 4, 2, 0, 0, 1, 4,
                                     0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0, 1], value=-999)
years = np.arange(1851, 1962)

with pm.Model() as disaster_model:

    switchpoint = pm.DiscreteUniform('switchpoint', lower=years.min(), upper=years.max(), testval=1900)

    # Priors for pre- and post-switch rates number of disasters
    early_rate = pm.Exponential('early_rate', 1)
    late_rate = pm.Exponential('late_rate', 1)

    # Allocate appropriate Poisson rates to years before and after current
    rate = pm.math.switch(switchpoint >= years, early_rate, late_rate)

    disasters = pm.Poisson('disasters', rate, observed=disaster_data)

with disaster_model:
    trace = pm.sample(10000, tune=1000, cores=2)

pm.traceplot(trace)

plt.figure(figsize=(10, 8))
plt.plot(years, disaster_data, '.')
plt.ylabel("Number of accidents", fontsize=16)
plt.vlines(trace['switchpoint'].mean(), disaster_data.min(), disaster_data.max(), color='C1')
average_disasters = np.zeros_like(disaster_data, dtype='float')
for i, year in enumerate(years):
    idx = year < trace['switchpoint']
    average_disasters[i] = (trace['early_rate'][idx].sum() + trace['late_rate'][~idx].sum()) / (len(trace) * trace.nchains)
sp_hpd = pm.hpd(trace['switchpoint'])
plt.fill_betweenx(y=[disaster_data.min(), disaster_data.max()], x1=sp_hpd[0], x2=sp_hpd[1], alpha=0.5, color='C1')
plt.plot(years, average_disasters, 'k--', lw=2)
plt.show()
print(pm.summary(trace))

# Exactly: sum over the switch point, the rates are Gamma(1 + sum, 1 + years), missing years leave no term.
from scipy.special import gammaln, softmax

known = ~disaster_data.mask
logw, e, l = [], [], []
for sp in years:
    early, late = known & (sp >= years), known & (sp < years)
    s, n = disaster_data[early].sum() if early.any() else 0, early.sum()
    s2, n2 = disaster_data[late].sum() if late.any() else 0, late.sum()
    logw.append(gammaln(s + 1) - (s + 1) * np.log(n + 1) + gammaln(s2 + 1) - (s2 + 1) * np.log(n2 + 1))
    e.append((s + 1) / (n + 1))
    l.append((s2 + 1) / (n2 + 1))
w = softmax(np.array(logw, float))
# Some 1000 effective draws at the least: 5 standard errors are a sixth of a posterior sd.
for name, exact in [('switchpoint', w @ years), ('early_rate', w @ e), ('late_rate', w @ l)]:
    draws = trace[name]
    assert abs(draws.mean() - exact) < 0.2 * draws.std(), (name, draws.mean(), exact)
# 1890 and 1934 are imputed, as Poisson variables of the two periods.
missing = trace['disasters_missing']
assert missing.shape == (20000, 2)
assert abs(missing[:, 1].mean() - w @ l) < 0.1, missing.mean(axis=0)
