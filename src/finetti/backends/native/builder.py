"""A small writer of LLVM text IR.

`Builder` appends lines of one function body and hands out fresh SSA names. Values are plain
strings (``%v7``, or the text of a constant); types are not tracked, so every method takes the
number of ``lanes`` last: 1 means a scalar (``double``), any other number a vector
(``<8 x double>``). Wherever a floating operand is expected a Python number may stand instead: it
becomes a constant of the right type.

    b = Builder()
    y = b.fadd(b.fmul("%x", 2.0, 8), 1.0, 8)    # <8 x double>
    b.store(y, "%out", 8)
    b.ret("void")
    text = b.module("define void @f(ptr %out, <8 x double> %x)")

Floating arithmetic carries the flag ``contract`` (a multiplication and an addition may become one
fma) and nothing else: infinities and NaN keep their IEEE meaning. Inside ``with b.exact():`` not
even that, so each operation rounds as written; error-compensated formulas need it.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

__all__ = ["Builder", "Operand", "vector_type"]

Operand = str | float

_SUFFIX = {"double": "f64", "i64": "i64", "i32": "i32", "i1": "i1"}
_LAST = 2  # terms of a polynomial that come last, so that it is as exact as Horner's
_PURE = "nounwind willreturn memory(none)"


def vector_type(lanes: int, element: str = "double") -> str:
    """The type of `lanes` elements: the element itself for one lane."""
    return element if lanes == 1 else f"<{lanes} x {element}>"


def hex_double(value: float) -> str:
    """The bits of a double as LLVM reads them back, exactly."""
    return f"0x{struct.unpack('<Q', struct.pack('<d', value))[0]:016X}"


class Builder:
    """Lines of one function body, and the declarations and helper functions they need.

    Parameters
    ----------
    has_fma : bool
        Whether the target has fused multiply-add. Without it `fma` becomes a multiplication and
        an addition, because the fused form would be a call of libm.
    parent : Builder, optional
        The builder of another function of the same module; declarations and helper functions are
        shared with it.

    Attributes
    ----------
    lines : list of str
        The instructions and labels so far.
    block : str
        The name of the block being written (without ``%``), which a phi names as the origin of a
        value. Any operation may split a block, so read it after computing the value.
    declares : dict of str to str
        ``declare`` lines by symbol.
    call_math : bool
        Whether vectors call functions of mathematics instead of having them written out.
    hurried : bool
        Whether what is computed is waited for: more operations are done, of which fewer depend on
        each other.
    functions : dict of str to str
        Texts of helper functions by symbol (slow paths and the like) of the same module.
    """

    def __init__(self, *, has_fma: bool = True, parent: Builder | None = None) -> None:
        self.has_fma: bool = has_fma if parent is None else parent.has_fma
        self.lines: list[str] = []
        self.block = "entry"
        self.declares: dict[str, str] = {} if parent is None else parent.declares
        self.functions: dict[str, str] = {} if parent is None else parent.functions
        self.call_math = False
        self.hurried = False
        self._flags = "contract "
        self._count = 0
        self._open: dict[str, int] = {}  # the line of each open phi

    # ---- text

    def name(self, hint: str = "v") -> str:
        """A fresh SSA name, ``%`` included."""
        self._count += 1
        return f"%{hint}{self._count}"

    def emit(self, instruction: str) -> str:
        """Append an instruction that has a result; returns the result's name."""
        name = self.name()
        self.lines.append(f"  {name} = {instruction}")
        return name

    def effect(self, instruction: str) -> None:
        """Append an instruction without a result."""
        self.lines.append(f"  {instruction}")

    def declare(
        self, symbol: str, result: str, arguments: Sequence[str], attributes: str = ""
    ) -> None:
        """Declare an external function once."""
        if symbol not in self.declares:
            text = f"declare {result} @{symbol}({', '.join(arguments)}) {attributes}"
            self.declares[symbol] = text.rstrip()

    def child(self) -> Builder:
        """A builder for the body of another function of the same module."""
        return Builder(parent=self)

    def define(self, symbol: str, header: str, body: Builder) -> None:
        """Add a finished helper function: `header` is its ``define ...`` line up to the brace."""
        self.functions[symbol] = body.body(header)

    def body(self, header: str) -> str:
        """This function as text: `header` is its ``define ...`` line up to the brace."""
        return "\n".join([f"{header} {{", "entry:", *self.lines, "}"])

    def module(self, header: str) -> str:
        """A whole module: this function, its helper functions and declarations."""
        return "\n".join([self.body(header), *self.functions.values(), *self.declares.values(), ""])

    # ---- constants

    def const(self, value: float, lanes: int = 1) -> str:
        """A floating constant, the same in every lane."""
        text = hex_double(value)
        return text if lanes == 1 else f"splat (double {text})"

    def iconst(self, value: int, lanes: int = 1, element: str = "i64") -> str:
        """An integer constant, the same in every lane."""
        return str(value) if lanes == 1 else f"splat ({element} {value})"

    def iota(self, lanes: int, element: str = "i64") -> str:
        """The constant 0, 1, 2, ... along the lanes."""
        if lanes == 1:
            return "0"
        return "<" + ", ".join(f"{element} {i}" for i in range(lanes)) + ">"

    def true(self, lanes: int = 1) -> str:
        """The i1 constant true in every lane."""
        return "true" if lanes == 1 else "splat (i1 true)"

    def _operand(self, x: Operand, lanes: int) -> str:
        return x if isinstance(x, str) else self.const(x, lanes)

    # ---- floating arithmetic

    @contextmanager
    def exact(self) -> Iterator[None]:
        """Within the block every floating operation rounds as written (no contraction)."""
        saved, self._flags = self._flags, ""
        try:
            yield
        finally:
            self._flags = saved

    def fuse(self, allowed: bool) -> None:
        """From here on let a multiplication and an addition become one, or round as written."""
        self._flags = "contract " if allowed else ""

    def _binary(self, op: str, x: Operand, y: Operand, lanes: int) -> str:
        a, b = self._operand(x, lanes), self._operand(y, lanes)
        return self.emit(f"{op} {self._flags}{vector_type(lanes)} {a}, {b}")

    def fadd(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """x + y."""
        return self._binary("fadd", x, y, lanes)

    def fsub(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """x - y."""
        return self._binary("fsub", x, y, lanes)

    def fmul(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """x * y."""
        return self._binary("fmul", x, y, lanes)

    def fdiv(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """x / y."""
        return self._binary("fdiv", x, y, lanes)

    def fneg(self, x: Operand, lanes: int = 1) -> str:
        """-x (flips the sign bit, of NaN and zero too)."""
        return self.emit(f"fneg {vector_type(lanes)} {self._operand(x, lanes)}")

    def fma(self, x: Operand, y: Operand, z: Operand, lanes: int = 1) -> str:
        """x * y + z, rounded once where the target can."""
        return self.intrinsic("fma" if self.has_fma else "fmuladd", [x, y, z], lanes)

    def horner(self, x: str, coefficients: Sequence[float], lanes: int = 1) -> str:
        """A polynomial in x, coefficients from the highest power down."""
        result: Operand = coefficients[0]
        rest = coefficients[1:]
        if self.hurried and len(coefficients) > 2 * _LAST:
            result = self._estrin(x, coefficients[:-_LAST], lanes)
            rest = coefficients[-_LAST:]
        for coefficient in rest:
            result = self.fma(result, x, coefficient, lanes)
        return self._operand(result, lanes)

    def _estrin(self, x: str, coefficients: Sequence[float], lanes: int) -> str:
        """A polynomial by pairs of terms, then pairs of those: few operations wait for others."""
        terms: list[Operand] = list(coefficients[::-1])
        while len(terms) > 1:
            terms = [
                self.fma(terms[k + 1], x, terms[k], lanes) if k + 1 < len(terms) else terms[k]
                for k in range(0, len(terms), 2)
            ]
            if len(terms) > 1:
                x = self.fmul(x, x, lanes)
        return self._operand(terms[0], lanes)

    def intrinsic(self, name: str, operands: Sequence[Operand], lanes: int = 1) -> str:
        """A floating intrinsic whose operands and result share one type."""
        kind = vector_type(lanes)
        symbol = f"llvm.{name}.{'f64' if lanes == 1 else f'v{lanes}f64'}"
        self.declare(symbol, kind, [kind] * len(operands))
        arguments = ", ".join(f"{kind} {self._operand(x, lanes)}" for x in operands)
        return self.emit(f"call {kind} @{symbol}({arguments})")

    def fabs(self, x: Operand, lanes: int = 1) -> str:
        """The absolute value."""
        return self.intrinsic("fabs", [x], lanes)

    def sqrt(self, x: Operand, lanes: int = 1) -> str:
        """The square root, correctly rounded; NaN below zero."""
        return self.intrinsic("sqrt", [x], lanes)

    def copysign(self, magnitude: Operand, sign: Operand, lanes: int = 1) -> str:
        """The magnitude of one with the sign of the other."""
        return self.intrinsic("copysign", [magnitude, sign], lanes)

    def maximum(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """The larger, NaN if either is (as numpy.maximum)."""
        if self.hurried:
            return self._extreme("ogt", x, y, lanes)
        return self.intrinsic("maximum", [x, y], lanes)

    def minimum(self, x: Operand, y: Operand, lanes: int = 1) -> str:
        """The smaller, NaN if either is (as numpy.minimum)."""
        if self.hurried:
            return self._extreme("olt", x, y, lanes)
        return self.intrinsic("minimum", [x, y], lanes)

    def _extreme(self, predicate: str, x: Operand, y: Operand, lanes: int) -> str:
        """The larger or smaller, of two zeros the second; the first is asked for NaN meanwhile."""
        chosen = self.select(self.fcmp(predicate, x, y, lanes), x, y, lanes)
        return self.select(self.fcmp("uno", x, x, lanes), x, chosen, lanes)

    def clamp_below(self, x: str, bound: float, lanes: int = 1) -> str:
        """x, but `bound` where x is smaller; NaN stays. One instruction on x86."""
        return self.select(self.fcmp("olt", x, bound, lanes), bound, x, lanes)

    def clamp_above(self, x: str, bound: float, lanes: int = 1) -> str:
        """x, but `bound` where x is larger; NaN stays. One instruction on x86."""
        return self.select(self.fcmp("ogt", x, bound, lanes), bound, x, lanes)

    # ---- comparisons, selection, logic on i1

    def fcmp(self, predicate: str, x: Operand, y: Operand, lanes: int = 1) -> str:
        """Compare floats (``olt``, ``oeq``, ``une``, ``uno``, ...): i1 in each lane."""
        a, b = self._operand(x, lanes), self._operand(y, lanes)
        return self.emit(f"fcmp {predicate} {vector_type(lanes)} {a}, {b}")

    def icmp(
        self, predicate: str, x: str | int, y: str | int, lanes: int = 1, element: str = "i64"
    ) -> str:
        """Compare integers (``eq``, ``slt``, ``uge``, ...): i1 in each lane."""
        return self.iop(f"icmp {predicate}", x, y, lanes, element)

    def select(
        self, condition: str, x: Operand, y: Operand, lanes: int = 1, element: str = "double"
    ) -> str:
        """Lane by lane: x where the condition holds, y elsewhere."""
        kind = vector_type(lanes, element)
        if element == "double":
            a, b = self._operand(x, lanes), self._operand(y, lanes)
        else:
            a, b = (
                v if isinstance(v, str) else self.iconst(int(v), lanes, element) for v in (x, y)
            )
        return self.emit(f"select {vector_type(lanes, 'i1')} {condition}, {kind} {a}, {kind} {b}")

    def logical_and(self, x: str, y: str, lanes: int = 1) -> str:
        """Both, on i1."""
        return self.iop("and", x, y, lanes, "i1")

    def logical_or(self, x: str, y: str, lanes: int = 1) -> str:
        """Either, on i1."""
        return self.iop("or", x, y, lanes, "i1")

    def logical_xor(self, x: str, y: str, lanes: int = 1) -> str:
        """Exactly one, on i1."""
        return self.iop("xor", x, y, lanes, "i1")

    def logical_not(self, x: str, lanes: int = 1) -> str:
        """The opposite, on i1."""
        return self.iop("xor", x, self.true(lanes), lanes, "i1")

    # ---- integers and conversions

    def iop(self, op: str, x: str | int, y: str | int, lanes: int = 1, element: str = "i64") -> str:
        """An integer operation by its LLVM name: ``add``, ``mul``, ``shl``, ``and``, ..."""
        a, b = (v if isinstance(v, str) else self.iconst(v, lanes, element) for v in (x, y))
        return self.emit(f"{op} {vector_type(lanes, element)} {a}, {b}")

    def convert(self, op: str, x: str, source: str, target: str, lanes: int = 1) -> str:
        """A conversion by its LLVM name: ``sitofp``, ``sext``, ``uitofp``, ..."""
        return self.emit(f"{op} {vector_type(lanes, source)} {x} to {vector_type(lanes, target)}")

    def bits(self, x: Operand, lanes: int = 1) -> str:
        """The bits of doubles, as i64."""
        return self.convert("bitcast", self._operand(x, lanes), "double", "i64", lanes)

    def from_bits(self, x: str, lanes: int = 1) -> str:
        """Doubles from their bits."""
        return self.convert("bitcast", x, "i64", "double", lanes)

    # ---- memory

    def load(
        self, pointer: str, lanes: int = 1, *, element: str = "double", align: int | None = None
    ) -> str:
        """Read consecutive elements; `align` in bytes, one element's size by default."""
        kind = vector_type(lanes, element)
        return self.emit(f"load {kind}, ptr {pointer}, align {align or _size(element)}")

    def store(
        self,
        value: Operand,
        pointer: str,
        lanes: int = 1,
        *,
        element: str = "double",
        align: int | None = None,
    ) -> None:
        """Write consecutive elements; `align` in bytes, one element's size by default."""
        text = self._operand(value, lanes) if element == "double" else str(value)
        kind = vector_type(lanes, element)
        self.effect(f"store {kind} {text}, ptr {pointer}, align {align or _size(element)}")

    def element_pointer(self, base: str, index: str | int, element: str = "double") -> str:
        """The address of ``base[index]``."""
        return (
            base if index == 0 else self.emit(f"getelementptr {element}, ptr {base}, i64 {index}")
        )

    def byte_pointer(self, base: str, offset: str | int) -> str:
        """The address `offset` bytes behind `base`."""
        return self.element_pointer(base, offset, "i8")

    def prefetch(self, pointer: str) -> None:
        """Ask for a line of memory that will be read once; any address will do."""
        self.declare("llvm.prefetch.p0", "void", ["ptr", "i32", "i32", "i32"])
        self.effect(f"call void @llvm.prefetch.p0(ptr {pointer}, i32 0, i32 3, i32 1)")

    def clear(self, pointer: str, size: int) -> None:
        """Fill so many bytes with zeros."""
        self.declare("llvm.memset.p0.i64", "void", ["ptr", "i8", "i64", "i1"])
        self.effect(
            f"call void @llvm.memset.p0.i64(ptr align 8 {pointer}, i8 0, i64 {size}, i1 false)"
        )

    # ---- lanes

    def splat(self, x: Operand, lanes: int, element: str = "double") -> str:
        """A scalar repeated in every lane."""
        if lanes == 1 or not isinstance(x, str):
            return self._operand(x, lanes)
        kind = vector_type(lanes, element)
        first = self.emit(f"insertelement {kind} poison, {element} {x}, i64 0")
        return self.emit(
            f"shufflevector {kind} {first}, {kind} poison, <{lanes} x i32> zeroinitializer"
        )

    def extract(self, x: str, lane: int | str, lanes: int, element: str = "double") -> str:
        """One lane as a scalar."""
        return (
            x
            if lanes == 1
            else self.emit(f"extractelement {vector_type(lanes, element)} {x}, i64 {lane}")
        )

    def insert(
        self, x: str, scalar: str, lane: int | str, lanes: int, element: str = "double"
    ) -> str:
        """x with one lane replaced; x may be ``poison``."""
        if lanes == 1:
            return scalar
        return self.emit(
            f"insertelement {vector_type(lanes, element)} {x}, {element} {scalar}, i64 {lane}"
        )

    def reduce_fadd(self, x: str, lanes: int) -> str:
        """The sum over the lanes, in a fixed tree order."""
        return (
            x
            if lanes == 1
            else self._reduce("fadd", x, lanes, "double", start="-0.0", flags="reassoc ")
        )

    def reduce_fmax(self, x: str, lanes: int) -> str:
        """The largest lane, NaN if any lane is (as numpy.max)."""
        return x if lanes == 1 else self._reduce("fmaximum", x, lanes, "double")

    def reduce_fmin(self, x: str, lanes: int) -> str:
        """The smallest lane, NaN if any lane is (as numpy.min)."""
        return x if lanes == 1 else self._reduce("fminimum", x, lanes, "double")

    def any_lane(self, condition: str, lanes: int) -> str:
        """Whether the condition holds in some lane: one i1."""
        return condition if lanes == 1 else self._reduce("or", condition, lanes, "i1")

    def _reduce(
        self,
        op: str,
        x: str,
        lanes: int,
        element: str,
        *,
        start: str | None = None,
        flags: str = "",
    ) -> str:
        symbol = f"llvm.vector.reduce.{op}.v{lanes}{_SUFFIX[element]}"
        kind = vector_type(lanes, element)
        self.declare(symbol, element, [kind] if start is None else [element, kind])
        arguments = f"{kind} {x}" if start is None else f"{element} {start}, {kind} {x}"
        return self.emit(f"call {flags}{element} @{symbol}({arguments})")

    # ---- calls

    def call(self, symbol: str, arguments: Sequence[Operand], lanes: int = 1) -> str:
        """Call a pure function of doubles (libm, a kernel, or a helper function of this module)."""
        kind = vector_type(lanes)
        if symbol not in self.functions:
            self.declare(symbol, kind, [kind] * len(arguments), _PURE)
        text = ", ".join(f"{kind} {self._operand(x, lanes)}" for x in arguments)
        return self.emit(f"call {kind} @{symbol}({text})")

    def call_effect(self, symbol: str, arguments: Sequence[tuple[str, str]]) -> None:
        """Call a function that returns nothing; arguments are (type, value) pairs."""
        self.declare(symbol, "void", [kind for kind, _ in arguments], "nounwind")
        self.effect(
            f"call void @{symbol}({', '.join(f'{kind} {value}' for kind, value in arguments)})"
        )

    # ---- control flow

    def fresh_label(self, hint: str = "block") -> str:
        """A new block name (without ``%``), to be branched to and placed later."""
        return self.name(hint)[1:]

    def label(self, name: str) -> None:
        """Begin the block `name`; the block before must have ended in a branch."""
        self.lines.append(f"{name}:")
        self.block = name

    def branch(self, target: str) -> None:
        """Go to a block."""
        self.effect(f"br label %{target}")

    def branch_if(self, condition: str, then: str, otherwise: str) -> None:
        """Go to one block or the other."""
        self.effect(f"br i1 {condition}, label %{then}, label %{otherwise}")

    def ret(self, value: str) -> None:
        """Return: ``"void"``, or type and value as in ``"i32 0"``."""
        self.effect(f"ret {value}")

    def phi(self, kind: str, *incoming: tuple[str, str]) -> str:
        """The value that came with the edge taken: (value, block) pairs."""
        return self.emit(
            f"phi {kind} " + ", ".join(f"[ {value}, %{block} ]" for value, block in incoming)
        )

    def open_phi(self, kind: str, value: str, block: str) -> str:
        """A phi at the head of a loop with its value on entry; see `close_phi`."""
        name = self.phi(kind, (value, block))
        self._open[name] = len(self.lines) - 1
        return name

    def close_phi(self, name: str, value: str, block: str) -> None:
        """Complete an open phi by the value that comes with the back edge from `block`."""
        at = self._open.pop(name, None)
        if at is None:
            raise KeyError(f"close_phi: no phi named {name} is open in this function")
        self.lines[at] += f", [ {value}, %{block} ]"


def _size(element: str) -> int:
    return {"double": 8, "i64": 8, "i32": 4, "i1": 1, "i8": 1}[element]
