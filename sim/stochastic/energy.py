"""Energy of attention, float against spiking against stochastic, as a table.

python -m sim.stochastic.energy
"""

import argparse

from golden.stochastic.energy import Shape, float_attention, spiking_attention, stochastic_attention


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tokens", type=int, default=64, help="N; the paper's ViT-Small on CIFAR-10")
    parser.add_argument("--head-dim", type=int, default=48)
    parser.add_argument("--heads", type=int, default=8)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--rate", type=float, default=0.25, help="spikes per neuron and step of Q, K, V")
    shape = Shape(**vars(parser.parse_args()))
    print(shape)
    rows = {
        "float, 32 bits": float_attention(shape, 32),
        "float, 8 bits": float_attention(shape, 8),
        "spiking, accumulate only": spiking_attention(shape),
        "stochastic": stochastic_attention(shape),
    }
    last = rows["stochastic"]
    print(f"{'':26s}{'compute uJ':>12s}{'memory uJ':>12s}{'x compute':>11s}{'x memory':>11s}")
    for name, energy in rows.items():
        print(
            f"{name:26s}{energy.compute * 1e-6:12.4f}{energy.memory * 1e-6:12.4f}"
            f"{energy.compute / last.compute:11.2f}{energy.memory / last.memory:11.2f}"
        )


if __name__ == "__main__":
    main()
