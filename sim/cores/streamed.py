"""Cores whose weights may come from a memory beside them: what that memory holds, and who fills it."""

import zlib
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.memory import ULX3S_SDRAM
from golden.network.reader import ReaderTiming
from sim.cores.core import Core, Integers
from sim.verilator.payload import Fields


class LoadingJob(Protocol):
    """A job of such a core.

    Attributes:
        load: send the weights and descriptors of its network.
    """

    @property
    def load(self) -> bool: ...


class StreamConfig(Protocol):
    """A configuration of such a core.

    Attributes:
        weight_stream: bits of a word of streamed weights; 0 where all are inside.
    """

    @property
    def weight_stream(self) -> int: ...


Config = TypeVar("Config", bound=StreamConfig)
Job = TypeVar("Job", bound=LoadingJob)


@dataclass(frozen=True)
class StreamedCore(Core[Config, Job, Integers]):
    """A core for networks, with all weights inside or with a stream of them (`weight_stream` of its
    configuration).

    Attributes:
        reader: of streamed weights; None where they come at full rate.
        held: words that the memory of a board holds, and their check sum.
    """

    reader: ReaderTiming | None = None
    held: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        assert self.reader is None or self.streamed, "a reader brings streamed weights"

    @property
    def streamed(self) -> bool:
        """Whether weights come on a stream."""
        return self.config.weight_stream > 0

    @abstractmethod
    def pass_words(self, job: Job) -> list[int]:
        """Words of every pass of an inference."""

    @abstractmethod
    def streamed_words(self, job: Job) -> NDArray[np.uint64]:
        """All of them, in order."""

    def greeting(self) -> dict[str, int]:
        return {"o_score": 0, "o_status": 1} if self.streamed else {}

    def linked_output_beats(self, job: Job) -> dict[str, int]:
        status = {"o_status": int(self.stores(job))} if self.streamed else {}
        return self.output_beats(job) | status

    def told(self, outputs: Mapping[str, Fields], job: Job | None = None) -> Self:
        if not self.streamed or not len(outputs["o_status"]["words"]):
            return self
        status = outputs["o_status"]
        held = int(status["words"][0]), int(status["sum"][0])
        if job is not None and held != self._wanted(job):
            raise InputError(
                f"the board's memory must hold the {self._wanted(job)[0]} words that were sent, it does not"
            )
        return replace(self, held=held)

    def check_memory(self, job: Job) -> None:
        """Raise InputError unless a board's memory holds the streamed weights of a job."""
        if self.streamed:
            words = sum(self.pass_words(job))
            if words > ULX3S_SDRAM.words:
                raise InputError(
                    f"the network's weights must fit the board's memory of {ULX3S_SDRAM.words} words, "
                    f"they are {words}"
                )

    def stores(self, job: Job) -> bool:
        """Whether a job sends streamed weights: those that the memory of the board does not hold."""
        return self.streamed and job.load and self.held != self._wanted(job)

    def _wanted(self, job: Job) -> tuple[int, int]:
        """Words of streamed weights of a job, and their check sum, as a board's memory tells them.

        Raises:
            InputError: there are more than the memory holds.
        """
        self.check_memory(job)
        words = self.streamed_words(job)
        return len(words), zlib.crc32(words.astype("<u2").tobytes())
