"""Winner search of WOSS: the largest score, found bit by bit from the most significant one.

Every node of the search passes on the larger of two scores and inhibits the other from the first
bit in which they differ. (SpikedAttention, section 3.3: the first spike inhibits all others.)
"""

from amaranth.hdl import Module, Signal
from amaranth.lib import wiring
from amaranth.lib.wiring import In, Out

from golden.attention.config import CoreConfig
from hw.attention import payloads


class WinnerNode(wiring.Component):
    """Larger of two unsigned numbers that arrive bit-serially, most significant bit first.

    Members:
        a, b: one bit of each number.
        last: high with the last bit.
        valid: the bits count.
        winner: one bit of the larger number.

    Timing: one cycle; one bit per cycle, numbers may follow each other without a gap.
    """

    def __init__(self) -> None:
        super().__init__({"a": In(1), "b": In(1), "last": In(1), "valid": In(1), "winner": Out(1)})

    def elaborate(self, platform: object) -> Module:
        # The last bit makes ready for the next number: to clear a flip-flop costs no logic, to look at the
        # first bit would
        m = Module()
        inhibit_a, inhibit_b = Signal(), Signal()
        a, b = Signal(), Signal()
        m.d.comb += [a.eq(self.a & ~inhibit_a), b.eq(self.b & ~inhibit_b)]
        m.d.sync += self.winner.eq(a | b)
        with m.If(self.valid):
            m.d.sync += [inhibit_a.eq(inhibit_a | (~a & b)), inhibit_b.eq(inhibit_b | (a & ~b))]
            with m.If(self.last):
                m.d.sync += [inhibit_a.eq(0), inhibit_b.eq(0)]
        return m


class WinnerTree(wiring.Component):
    """Larger of all lanes of a cluster and of the clusters before it.

    Members:
        bits: one bit of every lane's score.
        tags: what that bit is.
        i: running maximum of the clusters before, aligned with the tree's output.
        o: running maximum including this cluster.

    Timing: `bits` to `o`: `latency` cycles, `i` to `o`: one cycle.
    """

    def __init__(self, lanes: int, *, first_cluster: bool) -> None:
        self._lanes = lanes
        self._first_cluster = first_cluster
        super().__init__(
            {
                "bits": In(lanes),
                "tags": In(payloads.winner_tags()),
                "i": In(payloads.winner_link()),
                "o": Out(payloads.winner_link()),
            }
        )

    @staticmethod
    def latency(lanes: int) -> int:
        return (lanes - 1).bit_length() + 1

    def elaborate(self, platform: object) -> Module:
        m = Module()

        def node(name: str, a: Signal, b: Signal, tags: Signal) -> Signal:
            m.submodules[name] = unit = WinnerNode()
            m.d.comb += [
                unit.a.eq(a),
                unit.b.eq(b),
                unit.last.eq(tags.last),
                unit.valid.eq(tags.valid),
            ]
            return unit.winner

        def delayed(tags: Signal, name: str) -> Signal:
            register = Signal(payloads.winner_tags(), name=name)
            m.d.sync += register.eq(tags)
            return register

        level = [self.bits[lane] for lane in range(self._lanes)]
        tags = self.tags
        depth = 0
        while len(level) > 1:
            pairs = [level[n : n + 2] for n in range(0, len(level), 2)]
            level = [
                node(f"node_{depth}_{n}", pair[0], pair[1] if len(pair) > 1 else 0, tags)
                for n, pair in enumerate(pairs)
            ]
            tags = delayed(tags, f"tags_{depth}")
            depth += 1
        link = node("link", level[0], 0 if self._first_cluster else self.i.bit, tags)
        tags = delayed(tags, "tags_link")
        m.d.comb += [self.o.tags.eq(tags), self.o.bit.eq(link)]
        return m


class WinnerCollector(wiring.Component):
    """Turns the bits of the winner into a number, and takes the largest of all groups of a row.

    Members:
        i: running maximum of the last cluster.
        winner: largest score of the row.
        found: high for one cycle while `winner` is new.

    Timing: `found` `latency` cycles after the last bit of the row.
    """

    latency = 2

    def __init__(self, config: CoreConfig) -> None:
        self._config = config
        super().__init__(
            {
                "i": In(payloads.winner_link()),
                "winner": Out(payloads.score(config)["value"].shape),
                "found": Out(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        # Bits arrive as `alive`, then the score with its sign bit inverted, so that the order of
        # the numbers is that of unsigned ones. They arrive without a pause: nothing holds `word`.
        m = Module()
        width = self._config.score_width
        word = Signal(width + 1, reset_less=True)
        best = Signal(width + 1, reset_less=True)
        complete, final, more = Signal(), Signal(reset_less=True), Signal()
        m.d.sync += [
            word.eq((word << 1) | self.i.bit),
            complete.eq(self.i.tags.valid & self.i.tags.last),
            final.eq(self.i.tags.final),
            self.found.eq(complete & final),
        ]
        with m.If(complete):
            m.d.sync += more.eq(~final)
            with m.If(~more | (best < word)):
                m.d.sync += best.eq(word)
        m.d.comb += self.winner.eq((best[:width] ^ (1 << (width - 1))).as_signed())
        return m
