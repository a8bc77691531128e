"""Forward sampling: many draws at once, reproducible, and jointly right."""

import numpy as np
import pytest
from scipy import stats

import finetti as pm
from finetti.errors import ParameterError
from finetti.model import forward


def test_draw_shapes():
    x = pm.Normal.dist(0, 1)
    y = pm.Normal.dist(x, 1, shape=3)
    assert pm.draw(x).shape == ()
    assert pm.draw(y, 5).shape == (5, 3)
    a, b = pm.draw([x, y.sum()], 4)
    assert a.shape == (4,) and b.shape == (4,)
    assert pm.draw(pm.Poisson.dist(3), 10).dtype == np.int64
    with pytest.raises(ParameterError, match="draws=0"):
        pm.draw(x, 0)


def test_the_same_seed_gives_the_same_draws():
    x = pm.Normal.dist(np.arange(3.0), 1)
    for seed in (7, [1, 2], np.random.SeedSequence(3)):
        np.testing.assert_array_equal(pm.draw(x, 6, seed), pm.draw(x, 6, seed))
    assert not np.array_equal(pm.draw(x, 6, 1), pm.draw(x, 6, 2))
    assert not np.array_equal(pm.draw(x, 6), pm.draw(x, 6))
    one, two = (np.random.default_rng(5) for _ in range(2))
    np.testing.assert_array_equal(pm.draw(x, 6, one), pm.draw(x, 6, two))
    with pytest.raises(ParameterError, match="random_seed='x'"):
        pm.draw(x, 6, "x")


def test_two_variables_of_one_name_do_not_share_their_draws():
    pair = []
    for _ in range(2):
        with pm.Model():
            pair.append(pm.Normal("x"))
    a, b = pm.draw(pair, 50, 1)
    assert abs(np.corrcoef(a, b)[0, 1]) < 0.9 and not np.array_equal(a, b)


def test_draws_are_joint():
    x = pm.Normal.dist(0, 1)
    y = pm.Normal.dist(10 * x, 0.1)
    a, b, c = pm.draw([x, y, x + y], 200, 3)
    np.testing.assert_allclose(b, 10 * a, atol=0.5)
    np.testing.assert_allclose(c, a + b)


@pytest.mark.parametrize("backend", ["reference", "native"])
def test_batches_of_parameters_line_up(backend):
    # scalar, vector and matrix parameters that vary from draw to draw, against batch axes
    with pm.Model():
        s = pm.Uniform("s", 0.5, 1.5)
        p = pm.Dirichlet("p", np.array([5.0, 3.0, 2.0]))
        k = pm.Categorical("k", p=p, shape=(4,))
        m = pm.MvNormal("m", mu=np.array([0.0, 50.0]), cov=np.eye(2) * s, shape=(4, 2))
        z = pm.Normal("z", m[:, 1], s * 1e-3)
        b = pm.Binomial("b", n=k + 1, p=p[0])
    s_, p_, k_, m_, z_, b_ = pm.draw([s, p, k, m, z, b], 2000, 8, backend=backend)
    assert p_.shape == (2000, 3) and k_.shape == (2000, 4) and m_.shape == (2000, 4, 2)
    np.testing.assert_allclose(z_, m_[..., 1], atol=0.02)
    assert abs(m_[:, :, 1].mean() - 50) < 0.1
    assert (b_ <= k_ + 1).all()
    # categories follow each draw's own probabilities
    first = (k_ == 0).mean(1)
    assert np.corrcoef(first, p_[:, 0])[0, 1] > 0.3
    # the spread of m follows each draw's own scale
    assert np.corrcoef((m_[..., 0] ** 2).mean(1), s_)[0, 1] > 0.2


def test_distribution_of_a_chain_of_variables():
    x = pm.Normal.dist(1.0, 2.0)
    y = pm.Normal.dist(x, 1.5)
    draws = pm.draw(y, 20000, 11)
    assert stats.kstest(draws, stats.norm(1.0, 2.5).cdf).pvalue > 1e-3


def test_chunks_change_nothing_but_memory(monkeypatch):
    x = pm.Normal.dist(0, 1, shape=5)
    y = pm.Normal.dist(x * 100, 1e-9)
    a, b = pm.draw([x, y], 100, 4, backend="reference")
    monkeypatch.setattr(forward, "CHUNK", 64)
    c, d = pm.draw([x, y], 100, 4, backend="reference")
    np.testing.assert_array_equal(a, c)
    np.testing.assert_allclose(d, c * 100, atol=1e-6)
    np.testing.assert_allclose(b, d, atol=1e-6)


def test_eval_draws_and_takes_given_values():
    x = pm.Normal.dist(0, 1, shape=2)
    assert x.eval().shape == (2,)
    np.testing.assert_allclose((x * 2).eval({x: [1.0, 3.0]}), [2.0, 6.0])
    with pm.Model():
        data = pm.Data("data", [1.0, 2.0])
    np.testing.assert_allclose((data + 1).eval(), [2.0, 3.0])
    data.set_value([5.0, 6.0, 7.0])
    np.testing.assert_allclose((data + 1).eval(), [6.0, 7.0, 8.0])


def test_seed_numbers():
    assert forward.seed_number(5) == 5
    assert 0 <= forward.seed_number(-1) < 2**63
    assert forward.seed_number([1, 2]) != forward.seed_number([2, 1])
    assert forward.seed_number(None) != forward.seed_number(None)
    assert 0 <= forward.seed_number(np.random.RandomState(1)) < 2**63
    with pytest.raises(ParameterError):
        forward.seed_number(object())
