"""Data files, accuracy, re-coded residual, timeline."""

import gzip
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.layers import StreamLinear
from golden.network.network import Network, encode_image, run_network
from golden.network.program import compile_network, config_for
from golden.network.recode import calibrated_recoder
from sim.timing.network import predict
from studies.data.idx import read_idx, read_part
from studies.infer import timeline
from tests.golden.network.samples import converted, random_images, random_transformer


def idx_bytes(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes() + array.tobytes()


def write_data(directory: Path, images: np.ndarray, labels: np.ndarray) -> None:
    for part in ("train", "t10k"):
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            (directory / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(idx_bytes(array)))


def small() -> tuple[Network, np.ndarray]:
    floating = random_transformer(1, blocks=2)
    return converted(floating, random_images(2, 20), PhaseCode()), floating.entering(
        random_images(3, 4)[:, None]
    )


def test_idx_files(tmp_path: Path) -> None:
    images = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    write_data(tmp_path, images, np.array([1, 2], np.uint8))
    got, labels = read_part(tmp_path, "train")
    assert (got == images).all()
    assert labels.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be an idx file of bytes"),
        (idx_bytes(np.zeros((2, 2), np.uint8))[:-1], "must hold 4 bytes of data, not 3"),
        (gzip.compress(b"0" * 100)[:-20], "damaged or cut short"),
        (None, "cannot be read"),
    ],
)
def test_bad_idx_files(tmp_path: Path, content: bytes | None, message: str) -> None:
    path = tmp_path / "x-ubyte"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        read_idx(path)
    assert str(caught.value).startswith(str(path))


def test_images_without_their_labels(tmp_path: Path) -> None:
    write_data(tmp_path, np.zeros((3, 28, 28), np.uint8), np.zeros(2, np.uint8))
    with pytest.raises(InputError, match=r"a label 0..255 for each of 3 images"):
        read_part(tmp_path, "t10k")


def test_biases_beyond_the_potential() -> None:
    floating = random_transformer(1)
    assert floating.head is not None
    assert floating.head.bias is not None
    floating.head.bias[0] = 1e30
    with pytest.raises(InputError, match="biases must fit potentials of 40 bits beside the weights"):
        converted(floating, random_images(2, 20), PhaseCode())


def test_recoded_stream_holds_codes_only() -> None:
    network, patches = small()
    image = encode_image(network, patches)
    recoder = calibrated_recoder(network, image)
    seen: list[np.ndarray] = []

    def after_sum(stream: np.ndarray) -> np.ndarray:
        seen.append(recoder(stream))
        return seen[-1]

    run_network(network, image, after_sum=after_sum)
    values = np.unique(np.abs(np.concatenate([s[..., 0].ravel() for s in seen])))
    assert len(seen) == 5
    assert len(values) <= network.code.steps + 1
    assert (recoder(seen[0]) == seen[0]).all()


def test_a_stream_of_another_width_is_not_coded_again() -> None:
    network, patches = small()
    first, rest = network.layers[0], network.layers[1:]
    assert isinstance(first, StreamLinear)
    narrow = replace(first, weight=first.weight[:3], bias=first.bias[..., :3], shift=first.shift[:3])
    with pytest.raises(InputError, match=r"^a stream that is coded again must keep its 3 channels, not 16$"):
        calibrated_recoder(replace(network, layers=(narrow, first, *rest)), encode_image(network, patches))


def test_timeline_covers_every_descriptor() -> None:
    network, patches = small()
    config = config_for(network, lanes=16, cluster=4)
    times = predict(network, config, encode_image(network, patches), 10)
    program = compile_network(network, 16)
    groups = sum(op.leads for op in program.attention)
    for image in range(len(patches)):
        lines = timeline.text(times, image).splitlines()
        assert len(lines) == 3 + len(program.linear) + len(program.norm) + groups
    linear = [s for s in times.timeline if s.unit == "linear"]
    assert all(a.last < b.first for a, b in pairwise(linear))
    assert times.broadcasts <= times.linear
