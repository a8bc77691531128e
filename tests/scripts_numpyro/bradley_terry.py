# Paired comparisons with home advantage, ZeroSumNormal abilities; team names by pandas.factorize.
import jax.numpy as jnp
import numpy as np
import pandas as pd
from jax import random

import numpyro
import numpyro.distributions as dist
from numpyro.infer import MCMC, NUTS, Predictive

from reference import close

# Means and standard deviations by NumPyro 0.22.0, 4 chains of 2000 draws
REFERENCE = {
    'ability[0]': (0.89909, 0.304), 'ability[5]': (-0.46445, 0.242), 'advantage': (0.086963, 0.174),
    'sd': (0.63453, 0.284),
}

rng = np.random.default_rng(6)
teams = np.array(['Ajax', 'Bolton', 'Celtic', 'Dynamo', 'Everton', 'Fulham'])
strength = np.array([1.2, .4, 0., -.2, -.5, -.9])
home, away = np.array([(i, j) for i in range(6) for j in range(6) if i != j] * 5).T
games = pd.DataFrame({'home': teams[home], 'away': teams[away]})
games['win'] = rng.uniform(size=len(games)) < 1 / (1 + np.exp(-(0.4 + strength[home] - strength[away])))
codes, names = pd.factorize(pd.concat([games.home, games.away]), sort=True)
h, a = codes[:len(games)], codes[len(games):]


def bradley_terry(h, a, n_teams, win=None):
    sd = numpyro.sample('sd', dist.HalfNormal(1.))
    ability = numpyro.sample('ability', dist.ZeroSumNormal(sd, event_shape=(n_teams,)))
    advantage = numpyro.sample('advantage', dist.Normal(0, 1))
    with numpyro.plate('games', len(h)):
        numpyro.sample('win', dist.BernoulliLogits(advantage + ability[h] - ability[a]), obs=win)


mcmc = MCMC(NUTS(bradley_terry), num_warmup=300, num_samples=500, num_chains=2, progress_bar=False)
mcmc.run(random.PRNGKey(0), h, a, len(names), games.win.values)
mcmc.print_summary()
close(mcmc, REFERENCE)
ability = mcmc.get_samples()['ability']
np.testing.assert_allclose(ability.sum(1), 0, atol=1e-4)
assert [str(n) for n in names[np.argsort(-ability.mean(0))]][0] == 'Ajax'
ranks = jnp.argsort(jnp.argsort(-ability, axis=1), axis=1)
table = pd.DataFrame({'team': names, 'best': np.asarray((ranks == 0).mean(0))})
print(table.sort_values('best', ascending=False))
assert table.best.sum().round(3) == 1
p = Predictive(bradley_terry, mcmc.get_samples())(random.PRNGKey(1), np.array([0]), np.array([5]), 6)['win'].mean()
assert 0.75 < p < 0.99
