"""Proofs of what loads keys, values and terms: everything lands where it belongs."""

from amaranth.hdl import Array, Assert, Assume, Cat, Const, Cover, Mux, Signal, Value

from golden.attention.config import CoreConfig
from golden.code import PhaseCode
from hw.attention import local_trace, payloads, terms_chain, terms_loader, trace_loader
from tests.proofs.following import peeked
from tests.proofs.property import Fault, Property

FEATURES, LANES, TOKENS = 2, 2, 3
CONFIG = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=FEATURES, lanes=LANES, cluster=LANES, tokens=TOKENS,
    terms_per_beat=1,
)  # fmt: skip
# A pass of up to four keys comes in up to two beats
BEAT = 2
TERMS = CoreConfig(
    code=PhaseCode(steps=1, trace_bits=4), head_dim=1, lanes=4, cluster=4, tokens=5, terms_per_beat=BEAT,
    bias=False,
)  # fmt: skip


def stays(prop: Property, port: Value) -> None:
    """Assume of a stream what every stream promises: what is offered stays until it is taken."""
    waits = prop.later(port.valid & ~port.ready)
    payload = Value.cast(port.payload)
    prop.m.d.comb += Assume(~waits | port.valid & (payload == prop.later(payload)))


class SpikesAreLoadedWhereTheyBelong(Property):
    """Once a head is loaded, and until it is released, the spike of every token and feature is in the word of
    its group, feature and bank, in the lane of its token, unchanged; a head takes one spike for each and no
    more, and heads count in order.

    Assumes: 1 to 3 tokens and 1 or 2 features; only what is full is released. Spikes of two lanes, of
    one cluster; any one spike is followed."""

    component = "attention/trace_loader"
    reach = 24
    quick = False
    faults = (
        Fault(module=trace_loader, old="(started != 2)", new="1"),
        Fault(module=trace_loader, old="group.eq(group + 1)", new="group.eq(0)"),
        Fault(module=trace_loader, old="lane == config.lanes - 1", new="lane == config.lanes"),
        Fault(module=local_trace, old="Cat(self.i, chain)", new="Cat(self.i, chain[1], chain[0])"),
    )

    def build(self) -> None:
        m = self.m
        opened = self.opened("loader", trace_loader.TraceLoader(CONFIG))
        loader = opened.ports
        with peeked(local_trace.LocalTraceMemory):
            inside = self.opened("memory", local_trace.LocalTraceMemory(CONFIG))
        memory, peek = inside.ports, inside["memory"].peek
        # the spike is a cycle behind its shift, and commands take that cycle from cluster to cluster
        m.d.comb += [memory.command.eq(self.later(loader.o_command)), memory.i.eq(loader.o_spike)]
        head, i = loader.i_head.payload, loader.i
        stays(self, loader.i_head)
        m.d.comb += [
            Assume((head.tokens >= 1) & (head.tokens <= TOKENS)),
            Assume((head.features >= 1) & (head.features <= FEATURES)),
            Assume(~loader.release | loader.full),
        ]
        # whose spike comes: within a feature group by group, within a group the last token first
        feature, came = Signal(range(FEATURES)), Signal(range(TOKENS))
        turns = {1: (0,), 2: (1, 0), 3: (1, 0, 2)}
        token = Signal(range(TOKENS))
        with m.Switch(head.tokens):
            for tokens, order in turns.items():
                with m.Case(tokens):
                    m.d.comb += token.eq(Array(Const(n, 2) for n in (*order, *[0] * (4 - len(order))))[came])
        take = i.valid & i.ready
        ends = take & (came + 1 == head.tokens)
        done = ends & (feature + 1 == head.features)
        with m.If(take):
            m.d.sync += came.eq(Mux(ends, 0, came + 1))
        with m.If(ends):
            m.d.sync += feature.eq(Mux(done, 0, feature + 1))
        m.d.comb += Assert(loader.i_head.ready == done)
        bank, held = Signal(), Signal(range(3))  # where it goes; heads that are loaded or being loaded
        m.d.sync += [bank.eq(bank ^ done), held.eq(held + done - loader.release)]
        follow = self.free(1, "follow")
        followed, whole, before = Signal(), Signal(), Signal(range(3))
        spike, at, where, turn = Signal.like(i.payload), Signal(1), Signal(), Signal(range(TOKENS))
        with m.If(take & follow & ~followed):
            m.d.sync += [followed.eq(1), whole.eq(done), spike.eq(i.payload), at.eq(feature)]
            m.d.sync += [where.eq(bank), turn.eq(token), before.eq(held - loader.release)]
        with m.Elif(followed):
            with m.If(done):
                m.d.sync += whole.eq(1)
            with m.If(loader.release):
                m.d.sync += [before.eq(before - 1), followed.eq(before != 0)]
        word = Signal(payloads.memory_address(CONFIG))
        loading, waits = opened["loading"], self.later(loader.i_head.valid & ~loader.i_head.ready)
        # full is said a cycle before the last word can be read, and whoever reads it is later
        there = followed & whole & (before == 0) & loader.full
        m.d.comb += [
            word.group.eq(turn >> 1),
            word.feature.eq(at),
            word.bank.eq(where),
            peek.addr.eq(word),
            Assert(~(there & self.later(there)) | (peek.data[turn[0]].as_value() == spike.as_value())),
            Cover(there & self.later(there) & (turn == 2) & at),
            # what holds in between
            Assert(~loading | waits),
            Assert(~loading | (opened["left"] == head.tokens - came)),
            Assert(~loading | (opened["features_left"] == head.features - feature)),
            Assert(loading | ((came == 0) & (feature == 0))),
            Assert((opened["feature"] == feature) & (opened["bank"] == bank)),
            Assert((opened["lane"] == came[0]) & (opened["group"] == came[1])),
            Assert(opened["filled"] + opened["write_last"] == held),
            Assert((opened["started"] == held + loading) & (opened["started"] <= 2)),
            Assert(
                ~followed
                | Mux(
                    whole,
                    (before < held) & (where == (bank + before - held)[0]),
                    (before == held) & (where == bank) & loading & (at <= feature),
                )
            ),
        ]


