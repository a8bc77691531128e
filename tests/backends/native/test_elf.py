"""Our own loader of objects: the same code as LLVM's linker gives, and memory that is safe."""

from __future__ import annotations

import ctypes
import os
import re
from pathlib import Path

import numpy as np
import pytest
from tests.backends.native.vector_code import loop_text

from finetti.backends.native import elf, link
from finetti.backends.native.mathlib import MATH
from finetti.backends.native.target import host_target, llvm

pytestmark = pytest.mark.skipif(not elf.supported(), reason="no loader for this system")

SCALAR = ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)

# a constant, a table, a variable set to a value, one that starts as zero, calls near and far
MODULE = """
@table = internal constant [4 x double] [double 1.0, double 2.0, double 4.0, double 8.0]
@start = internal global i64 10
@count = internal global i64 0
@callback = internal global ptr @exp
declare double @exp(double)
declare double @finetti_digamma(double)
define internal double @near(double %x) noinline {
  %y = call double @finetti_digamma(double %x)
  ret double %y
}
define double @f(double %x) {
  %old = load i64, ptr @count
  %new = add i64 %old, 1
  store i64 %new, ptr @count
  %first = load i64, ptr @start
  %sum = add i64 %first, %new
  %n = sitofp i64 %sum to double
  %index = and i64 %new, 3
  %place = getelementptr double, ptr @table, i64 %index
  %entry = load double, ptr %place
  %function = load ptr, ptr @callback
  %a = call double %function(double %x)
  %b = call double @near(double %x)
  %c = fadd double %a, %b
  %d = fmul double %c, %entry
  %e = fmul double %d, 0x3FF3C0CA428C51F2
  %y = fadd double %e, %n
  ret double %y
}
"""
MODELS = [("default", "jitdefault"), ("pic", "small"), ("static", "large")]


def emit(text: str, reloc: str = "default", codemodel: str = "jitdefault") -> bytes:
    machine = llvm().Target.from_default_triple().create_target_machine(
        cpu=host_target().cpu, opt=1, reloc=reloc, codemodel=codemodel, jit=True
    )  # fmt: skip
    module = llvm().parse_assembly(text)
    module.triple, module.data_layout = machine.triple, str(machine.target_data)
    return machine.emit_object(module)


def resolve(name: str) -> int | None:
    return link._KERNELS.get(name) or elf.process_symbol(name)


def mappings(address: int, size: int) -> list[str]:
    """The protections of the pages between two addresses."""
    found = []
    for line in Path("/proc/self/maps").read_text().splitlines():
        begin, end = (int(part, 16) for part in line.split()[0].split("-"))
        if begin < address + size and address < end:
            found.append(line.split()[1])
    return found


def base(image: elf.Image) -> int:
    return image.address & -4096


@pytest.mark.parametrize(("reloc", "codemodel"), MODELS)
def test_every_code_model_gives_what_llvm_gives(reloc: str, codemodel: str) -> None:
    object_bytes = emit(MODULE, reloc, codemodel)
    image = elf.load(object_bytes, "f", resolve)
    address, keepalive = link._load_with_llvm(object_bytes, "f", {})
    ours, theirs = SCALAR(image.address), SCALAR(address)
    for x in (0.5, 1.0, 2.0, 3.0, 4.0):
        assert ours(x) == theirs(x)
    assert keepalive is not None


def test_a_far_function_is_reached_through_a_stub() -> None:
    text = "declare double @g(double)\ndefine double @f(double %x) {\n"
    text += "  %y = call double @g(double %x)\n  ret double %y\n}\n"
    double = SCALAR(lambda x: 2 * x)  # its code lies wherever ctypes puts it
    far = ctypes.cast(double, ctypes.c_void_p).value
    image = elf.load(emit(text, "pic", "small"), "f", {"g": far}.get)
    assert SCALAR(image.address)(21.0) == 42.0


def test_vector_code_has_the_same_bits(rng: np.random.Generator) -> None:
    x = rng.normal(size=64)
    kind = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)
    for name in ("exp", "log1p", "gammaln"):
        object_bytes = link._emit_object(loop_text(MATH[name], 8), host_target())[0]
        image = elf.load(object_bytes, "f", resolve)
        address, keepalive = link._load_with_llvm(object_bytes, "f", {})
        ours, theirs = np.empty(64), np.empty(64)
        kind(image.address)(x.ctypes.data, ours.ctypes.data, 64)
        kind(address)(x.ctypes.data, theirs.ctypes.data, 64)
        assert ours.tobytes() == theirs.tobytes()
        assert keepalive is not None


