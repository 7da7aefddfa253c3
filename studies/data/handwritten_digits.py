"""Handwritten digits and their split, shared by training, calibration and the main job.

Source: the UCI test set of optical recognition of handwritten digits (Alpaydin and Kaynak, 1998), 1797
images of 8x8 pixels, as it comes with scikit-learn (`sklearn.datasets.load_digits`).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

SPLIT_SEED = 0
HELD_OUT = 450  # images, a quarter
WHITE = 16.0  # brightest pixel value of the data set


@dataclass(frozen=True, kw_only=True)
class Digits:
    """The split data set.

    Attributes:
        train_images: float32 [1347, 8, 8], 0..1; the only images that training and calibration see.
        train_labels: int64 [1347], 0..9.
        test_images: float32 [450, 8, 8], the held-out set.
        test_labels: int64 [450].
    """

    train_images: NDArray[np.float32]
    train_labels: NDArray[np.int64]
    test_images: NDArray[np.float32]
    test_labels: NDArray[np.int64]


def load() -> Digits:
    """The digits, split by class with a fixed seed."""
    # Loads SciPy with it, for seconds; what does not read the digits shall not wait for it
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    images = (data.images / WHITE).astype(np.float32)
    train_images, test_images, train_labels, test_labels = train_test_split(
        images,
        data.target.astype(np.int64),
        test_size=HELD_OUT,
        stratify=data.target,
        random_state=SPLIT_SEED,
    )
    return Digits(
        train_images=train_images,
        train_labels=train_labels,
        test_images=test_images,
        test_labels=test_labels,
    )
