"""`onespike search`: the figures of codes, scores and energy, each with the numbers behind it."""

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from golden.code import PhaseCode, check_range
from golden.errors import InputError
from models.conversion.record import record
from models.conversion.store import TOKENIZER
from models.files.tensors import read_tensors
from models.layouts import Options, read_model
from onespike.files import filled_folder, write_json
from onespike.network_options import TitleOption
from onespike.options import FolderOption, JobsOption, SeedOption, whole_number
from onespike.tables import progress
from studies.data.tables import read_pairs
from studies.evaluate.samples import check_samples, sentence_samples

CALIBRATION_ROWS = 60
CAPTURED_SENTENCES = 6


def search(
    source: Annotated[
        Path,
        typer.Argument(metavar="MODEL", help="A text encoder, as for onespike convert.", show_default=False),
    ],
    data: Annotated[
        Path,
        typer.Argument(
            metavar="DATA", help="Pairs of sentences with scores (.csv, .tsv).", show_default=False
        ),
    ],
    target: FolderOption = Path("docs/figures"),
    name: TitleOption = None,
    pairs: Annotated[
        int, typer.Option("--pairs", metavar="N", parser=whole_number, help="Pairs that are scored.")
    ] = 200,
    jobs: JobsOption = 2,
    seed: SeedOption = 0,
) -> None:
    """Draw error against base, score and energy against T, energy against length and density,
    decoded against real activations, and survivors per attention row.

    Each figure is a .png with the .json of its numbers beside it. Scales come from rows of DATA drawn
    at random; the pairs that are scored are others.

    Example:

        onespike search minilm/ stsb-en-dev.csv --name all-MiniLM-L6-v2
    """
    # The plotting library takes a second to load; no other command should wait for it
    from studies.plot_style import write_figure
    from studies.search.capture import capture
    from studies.search.figures import FIGURES
    from studies.search.search import (
        SCORE_STEPS,
        best_base,
        code_grid,
        crossover_lines,
        encoder_shape,
        length_curve,
        scatter,
        score_grid,
        survivor_lines,
    )

    check_range("--pairs", pairs, 2, 1 << 20)
    with filled_folder("-o", target) as place, progress() as bar:
        task = bar.add_task("read", total=len(SCORE_STEPS) + 4)

        def say(what: str) -> None:
            bar.update(task, advance=1, description=what)

        tensors, options = read_tensors(source), Options()
        layout, model = read_model(tensors, options)
        if model.outputs != "embeddings":
            raise InputError(f"{source}: must be a text encoder without a classifier for onespike search")
        rows = read_pairs(data)
        order = np.random.default_rng(seed).permutation(len(rows.scores))
        chosen, scored = order[:CALIBRATION_ROWS], order[CALIBRATION_ROWS:][:pairs]
        if len(scored) < 2:
            raise InputError(f"{data}: must have more than {CALIBRATION_ROWS + 2} rows, not {len(order)}")
        tokenizer = tensors.path.parent / TOKENIZER

        def tokens_of(which: Any) -> list[Any]:
            return sentence_samples(model, tokenizer, [text for row in which for text in rows.sentences[row]])

        calibration = [sample[None] for sample in tokens_of(chosen)]
        samples = tokens_of(scored)
        check_samples(model, data, samples)
        ranges, layers = record(model, calibration)
        captured = capture(model, [sample[None] for sample in samples[:CAPTURED_SENTENCES]])
        say("error against base")
        results: dict[str, dict[str, Any]] = {"error-against-base": code_grid(captured, ranges, jobs)}
        say("best bases")
        codes = {steps: best_base(captured, ranges, steps, jobs) for steps in SCORE_STEPS}
        results["score-and-energy-against-steps"], activity = score_grid(
            tensors, layout, options, model, calibration, samples, rows.scores[scored], codes, jobs, seed, say
        )
        say("draw")
        code = PhaseCode(steps=16, log2_base=codes[16])
        results["decoded-against-real"] = scatter(captured, ranges, code, seed)
        results["survivors-per-row"] = survivor_lines(captured, ranges, code)
        alive = results["survivors-per-row"]["lines"][0]["mean"]
        shape = encoder_shape(ranges, layers, 16)
        results["energy-against-length"] = length_curve(shape, activity, alive)
        results["energy-against-density"] = crossover_lines(captured)
        network = f"{name or source.resolve().name}, {shape.layers} layers of {shape.heads} heads"
        for what, values in results.items():
            values |= {"network": network, "data": data.name, "seed": seed}
            write_figure(FIGURES[what](values), place / f"{what}.png")
            write_json(place / f"{what}.json", values)
    typer.echo(f"{len(results)} figures in {target}")