def test_each_load_has_its_own_variables() -> None:
    object_bytes = emit(MODULE)
    one, two = elf.load(object_bytes, "f", resolve), elf.load(object_bytes, "f", resolve)
    first = SCALAR(one.address)(1.0)
    assert SCALAR(one.address)(1.0) != first
    assert SCALAR(two.address)(1.0) == first


def test_no_page_is_both_writable_and_executable() -> None:
    image = elf.load(emit(MODULE), "f", resolve)
    protections = mappings(base(image), image.size)
    assert {"r-xp", "r--p", "rw-p"} <= set(protections)
    assert not [p for p in protections if "w" in p and "x" in p]


def test_sections_that_are_both_are_refused() -> None:
    text = "define double @f(double %x) {\n  ret double %x\n}"
    object_bytes = bytearray(emit(text))
    for number, section in enumerate(elf._sections(bytes(object_bytes))):
        if section.flags & 4 and section.size:
            table = int.from_bytes(object_bytes[40:48], "little")
            object_bytes[table + 64 * number + 8] |= 1
    with pytest.raises(elf.ElfError, match="flags"):
        elf.load(bytes(object_bytes), "f", resolve)


def test_what_nobody_defines_is_named() -> None:
    object_bytes = emit(MODULE)
    with pytest.raises(elf.ElfError, match="undefined: finetti_digamma"):
        elf.load(object_bytes, "f", elf.process_symbol)
    with pytest.raises(elf.ElfError, match="undefined: g"):
        elf.load(object_bytes, "g", resolve)
    with pytest.raises(elf.ElfError, match="undefined: exp"):  # known, but not defined here
        elf.load(object_bytes, "exp", resolve)


def test_symbols_of_the_process() -> None:
    address = elf.process_symbol("cos")
    assert address is not None
    assert SCALAR(address)(0.0) == 1.0
    assert elf.process_symbol("no_such_function") is None


def test_a_far_32_bit_address_is_refused() -> None:
    with pytest.raises(elf.ElfError, match="out of range"):
        elf.load(emit(MODULE, "static", "small"), "f", resolve)


def test_what_the_loader_cannot_do_is_left_to_llvm() -> None:
    object_bytes = emit(MODULE, "pic", "large")
    with pytest.raises(elf.ElfError, match="_GLOBAL_OFFSET_TABLE_"):
        elf.load(object_bytes, "f", resolve)
    ours, linked = elf.load(emit(MODULE), "f", resolve), link.load_object(object_bytes, "f")
    assert SCALAR(linked.address)(1.5) == SCALAR(ours.address)(1.5)
    assert not isinstance(linked._keepalive, elf.Image)


def test_a_truncated_object_is_refused() -> None:
    object_bytes = emit(MODULE)
    for size in range(0, len(object_bytes), 7):
        with pytest.raises(elf.ElfError):
            elf.load(object_bytes[:size], "f", resolve)


def test_damage_never_breaks_the_loader(rng: np.random.Generator) -> None:
    object_bytes = emit(MODULE)
    for _ in range(3000):  # loaded, not called: that the code is right is the checksum's business
        damaged = bytearray(object_bytes)
        for place in rng.integers(0, len(damaged), size=3):
            damaged[place] = rng.integers(0, 256)
        try:
            elf.load(bytes(damaged), "f", resolve)
        except elf.ElfError:
            pass


def test_objects_of_other_machines_are_refused() -> None:
    object_bytes = bytearray(emit(MODULE))
    for place, value in ((18, 183), (16, 2), (4, 1), (5, 2)):  # aarch64, executable, 32 bit, big
        other = bytearray(object_bytes)
        other[place] = value
        with pytest.raises(elf.ElfError, match="no relocatable object for x86-64"):
            elf.load(bytes(other), "f", resolve)


def test_memory_is_given_back() -> None:
    object_bytes = emit(MODULE)

    def resident() -> int:
        return int(re.findall(r"\d+", Path("/proc/self/statm").read_text())[1]) * os.sysconf(
            "SC_PAGE_SIZE"
        )

    for _ in range(50):
        elf.load(object_bytes, "f", resolve)
    count, before = len(Path("/proc/self/maps").read_text().splitlines()), resident()
    for _ in range(1000):
        elf.load(object_bytes, "f", resolve)
    assert len(Path("/proc/self/maps").read_text().splitlines()) <= count + 3
    assert resident() - before < 1 << 20  # one image each would be 12 MB


def test_code_lives_as_long_as_what_was_linked() -> None:
    linked = link.load_object(emit(MODULE), "f")
    where = linked.address
    assert "r-xp" in mappings(where, 1)
    del linked
    assert "r-xp" not in mappings(where, 1)
