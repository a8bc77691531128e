# Outliers: the same line with Normal and with Student's t errors, both from a formula.
import numpy as np
import pandas as pd
import matplotlib.pyplot as plt
import pymc3 as pm

np.random.seed(11)
size = 100
x = np.linspace(0, 1, size)
true_regression_line = 1 + 2 * x
y = true_regression_line + np.random.normal(scale=.5, size=size)
# Add outliers
x_out = np.append(x, [.1, .15, .2])
y_out = np.append(y, [8, 6, 9])
data = dict(x=x_out, y=y_out)

with pm.Model() as model:
    pm.glm.GLM.from_formula('y ~ x', data)
    trace = pm.sample(1000, cores=2)

with pm.Model() as model_robust:
    family = pm.glm.families.StudentT()
    pm.glm.GLM.from_formula('y ~ x', data, family=family)
    trace_robust = pm.sample(1000, cores=2)

plt.figure(figsize=(7, 5))
plt.plot(x_out, y_out, 'x')
pm.plots.plot_posterior_predictive_glm(trace_robust, label='posterior predictive regression lines')
plt.plot(x, true_regression_line, label='true regression line', lw=3., c='y')
plt.legend()

print(pm.summary(trace, var_names=['Intercept', 'x']))
print(pm.summary(trace_robust, var_names=['Intercept', 'x']))

# The plain fit is least squares with the outliers; the robust one is near least squares without them.
with_outliers = np.polyfit(x_out, y_out, 1)
without = np.polyfit(x, y, 1)
assert abs(trace['x'].mean() - with_outliers[0]) < 0.15 * trace['x'].std()
# Student's t with one degree of freedom weighs all points anew: within one posterior sd of the clean fit.
assert abs(trace_robust['x'].mean() - without[0]) < 1.5 * trace_robust['x'].std()
assert abs(trace_robust['x'].mean() - 2) < abs(trace['x'].mean() - 2)
