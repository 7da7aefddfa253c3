"""Proofs of the check sum."""

import zlib
from typing import Any

from amaranth.hdl import Array, Assert, Assume, Cat, Cover, Module, Mux, Signal, Value

from hw.link import crc
from tests.proofs.property import Fault, Property

# CRC-32 of IEEE 802.3, bits reflected
POLYNOMIAL, BITS = 0xEDB88320, 32


def step(register: Any, bit: Any) -> tuple[Any, Any]:
    """What is shifted by a bit, and whether the polynomial is added: numbers, or values of a design."""
    return register >> 1, (register ^ bit) & 1


def steps(m: Module, register: Value, byte: Value) -> list[Value]:
    """The register as the bits of one more byte are worked in."""
    states = [register]
    for n in range(8):
        shifted, feedback = step(states[-1], byte[n])
        state = Signal(BITS, name=f"step_{n}")  # or the expression would double with every bit
        m.d.comb += state.eq(shifted ^ Mux(feedback, POLYNOMIAL, 0))
        states.append(state)
    return states


def check_sum(data: bytes) -> int:
    """What the same steps make of bytes."""
    register = (1 << BITS) - 1
    for byte in data:
        for n in range(8):
            shifted, feedback = step(register, byte >> n & 1)
            register = shifted ^ feedback * POLYNOMIAL
    return register ^ (1 << BITS) - 1


class CheckSumIsZlibs(Property):
    """Whenever no byte is being worked in, `crc` is what zlib makes of the bytes since the last start; of
    any number of bytes.

    Assumes: no start and no byte while busy. That the steps of a byte are zlib's is tested with numbers."""

    component = "link/crc"
    faults = (
        Fault(module=crc, old="left.eq(8)", new="left.eq(7)"),
        Fault(module=crc, old="with m.If(self.start):", new="with m.If(self.start & ~self.valid):"),
        Fault(module=crc, old="0xEDB88320", new="0xEDB88321"),
    )

    def build(self) -> None:
        m = self.m
        inside = self.opened("check", crc.SerialCrc())
        ports, left = inside.ports, inside["left"]
        total = Signal(BITS, init=(1 << BITS) - 1)  # of all bytes but the last
        byte, some = Signal(8), Signal()  # the last one, and whether there is one
        m.d.comb += Assume(~(ports.busy & (ports.start | ports.valid)))
        states = steps(m, total, byte)
        whole = Signal(BITS)
        m.d.comb += whole.eq(Mux(some, states[-1], total))
        with m.If(ports.start):
            m.d.sync += [total.eq((1 << BITS) - 1), some.eq(ports.valid), byte.eq(ports.data)]
        with m.Elif(ports.valid):
            m.d.sync += [total.eq(whole), some.eq(1), byte.eq(ports.data)]
        m.d.comb += [
            Assert(ports.busy | (ports.crc == ~whole)),
            Assert(left <= Mux(some, 8, 0)),
            Assert(~some | (inside["register"] == Array(reversed(states))[left])),
            Assert((inside["bits"] == byte >> (8 - left)[:4]) | ~ports.busy),
            Cover(self.later(ports.busy) & ~ports.busy & (ports.crc == zlib.crc32(b"1"))),
        ]


class MatchIsTheCheckSum(Property):
    """Whatever bytes came before: after four more, `match` is set exactly if they are their check sum.

    Assumes: nothing. That the register is what zlib makes of the bytes is `CheckSumIsZlibs`."""

    component = "link/crc"
    reach = 40
    faults = (
        Fault(module=crc, old="0xDEBB20E3", new="0xDEBB20E1"),
        Fault(module=crc, old="match.eq(register == RESIDUE)", new="match.eq(register[1:] == RESIDUE >> 1)"),
    )

    def build(self) -> None:
        inside = self.opened("check", crc.SerialCrc())
        before, tail = self.free(BITS, "before"), [self.free(8, f"byte_{n}") for n in range(4)]
        register = before
        for byte in tail:
            register = steps(self.m, register, byte)[-1]
        after = inside["register"] == register
        same = Cat(tail) == ~before
        self.m.d.comb += [
            Assert(~after | (inside.ports.match == same)),
            Cover(after & ~same),
        ]
