"""Proofs of the queue without a look at its room."""

from amaranth.hdl import Assume, Signal

from hw.parts import granted_queue
from tests.proofs.following import passes_in_order
from tests.proofs.property import Fault, Property


class WordsPassInOrder(Property):
    """Words leave as they came: none lost, repeated, changed or overtaken.

    Assumes: nothing is written to a queue that is full and not read. A word is two bits here; the queue
    never looks at what it carries."""

    component = "parts/granted_queue"
    cases = tuple({"depth": depth} for depth in (3, 1, 2, 4))
    faults = (
        Fault(module=granted_queue, old="place == self._depth - 1", new="place == self._depth"),
        Fault(module=granted_queue, old="self.r_en & self.r_rdy", new="self.r_en"),
    )

    def build(self, depth: int) -> None:
        queue = self.unit("queue", granted_queue.GrantedQueue(2, depth))
        pop = queue.r_rdy & queue.r_en
        held = Signal(range(depth + 1))
        self.m.d.sync += held.eq(held + queue.w_en - pop)
        self.m.d.comb += Assume(~queue.w_en | (held != depth) | pop)
        passes_in_order(self, push=queue.w_en, item=queue.w_data, pop=pop, out=queue.r_data, capacity=depth)
