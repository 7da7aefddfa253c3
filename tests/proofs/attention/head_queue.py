"""Proofs of the queue of head descriptors."""

from amaranth.lib import data

from hw.attention import head_queue
from tests.proofs.following import passes_in_order, stays_offered
from tests.proofs.property import Fault, Property

LAYOUT = data.StructLayout({"word": 2})


class DescriptorsPassInOrder(Property):
    """Descriptors leave as they came: none lost, repeated, changed or overtaken; what is offered stays.

    Assumes: nothing. A descriptor is two bits here; the queue never looks at what it carries."""

    component = "attention/head_queue"
    cases = tuple({"depth": depth} for depth in (2, 3, 4))
    faults = (
        Fault(module=head_queue, old="~full | taken)", new="~full | taken | self.o.ready)"),
        Fault(module=head_queue, old="full & ~taken", new="full"),
    )

    def build(self, depth: int) -> None:
        queue = self.unit("queue", head_queue.HeadQueue(LAYOUT, depth))
        i, o = queue.i, queue.o
        passes_in_order(
            self,
            push=i.valid & i.ready,
            item=i.payload,
            pop=o.valid & o.ready,
            out=o.payload,
            capacity=depth + 1,
        )
        stays_offered(self, o)


class OneDescriptorPassesAtATime(DescriptorsPassInOrder):
    """The same where none waits behind the current one.

    Assumes: nothing."""

    cases = ({"depth": 1},)
    faults = (
        Fault(module=head_queue, old="self.o.valid.eq(held & ~done)", new="self.o.valid.eq(held)"),
        Fault(module=head_queue, old="self.i.ready.eq(~held)", new="self.i.ready.eq(~held | done)"),
    )
