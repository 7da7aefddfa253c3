"""`python -m onespike.torch`: the report of a transformer of random weights, as an example."""

import torch

from onespike.torch import spiking_attention


def main() -> None:
    """A torch.nn.TransformerEncoder reads four sequences in spikes."""
    torch.manual_seed(1)
    layer = torch.nn.TransformerEncoderLayer(96, 3, 192, batch_first=True)
    model = torch.nn.TransformerEncoder(layer, 3, enable_nested_tensor=False).eval()
    with torch.no_grad(), spiking_attention(steps=16, log2_base="1/2") as run:
        model(torch.randn(4, 50, 96))
    print(run.report())


if __name__ == "__main__":
    main()
