import gzip

import numpy as np
import pytest

from golden.errors import InputError
from sim.stochastic.datasets import load_images


def write_idx(path, values):
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def test_digits():
    data = load_images("digits")
    assert data.train.shape == (1437, 8, 8, 1)
    assert data.test.shape == (360, 8, 8, 1)
    assert data.test.max() == 255
    # every class is in the test set in its proportion
    assert np.bincount(data.test_labels).min() >= 34


def test_idx_files(tmp_path):
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    pixels = np.arange(2 * 3 * 3).reshape(2, 3, 3)
    for part in ("train", "t10k"):
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", pixels)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", np.array([7, 1]))
    data = load_images("fashion-mnist", tmp_path)
    np.testing.assert_array_equal(data.train[..., 0], pixels)
    np.testing.assert_array_equal(data.test_labels, [7, 1])
    (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes([0, 0, 8, 1, 0, 0, 0, 9, 1])))
    with pytest.raises(InputError, match=r"must hold \[9\] bytes, it holds 1"):
        load_images("fashion-mnist", tmp_path)
    (folder / "train-images-idx3-ubyte.gz").write_bytes(b"plain")
    with pytest.raises(InputError, match=r"train-images-idx3-ubyte\.gz: cannot be read"):
        load_images("fashion-mnist", tmp_path)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnist", "data set must be one of digits, fashion-mnist, cifar10, not 'mnist'"),
        ("cifar10", "data set cifar10 needs a folder that holds cifar10/, none was given"),
    ],
)
def test_bad_name(name, message):
    with pytest.raises(InputError) as error:
        load_images(name)
    assert str(error.value) == message


def test_missing_archive(tmp_path):
    with pytest.raises(InputError, match=r"cifar10-jpeg\.tar\.xz: cannot be read"):
        load_images("cifar10", tmp_path)
