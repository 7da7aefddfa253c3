"""A serial port on a bad day: frames are spoilt on their way, both ways, by a seeded generator."""

import random
from collections import Counter

from hw.link.protocol import ESCAPE, FLAG, POSITION_MODULUS, Frame, Kind, encode_frame
from sim.board.session import SerialPort

FAULTS = (
    "flipped bits",
    "cut short",
    "lost",
    "repeated",
    "reordered",
    "oversized",
    "random bytes before",
    "random frame before",
    "dangling escape",
)
# More than the store of the board that is soaked
OVERSIZE_BYTES = 1100


class Lane:
    """One direction: frames in, bytes out, now and then with a fault.

    Attributes:
        faults: how often each fault was made.
    """

    def __init__(self, seed: str, rate: float) -> None:
        self._random = random.Random(seed)
        self._rate = rate
        self._held = b""
        self.faults: Counter[str] = Counter()

    def carry(self, frame: bytes) -> bytes:
        """What arrives of a frame, flags included, and of one that was held back before it."""
        held, self._held = self._held, b""
        if self._random.random() >= self._rate:
            return frame + held
        fault = self._random.choice(FAULTS)
        self.faults[fault] += 1
        if fault == "reordered" and not held:
            # Goes out after the next one
            self._held = frame
            return b""
        return self._spoil(frame, fault) + held

    def _spoil(self, frame: bytes, fault: str) -> bytes:
        pick = self._random
        if fault == "flipped bits":
            spoilt = bytearray(frame)
            for _ in range(pick.randint(1, 4)):
                spoilt[pick.randrange(len(spoilt))] ^= 1 << pick.randrange(8)
            return bytes(spoilt)
        if fault == "cut short":
            return frame[: pick.randrange(len(frame))]
        if fault == "lost":
            return b""
        if fault == "repeated":
            return frame * pick.randint(2, 4)
        if fault == "oversized":
            if pick.random() < 0.5:
                middle = pick.randrange(1, len(frame))
                more = pick.randbytes(OVERSIZE_BYTES).replace(bytes([FLAG]), b"")
                return frame[:middle] + more + frame[middle:]
            foreign = Frame(
                Kind.DATA,
                pick.randrange(256),
                pick.randrange(POSITION_MODULUS),
                pick.randbytes(OVERSIZE_BYTES),
            )
            return encode_frame(foreign) + frame
        if fault == "random bytes before":
            return pick.randbytes(pick.randint(1, 64)) + frame
        if fault == "random frame before":
            return bytes([FLAG]) + pick.randbytes(pick.randint(1, 64)) + bytes([FLAG]) + frame
        if fault == "dangling escape":
            return frame[:-1] + bytes([ESCAPE, FLAG])
        return frame


class FaultyPort:
    """A port between driver and board that spoils frames in both directions.

    Args:
        port: the real port; one write is one frame.
        seed: of the generators.
        rate: part of the frames that suffer a fault.

    Attributes:
        sent, received: the two directions.
    """

    def __init__(self, port: SerialPort, seed: int, rate: float) -> None:
        self._port = port
        self._partial = b""
        self.sent = Lane(f"{seed} sent", rate)
        self.received = Lane(f"{seed} received", rate)

    @property
    def in_waiting(self) -> int:
        return self._port.in_waiting

    @property
    def faults(self) -> Counter[str]:
        """How often each fault was made, in both directions."""
        return self.sent.faults + self.received.faults

    def write(self, frame: bytes) -> int:
        """Send a frame, perhaps with a fault."""
        self._port.write(self.sent.carry(frame))
        return len(frame)

    def read(self, size: int = 1) -> bytes:
        """Receive whole frames, perhaps with faults."""
        self._partial += self._port.read(size)
        out = b""
        # A frame ends with the first flag that is not its own first byte
        while (end := self._partial.find(FLAG, 1)) >= 0:
            frame, self._partial = self._partial[: end + 1], self._partial[end + 1 :]
            out += self.received.carry(frame)
        return out
