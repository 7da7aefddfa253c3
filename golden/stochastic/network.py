"""Shape and numbers of the trained spiking networks.

Potentials, biases and weights are integers in units of 2**-FRACTION of the threshold.
"""

from dataclasses import dataclass

from golden.code import check_range
from golden.errors import InputError

# Fraction bits of weights, biases and potentials; the threshold of every LIF neuron is 1 << FRACTION
FRACTION = 6


@dataclass(frozen=True, kw_only=True)
class NetworkShape:
    """Shape of a vision transformer over square images.

    Attributes:
        side, channels: pixels along an edge, colours.
        patch, stride: pixels along an edge of a patch and from patch to patch; patches may overlap.
        width: features per token, heads * head_dim.
        heads: attention heads; divides width.
        depth: blocks.
        hidden: neurons of the feed-forward layer.
        classes: outputs.

    Raises:
        InputError: a field is outside its range or does not fit another.
    """

    side: int
    channels: int
    patch: int
    stride: int
    width: int
    heads: int
    depth: int
    hidden: int
    classes: int = 10

    def __post_init__(self) -> None:
        for name in ("side", "channels", "patch", "stride", "width", "heads", "depth", "hidden", "classes"):
            check_range(f"NetworkShape.{name}", getattr(self, name), 1, 4096)
        if self.width % self.heads:
            raise InputError(f"NetworkShape.heads must divide width ({self.width}), not {self.heads}")
        if self.patch > self.side or (self.side - self.patch) % self.stride:
            raise InputError(
                f"NetworkShape.patch and stride must tile side {self.side}, "
                f"not {self.patch} and {self.stride}"
            )

    @property
    def grid(self) -> int:
        """Patches along an edge."""
        return (self.side - self.patch) // self.stride + 1

    @property
    def tokens(self) -> int:
        return self.grid**2

    @property
    def head_dim(self) -> int:
        return self.width // self.heads

    @property
    def patch_pixels(self) -> int:
        return self.patch**2 * self.channels

    @property
    def lif_attention_gain(self) -> float:
        """Current per coincidence of q, k and v in the LIF attention, in thresholds."""
        return 0.25


SHAPES = {
    "digits": NetworkShape(side=8, channels=1, patch=2, stride=2, width=64, heads=4, depth=2, hidden=128),
    "fashion-mnist": NetworkShape(
        side=28, channels=1, patch=7, stride=7, width=64, heads=4, depth=2, hidden=128
    ),
    "cifar10": NetworkShape(side=32, channels=3, patch=4, stride=4, width=384, heads=6, depth=6, hidden=1536),
}
