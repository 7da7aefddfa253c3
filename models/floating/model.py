"""What every model fulfils: it runs on a batch, says what it is fed and which of its layers read norms."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from numpy.typing import NDArray

from models.floating.engine import Engine, Floats
from models.floating.functions import Norm
from models.verdict import Verdict

# By dense layer the name of the norm that it reads, and that norm
Readers = dict[str, tuple[str, Norm]]
Outputs = Literal["embeddings", "logits", "vectors"]


@dataclass(frozen=True, kw_only=True)
class Samples:
    """One sample of a model's inputs.

    Attributes:
        kind: "sentences", as token numbers; "images"; or "vectors", one per token.
        axes: of the array of one sample.
        vocabulary: of sentences, how many tokens there are.
        length: of sentences, the most tokens.
        padding: of sentences, number of a token that may not be in one, or None.
    """

    kind: Literal["sentences", "images", "vectors"]
    axes: tuple[str, ...]
    vocabulary: int = 0
    length: int = 0
    padding: int | None = None


IMAGES = Samples(kind="images", axes=("channels", "height", "width"))
VECTORS = Samples(kind="vectors", axes=("tokens", "dim"))


class Model(Protocol):
    """A float network whose nodes an engine computes."""

    @property
    def samples(self) -> Samples:
        """What it is fed."""

    @property
    def outputs(self) -> Outputs:
        """What comes out: embeddings of sentences, logits of classes, or vectors that no task scores."""

    def entering(self, batch: NDArray[Any]) -> Floats:
        """What the first layer is given, [batch, rows, width]: pixels of patches, embedded tokens."""

    def run(self, batch: NDArray[Any], engine: Engine) -> Floats:
        """Outputs of a batch of samples.

        Args:
            batch: samples of one shape, stacked along the first axis.
            engine: how nodes compute.
        """

    def norm_readers(self) -> Readers:
        """Norm that each dense layer reads, by node; layers that read anything else are absent."""

    def other_nodes(self) -> list[Verdict]:
        """Verdicts of what is neither in a block nor a dense layer, attention or norm."""
