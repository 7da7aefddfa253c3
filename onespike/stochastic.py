"""`onespike attention --scheme stochastic`: stochastic spiking attention of a file of rates or trains."""

from pathlib import Path

from golden.inputs import INPUTS
from golden.stochastic.table import load_config
from onespike.board_options import opened_board
from onespike.files import read_arrays, whole_or_nothing, write_json, write_npz
from onespike.tables import attention_tables, print_tables, progress


def stochastic_attention(
    source: Path,
    targets: dict[str, Path],
    *,
    engine: str,
    config_file: Path | None,
    steps: int | None,
    seed: int | None,
    port: str | None,
    timeout: float | None,
) -> None:
    """Run the file on an engine and write what it gives.

    Args:
        source: q, k and v as rates or trains; see `studies.attention.stochastic.attend`.
        targets: OUT.npz, and where wanted --report and --waves.
        engine: golden, model, rtl or board.
        config_file: of the engine; None for one that fits the input.
        steps: T, or None for that of the trains, 16 with rates.
        seed: of the random-number plan; None for that of the configuration or board.
        port, timeout: of the board.
    """
    from sim.cores.stochastic.core import StochasticCore
    from studies.attention.stochastic import attend

    config = None if config_file is None else load_config(config_file)
    arrays = read_arrays(source, INPUTS)
    with (
        whole_or_nothing(targets) as places,
        opened_board(StochasticCore, port, timeout) as board,
        progress() as bar,
    ):
        task = bar.add_task(f"compute ({engine})", total=1)
        outcome = attend(
            arrays,
            source=str(source),
            engine=engine,
            config=config,
            steps=steps,
            seed=seed,
            option="--",
            board=board,
            waves=places.get("--waves"),
            progress=lambda what, share: bar.update(
                task, description=f"compute ({engine}, {what})", completed=share
            ),
        )
        report = outcome.report()
        write_npz(places["OUT.npz"], outcome.arrays())
        if "--report" in places:
            write_json(places["--report"], report)
    print_tables(attention_tables(report))
