# Cheating among students: the privacy algorithm with two coin flips per student.
import numpy as np
import pymc3 as pm
import theano.tensor as tt
import matplotlib.pyplot as plt

np.random.seed(1)
N = 100
X = 35
with pm.Model() as model:
    p = pm.Uniform("freq_cheating", 0, 1)
    true_answers = pm.Bernoulli("truths", p, shape=N, testval=np.random.binomial(1, 0.5, N))
    first_coin_flips = pm.Bernoulli("first_flips", 0.5, shape=N, testval=np.random.binomial(1, 0.5, N))
    print(first_coin_flips.tag.test_value[:10])
    second_coin_flips = pm.Bernoulli("second_flips", 0.5, shape=N, testval=np.random.binomial(1, 0.5, N))
    val = first_coin_flips * true_answers + (1 - first_coin_flips) * second_coin_flips
    observed_proportion = pm.Deterministic("observed_proportion", tt.sum(val) / float(N))
    observations = pm.Binomial("obs", N, observed_proportion, observed=X)
    step = pm.Metropolis(vars=[p])
    trace = pm.sample(15000, step=step)
    burned_trace = trace[5000:]

p_trace = burned_trace["freq_cheating"]
plt.hist(p_trace, histtype="stepfilled", density=True, alpha=0.85, bins=30)
plt.vlines([.05, .35], [0, 0], [5, 5], alpha=0.3)
plt.xlim(0, 1)
plt.legend()

# ... and the shortcut without latent answers
with pm.Model() as model2:
    p = pm.Uniform("freq_cheating", 0, 1)
    p_skewed = pm.Deterministic("p_skewed", 0.5 * p + 0.25)
    yes_responses = pm.Binomial("number_cheaters", 100, p_skewed, observed=35)
    step = pm.Metropolis()
    trace2 = pm.sample(25000, step=step)
    burned_trace2 = trace2[2500:]

# On a grid. The first model adds the noise of a Binomial around the answers that were given.
from scipy import stats

grid = np.linspace(0.0005, 0.9995, 1000)
like2 = stats.binom.pmf(35, 100, 0.5 * grid + 0.25)
said = np.arange(N + 1)
like1 = np.array([stats.binom.pmf(said, N, 0.5 * q + 0.25) @ stats.binom.pmf(X, N, said / N) for q in grid])
for draws, like in ((p_trace, like1), (burned_trace2["freq_cheating"], like2)):
    exact = (grid * like).sum() / like.sum()
    sd = np.sqrt(((grid - exact) ** 2 * like).sum() / like.sum())
    # Hundreds of effective draws where 300 latents mix slowly: 0.25 sd is at least 4 standard errors.
    assert abs(draws.mean() - exact) < 0.25 * sd, (draws.mean(), exact, sd)
    assert abs(draws.std() / sd - 1) < 0.2, (draws.std(), sd)
