"""Proofs of the check sum."""

import zlib

from amaranth.hdl import Array, Assert, Assume, Const, Cover, Signal

from hw.link import crc
from tests.proofs.property import Fault, Property


def table_entry(index: int) -> int:
    """CRC-32 of zlib, of one byte, from a register of zero: the entry of the usual table."""
    return zlib.crc32(bytes([index]), 0xFFFFFFFF) ^ 0xFFFFFFFF


class CheckSumIsThatOfZlib(Property):
    """Whenever it is not busy, the register holds the check sum of zlib of the bytes since the last start,
    for bodies of any length; `match` says whether it is the residue.

    Assumes: a byte and a start come only while it is not busy, and not together. The reference works by the
    table of 256 entries that zlib itself gives."""

    component = "link/crc"
    faults = (
        Fault(module=crc, old="POLYNOMIAL = 0xEDB88320", new="POLYNOMIAL = 0xEDB88321"),
        Fault(module=crc, old="left.eq(8)", new="left.eq(7)"),
        Fault(module=crc, old="init=ONES", new="init=0"),
    )

    def build(self) -> None:
        m = self.m
        unit = self.opened("unit", crc.SerialCrc())
        ports = unit.ports
        table = Array(Const(table_entry(n), 32) for n in range(256))
        expected = Signal(32, init=0xFFFFFFFF)
        m.d.comb += [
            Assume(~(ports.valid | ports.start) | ~ports.busy),
            Assume(~(ports.valid & ports.start)),
        ]
        with m.If(ports.start):
            m.d.sync += expected.eq(0xFFFFFFFF)
        with m.Elif(ports.valid):
            m.d.sync += expected.eq((expected >> 8) ^ table[(expected ^ ports.data)[:8]])
        # the bits that are left, worked in at once
        register, left = unit["register"], unit["left"]
        rest = register
        finished = Signal(32)
        m.d.comb += finished.eq(register)
        for steps in range(1, 9):
            feedback = rest[0] ^ unit["bits"][steps - 1]
            rest = (rest >> 1) ^ (feedback.replicate(32) & 0xEDB88320)
            with m.If(left == steps):
                m.d.comb += finished.eq(rest)
        m.d.comb += [
            Assert(left <= 8),
            Assert(finished == expected),
            Assert(ports.busy | (ports.crc == ~expected)),
            Assert(ports.busy | (ports.match == (expected == 0xDEBB20E3))),
            Cover(~ports.busy & (ports.crc == zlib.crc32(b"a"))),
        ]
