# Minibatches go with variational inference.
import numpy as np
import pymc3 as pm
import theano.tensor as tt

X = np.random.randn(1000, 3)
Y = X.dot([1., 2., 3.]) + np.random.randn(1000)
minibatch_x = pm.Minibatch(X, batch_size=50)
minibatch_y = pm.Minibatch(Y, batch_size=50)
with pm.Model() as model:
    b = pm.Normal('b', 0, sd=1, shape=3)
    pm.Normal('y', mu=tt.dot(minibatch_x, b), sd=1, observed=minibatch_y, total_size=len(Y))
    inference = pm.ADVI()
    approx = pm.fit(10000, method=inference)
