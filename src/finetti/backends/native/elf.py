"""Load a relocatable ELF object into this process, without LLVM (Linux on x86-64).

    image = load(object_bytes, "logp", resolve)     # resolve: name -> address, or None
    image.address                                   # valid as long as `image` lives

A linker in small: lay the sections out, copy them, apply the relocations, set the protection.
Memory is written first and made executable then, never both. What is not handled raises `ElfError`
and is left to LLVM's linker; the code generator makes none of it today. Names and numbers are those
of the System V ABI, AMD64 supplement, section 4.4.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

__all__ = ["ElfError", "Image", "load", "process_symbol", "supported"]

_PAGE = mmap.PAGESIZE
_STUB, _SLOT = 16, 8  # bytes of a jump to a far function, of an address in the offset table

_SHT_PROGBITS, _SHT_SYMTAB, _SHT_RELA, _SHT_NOBITS, _SHT_UNWIND = 1, 2, 4, 8, 0x70000001
_SHF_WRITE, _SHF_ALLOC, _SHF_EXECUTE, _SHF_TLS = 1, 2, 4, 0x400
_SHN_UNDEFINED, _SHN_ABSOLUTE = 0, 0xFFF1

_ABSOLUTE_64, _ABSOLUTE_32, _ABSOLUTE_32S = 1, 10, 11
_RELATIVE_32, _CALL_32, _RELATIVE_64 = 2, 4, 24
_SLOT_RELATIVE = frozenset((9, 41, 42))  # GOTPCREL, and its relaxable forms
_RANGE_32 = {_ABSOLUTE_32: (0, 1 << 32)}  # every other one is signed

_FILE = struct.Struct("<16sHHIQQQIHHHHHH")
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")
_RELOCATION = struct.Struct("<QIIq")


class ElfError(Exception):
    """Not an object that this loader handles, or a name in it that nobody defines."""


@dataclass(frozen=True)
class Image:
    """Code in memory; unmapped when the object dies.

    Parameters
    ----------
    address : int
        Where the entry begins.
    size : int
        Bytes mapped.
    """

    address: int
    size: int
    _memory: mmap.mmap = field(repr=False)


class _Section(NamedTuple):
    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int


@cache
def supported() -> bool:
    """Whether objects can be loaded here."""
    return sys.platform == "linux" and sys.maxsize > 2**32 and os.uname().machine == "x86_64"


def process_symbol(name: str) -> int | None:
    """The address of a function of the C library or the mathematical library."""
    for library in _libraries():
        try:
            return ctypes.cast(library[name], ctypes.c_void_p).value
        except AttributeError:
            continue
    return None


@cache
def _libraries() -> tuple[ctypes.CDLL, ...]:
    process = ctypes.CDLL(None, use_errno=True)
    try:
        return process, ctypes.CDLL("libm.so.6")  # where the interpreter itself needs no libm
    except OSError:
        return (process,)


def load(object_bytes: bytes, entry: str, resolve: Callable[[str], int | None]) -> Image:
    """Load an object.

    Parameters
    ----------
    object_bytes : bytes
        A relocatable ELF object for x86-64.
    entry : str
        The function whose address is wanted.
    resolve : callable
        Gives the address of a function that the object calls and does not define, or None.

    Raises
    ------
    ElfError
        If the object is damaged, needs what this loader does not do, does not define `entry`, or
        calls something that `resolve` does not know.
    """
    try:
        return _Loader(object_bytes, resolve).load(entry)
    except (struct.error, LookupError, ValueError, OverflowError, OSError) as error:
        raise ElfError(f"damaged object: {error}") from error


class _Loader:
    """One object on its way into memory."""

    def __init__(self, object_bytes: bytes, resolve: Callable[[str], int | None]):
        self.object = object_bytes
        self.resolve = resolve
        self.sections = _sections(object_bytes)
        tables = [section for section in self.sections if section.kind == _SHT_SYMTAB]
        if len(tables) != 1:
            raise ElfError(f"{len(tables)} symbol tables")
        self.symbols = list(_SYMBOL.iter_unpack(self.content(tables[0])))
        self.strings = self.content(self.sections[tables[0].link])
        self.addresses: dict[int, int] = {}  # by number of symbol
        self.stubs: dict[int, int] = {}  # by what they jump to
        self.slots: dict[int, int] = {}  # by what they hold

    def content(self, section: _Section) -> bytes:
        """The bytes of a section in the file."""
        content = self.object[section.offset : section.offset + section.size]
        if len(content) != section.size:
            raise ElfError("a section ends behind the end of the object")
        return content

    def load(self, entry: str) -> Image:
        """Lay out, copy, relocate, protect."""
        code_end, constants_end, size = self.lay_out()
        flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS  # private: a forked process has its own
        self.memory = mmap.mmap(-1, size, flags=flags, prot=mmap.PROT_READ | mmap.PROT_WRITE)
        self.base = ctypes.addressof(ctypes.c_char.from_buffer(self.memory))
        for number, place in self.places.items():
            section = self.sections[number]
            if section.kind == _SHT_PROGBITS:
                self.memory[place : place + section.size] = self.content(section)
        for section in self.sections:
            if section.kind == _SHT_RELA and section.info in self.places:
                self.relocate(section)
        address = self.entry_address(entry)
        _protect(self.base, code_end, mmap.PROT_READ | mmap.PROT_EXEC)
        _protect(self.base + code_end, constants_end - code_end, mmap.PROT_READ)
        return Image(address, size, self.memory)

    def lay_out(self) -> tuple[int, int, int]:
        """Give every section its place: code, then constants, then variables, on pages apart."""
        self.places: dict[int, int] = {}
        groups: tuple[list[int], list[int], list[int]] = ([], [], [])
        for number, section in enumerate(self.sections):
            if not section.flags & _SHF_ALLOC or not section.size or section.kind == _SHT_UNWIND:
                continue
            if section.kind not in (_SHT_PROGBITS, _SHT_NOBITS) or section.flags & _SHF_TLS:
                raise ElfError(f"a section of type {section.kind:#x}, flags {section.flags:#x}")
            writable, executable = section.flags & _SHF_WRITE, section.flags & _SHF_EXECUTE
            if (writable and executable) or section.alignment > _PAGE:
                raise ElfError(f"flags {section.flags:#x}, alignment {section.alignment}")
            groups[2 if writable else 0 if executable else 1].append(number)
        code_end = self.place(groups[0], 0)
        self.next_stub = code_end
        code_end = _round_up(code_end + _STUB * len(self.symbols), _PAGE)
        constants_end = self.place(groups[1], code_end)
        self.next_slot = constants_end
        constants_end = _round_up(constants_end + _SLOT * len(self.symbols), _PAGE)
        return code_end, constants_end, _round_up(self.place(groups[2], constants_end), _PAGE)

    def place(self, numbers: list[int], start: int) -> int:
        """Place sections one after another; returns the end, fit for stubs and slots."""
        for number in numbers:
            start = _round_up(start, max(self.sections[number].alignment, 1))
            self.places[number] = start
            start += self.sections[number].size
        return _round_up(start, _STUB)

    def relocate(self, relocations: _Section) -> None:
        """Write the addresses that the object left open in one section."""
        section, place = self.sections[relocations.info], self.places[relocations.info]
        for offset, kind, number, addend in _RELOCATION.iter_unpack(self.content(relocations)):
            width = 8 if kind in (_ABSOLUTE_64, _RELATIVE_64) else 4
            if offset + width > section.size:
                raise ElfError("a relocation behind the end of its section")
            address, position = self.address(number), self.base + place + offset
            if kind == _ABSOLUTE_64:
                value = address + addend
            elif kind in (_RELATIVE_32, _CALL_32):
                if self.symbols[number][3] == _SHN_UNDEFINED:
                    address = self.stub(address)
                value = address + addend - position
            elif kind in _SLOT_RELATIVE:
                value = self.slot(address) + addend - position
            elif kind == _RELATIVE_64:
                value = address + addend - position
            elif kind in (_ABSOLUTE_32, _ABSOLUTE_32S):
                value = address + addend
            else:
                raise ElfError(f"a relocation of type {kind}")
            self.write(place + offset, value, kind, width)

    def write(self, place: int, value: int, kind: int, width: int) -> None:
        """Write a number where it fits."""
        if width == 4:
            low, high = _RANGE_32.get(kind, (-(1 << 31), 1 << 31))
            if not low <= value < high:
                raise ElfError(f"a relocation of type {kind} out of range")
        low_bits = value & ((1 << 8 * width) - 1)
        self.memory[place : place + width] = low_bits.to_bytes(width, "little")

    def address(self, number: int) -> int:
        """Where a symbol is."""
        if number not in self.addresses:
            name, _, _, section, value, _ = self.symbols[number]
            if section == _SHN_UNDEFINED:
                found = self.resolve(self.name(name))
                if found is None:
                    raise ElfError(f"undefined: {self.name(name)}")
                self.addresses[number] = found
            elif section == _SHN_ABSOLUTE:
                self.addresses[number] = value
            else:
                self.addresses[number] = self.base + self.places[section] + value
        return self.addresses[number]

    def stub(self, address: int) -> int:
        """A jump to an address that may be too far for a call."""
        if address not in self.stubs:
            place = self.next_stub
            jump = b"\xff\x25\0\0\0\0" + address.to_bytes(8, "little")  # jmp [rip], and the address
            self.memory[place : place + len(jump)] = jump
            self.stubs[address] = self.base + place
            self.next_stub += _STUB
        return self.stubs[address]

    def slot(self, address: int) -> int:
        """A place among the constants that holds an address."""
        if address not in self.slots:
            place = self.next_slot
            self.memory[place : place + _SLOT] = address.to_bytes(8, "little")
            self.slots[address] = self.base + place
            self.next_slot += _SLOT
        return self.slots[address]

    def name(self, start: int) -> str:
        """A name in the table of names."""
        return self.strings[start : self.strings.index(b"\0", start)].decode()

    def entry_address(self, entry: str) -> int:
        """Where a function that the object defines begins."""
        for number, (name, _, _, section, _, _) in enumerate(self.symbols):
            if section in self.places and name and self.name(name) == entry:
                return self.address(number)
        raise ElfError(f"undefined: {entry}")


def _sections(object_bytes: bytes) -> list[_Section]:
    header = _FILE.unpack_from(object_bytes)
    identity, kind, machine, table = header[0], header[1], header[2], header[6]
    entry_size, count = header[11], header[12]
    if identity[:6] != b"\x7fELF\x02\x01" or (kind, machine) != (1, 62):
        raise ElfError("no relocatable object for x86-64")
    if entry_size != _SECTION.size:
        raise ElfError(f"section headers of {entry_size} bytes")
    raw = object_bytes[table : table + count * entry_size]
    if not count or len(raw) != count * entry_size:
        raise ElfError("the section headers end behind the end of the object")
    return [_Section(*fields) for fields in _SECTION.iter_unpack(raw)]


def _round_up(value: int, step: int) -> int:
    return -(-value // step) * step


def _protect(address: int, size: int, protection: int) -> None:
    if not size:
        return
    change = _libraries()[0].mprotect
    if change(ctypes.c_void_p(address), ctypes.c_size_t(size), ctypes.c_int(protection)):
        raise ElfError(f"mprotect: {os.strerror(ctypes.get_errno())}")
