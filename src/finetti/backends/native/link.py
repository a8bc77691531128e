"""From LLVM text IR to machine code in this process.

    linked = compile_ir(ir_text, "logp")
    linked.address        # of the function "logp", valid as long as `linked` lives
    linked.object_bytes   # the relocatable object; `load_object` brings it back in another process

llvmlite is imported at the first use. No middle-end passes run: the emitter has done their work.
Code generation and linking go through one ORC session; names resolve to `symbols`, then to the
kernels of finetti._core, then to the process (libm). Everything here is safe from several threads.
"""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, wraps
from typing import Any, TypeVar

from finetti._core import kernel_addresses
from finetti.errors import CompileError

__all__ = ["Linked", "Target", "compile_ir", "host_target", "load_object"]

_Function = TypeVar("_Function", bound=Callable[..., Any])

_KERNELS: dict[str, int] = kernel_addresses()
_lock = threading.RLock()
_numbers = itertools.count()


def _once(function: _Function) -> _Function:
    """Cache the result; a second thread waits instead of making a second one."""
    cached = lru_cache(maxsize=8)(function)

    @wraps(function)
    def call(*args: Any) -> Any:
        with _lock:
            return cached(*args)

    return call  # type: ignore[return-value]


@dataclass(frozen=True)
class Target:
    """A processor to generate code for.

    Parameters
    ----------
    cpu : str
        LLVM's name of the processor, as ``znver4``.
    features : str
        LLVM's feature list, as ``+avx2,+fma,-avx512f``.
    """

    cpu: str
    features: str

    @property
    def has_fma(self) -> bool:
        """Whether fused multiply-add is an instruction here."""
        return any(name in self.features.split(",") for name in ("+fma", "+fma4", "+neon"))


@dataclass(frozen=True)
class Linked:
    """A function in memory. Keep the object as long as its address is in use.

    Parameters
    ----------
    entry : str
        The function's symbol.
    address : int
        Where its code begins.
    object_bytes : bytes
        The relocatable object file it came from.
    milliseconds : dict of str to float
        CPU time of this thread by stage: parse, codegen, link.
    """

    entry: str
    address: int
    object_bytes: bytes = field(repr=False)
    milliseconds: dict[str, float]
    _keepalive: Any = field(repr=False)


def host_target(*, without: tuple[str, ...] = ()) -> Target:
    """The processor we run on.

    Parameters
    ----------
    without : tuple of str
        Features to switch off, by prefix: ``("avx512",)`` turns off every AVX-512 extension.
    """
    cpu, features = _host()
    flags = features.split(",")
    for prefix in without:
        flags = [f"-{flag[1:]}" if flag[1:].startswith(prefix) else flag for flag in flags]
    return Target(cpu, ",".join(flags))


def compile_ir(
    ir_text: str,
    entry: str,
    *,
    symbols: Mapping[str, int] | None = None,
    target: Target | None = None,
) -> Linked:
    """Compile a module and link it into this process.

    Parameters
    ----------
    ir_text : str
        The module, as LLVM text IR.
    entry : str
        The function whose address is wanted.
    symbols : mapping of str to int, optional
        Addresses of functions that only this module needs.
    target : Target, optional
        The processor to generate code for; the host by default.

    Raises
    ------
    CompileError
        If the text does not parse, or calls something that nobody defines.
    """
    object_bytes, milliseconds = _emit_object(ir_text, target or host_target())
    try:
        return _link(object_bytes, entry, symbols or {}, milliseconds)
    except CompileError as error:
        unknown = _unresolved(ir_text, symbols or {})
        if not unknown:
            raise
        raise CompileError(
            f"compile_ir: {entry!r} calls {', '.join(unknown)}, which is neither a kernel of "
            "finetti._core, nor in libm, nor passed in `symbols`. Pass its address there."
        ) from error


def load_object(
    object_bytes: bytes, entry: str, *, symbols: Mapping[str, int] | None = None
) -> Linked:
    """Link an object that `compile_ir` made, here or earlier on an equal processor."""
    return _link(object_bytes, entry, symbols or {}, {})


@_once
def _llvm() -> Any:
    """llvmlite.binding, initialised."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    return llvm


@_once
def _host() -> tuple[str, str]:
    llvm = _llvm()
    return llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@_once
def _machine(target: Target) -> Any:
    return (
        _llvm()
        .Target.from_default_triple()
        .create_target_machine(cpu=target.cpu, features=target.features, opt=1, jit=True)
    )


@_once
def _session() -> Any:
    return _llvm().create_lljit_compiler(suppress_errors=True)


def _emit_object(ir_text: str, target: Target) -> tuple[bytes, dict[str, float]]:
    llvm, machine = _llvm(), _machine(target)
    start = time.thread_time()
    try:
        module = llvm.parse_assembly(ir_text, context=llvm.create_context())
    except RuntimeError as error:
        raise CompileError(_parse_message(ir_text, str(error))) from error
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)
    parsed = time.thread_time()
    # threads may share the machine: llvmlite lets one call into LLVM at a time
    object_bytes = machine.emit_object(module)
    done = time.thread_time()
    return object_bytes, {"parse": 1e3 * (parsed - start), "codegen": 1e3 * (done - parsed)}


def _parse_message(ir_text: str, error: str) -> str:
    """LLVM's complaint, with the line it is about."""
    found = re.search(r"<string>:(\d+):", error)
    line = ir_text.splitlines()[int(found[1]) - 1].strip() if found else ""
    return f"compile_ir: LLVM does not accept the emitted text: {error.strip()}\n  line: {line}"


def _link(
    object_bytes: bytes, entry: str, symbols: Mapping[str, int], milliseconds: dict[str, float]
) -> Linked:
    llvm, session = _llvm(), _session()
    start = time.thread_time()
    library = llvm.JITLibraryBuilder().add_object_img(object_bytes).add_current_process()
    for name, address in {**_KERNELS, **symbols}.items():
        if name.encode() in object_bytes:
            library.import_symbol(name, address)
    library.export_symbol(entry)
    try:
        tracker = library.link(session, f"finetti_{next(_numbers)}")
    except RuntimeError as error:
        raise CompileError(
            f"link: {entry!r} cannot be linked: {str(error).strip()}. Expected an object that "
            "defines it and calls only kernels of finetti._core, libm, and what is in `symbols`."
        ) from error
    milliseconds = {**milliseconds, "link": 1e3 * (time.thread_time() - start)}
    return Linked(entry, tracker[entry], object_bytes, milliseconds, tracker)


def _unresolved(ir_text: str, symbols: Mapping[str, int]) -> list[str]:
    """Functions that the text declares and nobody defines."""
    declared = re.findall(r"^declare [^@]*@([\w.$]+)\(", ir_text, re.MULTILINE)
    known = _llvm().address_of_symbol
    return [
        name
        for name in declared
        if not (name.startswith("llvm.") or name in symbols or name in _KERNELS or known(name))
    ]
