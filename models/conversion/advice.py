"""What the error of an integer network is made of, and what would make it smaller: a line per cause."""

import numpy as np

from golden.code import PhaseCode
from models.conversion.inplace import NodeError, finer_code, longer_code
from models.conversion.scheme import Scheme
from models.floating.recording import Ranges

# Relative RMSE from which a cause is worth a line, and outlier channels in units of the median one
WORTH = 0.02
OUTLIER = 16.0


def advise(measured: dict[str, NodeError], ranges: Ranges, scheme: Scheme) -> list[str]:
    """Lines for people, the causes that matter only; each names the node where it is worst.

    Args:
        measured: by node, in order of execution.
        ranges: of the calibration.
        scheme: of the conversion.
    """
    found = [*growth(measured), *causes(measured, scheme.code)]
    return found + outliers(ranges, scheme.weight_bits)


def growth(measured: dict[str, NodeError]) -> list[str]:
    """Where errors add up along the depth."""
    node, error = max(measured.items(), key=lambda item: item[1].in_place)
    if error.in_place < WORTH:
        return []
    own = "" if error.code is None else f"its own code makes {error.code:.3f}, "
    return [
        f"in place the error is largest at {node}: {error.in_place:.3f}; {own}what enters it "
        f"{'the rest' if own else 'makes it'}"
    ]


def causes(measured: dict[str, NodeError], code: PhaseCode) -> list[str]:
    """What codes lose, where they lose most."""
    finer, longer, lines = finer_code(code), longer_code(code), list[str]()

    def worst(part: str) -> tuple[str, NodeError, float]:
        node, error = max(measured.items(), key=lambda item: item[1].share(getattr(item[1], part)))
        return node, error, error.share(getattr(error, part))

    node, error, lost = worst("rounding")
    if lost >= WORTH:
        instead = "no network has half that base over these octaves"
        if finer is not None:
            options = f"--steps {finer.steps} --log2-base {finer.log2_base}"
            instead = f"{error.share(error.finer):.3f} with {options}"
        lines.append(f"rounding to B = 2^({code.log2_base}): {lost:.3f} at {node}; {instead}")
    node, error, lost = worst("silent")
    if lost >= WORTH:
        instead = "no network has an octave more of this base"
        if longer is not None:
            instead = f"{error.share(error.longer):.3f} with --steps {longer.steps}"
        lines.append(f"silent, too small for {code.steps} steps: {lost:.3f} at {node}; {instead}")
    node, _, lost = worst("below")
    if lost >= WORTH:
        lines.append(
            f"silent, far below zero (lobes of GELU): {lost:.3f} at {node}; the next layers learn most of it "
            "from the samples, a model trained with ReLU has none"
        )
    node, _, lost = worst("beyond")
    if lost >= WORTH:
        lines.append(f"beyond the largest spike: {lost:.3f} at {node}")
    return lines


def outliers(ranges: Ranges, weight_bits: int) -> list[str]:
    """The norm whose largest channel stands out most."""
    ratios = {node: largest / max(float(np.median(largest)), 1e-12) for node, largest in ranges.norm.items()}
    if not ratios:
        return []
    node = max(ratios, key=lambda name: float(ratios[name].max()))
    ratio, channel = float(ratios[node].max()), int(ratios[node].argmax())
    if ratio < OUTLIER:
        return []
    return [
        f"outlier: channel {channel} of {node} reaches {ratio:.0f} times the median one; weights that "
        "read it take that in, and those of other channels lose up to "
        f"{np.log2(ratio):.1f} of {weight_bits} bits"
    ]
