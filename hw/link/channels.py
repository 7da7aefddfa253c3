"""Which streams of a component the link carries, and how their beats become bytes.

To the board, records: channel number, number of beats minus one, then the beats. From the board,
beats one by one, each with its channel number in the lowest bits. A beat (with its channel number)
fills whole bytes, least significant byte first, and its unused top bits are zero.
"""

from dataclasses import dataclass

from amaranth.hdl import Shape
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In

from golden.errors import InputError

MAX_CHANNELS = 16
MAX_RECORD_BEATS = 256


@dataclass(frozen=True)
class Channel:
    """A stream that the link carries.

    Attributes:
        name: name of the component's port.
        width: bits of a beat.
    """

    name: str
    width: int


@dataclass(frozen=True)
class ChannelMap:
    """The streams of a component in the order of their numbers.

    Attributes:
        inputs: from the host to the component.
        outputs: from the component to the host.
    """

    inputs: tuple[Channel, ...]
    outputs: tuple[Channel, ...]

    @classmethod
    def of(cls, signature: wiring.Signature) -> "ChannelMap":
        """The streams among a component's members, in the order of their declaration.

        Raises:
            InputError: an input is no stream (nothing would drive it), an output cannot be stalled,
                or there are too many streams.
        """
        found: dict[bool, list[Channel]] = {True: [], False: []}
        for name, member in signature.members.items():
            into = member.flow is In
            if member.is_port or member.dimensions or not isinstance(member.signature, stream.Signature):
                if into:
                    raise InputError(f"inputs of a linked component must be streams, not {name!r}")
                continue
            if member.signature.always_ready and not into:
                raise InputError(f"outputs of a linked component must be able to wait, not {name!r}")
            width = Shape.cast(member.signature.members["payload"].shape).width
            found[into].append(Channel(name, width))
        for channels in found.values():
            if not 1 <= len(channels) <= MAX_CHANNELS:
                raise InputError(
                    f"a linked component must have 1..{MAX_CHANNELS} streams each way, not {len(channels)}"
                )
        return cls(tuple(found[True]), tuple(found[False]))

    @property
    def tag_bits(self) -> int:
        """Bits of the channel number in front of an output beat."""
        return (len(self.outputs) - 1).bit_length()

    def input_bytes(self, channel: int) -> int:
        """Bytes of a beat to the component."""
        return max(1, -(-self.inputs[channel].width // 8))

    def output_bytes(self, channel: int) -> int:
        """Bytes of a beat from the component, its channel number included."""
        return max(1, -(-(self.outputs[channel].width + self.tag_bits) // 8))

    def to_table(self) -> dict[str, list[list[object]]]:
        """Plain values for the identification."""
        return {
            "in": [[channel.name, channel.width] for channel in self.inputs],
            "out": [[channel.name, channel.width] for channel in self.outputs],
        }

    @classmethod
    def from_table(cls, table: dict[str, list[list[object]]]) -> "ChannelMap":
        """Inverse of `to_table`.

        Raises:
            ValueError: the table has another form.
        """
        try:
            inputs, outputs = (
                tuple(Channel(str(name), int(str(width))) for name, width in table[key])
                for key in ("in", "out")
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a table of channels: {error}") from None
        return cls(inputs, outputs)
