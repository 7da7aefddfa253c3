"""Records to beats and beats to bytes, with pauses on both sides."""

import random

import pytest
from amaranth.hdl import signed
from amaranth.lib import stream, wiring
from amaranth.lib.wiring import In, Out

from golden.errors import InputError
from hw.link.channels import Channel, ChannelMap
from hw.link.records import BeatWriter, RecordReader
from tests.hw.link.stream_bench import run

CHANNELS = ChannelMap(
    inputs=(Channel("i_head", 113), Channel("i_key", 5), Channel("i_wide", 16)),
    outputs=(Channel("o_code", 6), Channel("o_context", 23), Channel("o_byte", 8)),
)
PAUSES = [(0.0, 0.0), (0.5, 0.0), (0.0, 0.7), (0.4, 0.4)]


@pytest.mark.parametrize("pauses", PAUSES)
def test_reader(pauses: tuple[float, float]) -> None:
    rng = random.Random(5)
    data, expected = b"", {f"o{n}": [] for n in range(3)}
    for beats in (1, 3, 256, 2, 1, 7):
        number = rng.randrange(3)
        channel = CHANNELS.inputs[number]
        values = [rng.getrandbits(channel.width) for _ in range(beats if number else 1)]
        data += bytes([number, len(values) - 1])
        data += b"".join(value.to_bytes(CHANNELS.input_bytes(number), "little") for value in values)
        expected[f"o{number}"] += values
    assert run(RecordReader(CHANNELS), {"i": data}, list(expected), pauses=pauses) == expected


def test_unknown_channel_stops_the_reader() -> None:
    data = bytes([1, 0, 9]) + bytes([3, 0]) + bytes([1, 0, 4])
    assert run(RecordReader(CHANNELS), {"i": data}, ["o0", "o1", "o2"]) == {"o0": [], "o1": [9], "o2": []}


@pytest.mark.parametrize("pauses", PAUSES)
def test_writer(pauses: tuple[float, float]) -> None:
    rng = random.Random(6)
    given = {
        f"i{n}": [rng.getrandbits(channel.width) for _ in range(60)]
        for n, channel in enumerate(CHANNELS.outputs)
    }
    data = bytes(run(BeatWriter(CHANNELS), given, ["o"], pauses=pauses)["o"])
    found: dict[str, list[int]] = {name: [] for name in given}
    position = 0
    while position < len(data):
        number = data[position] & 3
        size = CHANNELS.output_bytes(number)
        found[f"i{number}"].append(int.from_bytes(data[position : position + size], "little") >> 2)
        position += size
    assert found == given


def signature(**members: wiring.Member) -> wiring.Signature:
    return wiring.Signature(members)


def test_channels_of_a_component() -> None:
    both = signature(
        i_a=In(stream.Signature(signed(12))),
        busy=Out(1),
        o_b=Out(stream.Signature(8)),
        i_c=In(stream.Signature(1)),
    )
    found = ChannelMap.of(both)
    assert found == ChannelMap((Channel("i_a", 12), Channel("i_c", 1)), (Channel("o_b", 8),))
    assert ChannelMap.from_table(found.to_table()) == found
    assert (found.tag_bits, found.input_bytes(0), found.output_bytes(0)) == (0, 2, 1)


def test_what_cannot_be_linked() -> None:
    plain = signature(i_a=In(stream.Signature(1)), enable=In(1), o_b=Out(stream.Signature(1)))
    with pytest.raises(InputError, match="must be streams, not 'enable'"):
        ChannelMap.of(plain)
    with pytest.raises(InputError, match=r"1\.\.16 streams each way, not 0"):
        ChannelMap.of(signature(i_a=In(stream.Signature(1))))
    loud = signature(i_a=In(stream.Signature(1)), o_b=Out(stream.Signature(1, always_ready=True)))
    with pytest.raises(InputError, match="must be able to wait, not 'o_b'"):
        ChannelMap.of(loud)


def test_table_of_another_form() -> None:
    with pytest.raises(ValueError, match="not a table of channels"):
        ChannelMap.from_table({"in": 3})  # type: ignore[dict-item]
