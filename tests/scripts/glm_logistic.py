# Who earns more than 50K? Logistic regression with a quadratic term, from a formula.
import numpy as np
import pandas as pd
import pymc3 as pm
import matplotlib.pyplot as plt

np.random.seed(42)
n = 1500
data = pd.DataFrame({'age': np.random.uniform(18, 80, n), 'educ': np.random.randint(6, 17, n)})
data['age2'] = np.square(data['age'])
eta = -8 + 0.17 * data.age - 0.0016 * data.age2 + 0.3 * data.educ
data['income'] = (np.random.rand(n) < 1 / (1 + np.exp(-eta))).astype(int)
# on comparable scales, or the posterior is a needle
for c in ['age', 'age2', 'educ']:
    data[c] = (data[c] - data[c].mean()) / data[c].std()

with pm.Model() as logistic_model:
    pm.glm.GLM.from_formula('income ~ age + age2 + educ', data, family=pm.glm.families.Binomial())
    trace_logistic_model = pm.sample(1000, tune=1000, init='adapt_diag')

pm.traceplot(trace_logistic_model)
plt.figure(figsize=(9, 7))
trace = trace_logistic_model[500:]
b = trace['educ']
plt.hist(np.exp(b), bins=20, density=True)
lb, ub = np.percentile(b, 2.5), np.percentile(b, 97.5)
print("P(%.3f < Odds Ratio < %.3f) = 0.95" % (np.exp(lb), np.exp(ub)))
plt.show()

# Newton's method gives the maximum likelihood; 1500 people leave the priors nothing to say.
X = np.column_stack([np.ones(n), data.age, data.age2, data.educ])
w = np.zeros(4)
for _ in range(30):
    p = 1 / (1 + np.exp(-X @ w))
    H = X.T @ (X * (p * (1 - p))[:, None])
    w += np.linalg.solve(H, X.T @ (data.income.values - p))
se = np.sqrt(np.diag(np.linalg.inv(H)))
for i, name in enumerate(['Intercept', 'age', 'age2', 'educ']):
    draws = trace[name]
    # mode and mean of a nearly Gaussian posterior: the skewness moves them by some 0.1 sd
    assert abs(draws.mean() - w[i]) < 0.3 * se[i], (name, draws.mean(), w[i], se[i])
    assert abs(draws.std() / se[i] - 1) < 0.2
