"""What modules may rely on: what neighbours, and the words that golden makes to load, never give them.

A proof that a fault never shows takes inputs that are free but for that, as the assumptions of the properties
in `tests/proofs`: neighbours keep to it by reading. Until a fault shows all around a module is as it was, so
that what the sound design keeps to may be relied on until then.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib.data import Field

from golden.attention.config import CoreConfig
from golden.attention.normaliser import RATIO_FRACTION_BITS
from golden.integer.config import IntegerConfig
from golden.network.config import NetworkConfig
from golden.network.limits import LEVEL_BITS
from golden.network.neuron import most_octaves
from hw.attention.output_threshold import threshold_beat
from hw.attention.payloads import head_part
from hw.network import payloads
from tests.mutation.aiger import Made


@dataclass(frozen=True)
class Contract:
    """Bits of a port of a module, or of a memory in it, and what number they may be.

    Attributes:
        module: expression for its name, without those around it.
        port: its name, MEMORY.PIN at a memory.
        first, width: the bits.
        most: the largest number; unless `values` has all there are. least: 0 or 1.
        on: bit without which the port means nothing.
        vector: whether the port is more than one bit wide, so that its bits have numbers.
    """

    module: str
    port: str
    first: int
    width: int
    most: int = 0
    values: frozenset[int] = frozenset()
    least: int = 0
    on: str = ""
    vector: bool = True

    @property
    def bits(self) -> list[str]:
        if not self.vector:
            return [self.port]
        return [f"{self.port}[{n}]" for n in range(self.first, self.first + self.width)]

    @property
    def zero(self) -> bool:
        """Whether that is 0, always."""
        return not (self.most or self.values or self.on)

    def of(self, module: str, ports: Mapping[str, int]) -> bool:
        """Whether it says something of a module with these ports."""
        there = all(bit in ports for bit in (*self.bits, *([self.on] if self.on else [])))
        return there and re.fullmatch(self.module, module.rpartition(".")[2]) is not None

    def broken(self, made: Made, bits: list[int], on: int) -> int:
        """A literal: the port means something, and is none of the numbers."""
        if self.values:
            kept = made.any(
                made.any(bit ^ (value >> n & 1) for n, bit in enumerate(bits)) ^ 1 for value in self.values
            )
        else:
            kept = 1
            for n, bit in enumerate(bits):
                kept = made.any((bit ^ 1, kept)) if self.most >> n & 1 else made.both(bit ^ 1, kept)
        if self.least:
            kept = made.both(kept, made.any(bits))
        return made.both(on, kept ^ 1)


def attention(config: CoreConfig) -> tuple[Contract, ...]:
    """Output ratios and normalisers are not 0, normalisers those of all keys at most, and levels those of the
    largest ratio; and what `heads` says."""
    most = (1 << config.ratio_width) - 1
    level = (config.normaliser_limit * most - 1) >> RATIO_FRACTION_BITS
    head = head_part(config, "tokens", "features", "ratio")
    found = [("threshold", "i", 0, config.normaliser_width, config.normaliser_limit, 1)]
    found += [("threshold", "i_head", *place, most, 1) for place in _elements(head["ratio"])]
    found += [("encoder", "i", *place, level, 0) for place in _elements(threshold_beat(config)["level"])]
    payloads = (
        Contract(module, f"{port}__payload", first, width, highest, least=least, on=f"{port}__valid")
        for module, port, first, width, highest, least in found
    )
    terms = ["terms_loader"] if config.terms else []
    queues = heads("threshold", "key_loader", "value_loader", "score", "ramp", *terms)
    units = r"(key|value|terms)_loader|score|ramp|context|threshold"
    return *payloads, *queues, *tokens(units, config.tokens, config.queued_heads)


def key_serial() -> tuple[Contract, ...]:
    """Nothing of cores without codes, which have no threshold."""
    return heads("threshold", "key_loader", "value_loader", "score", "weights", "context")


def integer(config: IntegerConfig) -> tuple[Contract, ...]:
    """What `heads` and `tokens` say."""
    queues = heads("divisor", "key_loader", "value_loader", "score", "weights", "context")
    units = r"key_loader|(score|weight)_sequencer|divisor"
    return *queues, *tokens(units, config.tokens, config.queued_heads)


def tokens(units: str, most: int, queued: int) -> tuple[Contract, ...]:
    """Heads have one token at least, and no more than there is room for. A queue in which heads wait shows
    none but those also while it offers none, or 0."""
    port, width = "i_head__payload", most.bit_length()
    always = [Contract(units, port, 0, width, most)] if queued > 1 else []
    return Contract(units, port, 0, width, most, least=1, on="i_head__valid"), *always


def heads(late: str, *early: str) -> tuple[Contract, ...]:
    """A unit that ends every head later than others: where its queue has room for one more theirs have.

    All queues of a core are given the same heads in the same cycles. A threshold or a divisor ends a head
    once it has begun with the normaliser of the last row; keys, values and terms of the head are loaded
    then, its last scores, times and weights are made, and the last products with values begin.
    """
    return tuple(
        Contract(
            r"\w+", f"{unit}_heads.i__ready", 0, 1, 1, least=1, on=f"{late}_heads.i__ready", vector=False
        )
        for unit in early
    )


def _elements(array: Field) -> list[tuple[int, int]]:
    """Where each element of an array begins in its structure, and its bits."""
    width = Shape.cast(array.shape.elem_shape).width
    return [(array.offset + n * width, width) for n in range(array.shape.length)]


def network(config: NetworkConfig) -> tuple[Contract, ...]:
    """Lists of thresholds begin with 0, and what is added to a sum is a weight shifted by the octaves of a
    phase of its residue: there are no other residues, and lower bits stay 0."""
    found = [_levels(f"levels_{reader}") for reader in ("drain", "norm")]
    phases = [config.code.octave(phase) for phase in range(config.code.steps)]
    shifts = [(most_octaves(config.code) - octaves, residue) for octaves, residue in phases]
    spike = payloads.broadcast(config)
    shift, residue = spike["shift"], spike["residue"]
    pairs = {0} | {by | 1 << of + shift.width for by, of in shifts}
    size = shift.width + residue.width
    found.append((Contract(r"cluster_\d+", "i", shift.offset, size, values=frozenset(pairs)),))
    sums, width = payloads.sums(config)["sum"], config.accumulator_bits
    for of in range(residue.width):
        zeros = min((by for by, one in shifts if one == of), default=width)
        if zeros:
            found.append(
                tuple(
                    Contract(r"drain|cluster_\d+", port, sums.offset + of * width, zeros)
                    for port in ("i_sums", "i_sums_1")
                )
            )
    return tuple(contract for contracts in found for contract in contracts)


def _levels(memory: str) -> tuple[Contract, ...]:
    """The first level of each list, as it is read and as it is written."""
    written = (
        Contract(r"network_core|core", f"{memory}.WR_DATA", n, 1, on=f"{memory}.WR_EN[{n}]")
        for n in range(LEVEL_BITS)
    )
    return Contract(r"network_core|core", f"{memory}.RD_DATA", 0, LEVEL_BITS), *written
