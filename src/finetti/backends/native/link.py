"""From LLVM text IR to machine code in this process.

    linked = compile_ir(ir_text, "logp")
    linked.address        # of the function "logp", valid as long as `linked` lives
    linked.object_bytes   # the relocatable object; `load_object` brings it back in another process

An object that the cache on disk has is not generated again; otherwise llvmlite is imported. No
middle-end passes run: the emitter has done their work. Objects are linked by our own loader where
there is one (`elf`), else through one ORC session; names resolve to `symbols`, then to the kernels
of finetti._core, then to the process (libm). Everything here is safe from several threads.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from finetti._core import kernel_addresses
from finetti.backends.native import elf
from finetti.backends.native.cache import object_cache, object_key
from finetti.backends.native.target import Target, host_target, llvm, llvm_identity, once
from finetti.errors import CompileError

__all__ = ["Linked", "Target", "compile_ir", "host_target", "load_object"]

_KERNELS: dict[str, int] = kernel_addresses()
_LEVEL = 1  # of LLVM's instruction selection and register allocation
_OPTIONS = f"level {_LEVEL}, large code model, interface 1"  # what objects depend on besides text
_numbers = itertools.count()


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
        CPU time of this thread by stage: cache (to look up and to store), and link; parse and
        codegen if the object was not in the cache.
    """

    entry: str
    address: int
    object_bytes: bytes = field(repr=False)
    milliseconds: dict[str, float]
    _keepalive: Any = field(repr=False)


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
    target, cache, clock = target or host_target(), object_cache(), time.thread_time
    if cache is None:
        return _compile(ir_text, entry, symbols or {}, target)
    start = clock()
    key = object_key(llvm_identity(), _OPTIONS, target.identity, entry, ir_text)
    object_bytes = cache.load(key)
    looked = clock()
    if object_bytes is not None:
        try:
            return _link(object_bytes, entry, symbols or {}, {"cache": 1e3 * (looked - start)})
        except CompileError:  # what is wrong is told by compiling, or put right
            pass
    linked = _compile(ir_text, entry, symbols or {}, target)
    done = clock()
    cache.store(key, linked.object_bytes)
    linked.milliseconds["cache"] = 1e3 * (looked - start + clock() - done)
    return linked


def load_object(
    object_bytes: bytes, entry: str, *, symbols: Mapping[str, int] | None = None
) -> Linked:
    """Link an object that `compile_ir` made, here or earlier on an equal processor."""
    return _link(object_bytes, entry, symbols or {}, {})


def _compile(ir_text: str, entry: str, symbols: Mapping[str, int], target: Target) -> Linked:
    object_bytes, milliseconds = _emit_object(ir_text, target)
    try:
        return _link(object_bytes, entry, symbols, milliseconds)
    except CompileError as error:
        unknown = _unresolved(ir_text, symbols)
        if not unknown:
            raise
        raise CompileError(
            f"compile_ir: {entry!r} calls {', '.join(unknown)}, which is neither a kernel of "
            "finetti._core, nor in libm, nor passed in `symbols`. Pass its address there."
        ) from error


@once
def _machine(target: Target) -> Any:
    return (
        llvm()
        .Target.from_default_triple()
        .create_target_machine(cpu=target.cpu, features=target.features, opt=_LEVEL, jit=True)
    )


@once
def _session() -> Any:
    return llvm().create_lljit_compiler(suppress_errors=True)


def _emit_object(ir_text: str, target: Target) -> tuple[bytes, dict[str, float]]:
    binding, machine = llvm(), _machine(target)
    start = time.thread_time()
    try:
        module = binding.parse_assembly(ir_text, context=binding.create_context())
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
    start = time.thread_time()
    address, keepalive = _load(object_bytes, entry, symbols)
    milliseconds = {**milliseconds, "link": 1e3 * (time.thread_time() - start)}
    return Linked(entry, address, object_bytes, milliseconds, keepalive)


def _load(object_bytes: bytes, entry: str, symbols: Mapping[str, int]) -> tuple[int, Any]:
    """The entry's address, and what keeps it valid."""

    def resolve(name: str) -> int | None:
        return symbols.get(name) or _KERNELS.get(name) or elf.process_symbol(name)

    if elf.supported():
        try:
            image = elf.load(object_bytes, entry, resolve)
            return image.address, image
        except elf.ElfError:  # LLVM's linker can do more, and tells what is wrong
            pass
    return _load_with_llvm(object_bytes, entry, symbols)


def _load_with_llvm(object_bytes: bytes, entry: str, symbols: Mapping[str, int]) -> tuple[int, Any]:
    session = _session()
    library = llvm().JITLibraryBuilder().add_object_img(object_bytes).add_current_process()
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
    return tracker[entry], tracker


def _unresolved(ir_text: str, symbols: Mapping[str, int]) -> list[str]:
    """Functions that the text declares and nobody defines."""
    declared = re.findall(r"^declare [^@]*@([\w.$]+)\(", ir_text, re.MULTILINE)
    known = llvm().address_of_symbol
    return [
        name
        for name in declared
        if not (name.startswith("llvm.") or name in symbols or name in _KERNELS or known(name))
    ]
