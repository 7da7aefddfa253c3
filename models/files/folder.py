"""What lies in a model's folder: the file of weights, and the facts in JSON beside it."""

import re
from pathlib import Path
from typing import Any

from golden.errors import InputError
from models.files.facts import as_json, read_json
from models.files.weights import INDEX, READERS

CONFIG, MODULES, ADAPTER = "config.json", "modules.json", "adapter_config.json"
# The files of weights that the usual libraries look for, in their order
USUAL_FILES = (
    *("model.safetensors", f"model.safetensors{INDEX}", "pytorch_model.bin", f"pytorch_model.bin{INDEX}"),
)
# Say nothing that a forward pass on tokens or images depends on; `tokenizer.json` is read on its own
HARMLESS_FILES = {
    *("tokenizer.json", "vocab.json", "added_tokens.json", "special_tokens_map.json"),
    *("generation_config.json", "preprocessor_config.json", "data_config.json", "trainer_state.json"),
    *("all_results.json", "train_results.json", "eval_results.json"),
}
# State of a training run, never weights of a model
HARMLESS_WEIGHTS = {"training_args.bin", "optimizer.pt", "optimizer.bin", "scheduler.pt", "scaler.pt"}
SHARD = re.compile(r"-\d{5}-of-(\d{5})\.")


def weights_of(path: Path) -> Path:
    """The file of weights, or the index of its shards, that a path stands for.

    Raises:
        InputError: none in a folder, several that are not the same weights, or one shard of several.
    """
    if not path.is_dir():
        shard = SHARD.search(path.name)
        if shard and int(shard[1]) > 1:
            raise InputError(f"{path}: is one of {int(shard[1])} shards; give the folder that holds them all")
        return path
    usual = [path / name for name in USUAL_FILES if (path / name).is_file()]
    shards = {path / str(name) for index in usual if index.name.endswith(INDEX) for name in _shards(index)}
    others = sorted(
        p
        for p in path.iterdir()
        if p.suffix in READERS and p not in {*usual, *shards} and p.name not in HARMLESS_WEIGHTS
    )
    adapter = path / ADAPTER
    if adapter.is_file():
        raise InputError(
            f"{adapter}: adapters are not followed; merge it into the weights, then convert those"
        )
    if len(usual[:1] + others) > 1:
        names = ", ".join(p.name for p in (usual[:1] + others)[:4])
        raise InputError(f"{path}: must hold the weights of one model, not {names}; give the file to convert")
    if not usual + others:
        raise InputError(f"{path}: no model file ({', '.join(READERS)}) in this folder")
    return (usual + others)[0]


def _shards(index: Path) -> set[str]:
    content = read_json(index)
    places = content.get("weight_map") if isinstance(content, dict) else None
    return {str(place) for place in places.values()} if isinstance(places, dict) else set()


def facts_beside(path: Path, weights: Path) -> dict[str, Any]:
    """JSON of a model's folder by name, without what is harmless.

    Beside a file that was given alone only names that the usual libraries give count: the folder may
    hold anything.

    Raises:
        InputError: a file that cannot be read or is damaged.
    """
    folder = weights.parent
    found = sorted(p for p in folder.glob("*.json") if p.is_file() and p.name not in HARMLESS_FILES)
    found = [p for p in found if not p.name.endswith(INDEX)]
    if not path.is_dir():
        found = [p for p in found if p.name in USUAL_FACTS]
    facts = {p.name: read_json(p) for p in found}
    for module in modules_of(facts):
        own = folder / module["path"] / CONFIG
        if module["path"] and own.is_file():
            facts[f"{module['path']}/{CONFIG}"] = read_json(own)
    return facts


def modules_of(facts: dict[str, Any]) -> list[dict[str, str]]:
    """`type` and `path` of the modules of sentence-transformers, in their order; empty where none are named.

    Raises:
        InputError: not a list of such modules.
    """
    modules = facts.get(MODULES, [])
    texts = ("type", "path")
    if not isinstance(modules, list) or not all(
        isinstance(module, dict) and all(isinstance(module.get(text), str) for text in texts)
        for module in modules
    ):
        raise InputError(f"{MODULES}: must be a list of modules with type and path, not {as_json(modules)}")
    for module in modules:
        if Path(module["path"]).name != module["path"] or module["path"] == "..":
            raise InputError(f"{MODULES}: path must name a folder beside it, not {as_json(module['path'])}")
    return modules


# Of transformers, sentence-transformers, timm and peft
SENTENCE_FILES = (
    "sentence_bert_config.json",
    *(f"sentence_{name}_config.json" for name in ("roberta", "camembert", "xlm-roberta", "distilbert")),
)
SENTENCE_CONFIG, TOKENIZER_CONFIG = "config_sentence_transformers.json", "tokenizer_config.json"
USUAL_FACTS = {
    *(CONFIG, MODULES, ADAPTER, TOKENIZER_CONFIG, SENTENCE_CONFIG, *SENTENCE_FILES),
    *("quantize_config.json", "quant_config.json", "quantization_config.json"),
}
