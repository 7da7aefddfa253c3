"""PyTorch files written by hand as torch/serialization.py lays them out: read whole, or refused by name."""

import pickle
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from golden.errors import InputError
from models.files.weights import read_weights


def value(content: Any) -> bytes:
    """A plain value inside a pickle."""
    return pickle.dumps(content, protocol=2)[2:-1]


def name(module: str, attribute: str) -> bytes:
    return f"c{module}\n{attribute}\n".encode()


def call(function: bytes, *arguments: bytes) -> bytes:
    return function + b"(" + b"".join(arguments) + b"tR"


def storage(key: str, kind: str, size: int, *view: bytes) -> bytes:
    words = [value("storage"), name("torch", kind), value(key), value("cpu"), value(size), *view]
    return b"(" + b"".join(words) + b"tQ"


def tensor(
    key: str,
    shape: tuple[int, ...],
    *,
    kind: str = "FloatStorage",
    size: int = 6,
    offset: int = 0,
    strides: tuple[int, ...] | None = None,
    function: str = "_rebuild_tensor_v2",
    more: tuple[bytes, ...] = (),
    view: tuple[bytes, ...] = (),
) -> bytes:
    steps = strides if strides is not None else tuple(int(np.prod(shape[i + 1 :])) for i in range(len(shape)))
    hooks = call(name("collections", "OrderedDict"))
    numbers = (value(offset), value(shape), value(steps), value(False))
    return call(name("torch._utils", function), storage(key, kind, size, *view), *numbers, hooks, *more)


def table(items: dict[Any, bytes]) -> bytes:
    return b"}(" + b"".join(value(key) + item for key, item in items.items()) + b"u"


def whole(content: bytes) -> bytes:
    return b"\x80\x02" + content + b"."


SIX = np.arange(6, dtype="<f4")


def write(path: Path, content: bytes, members: dict[str, bytes] | None = None) -> Path:
    """An archive with a pickle and its storages."""
    stored = {"data/0": SIX.tobytes(), "version": b"3\n"} if members is None else members
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", whole(content))
        for member, data in stored.items():
            archive.writestr(f"archive/{member}", data)
    return path


def test_tensors_of_every_type_and_stride(tmp_path: Path) -> None:
    half = np.array([1.0, -2.5, 0.0], np.float32)
    stored = {
        "data/0": SIX.tobytes(),
        "data/1": half.astype("<f2").tobytes(),
        "data/2": (half.view(np.uint32) >> 16).astype("<u2").tobytes(),
        "data/3": np.arange(3, dtype="<i8").tobytes(),
        "data/4": half.astype("<f8").tobytes(),
        "byteorder": b"little",
    }
    content = {
        "whole": tensor("0", (2, 3)),
        "transposed": tensor("0", (3, 2), strides=(1, 3)),
        "part": tensor("0", (2, 2), offset=1, strides=(3, 1)),
        "repeated": tensor("0", (2, 3), strides=(0, 1)),
        "scalar": tensor("0", (), offset=5),
        "empty": tensor("0", (0, 3)),
        "parameter": call(name("torch._utils", "_rebuild_parameter"), tensor("0", (6,)), value(True), b"}"),
        "half": tensor("1", (3,), kind="HalfStorage", size=3),
        "bfloat": tensor("2", (3,), kind="BFloat16Storage", size=3),
        "long": tensor("3", (3,), kind="LongStorage", size=3),
        "double": tensor("4", (3,), kind="DoubleStorage", size=3),
    }
    arrays = read_weights(write(tmp_path / "m.pt", table(content), stored))
    assert list(arrays) == list(content)
    expected = {
        "whole": SIX.reshape(2, 3),
        "transposed": SIX.reshape(2, 3).T,
        "part": SIX.reshape(2, 3)[:, 1:],
        "repeated": np.stack([SIX[:3]] * 2),
        "scalar": SIX[5],
        "empty": np.zeros((0, 3), np.float32),
        "parameter": SIX,
        **dict.fromkeys(("half", "bfloat", "double"), half),
        "long": np.arange(3),
    }
    for key, array in expected.items():
        np.testing.assert_array_equal(arrays[key], array)
        assert arrays[key].shape == array.shape


def test_the_other_order_of_bytes(tmp_path: Path) -> None:
    stored = {"data/0": SIX.astype(">f4").tobytes(), "byteorder": b"big"}
    arrays = read_weights(write(tmp_path / "m.bin", table({"w": tensor("0", (6,))}), stored))
    np.testing.assert_array_equal(arrays["w"], SIX)


