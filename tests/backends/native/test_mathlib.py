"""The functions of `MATH`: accuracy by mpmath, edges, equal bits on every instruction set."""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import mpmath as mp
import numpy as np
import pytest
import scipy.special as sp
from tests.backends.native.vector_code import same, vectorised

from finetti.backends.native.builder import Builder
from finetti.backends.native.link import host_target
from finetti.backends.native.mathlib import MATH

POINTS = 700
SMALLEST = 5e-324
LARGEST = np.finfo(float).max


def log_uniform(low: float, high: float) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: np.exp(rng.uniform(math.log(low), math.log(high), POINTS))


def uniform(low: float, high: float) -> Callable[[np.random.Generator], np.ndarray]:
    return lambda rng: rng.uniform(low, high, POINTS)


def signed(draw: Callable[[np.random.Generator], np.ndarray]) -> Callable[..., np.ndarray]:
    return lambda rng: draw(rng) * rng.choice([-1.0, 1.0], POINTS)


def _erfcx(x: mp.mpf) -> mp.mpf:
    if x < 50:
        return mp.exp(x * x) * mp.erfc(x)
    terms = ((-1) ** k * mp.fac2(2 * k - 1) / (2 * x * x) ** k for k in range(15))
    return sum(terms) / (x * mp.sqrt(mp.pi))


def _log_ndtr(x: mp.mpf) -> mp.mpf:
    tail = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log(tail) if x < 0 else mp.log1p(-tail)


def _gammaln(x: mp.mpf) -> mp.mpf:
    return mp.loggamma(x) if x > 0 else mp.log(abs(mp.gamma(x)))


@dataclass(frozen=True)
class Row:
    """One function: where it is tried, its exact value, and how far the answer may be off.

    `ulps` bounds the vector code in units in the last place; `absolute` instead bounds the error
    relative to 1 + abs(value), for functions that are zero somewhere else than at zero. `scalar`
    bounds the same for one lane, which calls libm or a kernel.
    """

    exact: Callable[[mp.mpf], mp.mpf]
    inputs: tuple[Callable[[np.random.Generator], np.ndarray], ...]
    reference: Callable[[np.ndarray], np.ndarray]
    ulps: float = math.inf
    absolute: float = math.inf
    edges: tuple[float, ...] = ()
    edge_tol: float = 1e-15


