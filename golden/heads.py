"""Whether a core has room for a job of attention heads, in whichever numbers it computes them."""

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from golden.errors import InputError
from golden.inputs import MASKING_BIAS


class Heads(Protocol):
    """A job: heads of one size, with what is added to their scores and which keys may be attended."""

    @property
    def tokens(self) -> int: ...

    @property
    def head_dim(self) -> int: ...

    @property
    def bias(self) -> NDArray[Any] | None: ...

    @property
    def allowed(self) -> NDArray[np.bool_] | None: ...


class Room(Protocol):
    """The sizes of a core."""

    @property
    def tokens(self) -> int: ...

    @property
    def head_dim(self) -> int: ...

    @property
    def mask(self) -> bool: ...

    @property
    def bias(self) -> bool: ...

    @property
    def bias_limit(self) -> int: ...

    @property
    def score_width(self) -> int: ...


def check_room(job: Heads, core: Room) -> None:
    """Raise InputError unless a core has room for the heads of a job, their bias and their mask."""
    for name in ("tokens", "head_dim"):
        most, found = getattr(core, name), getattr(job, name)
        if found > most:
            raise InputError(f"{name} must be at most {most} in this configuration, not {found}")
    if job.allowed is not None and not core.mask:
        raise InputError(
            "mask must be absent: this configuration has mask = false "
            f"(a bias of {MASKING_BIAS:g} or less masks too)"
        )
    if job.bias is not None:
        if not core.bias:
            raise InputError("bias must be absent: this configuration has bias = false")
        largest = int(np.abs(job.bias).max())
        if largest > core.bias_limit:
            raise InputError(
                f"bias must be at most {core.bias_limit} score units in this configuration "
                f"(score width {core.score_width}), not {largest}"
            )