def test_a_file_of_torch_before_archives(tmp_path: Path) -> None:
    system = {"protocol_version": 1001, "little_endian": True}
    content = table(
        {"w": tensor("93", (2, 3), view=(b"N",)), "b": tensor("93", (3,), offset=3, view=(b"N",))}
    )
    pickles = [pickle.dumps(0x1950A86A20F9469CFC6C, 2), pickle.dumps(1001, 2), pickle.dumps(system, 2)]
    parts = [*pickles, whole(content), pickle.dumps(["93"], 2), (6).to_bytes(8, "little"), SIX.tobytes()]
    path = tmp_path / "m.pth"
    path.write_bytes(b"".join(parts))
    arrays = read_weights(path)
    np.testing.assert_array_equal(arrays["w"], SIX.reshape(2, 3))
    np.testing.assert_array_equal(arrays["b"], SIX[3:])
    path.write_bytes(b"".join(parts) + b"?")
    with pytest.raises(InputError, match="more bytes follow the last storage"):
        read_weights(path)


def test_the_weights_of_a_checkpoint_of_training(tmp_path: Path) -> None:
    state = table({"w": tensor("0", (6,))})
    content = {"epoch": value(3), "model": state, "optimizer": table({"state": b"}"})}
    assert list(read_weights(write(tmp_path / "m.pt", table(content)))) == ["w"]
    with pytest.raises(InputError, match="not 'model' and beside it model_ema"):
        read_weights(write(tmp_path / "m.pt", table({**content, "model_ema": state})))


ODD = {
    "integer keys": (table({0: tensor("0", (6,))}), "not the key 0 of type int"),
    "sparse": (table({"w": call(name("torch._utils", "_rebuild_sparse_tensor"))}), "not a sparse tensor"),
    "meta": (
        table({"w": call(name("torch._utils", "_rebuild_meta_tensor_no_storage"))}),
        "not a meta tensor, which has no values",
    ),
    "quantised": (
        table({"w": tensor("0", (6,), kind="QInt8Storage", function="_rebuild_qtensor")}),
        "not a quantised tensor",
    ),
    "complex": (table({"w": tensor("0", (6,), kind="ComplexFloatStorage")}), "a tensor of ComplexFloatSt"),
    "negated": (table({"w": tensor("0", (6,), more=(value({"neg": True}),))}), "conjugated or negated"),
    "a view": (table({"w": tensor("0", (6,), view=(value(["1", 0, 6]),))}), "a tensor of FloatStorage"),
    "a module": (call(name("torch.nn.modules.linear", "Linear")), "of torch.nn.modules.linear.Linear"),
    "code": (call(name("os", "system"), value("true")), "not an object of os.system"),
    "built in": (call(name("builtins", "eval"), value("1")), "not an object of builtins.eval"),
    "a tensor": (tensor("0", (6,)), "not an object of type tensor"),
    "a list": (value([1]), "not an object of type list"),
    "a number": (table({"w": value(1)}), "not a value of type int under 'w'"),
    "beyond": (table({"w": tensor("0", (7,))}), "tensor w reaches beyond its storage"),
    "backwards": (table({"w": tensor("0", (6,), offset=5, strides=(-1,))}), "an impossible shape"),
    "short": (table({"w": tensor("0", (6,), size=7)}), "storage 0 must hold 7 numbers, not 6"),
    "no storage": (table({"w": tensor("5", (6,))}), "not readable as a PyTorch state dict"),
    "no pickle": (b"\xff", "not readable as a PyTorch state dict"),
    "no tensors": (b"}", "holds no tensors"),
}


@pytest.mark.parametrize("what", ODD)
def test_anything_else_is_refused_in_one_line(tmp_path: Path, what: str) -> None:
    content, message = ODD[what]
    with pytest.raises(InputError, match=message) as error:
        read_weights(write(tmp_path / "m.pt", content))
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < len(str(tmp_path)) + 200


def test_programs_doubles_and_damage_are_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "m.pt", table({"w": tensor("0", (6,))}), {"constants.pkl": b"", "data/0": b""})
    with pytest.raises(InputError, match="not a TorchScript program"):
        read_weights(path)
    path = write(tmp_path / "m.pt", table({"w": tensor("0", (6,))}))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("archive/data/0", SIX.tobytes())
    with pytest.raises(InputError, match="is there twice"):
        read_weights(path)
    for damage in (b"", b"PK", b"\x80\x02K\x01."):
        path.write_bytes(damage)
        with pytest.raises(InputError, match="not readable as a PyTorch state dict"):
            read_weights(path)
