"""Whole spiking networks in Python."""

from fractions import Fraction
from pathlib import Path

from studies.infer.cases import Case, load_case


def trained_network(
    name: str | Path = "digits",
    *,
    data: str | Path | None = None,
    steps: int | None = None,
    log2_base: Fraction | None = None,
) -> Case:
    """A small vision transformer as a network of integers, with the images that it classifies.

    Source: SpikedAttention (NeurIPS 2024), section 3.4, for the conversion.

    Args:
        name: digits, fashion, fashion-batchnorm, cifar10 or cifar10-small, whose weights come with the
            project; a file of `save_network`, or of trained float weights; or a folder of `convert`.
        data: folder with the idx files of the images, of images in colour one that holds cifar10/; the
            handwritten digits when absent.
        steps, log2_base: T and log2 B of the conversion, those of `PhaseCode` when absent.

    Returns:
        The `network`; held-out `images`, [n, side, side], in colour [n, side, side, 3], in 0..1, and their
        `labels`, [n]; `spikes(images)`, what the network takes of them: [n, tokens, pixels].

    Raises:
        InputError: a bad name, file or code, or images that do not fit the network.

    >>> import onespike
    >>> digits = onespike.trained_network()
    >>> digits.images.shape, digits.network.tokens, digits.network.classes
    ((450, 8, 8), 16, 10)
    """
    return load_case(str(name), None if data is None else Path(data), steps, log2_base)
