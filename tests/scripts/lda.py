# Latent Dirichlet allocation on a toy corpus: lists of Categoricals, one per document.
import numpy as np
np.random.seed(2017)
import pymc3 as pm
import theano.tensor as t

K = 2  # number of topics
V = 4  # number of words
D = 3  # number of documents
data = np.array([[1, 1, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0]])

wd = [len(doc) for doc in data]
alpha = np.ones((1, K))
beta = np.ones((1, V))

model = pm.Model()
with model:
    thetas = pm.Dirichlet("thetas", a=alpha[0], shape=(D, K))
    phis = pm.Dirichlet("phis", a=beta[0], shape=(K, V))
    z = [pm.Categorical("z_{}".format(d), p=thetas[d], shape=wd[d]) for d in range(D)]
    w = [pm.Categorical("w_{}_{}".format(d, i), p=phis[z[d][i]], observed=data[d][i])
         for d in range(D) for i in range(wd[d])]

with model:
    tr = pm.sample(3000, tune=500, chains=2)

print(tr['z_0'].shape, tr['phis'].mean(axis=0))

# Two documents about words of one kind, a third about another: enumerate all 2^12 labellings.
import itertools
from scipy.special import gammaln


def dirichlet_multinomial(counts, a):
    counts = np.asarray(counts, float)
    return gammaln(len(counts) * a) - gammaln(len(counts) * a + counts.sum()) + (gammaln(a + counts) - gammaln(a)).sum()


same = total = 0.0
words = data.ravel()
docs = np.repeat(np.arange(D), 4)
for labels in itertools.product(range(K), repeat=12):
    labels = np.array(labels)
    lp = sum(dirichlet_multinomial(np.bincount(labels[docs == d], minlength=K), 1.0) for d in range(D))
    lp += sum(dirichlet_multinomial(np.bincount(words[labels == k], minlength=V), 1.0) for k in range(K))
    total += np.exp(lp)
    same += np.exp(lp) * (labels[0] == labels[8])
exact = same / total
estimate = np.mean(tr['z_0'][:, 0] == tr['z_2'][:, 0])
print("first words of documents 0 and 2 share a topic: %.3f, exactly %.3f" % (estimate, exact))
# Label switching is slow: a hundred effective draws of a share near 0.2 have a standard error of 0.04.
assert abs(estimate - exact) < 0.15, (estimate, exact)
