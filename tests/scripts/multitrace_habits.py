# What people did with a trace: slices, points, chains, files, data frames, merging.
import os
import tempfile
import numpy as np
import pymc3 as pm
from pymc3 import theanof
from pymc3.backends.base import merge_traces

np.random.seed(0)
with pm.Model() as model:
    x = pm.Normal('x', 0., sd=1., shape=2)
    s = pm.HalfNormal('s', sd=2., testval=1.)
    y = pm.Deterministic('y', x.sum() * s)
    trace = pm.sample(draws=400, tune=300, nchains=3, random_seed=[1, 2, 3])

assert len(trace) == 400 and trace.nchains == 3 and list(trace.chains) == [0, 1, 2]
print(trace.varnames, trace.stat_names, trace)
assert trace['x'].shape == (1200, 2)
assert trace.x.shape == (1200, 2)
assert trace[x].shape == (1200, 2)
assert trace['x', 100::2].shape == (450, 2)
assert trace[100:].get_values('s').shape == (900,)
assert trace[-100:]['s'].shape == (300,)
parts = trace.get_values('x', burn=100, thin=5, combine=False)
assert len(parts) == 3 and parts[0].shape == (60, 2)
assert trace.get_values('s', chains=[1]).shape == (400,)
assert set(trace[10]) >= {'x', 's', 'y', 's_log__'}
assert np.allclose(trace.point(10, chain=2)['x'], trace.get_values('x', chains=[2])[10])
assert trace.get_sampler_stats('diverging').shape == (1200,)
assert (trace['step_size'] > 0).all() and trace.get_sampler_stats('tree_size', combine=False)[0].shape == (400,)
assert len(list(trace.points())) == 1200
df = pm.trace_to_dataframe(trace, varnames=['x', 's'])
assert list(df.columns) == ['x__0', 'x__1', 's'] and len(df) == 1200

with model:
    more = pm.sample(draws=400, tune=300, chains=1, chain_idx=3, random_seed=9)
merged = merge_traces([trace, more])
assert merged.nchains == 4

folder = os.path.join(tempfile.mkdtemp(), 'trace')
pm.save_trace(trace, folder)
again = pm.load_trace(folder, model=model)
assert np.array_equal(again['x'], trace['x'])

trace.add_values({'z': trace['s'] ** 2})
assert np.allclose(trace['z'], trace['s'] ** 2)
assert np.allclose(trace['y'], trace['x'].sum(axis=1) * trace['s'])
assert np.allclose(np.log(trace['s']), trace['s_log__'])
# independent standard normals: 1200 nearly independent draws have a standard error of 0.03
assert np.abs(trace['x'].mean(axis=0)).max() < 0.15
assert abs(trace['s'].mean() - 2 * np.sqrt(2 / np.pi)) < 0.25
assert x.random(size=5).shape == (5, 2)
assert abs(pm.Normal.dist(1., sd=2.).logp(0.).eval() - (-0.5 * 0.25 - np.log(2) - 0.5 * np.log(2 * np.pi))) < 1e-12
print(model.check_test_point())
print([rv.name for rv in model.basic_RVs], model['x'])
