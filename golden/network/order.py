"""Which networks the hardware runs: layers that it has, in an order that its memories allow."""

from golden.errors import InputError, quoted
from golden.network.descriptors import Source
from golden.network.layers import Attention, Linear, Norm, ScoreLinear, SpikingLinear, StreamLinear
from golden.network.limits import CORE_FEATURES
from golden.network.network import Network
from golden.network.tensors import IMAGE, STREAM, Layer


def check_supported(network: Network) -> None:
    """Raise InputError for what networks express and no unit of the hardware computes yet."""
    if network.entry != IMAGE:
        raise InputError("the hardware cannot be given the stream yet (entry)")
    for index, layer in enumerate(network.layers):
        if isinstance(layer, Linear) and layer.outputs > CORE_FEATURES:
            raise InputError(
                f"layer {index} must have at most {CORE_FEATURES} outputs in hardware, not {layer.outputs}"
            )
        if isinstance(layer, (Linear, Norm)) and layer.gather is not None:
            raise InputError(f"layer {index}: the hardware cannot read rows by index yet (gather)")
        if isinstance(layer, ScoreLinear) and not layer.pooled:
            raise InputError(f"layer {index}: the hardware has no scores of single rows yet (pooled)")


def check_order(network: Network) -> None:
    """Each kind of spikes has one memory, overwritten by the next layer of its kind, and units run side by
    side: a layer must read what is still held, and must not overwrite what another unit still reads.

    Raises:
        InputError: a layer reads something else, or stands where no unit of the hardware computes it.
    """
    check_supported(network)
    held = {Source.image: IMAGE}
    # spikes that no linear layer has read yet, so that their unit may still be at work on its inputs
    unread: dict[Source, str] = {}
    before: Layer | None = None
    for index, layer in enumerate(network.layers):
        name = f"layer {index}"
        if isinstance(layer, Norm):
            if not isinstance(before, StreamLinear):
                raise InputError(f"{name}: a norm must follow a layer with target {STREAM!r}")
            memory: Source | None = Source.norm
        elif isinstance(layer, Attention):
            if not isinstance(before, SpikingLinear) or layer.source != before.target:
                raise InputError(f"{name}: attention must follow the linear layer that makes its q, k and v")
            memory = Source.mixed
        else:
            following = network.layers[index + 1] if index + 1 < len(network.layers) else None
            unread.pop(check_reads(layer, following, name, held, unread), None)
            memory = Source.hidden if isinstance(layer, SpikingLinear) else None
            memory = None if isinstance(following, Attention) else memory  # q, k and v are in no spike list
        # a name means what was made last under it
        held = {m: spikes for m, spikes in held.items() if spikes != layer.target}
        if memory is not None:
            held[memory] = layer.target
        if memory in (Source.norm, Source.mixed):
            unread[memory] = layer.target
        before = layer
    for spikes in unread.values():
        raise InputError(f"a layer must read {quoted(spikes)}, which none does")


def check_reads(
    layer: Layer, following: Layer | None, name: str, held: dict[Source, str], unread: dict[Source, str]
) -> Source:
    """The memory that a linear layer reads, or InputError if it may not."""
    source = next((memory for memory, spikes in held.items() if spikes == layer.source), None)
    if source is None:
        known = ", ".join(held.values())
        raise InputError(
            f"{name}: source must be spikes that are still held ({known}), not {quoted(layer.source)}"
        )
    others = {memory: quoted(spikes) for memory, spikes in unread.items() if memory is not source}
    if isinstance(layer, StreamLinear) and Source.norm in others:
        raise InputError(f"{name}: {others[Source.norm]} must be read before the stream changes")
    if isinstance(layer, SpikingLinear):
        if not isinstance(following, Attention) and source is Source.hidden:
            raise InputError(
                f"{name}: hidden neurons must not enter hidden neurons, there is one memory for them"
            )
        if isinstance(following, Attention) and Source.mixed in others:
            raise InputError(f"{name}: {others[Source.mixed]} must be read before the next q, k and v")
    return source
