import gzip
import io
import tarfile
from math import prod

import numpy as np
import pytest
from PIL import Image

from golden.errors import InputError
from onespike.cli import main
from studies.data import handwritten_digits as dataset
from studies.data.datasets import load_images


def write_idx(path, values):
    head = bytes([0, 0, 8, values.ndim]) + np.array(values.shape, ">u4").tobytes()
    path.write_bytes(gzip.compress(head + values.astype(np.uint8).tobytes()))


def test_digits():
    data = load_images("digits")
    assert data.train.shape == (1347, 8, 8, 1)
    assert data.test.max() == 255
    # every class is in the test set in its proportion
    assert np.bincount(data.test_labels).min() >= 43
    # One split for both schemes: what either trained on neither is measured on
    held_out = dataset.load()
    np.testing.assert_array_equal(data.test_labels, held_out.test_labels)
    np.testing.assert_array_equal(data.test[..., 0], np.minimum(held_out.test_images * 256, 255))


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


def idx(*shape, fill=1):
    return bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes() + bytes([fill]) * prod(shape)


def shown(value: object) -> str:
    """Name of a case: an archive holds the time at which it was made."""
    return f"{len(value)} bytes" if isinstance(value, bytes) else str(value)


GOOD = {"images-idx3": gzip.compress(idx(4, 3, 3)), "labels-idx1": gzip.compress(idx(4))}


@pytest.mark.parametrize(
    ("kind", "content", "rule"),
    [
        ("images-idx3", GOOD["images-idx3"][:-12], "must be a whole gz file, it is damaged or cut short"),
        ("labels-idx1", GOOD["labels-idx1"][:5], "must be a whole gz file, it is damaged or cut short"),
        (
            "images-idx3",
            GOOD["images-idx3"][:20] + bytes(12),
            "must be a whole gz file, it is damaged or cut short",
        ),
        ("images-idx3", b"plain", "must be an idx file of bytes"),
        ("images-idx3", idx(4, 3, 3)[:-1], "must hold 36 bytes of data, not 35"),
        # 2**72 pixels, which is 0 in 64 bits
        ("images-idx3", idx(0, 0, 0)[:4] + b"\1\0\0\0" * 3, f"must hold {1 << 72} bytes of data, not 0"),
        ("images-idx3", idx(4, 9), "must hold images [n, height, width], not [4, 9]"),
        ("images-idx3", idx(0, 3, 3), "must hold images [n, height, width], not [0, 3, 3]"),
        ("labels-idx1", idx(3), "must hold a label 0..9 for each of 4 images"),
        ("labels-idx1", idx(4, fill=10), "must hold a label 0..9 for each of 4 images"),
    ],
    ids=shown,
)
@pytest.mark.parametrize("part", ["train", "t10k"])
def test_bad_idx_file(part, kind, content, rule, tmp_path, capsys):
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for name in ("train", "t10k"):
        for what, good in GOOD.items():
            (folder / f"{name}-{what}-ubyte.gz").write_bytes(good)
    bad = folder / f"{part}-{kind}-ubyte.gz"
    bad.write_bytes(content)
    command = ["stochastic", "accuracy", "network.npz", "--dataset", "fashion-mnist", "--data", str(tmp_path)]
    assert main(command) == 2
    assert capsys.readouterr().err == f"onespike: {bad}: {rule}\n"


def test_images_of_two_sizes(tmp_path):
    folder = tmp_path / "fashion-mnist"
    folder.mkdir()
    for part, side in (("train", 3), ("t10k", 2)):
        (folder / f"{part}-images-idx3-ubyte.gz").write_bytes(idx(4, side, side))
        (folder / f"{part}-labels-idx1-ubyte.gz").write_bytes(idx(4))
    with pytest.raises(InputError, match=r"must hold images of one size, not \[3, 3\] and \[2, 2\]"):
        load_images("fashion-mnist", tmp_path)


def jpeg(side):
    file = io.BytesIO()
    Image.new("RGB", (side, side)).save(file, "jpeg")
    return file.getvalue()


def archive(members, compression="xz"):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=f"w:{compression}") as tar:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return file.getvalue()


CIFAR = {"c/train/cat/0001.jpg": jpeg(8), "c/train/dog/0001.jpg": jpeg(8)}
TESTED = {"c/test/cat/0001.jpg": jpeg(8), "c/test/dog/0001.jpg": jpeg(8)}


def test_archive(tmp_path):
    (tmp_path / "cifar10").mkdir()
    path = tmp_path / "cifar10" / "cifar10-jpeg.tar.xz"
    path.write_bytes(archive(CIFAR | TESTED))
    data = load_images("cifar10", tmp_path)
    assert data.train.shape == data.test.shape == (2, 8, 8, 3)
    np.testing.assert_array_equal(data.test_labels, [0, 1])


def test_classes_take_turns(tmp_path):
    """The first images are of all classes, though an archive holds them class by class."""
    (tmp_path / "cifar10").mkdir()
    names = [
        f"c/{part}/{name}/{n}.jpg" for part in ("train", "test") for name in ("cat", "dog") for n in range(3)
    ]
    (tmp_path / "cifar10" / "cifar10-jpeg.tar.xz").write_bytes(archive(dict.fromkeys(names, jpeg(8))))
    data = load_images("cifar10", tmp_path)
    np.testing.assert_array_equal(data.test_labels, [0, 1, 0, 1, 0, 1])
    np.testing.assert_array_equal(data.train_labels, [0, 0, 0, 1, 1, 1])
    np.testing.assert_array_equal(load_images("cifar10", tmp_path, train=1).train_labels, [0])


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (archive(CIFAR | TESTED)[:-200], "must be a whole archive of JPEG files"),
        (archive(CIFAR | TESTED, "gz")[:-100], "must be a whole archive of JPEG files"),
        (b"x" * 2000, "must be a whole archive of JPEG files"),
        (
            archive(CIFAR | TESTED | {"c/test/cat/0001.jpg": jpeg(8)[:150]}),
            "must be a whole archive of JPEG files",
        ),
        (archive(CIFAR), "must hold train/CLASS/.* of the same classes"),
        (
            archive(CIFAR | TESTED | {"c/test/cow/1.jpg": jpeg(8)}),
            "must hold train/CLASS/.* of the same classes",
        ),
        (archive(CIFAR | TESTED | {"c/test/cat/2.jpg": jpeg(9)}), "must hold images of one size"),
    ],
    ids=shown,
)
def test_bad_archive(content, rule, tmp_path):
    (tmp_path / "cifar10").mkdir()
    path = tmp_path / "cifar10" / "cifar10-jpeg.tar.xz"
    path.write_bytes(content)
    with pytest.raises(InputError, match=f"^{path}: {rule}"):
        load_images("cifar10", tmp_path)


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
