"""`onespike attention --scheme stochastic`: stochastic spiking attention of a file of rates or trains."""

from pathlib import Path
from typing import Any

from rich.table import Table

from golden.errors import InputError
from onespike.files import REQUIRED, read_arrays, whole_or_nothing, write_json, write_npz
from onespike.tables import print_tables, progress


def stochastic_attention(
    source: Path,
    targets: dict[str, Path],
    *,
    engine: str,
    steps: int | None,
    seed: int,
) -> None:
    """Run the file on an engine and write what it gives.

    Args:
        source: q, k and v as rates or trains; see `sim.stochastic.run.attend`.
        targets: OUT.npz, and where wanted --report and --waves.
        engine: golden, model or rtl.
        steps: T, or None for that of the trains, 16 with rates.
        seed: of the random-number plan.
    """
    from sim.stochastic.run import attend

    arrays = read_arrays(source, REQUIRED)
    with whole_or_nothing(targets) as places, progress() as bar:
        task = bar.add_task(f"compute ({engine})", total=1)
        try:
            outcome = attend(
                arrays,
                engine=engine,
                steps=steps,
                seed=seed,
                waves=places.get("--waves"),
                progress=lambda cycle, beats, expected: bar.update(
                    task, description=f"compute (rtl, cycle {cycle})", completed=beats / expected
                ),
            )
        except InputError as error:
            raise InputError(f"{source}: {error}") from None
        report = outcome.report(engine)
        write_npz(places["OUT.npz"], outcome.arrays())
        if "--report" in places:
            write_json(places["--report"], report)
    print_tables([_summary(report)])


def _summary(report: dict[str, Any]) -> Table:
    shape, firing, error = report["shape"], report["firing"], report["error"]
    table = Table(title="Stochastic spiking attention", show_header=False)
    table.add_row("engine", f"{report['engine']}, seed {report['seed']}")
    table.add_row(
        "shape", "{heads} heads, {tokens} tokens, head_dim {head_dim}, {steps} steps".format(**shape)
    )
    table.add_row("firing", ", ".join(f"{name} {share:.1%}" for name, share in firing.items()))
    table.add_row(
        "rates against expectation", f"RMS error {error['rmse']:.4f}, mean error {error['bias']:+.4f}"
    )
    cycles = report["cycles"]
    table.add_row("cycles", "-" if cycles is None else f"{cycles['total']} at the last output")
    return table
