"""Networks computed number by number and time step by time step in plain integers, from the contract.

A twin of `golden.network` that shares none of its arrays: docs/numerics.md and the formulas of the
modules' first lines, written out.
"""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from golden.code import PhaseCode, Spikes
from golden.network.attention import Attention
from golden.network.layers import Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.mean import reciprocal
from golden.network.network import Network
from golden.network.neuron import LINEAR_FRACTION_BITS
from golden.network.octave import ROOT_FRACTION_BITS, resolution, roots
from golden.network.tensors import IMAGE, STREAM

# A neuron's spike: (sign, phase), or None
Spike = tuple[int, int] | None
Rows = list[list[Spike]]


@dataclass
class Literal:
    """One image on its way through a network; `run` returns what every layer makes."""

    network: Network
    spikes: dict[str, Rows] = field(default_factory=dict)
    stream: list[list[int]] = field(default_factory=list)
    present: dict[str, list[bool]] = field(default_factory=dict)

    @property
    def code(self) -> PhaseCode:
        return self.network.code

    @cached_property
    def root(self) -> list[int]:
        """ROOT[0..R-1]."""
        return [int(r) for r in roots(resolution(self.code.log2_base))]

    def run(self, entry: Spikes | np.ndarray, tokens: int) -> list[Rows | list[list[int]] | list[int]]:
        """The first rows of an image, or of a stream that enters."""
        rows, width = entry.shape
        there = [row < tokens for row in range(rows)]
        if isinstance(entry, Spikes):
            self.enter(IMAGE, rows_of(entry), there)
        else:
            self.stream = [
                row if here else [0] * width for row, here in zip(entry.tolist(), there, strict=True)
            ]
            self.present[STREAM] = there
        return [self.layer(layer) for layer in self.network.layers]

    def layer(self, layer: object) -> Rows | list[list[int]] | list[int]:
        if isinstance(layer, SpikingLinear):
            made = [
                [
                    self.fire(v, layer.levels, int(o), layer.signed)
                    for v, o in zip(row, layer.offset, strict=True)
                ]
                for row in self.potentials(layer)
            ]
            return self.enter(layer.target, made, self.computed(layer))
        if isinstance(layer, StreamLinear):
            shifts = [int(s) for s in layer.shift]
            terms = [
                [(v + ((1 << s) >> 1)) >> s for v, s in zip(row, shifts, strict=True)]
                for row in self.potentials(layer)
            ]
            there = self.computed(layer)
            terms = [row if here else [0] * len(row) for row, here in zip(terms, there, strict=True)]
            if layer.fresh:
                self.stream, self.present[STREAM] = terms, there
            else:
                self.stream = [
                    [x + t for x, t in zip(*pair, strict=True)]
                    for pair in zip(self.stream, terms, strict=True)
                ]
            return self.stream
        if isinstance(layer, ScoreLinear):
            if layer.pooled:
                return self.scores(layer)
            there = self.computed(layer)
            rows = zip(self.potentials(layer), there, strict=True)
            return [row if here else [0] * len(row) for row, here in rows]
        if isinstance(layer, Norm):
            rows, there = self.stream, self.present[STREAM]
            if layer.gather is not None:
                taps = layer.gather.tolist()
                nothing = [0] * len(rows[0])
                rows = [[x for n in named for x in (self.stream[n] if n >= 0 else nothing)] for named in taps]
                there = [all(there[n] for n in named if n >= 0) for named in taps]
            return self.enter(layer.target, [self.norm(layer, row) for row in rows], there)
        assert isinstance(layer, Attention)
        return self.enter(layer.target, *self.attention(layer))

    # --- rows that are there

    def enter(self, name: str, rows: Rows, present: list[bool]) -> Rows:
        made = [row if here else [None] * len(row) for row, here in zip(rows, present, strict=True)]
        self.spikes[name], self.present[name] = made, present
        return made

    def computed(self, layer: Linear) -> list[bool]:
        """A row is computed where all that it reads are there."""
        there = self.present[layer.source]
        if layer.gather is None:
            return there
        return [all(there[tap] for tap in taps if tap >= 0) for taps in layer.gather.tolist()]

    # --- accumulate-only neurons

    def entering(self, layer: Linear) -> Rows:
        """What each row of a layer reads."""
        source = self.spikes[layer.source]
        if layer.gather is None:
            return source
        width = len(source[0])
        return [
            [spike for tap in taps for spike in (source[tap] if tap >= 0 else [None] * width)]
            for taps in layer.gather.tolist()
        ]

    def accumulate(self, row: list[Spike], weight: list[int], into: list[int]) -> None:
        """The integration window: in step t the spikes of phase t arrive."""
        a, b = self.code.log2_base.numerator, self.code.log2_base.denominator
        most = a * (self.code.steps - 1) // b
        for t in range(self.code.steps):
            octaves, residue = divmod(a * t, b)
            for spike, w in zip(row, weight, strict=True):
                if spike is not None and spike[1] == t:
                    into[residue] += w * spike[0] << (most - octaves)

    def combine(self, sums: list[int]) -> int:
        b = len(sums)
        constants = [int(np.floor(2.0**LINEAR_FRACTION_BITS * 2.0 ** (-r / b) + 0.5)) for r in range(b)]
        return sum(s * c for s, c in zip(sums, constants, strict=True))

    def potentials(self, layer: Linear) -> list[list[int]]:
        found = []
        for number, row in enumerate(self.entering(layer)):
            bias = layer.bias if layer.bias.ndim == 1 else layer.bias[number]
            found.append([])
            for weight, addend in zip(layer.weight.tolist(), bias.tolist(), strict=True):
                sums = [0] * self.code.log2_base.denominator
                self.accumulate(row, weight, sums)
                found[-1].append(self.combine(sums) + addend)
        return found

    def scores(self, layer: ScoreLinear) -> list[int]:
        """Accumulators that run on over the rows."""
        found = []
        for weight, addend in zip(layer.weight.tolist(), layer.bias.tolist(), strict=True):
            sums = [0] * self.code.log2_base.denominator
            for row, here in zip(self.entering(layer), self.computed(layer), strict=True):
                if here:
                    self.accumulate(row, weight, sums)
            found.append(self.combine(sums) + addend)
        return found

    # --- thresholds on the grid

    def reached(self, value: int, place: int) -> bool:
        """value is at least 2**(place/R), by the constants of the octave code."""
        octave, residue = divmod(place, len(self.root))
        return value > 0 and (octave < 0 or value << ROOT_FRACTION_BITS >= self.root[residue] << octave)

    def place(self, value: int) -> int:
        """L of a value of at least 1, by search."""
        place = 0
        while self.reached(value, place + 1):
            place += 1
        return place

    def fire(self, value: int, levels: np.ndarray, offset: int, signed: bool) -> Spike:
        if value < 0 and not signed:
            return None
        for phase, level in enumerate(levels.tolist()):
            if self.reached(abs(value), level + offset):
                return (1 if value > 0 else -1), phase
        return None

    def norm(self, layer: Norm, row: list[int]) -> list[Spike]:
        shift = 0
        if layer.kind == "layer":
            constant = reciprocal(len(row))
            scale = constant.shift + constant.bits
            mean = (sum(row) * ((1 << constant.bits) + constant.fraction) + ((1 << scale) >> 1)) >> scale
            row = [x - mean for x in row]
        if layer.kind != "fixed":
            total = 0
            for x in row:
                if x:
                    octave, residue = divmod(2 * self.place(abs(x)), len(self.root))
                    total += (self.root[residue] << octave) >> ROOT_FRACTION_BITS
            shift = (self.place(total) + 1) // 2 if total else 0
        return [
            self.fire(x, layer.levels, int(o) + shift, True) for x, o in zip(row, layer.offset, strict=True)
        ]

    # --- attention

    def attention(self, layer: Attention) -> tuple[Rows, list[bool]]:
        """Rows, and which of them are there and may attend one that is."""
        qkv, there = self.spikes[layer.source], self.present[layer.source]
        attends = list(there)
        size = len(qkv) // layer.groups
        dim = len(qkv[0]) // 3 // layer.heads
        made: Rows = [[None] * (layer.heads * dim) for _ in qkv]
        for head in range(layer.heads):
            parts = [
                [row[(p * layer.heads + head) * dim : (p * layer.heads + head + 1) * dim] for row in qkv]
                for p in range(3)
            ]
            ratio = layer.ratio[head].tolist()
            for i, query in enumerate(parts[0]):
                group, place = divmod(i, size)
                score = {}
                for j in range(group * size, group * size + size):
                    if there[j] and self.may_attend(layer, group, place, j % size):
                        bias = 0 if layer.bias is None else int(layer.bias[head, place, j % size])
                        score[j] = self.product(query, parts[1][j]) + bias
                attends[i] = there[i] and bool(score)
                if attends[i]:
                    row = self.attend(score, parts[2], int(layer.ramp_step[head]), ratio)
                    made[i][head * dim : (head + 1) * dim] = row
        return made, attends

    def may_attend(self, layer: Attention, group: int, query: int, key: int) -> bool:
        if layer.allowed is None:
            return True
        return bool(layer.allowed[group if len(layer.allowed) > 1 else 0, query, key])

    def product(self, some: list[Spike], others: list[Spike]) -> int:
        trace = self.code.trace.tolist()
        return sum(
            a[0] * b[0] * trace[a[1] + b[1]]
            for a, b in zip(some, others, strict=True)
            if a is not None and b is not None
        )

    def attend(self, score: dict[int, int], values: Rows, step: int, ratio: list[int]) -> list[Spike]:
        """Winner, ramp, context and output threshold of one row of queries; keys that may be attended."""
        bits, trace = self.code.ramp_bits, self.code.trace.tolist()
        winner = max(score.values())
        phases: dict[int, int] = {}
        for t in range(self.code.steps):
            for j, p in score.items():
                if j not in phases and (p << bits) >= (winner << bits) - (step >> 1) - t * step:
                    phases[j] = t
        normaliser = sum(trace[t] for t in phases.values())
        row: list[Spike] = []
        for n in range(len(values[0])):
            context = self.product([(1, t) for t in phases.values()], [values[j][n] for j in phases])
            row.append(self.fire_output(context, normaliser, ratio))
        return row

    def fire_output(self, context: int, normaliser: int, ratio: list[int]) -> Spike:
        for phase in range(self.code.steps):
            octaves, residue = self.code.octave(phase)
            if context and abs(context) << 16 + octaves >= normaliser * ratio[residue]:
                return (1 if context > 0 else -1), phase
        return None


def rows_of(spikes: Spikes) -> Rows:
    return [
        [(s, p) if s else None for s, p in zip(*pair, strict=True)]
        for pair in zip(spikes.sign.tolist(), spikes.phase.tolist(), strict=True)
    ]
