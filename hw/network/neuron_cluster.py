"""Accumulate-only neurons that share a weight memory, and their way out."""

from collections.abc import Sequence

from amaranth.hdl import Cat, Const, Module, Mux, Signal, Value, signed
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from golden.network.config import NetworkConfig
from golden.network.neuron import most_octaves
from hw.network import payloads
from hw.network.load_bus import pick
from hw.parts.memory import NO_COLLISION
from hw.parts.register import KEPT


class NeuronCluster(wiring.Component):
    """`NetworkConfig.cluster` neurons: weight, shift by the octave, one accumulator per residue.

    A[n,r] += w[n,i] * sgn[i] << (E - o); no multiplier, and the leak is in the shift (SpikedAttention,
    section 3.1, with the leak pulled out of the loop).

    Members:
        i, o: broadcast, handed to the next cluster one cycle later.
        i_load, o_load, strobes i_write, o_write: words of the weight memory, handed on alike.
        i_sums, o_sums: accumulators on their way out. Cluster n puts its own on this link from
            n*cluster + 1 cycles after its hand-over on, so that at the end of the chain those of all
            clusters follow one another without a gap, neuron 0 first. With two drains the upper half of the
            clusters is a chain of its own, which begins at once where the pass is `paired`.

    Timing: a spike is in the accumulator 4 cycles after `i`; the first sums of cluster 0 are at `o_sums`
    `latency` cycles after the spike that hands over. The next `last` must be `lanes` cycles away, of a paired
    one half of that.
    """

    latency = 6

    def __init__(self, config: NetworkConfig, number: int) -> None:
        self._config, self._number = config, number
        super().__init__(
            {
                "i": In(self._broadcast()),
                "o": Out(self._broadcast()),
                "i_load": In(payloads.cluster_load(config)),
                "o_load": Out(payloads.cluster_load(config)),
                "i_write": In(1),
                "o_write": Out(1),
                "i_sums": In(payloads.sums(config)),
                "o_sums": Out(payloads.sums(config)),
            }
        )

    def _broadcast(self) -> data.StructLayout:
        return payloads.broadcast(self._config)

    def _addends(
        self, m: Module, weights: data.View, now: data.View
    ) -> tuple[Sequence[Value], data.View, Value, Value]:
        """What each lane adds, a cycle after the weights and the command are there: by sign and octave.

        Negation costs neither an adder nor its time: the one that an inverted addend is owed enters as the
        carry of its sum.

        Returns:
            (addends, which are signed, command in the cycle before them, residues to which they are added,
            whether a one is owed).
        """
        config = self._config
        addend_bits = config.weight_bits + most_octaves(config.code)
        addends = [
            Signal(signed(addend_bits), name=f"addend_{n}", reset_less=True) for n in range(config.cluster)
        ]
        for lane, addend in enumerate(addends):
            weight = weights[lane] << now.shift
            m.d.sync += addend.eq(Mux(now.negative, ~weight, weight))
        return addends, now, Mux(now.active, now.residue, 0), now.negative

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        size, b = config.cluster, config.code.log2_base.denominator
        width = config.accumulator_bits
        word = payloads.weight_word(config)
        depth = payloads.weight_depth(config)
        m.submodules.weights = memory = Memory(shape=word, depth=depth, init=[], attrs=NO_COLLISION)
        read, write = memory.read_port(), memory.write_port()
        m.d.comb += read.addr.eq(self.i.address)
        pick(m, write, self.i_load, self.i_write & (self.i_load.cluster == self._number))
        m.d.sync += [self.o.eq(self.i), self.o_load.eq(self.i_load), self.o_write.eq(self.i_write)]

        # stage 1: `o` holds the command while the memory shows its weights. Its output comes late in the
        # cycle and from far, so that it is registered before anything is done with it
        weights, now = Signal(word, reset_less=True), Signal(self._broadcast(), attrs=KEPT)
        m.d.sync += [weights.eq(read.data), now.eq(self.o)]
        # stage 2: what is added
        addends, now, residues, owed = self._addends(m, weights, now)
        # stage 3: accumulate
        residue, carry = Signal(b, reset_less=True), Signal(b, reset_less=True)
        first, valid = Signal(), Signal()
        last = Signal(2)
        m.d.sync += [
            residue.eq(residues),
            carry.eq(Mux(owed, residues, 0)),
            first.eq(now.first),
            valid.eq(now.valid),
            last.eq((last << 1) | (now.valid & now.last)),
        ]
        total = [
            [Signal(signed(width), name=f"sum_{n}_{r}", reset_less=True) for r in range(b)]
            for n in range(size)
        ]
        # what an inverted addend is owed enters below the lowest bit
        with m.If(valid):
            for lane in range(size):
                for r in range(b):
                    old = Mux(first, 0, total[lane][r])
                    added = Cat(carry[r], Mux(residue[r], addends[lane], 0)).as_signed()
                    m.d.sync += total[lane][r].eq((Cat(1, old).as_signed() + added)[1:])
        # stage 4: hand over, then wait for this cluster's turn
        chain = [
            Signal(data.ArrayLayout(signed(width), b), name=f"chain_{n}", reset_less=True)
            for n in range(size)
        ]
        begin = self._number * size
        count = Signal(range(begin + size + 1))
        turns: Value = Const(begin + size)
        if config.drains > 1:
            pairs = Signal(2)
            m.d.sync += pairs.eq((pairs << 1) | now.paired)
            half = config.lanes // 2
            turns = Mux(pairs[1], begin % half + size, begin + size)
        # it is this cluster's turn; sums are taken or move on: known a cycle before, for so many registers
        turn, moves, following = Signal(), Signal(), Signal()
        m.d.comb += following.eq(Mux(last[1], turns <= size, (count > 1) & (count <= size + 1)))
        m.d.sync += [turn.eq(following), moves.eq(following | last[0])]
        with m.If(last[1]):
            m.d.sync += count.eq(turns)
        with m.Elif(count != 0):
            m.d.sync += count.eq(count - 1)
        with m.If(moves):
            # what follows the last lane's does not come to its turn
            m.d.sync += [chain[-1][r].eq(total[-1][r]) for r in range(b)]
            for lane in range(size - 1):
                further = chain[lane + 1]
                m.d.sync += [chain[lane][r].eq(Mux(last[1], total[lane][r], further[r])) for r in range(b)]
        m.d.sync += [
            self.o_sums.valid.eq(turn | self.i_sums.valid),
            self.o_sums.sum.eq(Mux(turn, chain[0].as_value(), self.i_sums.sum.as_value())),
        ]
        return m