class TermsAreInTheirLanes(Property):
    """When `full` says so, and until they are consumed, every lane of the pass holds the term of its key, as
    it came; a pass takes the beats that its keys need and no more, a head the passes that it has.

    Assumes: 1 to 5 tokens; what is full is consumed some time, and nothing else. Four lanes, two terms to a
    beat; any one term is followed."""

    component = "attention/terms_loader"
    reach = 30
    quick = False
    faults = (
        Fault(module=terms_loader, old="(reached >= left) |", new="(reached > left) |"),
        Fault(module=terms_loader, old="above(left, config.lanes)", new="above(left, config.lanes - 1)"),
        Fault(module=terms_chain, old="eq(Cat(self.i, chain))", new="eq(Cat(chain, self.i))"),
    )

    def build(self) -> None:
        m = self.m
        loader = self.unit("loader", terms_loader.TermsLoader(TERMS))
        chain = self.unit("chain", terms_chain.TermsChain(TERMS))
        # the terms are a cycle behind their shift, as the commands of a cluster are
        m.d.comb += [chain.shift.eq(self.later(loader.o_shift)), chain.i.eq(loader.o_terms)]
        head, i = loader.i_head.payload, loader.i
        stays(self, loader.i_head)
        m.d.comb += [
            Assume((head.tokens >= 1) & (head.tokens <= TERMS.tokens)),
            Assume(~loader.consume | loader.full),
        ]
        rest, row = Signal(range(TERMS.tokens)), Signal(range(TERMS.tokens))  # keys of groups before; row
        beats, keys = Signal(range(3)), Signal(range(5))  # of this pass, so far; of its group
        m.d.comb += keys.eq(Mux(head.tokens - rest > TERMS.lanes, TERMS.lanes, head.tokens - rest))
        needed = (keys + BEAT - 1) >> 1
        take = i.valid & i.ready
        m.d.comb += Assert(~take | (loader.i_head.valid & head.terms & (beats < needed)))
        m.d.comb += Assert(~loader.full | (beats == needed))
        follow, half = self.free(1, "follow"), self.free(1, "half")
        followed, place, kept = Signal(), Signal(range(TERMS.lanes)), Signal.like(i.payload[0])
        with m.If(take):
            m.d.sync += beats.eq(beats + 1)
            with m.If(follow & ~followed):
                m.d.sync += [
                    followed.eq(1),
                    place.eq(Cat(half, needed - 1 - beats)),
                    kept.eq(i.payload[half]),
                ]
        group_done = (rest + keys) == head.tokens
        with m.If(loader.consume):
            m.d.sync += [beats.eq(0), followed.eq(0), rest.eq(Mux(group_done, 0, rest + TERMS.lanes))]
            with m.If(group_done):
                m.d.sync += row.eq(Mux(row + 1 == head.tokens, 0, row + 1))
        ends = loader.i_head.valid & loader.i_head.ready
        ready = self.later(loader.full)  # the last shift reaches the chain a cycle later
        m.d.comb += [
            Assert(~(ready & loader.full & followed) | (chain.terms[place].as_value() == kept.as_value())),
            Assert(~ends | ~head.terms | ((row == 0) & (rest == 0) & (beats == 0))),
            Cover(ready & loader.full & followed & (place == 3)),
            Cover(ends & head.terms),
        ]
