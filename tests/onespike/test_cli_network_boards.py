"""`onespike synth`, `program` and `board-sim` with --network: mistakes end before any tool runs."""

from pathlib import Path

import pytest

from golden.code import PhaseCode
from golden.errors import InputError
from golden.network.file import save_network
from onespike.board_options import board_config
from tests.golden.network.samples import converted, random_images, random_transformer


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--network", "fashion"), "network fashion needs --data"),
        (("--network", "none.npz"), "--network must be one of digits, .* a file or a folder, not 'none.npz'"),
        (("--network", "digits", "--preset", "tiny"), "--network sizes the core itself"),
        (("--network", "digits", "--lanes", "0"), "lanes must be an integer in 1..256, not 0"),
        (("--lanes", "8"), "--lanes is for --network"),
        (("--data", "d"), "--data is for --network"),
        (("--pieces", "8"), "--pieces is for --network"),
        (("--streamed",), "--streamed is for --network"),
        (("--network", "digits", "--pieces", "8", "--scheme", "stochastic"), "--pieces must be absent"),
        (
            ("--network", "digits", "--streamed", "--board", "icebreaker", "--clock", "24"),
            "icebreaker must have a memory for streamed weights, it has none",
        ),
        (
            ("--network", "digits", "--streamed", "--scheme", "stochastic", "--board", "icebreaker"),
            "icebreaker must have a memory for streamed weights, it has none",
        ),
    ],
)
@pytest.mark.parametrize("command", ["synth", "board-sim"])
def test_mistakes(refused, command: str, words: tuple[str, ...], says: str) -> None:
    refused(command, *words, says=says)


def test_the_core_of_a_stochastic_network() -> None:
    """That of the shipped digits: inferences per second by the cycle model."""
    wanted = board_config("ulx3s-85f", None, None, 50.0, "digits", scheme="stochastic")
    assert (wanted.design.name, wanted.design.parameters["steps"]) == ("digits", 10)
    found = wanted.throughput(50.0)
    assert 20_000 < found["cycles_per_inference"] < 40_000
    assert 0.2 < found["lanes_in_linear_layers"] < 1


def test_a_stochastic_core_of_streamed_weights(folder: Path) -> None:
    """Of all weights it holds those of a pass; a file may change its sizes, but not to words that the memory
    does not have."""
    (folder / "sizes.toml").write_text("layers = 40\n")
    sizes = folder / "sizes.toml"
    wanted = board_config(
        "ulx3s-85f", None, sizes, 50.0, "digits", scheme="stochastic", lanes=16, streamed=True
    )
    found = wanted.design.parameters
    assert (found["weight_stream"], found["layers"], found["lanes"], found["weights"]) == (16, 40, 16, 128)
    assert wanted.design.smaller is None
    assert 40_000 < wanted.throughput(50.0)["cycles_per_inference"] < 80_000
    sizes.write_text("weight_stream = 32\n")
    with pytest.raises(InputError, match="weight_stream must be 16, a word of a board's memory, not 32"):
        board_config("ulx3s-85f", None, sizes, 50.0, "digits", scheme="stochastic")
    inside = board_config("ulx3s-85f", None, None, 50.0, "digits", scheme="stochastic")
    assert inside.design.smaller is not None
    way, smaller = inside.design.smaller
    assert (way, smaller().parameters["weight_stream"]) == ("with --streamed", 16)


def test_the_core_of_a_network(folder: Path) -> None:
    """Sized by the network, its configuration file and --lanes; throughput from its images."""
    network = converted(random_transformer(1), random_images(2, 20), PhaseCode())
    save_network(folder / "n.npz", network)
    (folder / "sizes.toml").write_text("features = 40\n")
    wanted = board_config("ulx3s-85f", None, folder / "sizes.toml", 50.0, str(folder / "n.npz"), lanes=12)
    assert (wanted.design.name, wanted.clock) == ("n", 50e6)
    assert (wanted.design.parameters["features"], wanted.design.parameters["lanes"]) == (40, 12)
    assert board_config("ulx3s-85f", None, None, None, str(folder / "n.npz")).clock == 50e6
    slow, fast = wanted.throughput(10.0), wanted.throughput(20.0)
    assert fast["cycles_per_inference"] == slow["cycles_per_inference"]
    assert fast["inferences_per_second"] == pytest.approx(2 * slow["inferences_per_second"], rel=1e-4)
    assert slow["cycles_per_inference"] > 100
