"""What a run of a compiled model gives back."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.verilator.payload import Fields, unpack


class SimulationError(RuntimeError):
    """The design did not do what was expected of its streams."""


@dataclass(frozen=True)
class Beats:
    """What an output stream delivered.

    Attributes:
        words: payloads, uint32 [n, words].
        cycles: cycle of each transfer, int64 [n].
        layout: description of the payload.
    """

    words: NDArray[np.uint32]
    cycles: NDArray[np.int64]
    layout: Mapping[str, Any]

    @cached_property
    def fields(self) -> Fields:
        """The payloads as in `sim.verilator.payload.unpack`."""
        return unpack(self.layout, self.words)


@dataclass(frozen=True, kw_only=True)
class Result(Mapping[str, Fields]):
    """What happened in a run; as a mapping the fields of each output stream.

    Attributes:
        outputs: beats of each output stream.
        accepted: cycle in which each input beat was accepted, by stream, int64 [n].
        ports: values of plain output ports in the last cycle.
        cycles: clock cycles from cycle 0 up to and with the last transfer.
        seconds: time it took, without compilation.
    """

    outputs: Mapping[str, Beats]
    accepted: Mapping[str, NDArray[np.int64]]
    ports: Mapping[str, int]
    cycles: int
    seconds: float

    def __getitem__(self, stream: str) -> Fields:
        return self.outputs[stream].fields

    def __iter__(self) -> Iterator[str]:
        return iter(self.outputs)

    def __len__(self) -> int:
        return len(self.outputs)
