"""Files beside the weights that say more than is followed."""

import numpy as np
import pytest

from golden.errors import InputError
from tests.models.model_folders import MEAN, MODULES, ST, Folder, outputs, read, reference

POOLED = {"modules.json": MODULES, "1_Pooling/config.json": MEAN}
FILES = {
    "dense": (
        {**POOLED, "modules.json": [*MODULES, {"path": "2_Dense", "type": f"{ST}Dense"}]},
        r"modules.json must name .* not Transformer \(here\), Pooling \(1_Pooling\), Dense \(2_Dense\)",
    ),
    "elsewhere": (
        {**POOLED, "modules.json": [{"path": "0_Transformer", "type": f"{ST}Transformer"}, MODULES[1]]},
        r"not Transformer \(0_Transformer\), Pooling",
    ),
    "own module": (
        {**POOLED, "modules.json": [MODULES[0], {"path": "1_Pooling", "type": "own.Pooling"}]},
        "modules.json must name sentence-transformers' Transformer",
    ),
    "no modules": ({"modules.json": []}, "and, if any, Normalize, not nothing"),
    "no pooling": ({"modules.json": MODULES}, "names the module 1_Pooling, which has no config.json"),
    "max": (
        {**POOLED, "1_Pooling/config.json": {**MEAN, "pooling_mode_max_tokens": True}},
        "1_Pooling/config.json must ask for the cls token or the mean of the tokens, not",
    ),
    "weighted": (
        {**POOLED, "1_Pooling/config.json": {"pooling_mode": "weightedmean"}},
        "pooling_mode in 1_Pooling/config.json must be one of mean, cls, not",
    ),
    "other width": (
        {**POOLED, "1_Pooling/config.json": {**MEAN, "word_embedding_dimension": 8}},
        "says word_embedding_dimension = 8, the tensors 16",
    ),
    "prompt": (
        {"config_sentence_transformers.json": {"prompts": {"q": "x"}, "default_prompt_name": "q"}},
        'default_prompt_name in config_sentence_transformers.json must be null, not "q"',
    ),
    "similarity": (
        {"config_sentence_transformers.json": {"similarity_fn_name": "dot"}},
        'similarity_fn_name in .* must be "cosine", not "dot"',
    ),
    "cross encoder": (
        {"config_sentence_transformers.json": {"model_type": "CrossEncoder"}},
        'model_type in .* must be "SentenceTransformer", not "CrossEncoder"',
    ),
    "lower case": (
        {"sentence_bert_config.json": {"max_seq_length": 8, "do_lower_case": True}},
        "do_lower_case in sentence_bert_config.json must be false, not true",
    ),
    "no length": ({"sentence_bert_config.json": {"max_seq_length": 0}}, "must be more than 0"),
    "left": ({"tokenizer_config.json": {"truncation_side": "left"}}, 'must be "right", not "left"'),
    "adapter": (
        {"adapter_config.json": {"peft_type": "LORA"}},
        "adapter_config.json: adapters are not followed; merge it into the weights",
    ),
    "unknown": ({"steering.json": {"layer": 3}}, "steering.json beside the tensors is neither followed nor"),
    "quantised": (
        {"quantize_config.json": {"bits": 4}},
        "quantize_config.json beside the tensors is neither",
    ),
    "converted": ({"conversion.json": {}}, "conversion.json beside the tensors is neither"),
    "modules": ({"modules.json": {"0": "x"}}, "modules.json: must be a list of modules with type and path"),
    "path": ({"modules.json": [{"path": "..", "type": "x"}]}, "path must name a folder beside it, not"),
}


@pytest.mark.parametrize("what", FILES)
def test_files_that_say_more_are_refused(folder: Folder, what: str) -> None:
    files, message = FILES[what]
    with pytest.raises(InputError, match=message) as error:
        read(folder("bert", files=files))
    assert "\n" not in str(error.value)


def test_a_second_model_in_the_folder_is_refused(folder: Folder) -> None:
    path = folder("bert", files={"generation_config.json": {}, "tokenizer.json": {}})
    np.savez(path / "other.npz", w=np.ones(3))
    with pytest.raises(InputError, match=r"not model.safetensors, other.npz; give the file to convert"):
        read(path)
    np.testing.assert_array_equal(outputs(read(path / "model.safetensors"), "bert"), reference("bert"))
    (path / "adapter_config.json").write_text("{}")
    with pytest.raises(InputError, match=r"adapter_config.json beside the tensors is neither followed"):
        read(path / "model.safetensors")
