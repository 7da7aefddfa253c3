"""Which networks the hardware runs: layers that it has, in an order that its memories allow."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import zip_longest

from golden.errors import InputError, quoted
from golden.network.attention import Attention
from golden.network.descriptors import Source
from golden.network.layers import Norm, SpikingLinear, StreamLinear
from golden.network.network import Network
from golden.network.tensors import IMAGE, STREAM, Layer

# What one memory holds where memories are shared
SHARED = (Source.mixed, Source.hidden)


@dataclass(frozen=True)
class Place:
    """Where spikes are held: a memory, and which of its lists."""

    source: Source
    list: int = 0


def places(layers: Iterable[Layer]) -> list[Place | None]:
    """Where each layer's spikes go; None for q, k and v, the stream and scores, which are in no list.

    Hidden neurons that enter hidden neurons need two lists, used in turn: a row would be overwritten before
    its last pass has read it. Without such layers there is one.
    """
    one = _places(layers, 1)
    held: dict[str, Place | None] = {}
    for layer, place in zip(layers, one, strict=True):
        source = held.get(layer.source)
        if place is not None and place.source is Source.hidden and source == place:
            return _places(layers, 2)
        held[layer.target] = place
    return one


def _places(layers: Iterable[Layer], lists: int) -> list[Place | None]:
    found: list[Place | None] = []
    layers, held, last = list(layers), dict[str, Place | None](), 0
    for layer, following in zip_longest(layers, layers[1:]):
        place = None
        if isinstance(layer, Norm):
            place = Place(Source.norm)
        elif isinstance(layer, Attention):
            place = Place(Source.mixed)
        elif isinstance(layer, SpikingLinear) and not isinstance(following, Attention):
            source = held.get(layer.source)
            # not the list that is read, else the one written first
            last = source.list if source is not None and source.source is Source.hidden else last
            last = (last + 1) % lists
            place = Place(Source.hidden, last)
        found.append(place)
        held[layer.target] = place
    return found


def check_order(network: Network, shared: bool = False) -> None:
    """Each kind of spikes has one memory, overwritten by the next layer of its kind, and units run side by
    side: a layer must read what is still held, and must not overwrite what another unit still reads.

    Args:
        shared: spikes of attention and of hidden neurons are in one memory (`NetworkConfig.shared`).

    Raises:
        InputError: a layer reads something else, or stands where no unit of the hardware computes it.
    """
    held = {Place(Source.image): IMAGE} if network.entry == IMAGE else {}
    # spikes that no linear layer has read yet, so that their unit may still be at work on its inputs
    unread: dict[Source, str] = {}
    before: Layer | None = None
    for index, (layer, place) in enumerate(zip(network.layers, places(network.layers), strict=True)):
        name = f"layer {index}"
        if isinstance(layer, Norm):
            entered = before is None and network.entry == STREAM
            if not isinstance(before, StreamLinear) and not entered:
                raise InputError(f"{name}: a norm must follow a layer with target {STREAM!r}")
        elif isinstance(layer, Attention):
            if not isinstance(before, SpikingLinear) or layer.source != before.target:
                raise InputError(f"{name}: attention must follow the linear layer that makes its q, k and v")
        else:
            following = network.layers[index + 1] if index + 1 < len(network.layers) else None
            source = check_reads(layer, following, name, held, unread)
            if shared:
                check_shared(layer, source, place, isinstance(following, Attention), name, unread)
            unread.pop(source, None)
        # a name means what was made last under it
        held = {p: spikes for p, spikes in held.items() if spikes != layer.target}
        if place is not None:
            if shared and place.source in SHARED:
                held = {p: spikes for p, spikes in held.items() if p.source not in SHARED}
            held[place] = layer.target
            if place.source in (Source.norm, Source.mixed):
                unread[place.source] = layer.target
        before = layer
    for spikes in unread.values():
        raise InputError(f"a layer must read {quoted(spikes)}, which none does")


def reads_in_turn(network: Network) -> bool:
    """Whether the hardware runs a network whose spikes of attention and of hidden neurons share a memory."""
    try:
        check_order(network, shared=True)
    except InputError:
        return False
    return True


def check_shared(
    layer: Layer, source: Source, place: Place | None, qkv: bool, name: str, unread: dict[Source, str]
) -> None:
    """InputError if a linear layer may overwrite, in the memory of attention and hidden neurons, what it or
    another unit still uses, or lets attention do so."""
    hidden = place is not None and place.source is Source.hidden
    if (hidden and (source is Source.mixed or Source.mixed in unread)) or (qkv and source in SHARED):
        raise InputError(f"{name}: spikes of attention and of hidden neurons must be read in turn")
    if hidden and source is Source.hidden:
        raise InputError(f"{name}: hidden neurons must not enter hidden neurons")


def check_reads(
    layer: Layer, following: Layer | None, name: str, held: dict[Place, str], unread: dict[Source, str]
) -> Source:
    """The memory that a linear layer reads, or InputError if it may not."""
    source = next((place.source for place, spikes in held.items() if spikes == layer.source), None)
    if source is None:
        known = ", ".join(held.values())
        raise InputError(
            f"{name}: source must be spikes that are still held ({known}), not {quoted(layer.source)}"
        )
    others = {memory: quoted(spikes) for memory, spikes in unread.items() if memory is not source}
    if isinstance(layer, StreamLinear) and Source.norm in others:
        raise InputError(f"{name}: {others[Source.norm]} must be read before the stream changes")
    if isinstance(layer, SpikingLinear) and isinstance(following, Attention) and Source.mixed in others:
        raise InputError(f"{name}: {others[Source.mixed]} must be read before the next q, k and v")
    return source
