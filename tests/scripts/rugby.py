# Six nations of rugby: attack and defence strengths, centred, with home advantage.
import numpy as np
import pandas as pd
import pymc3 as pm, theano.tensor as tt
import matplotlib.pyplot as plt
from io import StringIO

np.random.seed(6)
teams = pd.DataFrame(['Wales', 'France', 'Ireland', 'Scotland', 'Italy', 'England'], columns=['team'])
teams['i'] = teams.index
true_att = np.array([0.2, -0.1, 0.3, -0.2, -0.5, 0.3])
true_def = np.array([-0.2, 0.0, -0.3, 0.1, 0.5, -0.1])
rows = []
for season in range(4):
    for h in range(6):
        for a in range(6):
            if h != a:
                rows.append((teams.team[h], teams.team[a], np.random.poisson(np.exp(2.9 + 0.2 + true_att[h] + true_def[a])),
                             np.random.poisson(np.exp(2.9 + true_att[a] + true_def[h]))))
df = pd.DataFrame(rows, columns=['home_team', 'away_team', 'home_score', 'away_score'])
df = pd.merge(df, teams, left_on='home_team', right_on='team', how='left')
df = df.rename(columns={'i': 'i_home'}).drop('team', axis=1)
df = pd.merge(df, teams, left_on='away_team', right_on='team', how='left')
df = df.rename(columns={'i': 'i_away'}).drop('team', axis=1)

observed_home_goals = df.home_score.values
observed_away_goals = df.away_score.values
home_team = df.i_home.values
away_team = df.i_away.values
num_teams = len(df.i_home.drop_duplicates())

with pm.Model() as model:
    # global model parameters
    home = pm.Flat('home')
    sd_att = pm.HalfStudentT('sd_att', nu=3, sd=2.5)
    sd_def = pm.HalfStudentT('sd_def', nu=3, sd=2.5)
    intercept = pm.Flat('intercept')

    # team-specific model parameters
    atts_star = pm.Normal("atts_star", mu=0, sd=sd_att, shape=num_teams)
    defs_star = pm.Normal("defs_star", mu=0, sd=sd_def, shape=num_teams)

    atts = pm.Deterministic('atts', atts_star - tt.mean(atts_star))
    defs = pm.Deterministic('defs', defs_star - tt.mean(defs_star))
    home_theta = tt.exp(intercept + home + atts[home_team] + defs[away_team])
    away_theta = tt.exp(intercept + atts[away_team] + defs[home_team])

    # likelihood of observed data
    home_points = pm.Poisson('home_points', mu=home_theta, observed=observed_home_goals)
    away_points = pm.Poisson('away_points', mu=away_theta, observed=observed_away_goals)

with model:
    trace = pm.sample(1000, tune=1000, cores=3)
    pm.traceplot(trace)

bfmi = pm.bfmi(trace)
max_gr = max(np.max(gr_stats) for gr_stats in pm.gelman_rubin(trace).values())
(pm.energyplot(trace, legend=False, figsize=(6, 4)).set_title("BFMI = {}\nGelman-Rubin = {}".format(bfmi, max_gr)))

df_hpd = pd.DataFrame(pm.stats.hpd(trace['atts']), columns=['hpd_low', 'hpd_high'], index=teams.team.values)
df_median = pd.DataFrame(pm.stats.quantiles(trace['atts'])[50], columns=['hpd_median'], index=teams.team.values)
df_hpd = df_hpd.join(df_median)
df_hpd['relative_lower'] = df_hpd.hpd_median - df_hpd.hpd_low
df_hpd = df_hpd.sort_values(by='hpd_median')
print(df_hpd)
pm.forestplot(trace, varnames=['atts'], ylabels=list(teams.team), main="Team Offense")
plt.show()

with model:
    pp_trace = pm.sample_posterior_predictive(trace)
home_sim_df = pd.DataFrame({'sim_points_{}'.format(i): 3 * home_won for i, home_won in
                            enumerate(pp_trace['home_points'] > pp_trace['away_points'])})
assert home_sim_df.shape == (120, len(trace) * trace.nchains)
# Simulated from the model: centred strengths come back within 4 posterior sd, in the right order.
for name, truth in (('atts', true_att), ('defs', true_def)):
    hat, sd = trace[name].mean(axis=0), trace[name].std(axis=0)
    assert (np.abs(hat - (truth - truth.mean())) < 4 * sd).all(), (name, hat, sd)
assert abs(trace['home'].mean() - 0.2) < 4 * trace['home'].std()
# flat priors: the total of points is fitted exactly up to Monte Carlo error
fitted = pp_trace['home_points'].mean(axis=0).sum()
assert abs(fitted / observed_home_goals.sum() - 1) < 0.02
