"""`onespike attention`: attention of the arrays in a file."""

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from golden.errors import InputError
from onespike.board_options import PortOption, TimeoutOption, opened_board
from onespike.files import filled_folder, same_place, whole_or_nothing, write_json, write_npz
from onespike.options import (
    ConfigOption,
    HtmlOption,
    PresetOption,
    ReportOption,
    SchemeOption,
    WindowOption,
    one_of,
    whole_number,
)
from onespike.schemes import SCHEMES
from onespike.tables import attention_tables, print_tables, progress
from studies.attention.engines import ENGINES
from studies.page.page import write_page


def attention(
    source: Annotated[Path, typer.Argument(metavar="IN.npz", help="Arrays to read.", show_default=False)],
    target: Annotated[Path, typer.Argument(metavar="OUT.npz", help="Arrays to write.", show_default=False)],
    engine: Annotated[
        str,
        typer.Option(
            "--engine",
            metavar="|".join(ENGINES),
            parser=one_of(ENGINES),
            help="`golden` computes the integers, `model` also predicts cycles, "
            "`rtl` runs the generated hardware, `board` an FPGA.",
        ),
    ] = "golden",
    preset_name: PresetOption = None,
    config_file: ConfigOption = None,
    window: WindowOption = None,
    report_file: ReportOption = None,
    html_file: HtmlOption = None,
    waves: Annotated[
        Path | None,
        typer.Option(
            "--waves",
            metavar="W.fst",
            help="Waveform to write, W.views beside it; `--engine rtl` only.",
            show_default=False,
        ),
    ] = None,
    port: PortOption = None,
    timeout: TimeoutOption = None,
    scheme: SchemeOption = "spiked",
    steps: Annotated[
        int | None,
        typer.Option(
            "--steps",
            metavar="T",
            parser=whole_number,
            help="Time steps of the trains, `--scheme stochastic` only. [default: 16, or as the trains]",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            "--seed",
            metavar="N",
            parser=whole_number,
            help="Seed of everything random, at least 1 if stochastic. [default: 0; stochastic: 1]",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Compute the spiking attention of a file of float arrays.

    Examples:

        onespike example in.npz
        onespike attention in.npz out.npz
        onespike attention in.npz out.npz --engine model --report report.json
        onespike attention in.npz out.npz --engine model --html report.html
        onespike attention in.npz out.npz --engine rtl --preset digits --waves w.fst
        onespike attention in.npz out.npz --engine board --port /dev/ttyUSB0
        onespike attention rates.npz out.npz --scheme stochastic --steps 32 --seed 3

    With `--scheme spiked` IN.npz holds

    - `q`, `k`, `v`: float32 [heads, tokens, head_dim]
    - `bias` (optional): float32 [heads, tokens, tokens], added to the logits; -5000 or less, as -inf,
      -1e9 or -1e4, masks the key
    - `mask` (optional): bool [tokens] or [heads, tokens, tokens], True = may be attended; at a masked
      key the bias is not looked at, nor are k and v of a key that no row may attend
    - `scale_q`, `scale_k`, `scale_v`, `scale_o` (optional): float [heads], the value of a spike of
      phase 0; calibrated from the data when absent

    OUT.npz receives

    - `out`, `out_raw`: float32 like q; decoded output codes, and scale_v * context / normaliser
    - `q_sign`, `q_phase`, the same for k, v and out: int8; sign 0 and phase T where silent, as k and v
      of a key that no row may attend
    - `score`: int64 [heads, tokens, tokens], 0 where masked
    - `attn_phase`: int8 [heads, tokens, tokens], -1 where silent
    - `winner`, `normaliser`: int64 [heads, tokens]
    - `context`: int64 [heads, tokens, head_dim]
    - `ramp_step`: int64 [heads]
    - `scale_q`, `scale_k`, `scale_v`, `scale_o`: float64 [heads], as used

    W.views receives what to view the waveform with: a save file of GTKWave, in which spikes read as
    `+B^-3` or `silent` and states by name, and the same as mappings for Surfer.

    R.json receives engine, configuration, seed, tool versions, cycles, events per stage, lane
    utilisation, firing fractions, and the error against exact softmax attention. `cycles` is the
    same object for model and rtl; golden and board know no time and write null. Cycle 0 is the first in
    which the inputs are offered.

    Golden takes any shape and only the code of a configuration; the other engines take what the
    configuration holds. A board states its own, which must be that of `--preset` or `--config` where
    one is named; the report then holds its identification under `board`. What never leaves a core
    (scores, winners, phases) is golden's. The result depends on the input alone, not on the seed,
    which is noted in the report.

    PAGE.html shows the same report, with the spikes of q, k and v over time, the threshold as it falls
    through the scores of a row, the attention map beside exact softmax, and the stages over time.

    With `--scheme stochastic` IN.npz holds `q`, `k`, `v` as rates in 0..1 [heads, tokens, head_dim]
    or as trains of 0 and 1 [steps, heads, tokens, head_dim]. OUT.npz receives `q_train`, `k_train`,
    `v_train`, `score`, `out` (uint8 trains), `out_rate` and `expected_rate` (float32); the seed
    chooses the random numbers. The engine is a full array of the input's size unless `--config`
    describes another; a board has its own, whose seed is part of the hardware. An engine with
    `encoders = true` takes the rates; to all others go trains that golden encodes. The report has the
    same keys, the error is that of the rates against their exact expectation.
    """
    chosen = SCHEMES[scheme]
    chosen.check_options({"--preset": preset_name, "--window": window, "--steps": steps})
    if engine != "board":
        for option, absent in (("--port", port is None), ("--timeout", timeout is None)):
            if not absent:
                raise InputError(f"{option} needs --engine board, not {engine}")
    elif port is None:
        raise InputError("--engine board needs --port, the serial port of the board")
    if waves is not None:
        if engine != "rtl":
            raise InputError(f"--waves needs --engine rtl, not {engine}, which has no signals to show")
        if waves.suffix != ".fst":
            raise InputError(f"--waves must name an .fst file, not {waves}")
        from sim.cores.waves import views_of  # with the hardware, which takes a while to load
    outputs = {"OUT.npz": target, "--report": report_file, "--html": html_file, "--waves": waves}
    targets = {label: path for label, path in outputs.items() if path is not None}
    for label, path in targets.items():
        if same_place(path, source):
            raise InputError(f"{label} must differ from IN.npz, not be {path} again")

    given = {"window": window, "steps": steps, "seed": seed}
    if preset_name is not None or config_file is not None:
        given["config"] = chosen.config(preset_name, config_file)
    arrays = chosen.read(source)
    with (
        whole_or_nothing(targets) as places,
        nullcontext() if waves is None else filled_folder("W.views of --waves", views_of(waves)) as views,
        opened_board(chosen.core(), port, timeout) as board,
        progress() as bar,
    ):
        task = bar.add_task(f"compute ({engine})", total=1)
        result = chosen.attend(
            arrays,
            **{name: value for name, value in given.items() if value is not None},
            source=str(source),
            engine=engine,
            option="--",
            board=board,
            waves=places.get("--waves"),
            progress=lambda what, share: bar.update(
                task, description=f"compute ({engine}, {what})", completed=share
            ),
        )
        report = result.report()
        write_npz(places["OUT.npz"], result.arrays())
        if report_file is not None:
            write_json(places["--report"], report)
        if html_file is not None:
            write_page(result.page(report), places["--html"])
        if views is not None:
            for path in views_of(places["--waves"]).iterdir():
                path.replace(views / path.name)
    print_tables(attention_tables(report, result.title, result.summary(report)))
