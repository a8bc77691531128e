"""Compiling text and linking it: addresses, cached objects, errors, threads."""

from __future__ import annotations

import ctypes
import math
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from tests.backends.native.vector_code import loop_text

from finetti.backends.native.builder import Builder
from finetti.backends.native.link import Target, compile_ir, host_target, load_object
from finetti.backends.native.mathlib import MATH
from finetti.errors import CompileError

SCALAR = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)


def scalar_text(symbol: str, name: str = "f") -> str:
    """A module with ``double name(double x)`` that adds 1 to ``symbol(x)``."""
    b = Builder()
    y = b.fadd(b.call(symbol, ["%x"]), 1.0)
    b.ret(f"double {y}")
    return b.module(f"define double @{name}(double %x)")


def test_calls_reach_libm_and_kernels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINETTI_CACHE", "0")
    for symbol, expected in (("exp", math.e), ("finetti_gammaln", 0.0)):
        linked = compile_ir(scalar_text(symbol), "f")
        assert math.isclose(SCALAR(linked.address)(1.0), expected + 1)
        assert set(linked.milliseconds) == {"parse", "codegen", "link"}


def test_own_symbols() -> None:
    double = SCALAR(lambda x: 2 * x)
    address = ctypes.cast(double, ctypes.c_void_p).value
    linked = compile_ir(scalar_text("twice"), "f", symbols={"twice": address})
    assert SCALAR(linked.address)(4.0) == 9.0


def test_an_object_can_be_loaded_again() -> None:
    first = compile_ir(scalar_text("finetti_digamma"), "f")
    second = load_object(first.object_bytes, "f")
    assert second.address != first.address
    assert SCALAR(second.address)(2.5) == SCALAR(first.address)(2.5)


def test_an_object_can_be_loaded_in_another_process(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "f.o"
    path.write_bytes(compile_ir(scalar_text("exp"), "f").object_bytes)
    code = (
        "import ctypes, pathlib, sys\n"
        "from finetti.backends.native.link import load_object\n"
        "linked = load_object(pathlib.Path(sys.argv[1]).read_bytes(), 'f')\n"
        "print(ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(linked.address)(0.0))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2.0"


def test_an_unknown_function_is_named() -> None:
    with pytest.raises(CompileError, match="calls no_such_function, which is neither"):
        compile_ir(scalar_text("no_such_function"), "f")


def test_a_missing_entry() -> None:
    with pytest.raises(CompileError, match="'g' cannot be linked"):
        compile_ir(scalar_text("exp"), "g")


def test_text_that_does_not_parse_is_shown() -> None:
    text = scalar_text("exp").replace("fadd", "fadded")
    with pytest.raises(CompileError, match="line: %v2 = fadded contract double"):
        compile_ir(text, "f")


def test_a_damaged_object() -> None:
    with pytest.raises(CompileError, match="cannot be linked"):
        load_object(b"this is no object file", "f")


def test_features_can_be_switched_off() -> None:
    narrow = host_target(without=("avx512",))
    assert "+avx512f" not in narrow.features.split(",")
    assert narrow.cpu == host_target().cpu
    assert Target("x86-64", "+sse2").has_fma is False
    assert Target("x86-64-v3", "+avx2,+fma").has_fma is True


def test_many_threads_at_once() -> None:
    def work(i: int) -> tuple[float, float]:
        b = Builder()
        b.ret(f"double {b.fadd(MATH['log'](b, '%x', 1), float(i))}")
        linked = compile_ir(b.module(f"define double @f{i}(double %x)"), f"f{i}")
        return SCALAR(linked.address)(1.0), float(i)

    with ThreadPoolExecutor(8) as pool:
        for got, expected in pool.map(work, range(40)):
            assert got == expected


def test_code_is_unloaded_with_its_object() -> None:
    text = loop_text(MATH["exp"], 8)
    for _ in range(30):
        assert compile_ir(text, "f").address


# -- the builder ---------------------------------------------------------------------------------


def run(build, *arguments: float) -> float:  # type: ignore[no-untyped-def]
    """Build a function of doubles, compile it, and call it."""
    b = Builder()
    names = [f"%a{i}" for i in range(len(arguments))]
    b.ret(f"double {build(b, *names)}")
    header = ", ".join(f"double {name}" for name in names)
    linked = compile_ir(b.module(f"define double @f({header})"), "f")
    kind = ctypes.CFUNCTYPE(ctypes.c_double, *[ctypes.c_double] * len(arguments))
    return kind(linked.address)(*arguments)


@pytest.mark.parametrize("lanes", [1, 3, 8])
def test_reductions(lanes: int) -> None:
    def vector(b: Builder, *scalars: str) -> str:
        x = "poison"
        for lane, scalar in enumerate(scalars):
            x = b.insert(x, scalar, lane, lanes)
        return x

    values = np.linspace(-3, 5, lanes)
    for reduce, expected in ((Builder.reduce_fadd, np.sum), (Builder.reduce_fmax, np.max)):
        build = lambda b, *s, reduce=reduce: reduce(b, vector(b, *s), lanes)  # noqa: E731
        assert math.isclose(run(build, *values), expected(values))
        for lane in range(lanes):
            spoiled = values.copy()
            spoiled[lane] = math.nan
            assert math.isnan(run(build, *spoiled))
    assert run(lambda b, *s: b.reduce_fmin(vector(b, *s), lanes), *values) == -3


def test_reductions_have_the_same_bits_on_every_instruction_set(rng: np.random.Generator) -> None:
    def emit(b: Builder, x: str, lanes: int) -> str:
        return b.splat(b.reduce_fadd(b.fma(x, x, b.fmul(x, 3.0, lanes), lanes), lanes), lanes)

    x = rng.normal(size=24)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    for lanes in (3, 8):
        results = set()
        for without in ((), ("avx512",)):
            linked = compile_ir(loop_text(emit, lanes), "f", target=host_target(without=without))
            out = np.empty(24)
            kind(linked.address)(x.ctypes.data, out.ctypes.data, 24)
            results.add(out.tobytes())
        assert len(results) == 1


def test_maximum_and_minimum_keep_nan() -> None:
    assert run(lambda b, x, y: b.maximum(x, y), 1.0, 2.0) == 2.0
    assert run(lambda b, x, y: b.minimum(x, y), 1.0, 2.0) == 1.0
    for x, y in ((math.nan, 1.0), (1.0, math.nan)):
        assert math.isnan(run(lambda b, x, y: b.maximum(x, y), x, y))
        assert math.isnan(run(lambda b, x, y: b.minimum(x, y), x, y))


def test_clamps_keep_nan() -> None:
    assert run(lambda b, x: b.clamp_below(x, 2.0), 1.0) == 2.0
    assert run(lambda b, x: b.clamp_above(x, 2.0), 3.0) == 2.0
    assert math.isnan(run(lambda b, x: b.clamp_above(b.clamp_below(x, 0.0), 2.0), math.nan))


def test_exact_arithmetic_is_not_contracted() -> None:
    b = Builder()
    b.fadd("%x", "%y", 8)
    with b.exact():
        b.fadd("%x", 1.0, 8)
    b.fdiv("%x", 2, 1)
    assert b.lines == [
        "  %v1 = fadd contract <8 x double> %x, %y",
        "  %v2 = fadd <8 x double> %x, splat (double 0x3FF0000000000000)",
        "  %v3 = fdiv contract double %x, 0x4000000000000000",
    ]


def test_close_phi_of_an_unknown_name() -> None:
    with pytest.raises(KeyError, match="no phi named %v9"):
        Builder().close_phi("%v9", "%v1", "loop")
