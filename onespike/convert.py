"""`onespike convert`: a trained model becomes a spiking one."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.box import SIMPLE
from rich.table import Table

from golden.code import PhaseCode, check_range
from golden.errors import writing
from models.conversion.convert import Conversion, convert, record
from models.conversion.scheme import (
    ATTENTION_GRANULARITIES,
    GRANULARITIES,
    PARTS,
    AttentionGranularity,
    Parts,
    Scheme,
)
from models.conversion.store import TOKENIZER, save
from models.files.adapters import merge_adapters
from models.files.folder import TOKENIZER_CONFIG
from models.files.tensors import read_tensors
from models.files.text import check_settings
from models.floating.functions import ACTIVATIONS
from models.layouts import Options, read_model
from models.layouts.options import MASKS, POOLINGS
from models.verdict import RefusedModel, Verdict
from onespike.files import filled_folder
from onespike.options import MAX_SEED, SeedOption, fraction, whole_number
from onespike.tables import print_tables, progress
from studies.evaluate.samples import calibration_samples


def verdict_table(verdicts: list[Verdict]) -> Table:
    """One line per node."""
    table = Table(title="Verdicts", box=SIMPLE)
    for column, justify in (
        ("node", "left"),
        ("verdict", "left"),
        ("rel. RMSE", "right"),
        ("worst", "right"),
    ):
        table.add_column(column, justify=cast(Literal["left", "right"], justify))
    table.add_column("why")
    for verdict in verdicts:
        numbers = ["" if value is None else f"{value:.4f}" for value in (verdict.error, verdict.worst)]
        name = "kept in float" if verdict.outcome == "float" else verdict.outcome
        table.add_row(verdict.node, name, *numbers, verdict.reason)
    return table


def convert_model(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="MODEL",
            help="A model file, or a folder with one and its config.json.",
            show_default=False,
        ),
    ],
    target: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write.", show_default=False)
    ],
    samples_file: Annotated[
        Path,
        typer.Option(
            "--samples",
            metavar="FILE",
            help="Calibration samples: sentences (.txt, .csv of pairs, .tsv of labelled phrases for a "
            "classifier) or an .npz with `inputs`.",
            show_default=False,
        ),
    ],
    count: Annotated[
        int,
        typer.Option(
            "--count", metavar="N", parser=whole_number, help="Rows of FILE to use, drawn at random."
        ),
    ] = 100,
    parts: Annotated[
        str,
        typer.Option(
            "--parts", metavar="|".join(PARTS), help="Attention, every dense input too, or layer norms too."
        ),
    ] = "linear",
    granularity: Annotated[
        str,
        typer.Option("--scales", metavar="|".join(GRANULARITIES), help="Scales of dense inputs."),
    ] = "channel",
    attention_granularity: Annotated[
        str,
        typer.Option(
            "--attention-scales",
            metavar="|".join(ATTENTION_GRANULARITIES),
            help="Scales of q, k, v and attention outputs.",
        ),
    ] = "head",
    steps: Annotated[
        int, typer.Option("--steps", metavar="T", parser=whole_number, help="Steps of the code.")
    ] = 16,
    log2_base: Annotated[
        Fraction,
        typer.Option("--log2-base", metavar="A/B", parser=fraction, help="The base is 2^(A/B)."),
    ] = Fraction(1, 2),
    window: Annotated[
        int | None,
        typer.Option(
            "--window", metavar="N", parser=whole_number, help="Steps of the WOSS ramp. [default: T]"
        ),
    ] = None,
    weight_bits: Annotated[
        int, typer.Option("--weight-bits", metavar="N", parser=whole_number, help="Width of dense weights.")
    ] = 8,
    architecture: Annotated[
        str | None,
        typer.Option(
            "--architecture",
            metavar="NAME",
            help="model_type of transformers or architecture of timm, where config.json is silent.",
        ),
    ] = None,
    heads: Annotated[
        int | None,
        typer.Option("--heads", metavar="N", parser=whole_number, help="Heads, where config.json is silent."),
    ] = None,
    activation: Annotated[
        str | None,
        typer.Option(
            "--activation", metavar="|".join(ACTIVATIONS), help="Activation, where config.json is silent."
        ),
    ] = None,
    norm_first: Annotated[
        bool | None,
        typer.Option("--norm-first/--norm-last", help="Order in a torch.nn.TransformerEncoder."),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option("--epsilon", metavar="E", help="Epsilon of the norms, where config.json is silent."),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(
            "--pooling",
            metavar="|".join(POOLINGS),
            help="How the tokens become one vector, where the folder is silent.",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option(
            "--mask", metavar="|".join(MASKS), help="What tokens of a torch.nn.TransformerEncoder see."
        ),
    ] = None,
    leave_out: Annotated[
        list[str] | None,
        typer.Option(
            "--leave-out",
            metavar="NAME",
            help="Go on without the tensors of this name, a head that does not run here; may be repeated.",
            show_default=False,
        ),
    ] = None,
    adapters: Annotated[
        Path | None,
        typer.Option(
            "--adapters",
            metavar="FILE",
            help="Low-rank adapters to merge into the weights, with their classifier if any.",
            show_default=False,
        ),
    ] = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", metavar="FILE", help="tokenizer.json. [default: beside the model]"),
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Convert a trained transformer without retraining.

    MODEL is a .safetensors file, an .npz, or a PyTorch state dict (.pt, .pth, .bin), read without
    torch, in the layout of a Hugging Face BERT encoder, a timm vision transformer, a timm Swin
    transformer, or `torch.nn.TransformerEncoder`; or a folder that holds one, or its shards.

    What the files beside the weights say is followed or refused. What they do not say and the outputs
    depend on is asked for.

    Each node gets a verdict: exact, approximate (with its error on the calibration samples), or kept
    in float. A model is refused as a whole when a node cannot be converted; then the verdicts name every
    such node and why.

    Examples:

        onespike convert minilm/ -o build/minilm --samples stsb-en-dev.csv --steps 24 --log2-base 2/7
        onespike convert vit/ -o build/vit --samples images.npz
    """
    check_range("--count", count, 1, 1 << 20)
    check_range("--seed", seed, 0, MAX_SEED)
    code = PhaseCode(steps=steps, log2_base=log2_base)
    scheme = Scheme(
        code=code,
        parts=cast(Parts, parts),
        granularity=cast(Literal["tensor", "channel"], granularity),
        attention_granularity=cast(AttentionGranularity, attention_granularity),
        window=window,
        weight_bits=weight_bits,
    )
    options = Options(
        architecture=architecture,
        heads=heads,
        activation=activation,
        norm_first=norm_first,
        epsilon=epsilon,
        pooling=pooling,
        mask=mask,
    )
    job = Job(
        source, target, samples_file, count, scheme, options, leave_out or [], adapters, tokenizer, seed
    )
    try:
        layout, conversion, used = converted(job)
    except RefusedModel as error:
        print_tables([verdict_table(error.verdicts)])
        raise
    print_tables([verdict_table(conversion.verdicts)])
    typer.echo(summary(layout, conversion, used, seed))