ROWS = {
    "exp": Row(
        mp.exp,
        (uniform(-745, 709.7), uniform(-2, 2), uniform(-745.2, -700), uniform(709, 709.78)),
        np.exp,
        ulps=1.0,
        edges=(-745.13, -745.2, -746.0, -708.4, 709.78, 709.782712893384, 709.7827128933841),
    ),
    "expm1": Row(
        mp.expm1,
        (uniform(-45, 709.7), uniform(-1.5, 1.5), signed(log_uniform(1e-320, 1.0))),
        np.expm1,
        ulps=1.2,
        edges=(709.78, 709.782712893384, 709.7827128933841, 2.0**-54, -(2.0**-54), -37.0, -800.0),
    ),
    "log": Row(
        mp.log,
        (log_uniform(SMALLEST, LARGEST), uniform(0.5, 2), uniform(0.99, 1.01)),
        np.log,
        ulps=1.0,
        edges=(1e-310, 2.0**-1022, np.nextafter(2.0**-1022, 0), np.nextafter(1, 0)),
    ),
    "log1p": Row(
        mp.log1p,
        (log_uniform(1e-320, LARGEST), uniform(-1, 3), signed(log_uniform(1e-20, 0.5))),
        np.log1p,
        ulps=1.0,
        edges=(-1 + 2.0**-53, -0.5, 2.0**-54, 2.0**53, 2.0**54),
    ),
    "log1p01": Row(mp.log1p, (uniform(0, 1), log_uniform(1e-320, 1)), np.log1p, ulps=1.0),
    "tanh": Row(
        mp.tanh,
        (uniform(-22, 22), uniform(-1, 1), signed(log_uniform(1e-320, 1))),
        np.tanh,
        ulps=2.6,
        edges=(19.0, -30.0, 800.0),
    ),
    "gammaln": Row(
        _gammaln,
        (log_uniform(1e-300, 1e305), uniform(0.01, 4), uniform(7, 9), uniform(-9, 0)),
        sp.gammaln,
        absolute=4e-15,
        edges=(1e-300, 9e-301, 8.0, 2.54e305, 2.5563e305, 2.5564e305, -1.5, -3.7, 1e308, 0.5),
        edge_tol=1e-14,
    ),
    "digamma": Row(
        mp.digamma,
        (log_uniform(1e-300, 1e308), uniform(0.01, 4), uniform(7, 9), uniform(-9, 0)),
        sp.digamma,
        absolute=4e-15,
        edges=(1e-300, 9e-301, 8.0, -1.5, -3.7, 1e308, 0.5),
        edge_tol=1e-14,
    ),
    "erf": Row(
        mp.erf,
        (uniform(-6, 6), uniform(-1.1, 1.1), signed(log_uniform(1e-300, 1))),
        sp.erf,
        ulps=2.5,
        edges=(27.0, -6.0, 40.0),
    ),
    "erfc": Row(
        mp.erfc,
        (uniform(-6, 26.5), uniform(-1, 1)),
        sp.erfc,
        ulps=8.0,
        edges=(26.5, 27.3, 28.0, -6.0, 40.0),
        edge_tol=1e-12,
    ),
    "erfcx": Row(
        _erfcx,
        (uniform(-26.6, 50), uniform(-1, 1), log_uniform(1e-20, 1e300)),
        sp.erfcx,
        ulps=8.0,
        edges=(-26.7, -27.0, -40.0, 1e10),
        edge_tol=1e-13,
    ),
    "log_ndtr": Row(
        _log_ndtr,
        (uniform(-38, 8), uniform(-2, 2)),
        sp.log_ndtr,
        absolute=2e-15,
        edges=(-1e10, -1e200, 40.0),
        edge_tol=1e-14,
    ),
}
COMMON_EDGES = (
    *(0.0, -0.0, math.inf, -math.inf, math.nan, 1.0, -1.0, 2.0, -2.0, 710.0, -800.0),
    *(SMALLEST, -SMALLEST, 1e-320, -1e-320, 1e-308, LARGEST, -LARGEST, 1e-5, -1e-5),
)
NARROW = host_target(without=("avx512",))


@cache
def inputs_of(name: str) -> np.ndarray:
    """Every input of a row, one after another."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return np.concatenate([draw(rng) for draw in ROWS[name].inputs])


@cache
def exact_values(name: str) -> tuple[mp.mpf, ...]:
    """The values of a row's inputs to 40 digits."""
    with mp.workdps(40):
        return tuple(ROWS[name].exact(mp.mpf(float(x))) for x in inputs_of(name))


