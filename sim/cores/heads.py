"""Cores whose jobs are attention heads."""

from abc import abstractmethod
from typing import Any, ClassVar, Self

from numpy.typing import NDArray

from sim.cores.core import Config, Core, Integers, Job


class HeadCore(Core[Config, Job, Integers]):
    """A core that computes attention heads.

    Attributes:
        scheme: of its attention, as users name it.
        rates: whether q, k and v are rates in 0..1 rather than any floats.
    """

    item = "head"
    scheme: ClassVar[str]
    rates: ClassVar[bool] = False

    @classmethod
    @abstractmethod
    def of_size(cls, tokens: int, head_dim: int) -> Self:
        """The fastest core of its kind for heads of this size."""

    @abstractmethod
    def prepare(self, q: NDArray[Any], k: NDArray[Any], v: NDArray[Any]) -> Job:
        """A job of arrays [heads, tokens, head_dim] as the scheme takes them."""
