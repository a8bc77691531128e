"""Compiled once a session: densities in C, the core behind a C interface, and its mutants."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from tests.core.native_code import MUTANTS, NATIVE, Densities, Harness, compile_shared, prepare

from finetti import _core


@pytest.fixture(scope="session")
def densities(tmp_path_factory: pytest.TempPathFactory) -> Densities:
    target = tmp_path_factory.mktemp("densities") / "densities.so"
    return Densities(
        compile_shared(("cc", "gcc", "clang"), NATIVE / "tests/densities.c", target, "-O2")
    )


@pytest.fixture(scope="session")
def sample(densities: Densities) -> Callable[..., _core.NutsRun]:
    """sample(name, data, initial, seed=, cores=, **config): a density run to its end."""

    def run(
        name: str, data: Any, initial: Any, *, seed: int = 1, cores: int = 2, **config: Any
    ) -> _core.NutsRun:
        nuts = prepare(densities, name, data, initial, seed, **config)
        nuts.start(cores)
        assert nuts.join(60)
        return nuts

    return run


@pytest.fixture(scope="session")
def harnesses(tmp_path_factory: pytest.TempPathFactory, densities: Densities) -> dict[str, Harness]:
    """The core as it is ("") and once per mutation."""
    folder = tmp_path_factory.mktemp("harness")

    def build(mutant: str) -> Harness:
        flags = ["-std=c++20", "-O1", f"-I{NATIVE / 'include'}", "-pthread"]
        flags.append("-DFINETTI_NO_MULTIVERSION")  # the plainest code the compiler can make
        if mutant:
            flags.append(f"-DFINETTI_MUTATE_{mutant}")
        target = folder / f"harness_{mutant}.so"
        compile_shared(("c++", "g++", "clang++"), NATIVE / "tests/harness.cpp", target, *flags)
        return Harness(target, densities)

    names = ("", *MUTANTS)
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(build, names), strict=True))


@pytest.fixture(scope="session")
def harness(harnesses: dict[str, Harness]) -> Harness:
    return harnesses[""]