@dataclass(frozen=True)
class Job:
    """What the user asked for; see `convert_model`."""

    source: Path
    target: Path
    samples_file: Path
    count: int
    scheme: Scheme
    options: Options
    leave_out: list[str]
    adapters: Path | None
    tokenizer: Path | None
    seed: int


def converted(job: Job) -> tuple[str, Conversion, int]:
    """Read, calibrate, convert and write; returns (layout, conversion, number of samples)."""
    with filled_folder("-o", job.target) as place, progress() as bar:
        task = bar.add_task("read", total=4)
        tensors = read_tensors(job.source)
        tensors.leave_out(job.leave_out)
        if job.adapters is not None:
            merge_adapters(tensors, job.adapters)
        layout, model = read_model(tensors, job.options)
        beside = job.tokenizer or tensors.path.parent / TOKENIZER
        calibration = calibration_samples(model, job.samples_file, beside, job.count, job.seed)
        if layout == "bert":
            check_settings(beside, tensors.facts(TOKENIZER_CONFIG))
        samples = calibration.samples
        bar.update(task, advance=1, description=f"calibrate on {len(samples)} samples")
        ranges, layers = record(model, samples)
        bar.update(task, advance=1, description="convert and compare")
        conversion = convert(model, ranges, layers, job.scheme, samples)
        bar.update(task, advance=1, description="write")
        copied = beside if layout == "bert" else None
        with writing(f"-o {job.target}"):
            save(place, tensors, layout, job.options, conversion, copied, calibration.origin)
    return layout, conversion, len(samples)


def summary(layout: str, conversion: Conversion, samples: int, seed: int) -> str:
    """One line for people."""
    scheme = conversion.scheme
    outcomes = [verdict.outcome for verdict in conversion.verdicts]
    code = scheme.code
    return (
        f"{layout}: T = {code.steps}, B = 2^({code.log2_base}), {samples} samples, seed {seed}; "
        f"{outcomes.count('approximate')} nodes in spikes, {outcomes.count('exact')} exact, "
        f"{outcomes.count('float')} kept in float"
    )
