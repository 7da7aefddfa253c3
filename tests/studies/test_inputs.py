"""Images of a data set as the samples of a model, and what converted folders are fed."""

import re
from pathlib import Path

import numpy as np
import pytest

from golden.errors import InputError
from models.conversion.scheme import Scheme
from models.files.tensors import read_tensors
from models.floating.engine import FloatEngine
from models.floating.model import Model
from models.layouts import Options, read_model
from models.shipped.vit_file import FOLDER
from studies.convert.convert import convert_into
from studies.infer.cases import load_case
from studies.infer.inputs import inputs_of
from tests.models.test_libraries import FOLDERS, OPTIONS

USERS = FOLDER.parent / "users"


def read(folder: Path, name: str, options: Options | None = None) -> Model:
    return read_model(read_tensors(folder / name), options or OPTIONS.get(name, Options()))[1]


def test_a_border_makes_the_models_size() -> None:
    images = np.random.default_rng(0).random((2, 28, 28))
    given = inputs_of(read(USERS, "swin_fashion"), images, 64)
    assert given.shape == (2, 1, 32, 32)
    assert (given[:, 0, 2:-2, 2:-2] == images.astype(np.float32)).all()
    assert given.sum() == pytest.approx(images.sum(), rel=1e-5)
    same = np.random.default_rng(0).random((2, 8, 8))
    assert (inputs_of(read(USERS, "digits_vit"), same, 16)[:, 0] == same.astype(np.float32)).all()


WRONG = {
    "larger": ("swin_fashion", 36, "images must be 32x32 pixels, or all but a narrow border, not 36x36"),
    "odd": ("swin_fashion", 31, "images must be 32x32 pixels, .*, not 31x31"),
    "much smaller": ("swin_fashion", 24, "images must be 32x32 pixels, .*, not 24x24"),
    "colours": ("timm_vit", 16, "images have 1 channels, this model is given 3"),
    "vectors": ("torch_plain", 16, "must have logits, this model has vectors"),
    "sentences": ("bert_classifier", 16, "is not given sentences"),
}


@pytest.mark.parametrize("what", WRONG)
def test_refused(what: str) -> None:
    name, side, message = WRONG[what]
    model = read(USERS if name == "swin_fashion" else FOLDERS, name)
    with pytest.raises(InputError, match=message):
        inputs_of(model, np.zeros((1, side, side)), 64)


def converted(folder: Path, scheme: Scheme) -> Path:
    source = USERS / "digits_vit"
    samples = source / "data" / "samples.npz"
    place = folder / "vit"
    place.mkdir()
    convert_into(place, "vit", source, samples, scheme, Options(), [], None, None, 50, 0)
    return place


def test_a_converted_folder_is_fed_the_data_set(tmp_path: Path) -> None:
    case = load_case(str(converted(tmp_path, Scheme())), None, None, None)
    assert case.network.tokens == 16
    assert case.floating is not None
    right = case.floating.run(case.samples(case.images), FloatEngine()).argmax(axis=1) == case.labels
    assert f"{100 * right.mean():.2f}" == "98.00"  # what the training printed
    assert case.spikes(case.images[:3]).shape == (3, 16, 4)


def test_what_a_folder_does_not_say(tmp_path: Path) -> None:
    place = converted(tmp_path, Scheme(parts="attention"))
    with pytest.raises(InputError, match=f"^{re.escape(str(place))}: was converted with --parts attention"):
        load_case(str(place), None, None, None)
    with pytest.raises(InputError, match="has its code, --steps and --log2-base must be absent"):
        load_case(str(place), None, 8, None)
    with pytest.raises(InputError, match=r"holds no conversion.json"):
        load_case(str(tmp_path), None, None, None)
