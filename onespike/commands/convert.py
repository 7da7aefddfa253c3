"""`onespike convert`: a trained model becomes a spiking one."""

from pathlib import Path
from typing import Annotated, Literal, cast

import typer
from rich.box import SIMPLE
from rich.table import Table

from models.conversion.scheme import (
    ATTENTION_GRANULARITIES,
    GRANULARITIES,
    AttentionGranularity,
    Parts,
    Scheme,
)
from models.conversion.store import Stored
from models.floating.functions import ACTIVATIONS
from models.layouts import Options
from models.layouts.options import ENCODER_POOLINGS, MASKS
from models.verdict import RefusedModel, Verdict
from onespike.files import filled_folder
from onespike.network_options import AdaptersOption, CountOption, WeightBitsOption
from onespike.options import (
    FolderOption,
    Log2BaseOption,
    SeedOption,
    StepsOption,
    WindowOption,
    chosen_code,
    whole_number,
)
from onespike.tables import print_tables, progress
from studies.convert.convert import convert_into


def verdict_table(verdicts: list[Verdict]) -> Table:
    """One line per node; in a network of integers errors are in place, beside what its code alone loses."""
    table = Table(title="Verdicts", box=SIMPLE)
    network = any(verdict.hardware for verdict in verdicts)
    table.add_column("node", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    for column in ("in place", "own code") if network else ("rel. RMSE", "worst"):
        table.add_column(column, justify="right")
    table.add_column("why")
    if network:
        table.add_column("core")
    for verdict in verdicts:
        values = (verdict.error, verdict.code if network else verdict.worst)
        numbers = ["" if value is None else f"{value:.4f}" for value in values]
        name = "kept in float" if verdict.outcome == "float" else verdict.outcome
        table.add_row(verdict.node, name, *numbers, verdict.reason, *([verdict.hardware] if network else []))
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
    target: FolderOption,
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
    count: CountOption = 100,
    parts: Annotated[
        str,
        typer.Option(
            "--parts",
            metavar="NAME",
            help="`network`: one network of integers, nothing in floats. For studies, with floats between "
            "nodes in spikes: `attention`; `linear`: every dense input too; `norm`: layer norms too.",
        ),
    ] = "network",
    tokens: Annotated[
        int | None,
        typer.Option(
            "--tokens",
            metavar="N",
            parser=whole_number,
            help="Most tokens of an inference. [default: what the model, else the longest sample has]",
            show_default=False,
        ),
    ] = None,
    granularity: Annotated[
        str,
        typer.Option("--scales", metavar="NAME", help=f"Scales of dense inputs: {', '.join(GRANULARITIES)}."),
    ] = "channel",
    attention_granularity: Annotated[
        str,
        typer.Option(
            "--attention-scales",
            metavar="NAME",
            help=f"Scales of q, k, v and attention outputs: {', '.join(ATTENTION_GRANULARITIES)}.",
        ),
    ] = "head",
    steps: StepsOption = None,
    log2_base: Log2BaseOption = None,
    window: WindowOption = None,
    weight_bits: WeightBitsOption = 8,
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
            "--activation",
            metavar="NAME",
            help=f"Activation, where config.json is silent: {', '.join(ACTIVATIONS)}.",
        ),
    ] = None,
    norm_first: Annotated[
        bool | None,
        typer.Option("--norm-first/--norm-last", help="Order in an encoder of PyTorch."),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option("--epsilon", metavar="E", help="Epsilon of the norms, where config.json is silent."),
    ] = None,
    pooling: Annotated[
        str | None,
        typer.Option(
            "--pooling",
            metavar="|".join(ENCODER_POOLINGS),
            help="How the tokens become one vector, where the folder is silent.",
        ),
    ] = None,
    mask: Annotated[
        str | None,
        typer.Option("--mask", metavar="|".join(MASKS), help="What tokens of an encoder of PyTorch see."),
    ] = None,
    embedding: Annotated[
        str | None,
        typer.Option(
            "--embedding",
            metavar="NAME",
            help="Dense layer before an encoder of PyTorch, by its name in the file.",
        ),
    ] = None,
    class_token: Annotated[
        str | None,
        typer.Option("--class-token", metavar="NAME", help="Token before all others there."),
    ] = None,
    positions: Annotated[
        str | None,
        typer.Option("--positions", metavar="NAME", help="What is then added to the tokens there."),
    ] = None,
    head: Annotated[
        str | None,
        typer.Option("--head", metavar="NAME", help="Dense layer behind the pooled tokens there."),
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
    adapters: AdaptersOption = None,
    tokenizer: Annotated[
        Path | None,
        typer.Option("--tokenizer", metavar="FILE", help="tokenizer.json. [default: beside the model]"),
    ] = None,
    seed: SeedOption = 0,
) -> None:
    """Convert a trained transformer without retraining.

    MODEL is a .safetensors file, an .npz, or a PyTorch state dict (.pt, .pth, .bin), read without
    torch, or a folder that holds one, or its shards: a text encoder (BERT, RoBERTa, ELECTRA,
    DistilBERT, MPNet), a vision transformer (ViT, DeiT, DINOv2, Swin) or GPT-2 as Hugging Face, timm and
    torchvision save it, or a torch.nn.TransformerEncoder. docs/models.md lists the layouts.

    What the files beside the weights say is followed or refused. What they do not say and the outputs
    depend on is asked for.

    The folder receives `network.npz`, the network of integers, from which `onespike rtl --network` and
    `onespike infer --network` go on.

    Each node gets a verdict: exact, approximate (with its error on the calibration samples), or kept
    in float; and whether the network core computes it. Errors are those of the integers in place, and
    `errors.png` shows how they grow along the depth. The lines below the table say what they are made
    of, and the options that would make them smaller. A model is refused as a whole when a node cannot be
    converted; then the verdicts name every such node and why.

    Examples:

        onespike convert minilm/ -o build/minilm --samples stsb-en-dev.csv \\
            --steps 24 --log2-base 2/7
        onespike convert vit/ -o build/vit --samples images.npz
        onespike convert model.pt -o build/mine --samples rows.npz --heads 4 \\
            --activation relu --norm-last --epsilon 1e-5 --mask none \\
            --embedding embedding --head head --pooling mean
    """
    scheme = Scheme(
        code=chosen_code(steps, log2_base),
        parts=cast(Parts, parts),
        granularity=cast(Literal["tensor", "channel"], granularity),
        attention_granularity=cast(AttentionGranularity, attention_granularity),
        window=window,
        weight_bits=weight_bits,
        tokens=tokens,
    )
    options = Options(
        architecture=architecture,
        heads=heads,
        activation=activation,
        norm_first=norm_first,
        epsilon=epsilon,
        pooling=pooling,
        mask=mask,
        embedding=embedding,
        class_token=class_token,
        positions=positions,
        head=head,
    )
    try:
        with filled_folder("-o", target) as place, progress() as bar:
            task = bar.add_task("read", total=4)
            stored = convert_into(
                place,
                f"-o {target}",
                source,
                samples_file,
                scheme,
                options,
                leave_out or [],
                adapters,
                tokenizer,
                count,
                seed,
                lambda what: bar.update(task, advance=what != "read", description=what),
            )
    except RefusedModel as error:
        print_tables([verdict_table(error.verdicts)])
        raise
    print_tables([verdict_table(stored.conversion.verdicts)])
    typer.echo("\n".join([*stored.conversion.advice, summary(stored, seed)]))


def summary(stored: Stored, seed: int) -> str:
    """One line for people."""
    scheme, rows = stored.conversion.scheme, len(stored.calibration["rows"])
    outcomes = [verdict.outcome for verdict in stored.conversion.verdicts]
    code = scheme.code
    return (
        f"{stored.layout}: T = {code.steps}, B = 2^({code.log2_base}), {rows} rows of samples, seed {seed}; "
        f"{outcomes.count('approximate')} nodes in spikes, {outcomes.count('exact')} exact, "
        f"{outcomes.count('float')} kept in float"
    )