def errors(name: str, got: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Absolute errors against the exact values, and those values."""
    exact = exact_values(name)
    with mp.workdps(40):
        gaps = [abs(float(mp.mpf(float(y)) - value)) for y, value in zip(got, exact, strict=True)]
    return np.array(gaps), np.array([float(value) for value in exact])


def check_accuracy(name: str, lanes: int) -> None:
    row, x = ROWS[name], inputs_of(name)
    gaps, values = errors(name, vectorised(name, lanes)(x))
    finite = np.isfinite(values)
    assert finite.mean() > 0.9
    for gap, limit in (
        (gaps / np.spacing(np.abs(values)), row.ulps),
        (gaps / (1 + np.abs(values)), row.absolute),
    ):
        worst = np.argmax(np.where(finite, gap, 0))
        assert gap[worst] <= limit, f"{name}({x[worst]!r}) is off by {gap[worst]}"


@pytest.mark.parametrize("name", ROWS)
def test_accuracy_of_vectors(name: str) -> None:
    check_accuracy(name, 8)


@pytest.mark.parametrize("name", ROWS)
def test_accuracy_of_scalars(name: str) -> None:
    check_accuracy(name, 1)


@pytest.mark.parametrize("lanes", [1, 3, 8])
@pytest.mark.parametrize("name", [name for name in ROWS if name != "log1p01"])
def test_edges(name: str, lanes: int) -> None:
    row = ROWS[name]
    x = np.array([*COMMON_EDGES, *row.edges])
    if name in ("gammaln", "digamma"):
        # scipy overflows for subnormals, whose logarithm is finite
        x = x[(np.abs(x) >= 1e-308) | (x == 0) | np.isnan(x)]
    got = vectorised(name, lanes)(x)
    with np.errstate(all="ignore"):
        expected = row.reference(x)
    tiny = np.abs(expected) < 1e-300
    # values that are zero or subnormal in exact arithmetic have few bits to compare
    allowed = 4e-15 if name in ("gammaln", "digamma") else 2 * SMALLEST
    with np.errstate(invalid="ignore"):
        fine = same(got, expected, row.edge_tol) | (tiny & (np.abs(got - expected) <= allowed))
    assert fine.all(), list(zip(x[~fine], got[~fine], expected[~fine], strict=True))


def test_log1p01_keeps_nan() -> None:
    assert np.isnan(vectorised("log1p01", 8)(np.full(8, np.nan))).all()


@pytest.mark.parametrize("name", ROWS)
def test_bits_do_not_depend_on_the_instruction_set(name: str) -> None:
    x = np.concatenate([inputs_of(name), COMMON_EDGES, ROWS[name].edges])
    wanted = vectorised(name, 8)(x).view(np.uint64)
    for lanes, target in ((3, None), (8, NARROW), (3, NARROW), (4, NARROW)):
        assert np.array_equal(vectorised(name, lanes, 1, target)(x).view(np.uint64), wanted)


@pytest.mark.parametrize("name", ["exp", "expm1", "log", "log1p", "digamma", "gammaln", "erf"])
def test_without_fused_multiply_add(name: str) -> None:
    target = host_target(without=("avx512", "fma"))
    assert not target.has_fma
    x = inputs_of(name)
    got = vectorised(name, 8, 1, target, has_fma=False)(x)
    gaps, values = errors(name, got)
    finite = np.isfinite(values)
    assert (gaps <= 2e-14 * (1 + np.abs(values)))[finite].all()


def test_nan_payload_survives_exp() -> None:
    odd = np.full(8, 0x7FF8_0000_0000_0ABC, np.uint64).view(float)
    assert np.isnan(vectorised("exp", 8)(odd)).all()


def test_a_slow_lane_leaves_its_neighbours_alone() -> None:
    x = np.array([0.3, 2.5, 9.0, 1e6, 1.0, 3.3, 0.01, 40.0])
    for name in ("gammaln", "digamma"):
        wanted = vectorised(name, 8)(x)
        for lane in range(8):
            mixed = x.copy()
            mixed[lane] = -1.5
            got = vectorised(name, 8)(mixed)
            assert np.array_equal(np.delete(got, lane), np.delete(wanted, lane))
            assert np.isclose(got[lane], ROWS[name].reference(np.array(-1.5)), rtol=1e-14)


CALLED = {
    "acosh": (np.arccosh, ((1.1, 9),)),
    "asin": (np.arcsin, ((-1, 1),)),
    "atan2": (np.arctan2, ((-3, 3), (-3, 3))),
    "betainc": (sp.betainc, ((0.1, 9), (0.1, 9), (0, 1))),
    "cosh": (np.cosh, ((-3, 3),)),
    "erfinv": (sp.erfinv, ((-1, 1),)),
    "gammainc": (sp.gammainc, ((0.1, 9), (0, 9))),
    "gammaincc": (sp.gammaincc, ((0.1, 9), (0, 9))),
    "i0e": (sp.i0e, ((-30, 30),)),
    "i1e": (sp.i1e, ((-30, 30),)),
    "ndtr": (sp.ndtr, ((-9, 9),)),
    "ndtri": (sp.ndtri, ((0, 1),)),
    "pow": (np.power, ((0, 9), (-5, 5))),
    "sin": (np.sin, ((-9, 9),)),
    "sqrt": (np.sqrt, ((0, 9),)),
    "trigamma": (lambda x: sp.polygamma(1, x), ((0.01, 9),)),
    "xlog1py": (sp.xlog1py, ((0, 3), (-0.9, 5))),
    "xlogy": (sp.xlogy, ((0, 3), (0.1, 5))),
}


@pytest.mark.parametrize("lanes", [1, 3, 8, 16])
@pytest.mark.parametrize("name", CALLED)
def test_against_scipy(name: str, lanes: int, rng: np.random.Generator) -> None:
    reference, ranges = CALLED[name]
    arrays = [rng.uniform(low, high, 40) for low, high in ranges]
    got = vectorised(name, lanes, len(arrays))(*arrays)
    assert np.allclose(got, reference(*arrays), rtol=3e-13, atol=1e-14)


@pytest.mark.parametrize("lanes", [1, 8])
def test_zero_wins_in_xlogy(lanes: int) -> None:
    x = np.array([0.0, 0.0, 0.0, -0.0, 0.0, 1.0, 2.0, math.nan])
    y = np.array([0.0, math.inf, -1.0, 0.0, math.nan, 0.0, math.inf, 2.0])
    for name, reference, argument in (("xlogy", sp.xlogy, y), ("xlog1py", sp.xlog1py, y - 1)):
        got = vectorised(name, lanes, 2)(x, argument)
        expected = reference(x, argument)
        assert np.array_equal(np.isnan(got), np.isnan(expected))
        assert np.array_equal(got[~np.isnan(got)], expected[~np.isnan(got)])


def test_polygamma_takes_a_constant_order(rng: np.random.Generator) -> None:
    x = rng.uniform(0.1, 9, 40)
    for order in (1.0, 2.0, 5.0):
        for lanes in (1, 8):
            got = vectorised("polygamma", lanes, 2)(np.full(40, order), x)
            assert np.allclose(got, sp.polygamma(int(order), x), rtol=1e-13)


POWERS = {
    "mild": (lambda rng: (np.exp(2 * rng.normal(size=POINTS)), 3 * rng.normal(size=POINTS)), 1.5),
    "near 1": (
        lambda rng: (1 + 1e-3 * rng.normal(size=POINTS), 1e5 * rng.normal(size=POINTS)),
        1.5,
    ),
    "wide": (lambda rng: (np.exp(rng.uniform(-700, 700, POINTS)), rng.uniform(-1, 1, POINTS)), 1.5),
    "large": (lambda rng: (np.exp(rng.normal(size=POINTS)), rng.uniform(-200, 200, POINTS)), 10.0),
}


@pytest.mark.parametrize("case", POWERS)
def test_accuracy_of_pow(case: str, rng: np.random.Generator) -> None:
    draw, ulps = POWERS[case]
    x, y = draw(rng)
    got = vectorised("pow", 8, 2)(x, y)
    assert np.array_equal(got, vectorised("pow", 3, 2, NARROW)(x, y))
    with mp.workdps(40):
        exact = [mp.mpf(float(u)) ** mp.mpf(float(v)) for u, v in zip(x, y, strict=True)]
        gaps = np.array([abs(float(mp.mpf(float(g)) - e)) for g, e in zip(got, exact, strict=True)])
    values = np.array([float(e) for e in exact])
    inside = (values > 1e-300) & np.isfinite(values)
    assert (gaps[inside] <= ulps * np.spacing(values[inside])).all()


@pytest.mark.parametrize("lanes", [1, 8])
def test_edges_of_pow(lanes: int) -> None:
    values = [0.0, -0.0, 1, -1, 2, -2, 0.5, math.inf, -math.inf, math.nan, 3, -3]
    values += [1e308, 1e-310, 1e300, -1e300, SMALLEST]
    x, y = map(np.ravel, np.meshgrid(values, values))
    with np.errstate(all="ignore"):
        assert same(vectorised("pow", lanes, 2)(x, y), np.power(x, y), 1e-15).all()


def test_one_helper_serves_all_calls() -> None:
    b = Builder()
    y = MATH["sin"](b, MATH["sin"](b, "%x", 8), 8)
    b.ret(f"<8 x double> {y}")
    text = b.module("define <8 x double> @f(<8 x double> %x)")
    assert text.count("define internal") == 1
    assert text.count("@each_sin_8(") == 3


def test_wrong_count_of_operands() -> None:
    with pytest.raises(TypeError, match="takes 3 operands, got 1"):
        MATH["betainc"](Builder(), "%x", 8)
