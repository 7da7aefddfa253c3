"""Decides when the scores of which keys become weights."""

from amaranth.hdl import Module, Mux, Signal
from amaranth.lib import data, stream, wiring
from amaranth.lib.wiring import In, Out
from amaranth.utils import bits_for

from golden.widths import index_width
from hw.integer import payloads
from hw.integer.vector_config import VectorConfig

# A sum over groups is read and written back in so many cycles
SHORTEST_PASS = 4


def weight_tags() -> data.StructLayout:
    """What a weight is: the `last` of its group; of the `first` or `final` group of its row; `release`: of
    the last row of a head."""
    return data.StructLayout({"valid": 1, "last": 1, "first": 1, "final": 1, "release": 1})


class WeightSequencer(wiring.Component):
    """Walks through the keys of every row, group by group.

    The weights of a group enter the vector unit while those of the group before are multiplied with all
    features. Nothing in between can wait, so a group begins no sooner than that it ends after those products.

    Members:
        i_head: tokens, features and step of the table of each head.
        row_full, release_row: rows of scores.
        values_full, finish_values: value memory.
        release_context: the oldest row has left the core.
        token, tags: key whose score is wanted, one per cycle.
        those of `passed`: for it, as the head has them.

    Args:
        passed: fields of the head that what makes the weights reads.

    Timing: keys + 1 cycles per group, or max(features, 4) where that is more; two more between heads.
    """

    def __init__(self, config: VectorConfig, passed: data.StructLayout) -> None:
        self._config = config
        self._passed = passed
        sizes = payloads.head_part(config, "tokens", "features")
        head = data.StructLayout({**sizes.members, **passed.members})
        super().__init__(
            {
                "i_head": In(stream.Signature(head)),
                "row_full": In(1),
                "release_row": Out(1),
                "values_full": In(1),
                "finish_values": Out(1),
                "release_context": In(1),
                "token": Out(index_width(config.tokens)),
                "tags": Out(weight_tags()),
            }
            | {name: Out(shape) for name, shape in passed.members.items()}
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        config = self._config
        head = self.i_head.payload
        running, first, final = Signal(), Signal(init=1), Signal(reset_less=True)
        left = Signal.like(head.tokens, reset_less=True)
        row, last_row = Signal.like(head.tokens), Signal()
        columns = Signal(bits_for(max(config.head_dim, SHORTEST_PASS)))  # of the pass before, still to come
        keys = Signal(bits_for(config.lanes), reset_less=True)  # of this group, still to come
        used = Signal(range(payloads.CONTEXT_ROWS + 1))
        coming, size = Signal.like(head.tokens), Signal(keys.shape())
        begin, start, last, row_done, head_done = (Signal() for _ in range(5))
        m.d.comb += [
            coming.eq(Mux(first, head.tokens, left)),
            size.eq(Mux(coming > config.lanes, config.lanes, coming)),
            begin.eq(self.i_head.valid & self.row_full & self.values_full & (used != payloads.CONTEXT_ROWS)),
            start.eq(~running & (begin | ~first) & (columns <= size)),
            last.eq(running & (keys == 1)),
            row_done.eq(last & final),
            head_done.eq(row_done & last_row),
            self.release_row.eq(row_done),
            self.finish_values.eq(head_done),
            self.i_head.ready.eq(head_done),
            self.tags.valid.eq(running),
            self.tags.last.eq(last),
            self.tags.final.eq(final),
            self.tags.release.eq(last_row),
        ]
        m.d.comb += [getattr(self, name).eq(getattr(head, name)) for name in self._passed.members]
        m.d.sync += [
            last_row.eq(row + 1 == head.tokens),  # in time: every row takes two cycles at least
            used.eq(used + (start & first) - self.release_context),
        ]
        with m.If(columns != 0):
            m.d.sync += columns.eq(columns - 1)
        with m.If(running):
            m.d.sync += [keys.eq(keys - 1), self.token.eq(self.token + 1)]
        with m.If(last):
            m.d.sync += [
                running.eq(0),
                columns.eq(Mux(head.features < SHORTEST_PASS, SHORTEST_PASS, head.features) - 1),
            ]
        with m.If(row_done):
            m.d.sync += [first.eq(1), self.token.eq(0), row.eq(row + 1)]
        with m.If(head_done):
            m.d.sync += row.eq(0)
        with m.If(start):
            m.d.sync += [
                running.eq(1),
                first.eq(0),
                self.tags.first.eq(first),
                keys.eq(size),
                left.eq(coming - size),
                final.eq(coming <= config.lanes),
            ]
        return m
