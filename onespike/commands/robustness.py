"""`onespike robustness`: length, codes, bits of weights and noise, as figures with their numbers."""

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

import typer

from golden.code import PhaseCode, check_range
from golden.errors import InputError, writing
from golden.stochastic.network import load_network
from models.conversion.store import TOKENIZER
from models.files.adapters import merge_adapters
from models.files.tensors import read_tensors
from models.layouts import Options, read_model
from models.shipped.vit_file import FOLDER, load_vit
from onespike.commands.losses import order, read_codes
from onespike.files import made_folder, write_json
from onespike.network_options import AdaptersOption, ImageSetsOption, TitleOption
from onespike.options import JobsOption, SeedOption, whole_number
from onespike.tables import progress
from studies.data.datasets import load_images
from studies.evaluate.samples import calibration_samples
from studies.evaluate.task import task_of
from studies.infer.cases import COLOUR_CALIBRATION

CODES = "8@1/2,8@2/3,8@1,16@1/4,16@2/5,16@1/2"
# That of the other figures
CODE = PhaseCode(steps=16, log2_base=Fraction(2, 5))
# As many sentences of pairs as of phrases
CALIBRATION_TEXTS = 40
# Float network, stochastic network and T of the images
IMAGE_NETWORKS = ("cifar10", "ssa_cifar10", 10)


def robustness(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="MODEL",
            help="A text encoder, as for onespike convert; none with --data alone.",
            show_default=False,
        ),
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            "--pairs", metavar="FILE", help="Pairs of sentences with scores (STS-B).", show_default=False
        ),
    ] = None,
    phrases: Annotated[
        Path | None,
        typer.Option(
            "--phrases",
            metavar="FILE",
            help="Labelled phrases (SST-2), for the encoder with --adapters and their classifier.",
            show_default=False,
        ),
    ] = None,
    adapters: AdaptersOption = None,
    data: ImageSetsOption = None,
    title: TitleOption = None,
    codes: Annotated[
        str,
        typer.Option("--codes", metavar="LIST", help="Codes of the figure of codes, as of onespike losses."),
    ] = CODES,
    samples: Annotated[
        int,
        typer.Option("--inputs", metavar="N", parser=whole_number, help="Phrases, or pairs, of a point."),
    ] = 60,
    longer: Annotated[
        int,
        typer.Option(
            "--joined",
            metavar="N",
            parser=whole_number,
            help="The same where rows are joined to longer ones.",
        ),
    ] = 12,
    images: Annotated[
        int, typer.Option("--images", metavar="N", parser=whole_number, help="Images of a point.")
    ] = 500,
    target: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="DIR", help="Folder of results; given again, it resumes."),
    ] = Path("build/robustness"),
    jobs: JobsOption = 2,
    seed: SeedOption = 0,
) -> None:
    """Draw what spikes lose with longer inputs, other codes, fewer bits of weights, and noise.

    Each task is drawn whose file is given: pairs, phrases, and with --data CIFAR-10, whose networks come
    with the project. Inputs of 16 to 256 tokens are rows joined and cut. Each figure is a .png with the
    .json of its numbers. Outputs that are ready are files in DIR/points; started again, the study goes on
    after them. With one seed the same numbers come.

    Example:

        onespike robustness minilm/ --pairs stsb-en-dev.csv \\
            --phrases sst2/dev.tsv.gz --adapters A.safetensors --data DIR
    """
    from studies.plot_style import write_figure
    from studies.robustness.figures import FIGURES
    from studies.robustness.measure import BITS, Subject, against_codes, against_length, against_noise

    check_range("--inputs", samples, 4, 1 << 20)
    check_range("--joined", longer, 4, 1 << 20)
    check_range("--images", images, 1, 10000)
    wanted = read_codes(codes)
    given = {"STS-B": (pairs, None), "SST-2": (phrases, adapters)}
    if (phrases is None) != (adapters is None):
        raise InputError("--phrases needs --adapters with a classifier, and --adapters needs --phrases")
    if pairs is None and phrases is None and data is None:
        raise InputError("one of --pairs, --phrases and --data must be given, there is none")
    if (source is None) != (pairs is None and phrases is None):
        raise InputError(
            "MODEL is for --pairs and --phrases: given with one of them, absent with --data alone"
        )
    found: dict[str, dict[str, Any]] = {}
    length, code_figure, bit_figure, noise = FIGURES
    points = target / "points"
    with made_folder("-o", target), writing(f"-o {target}"), progress() as bar:
        shown = bar.add_task("read", total=None)

        def tell(what: str) -> None:
            bar.update(shown, description=what)

        for name, (file, merged) in given.items():
            if file is None or source is None:
                continue
            tensors = read_tensors(source)
            if merged is not None:
                merge_adapters(tensors, merged)
            _, model = read_model(tensors, Options())
            tokenizer = tensors.path.parent / TOKENIZER
            if model.outputs != ("embeddings" if merged is None else "logits"):
                raise InputError(f"{source}: must be a text encoder that embeds, for {name}")
            files = [tensors.path, *([merged] if merged else [])]
            subject = Subject(
                name=name, model=model, files=files, tokenizer=tokenizer, data=file, folder=points,
                jobs=jobs, seed=seed,
            )  # fmt: skip
            rows = CALIBRATION_TEXTS // (1 if merged else 2)
            calibration = calibration_samples(model, file, tokenizer, rows, seed)
            task = task_of(model, file, tokenizer, calibration.origin, samples, seed)
            # the code of the other figures is measured once, with those of the figure of codes
            measured = {bits: [CODE] for bits in BITS} | {BITS[0]: sorted({CODE, *wanted}, key=order)}
            losses_of = against_codes(subject, task, calibration.samples, measured, tell)
            each = {
                length: against_length(subject, CODE, longer, tell),
                code_figure: points_of(name, {BITS[0]: losses_of[BITS[0]]}, wanted),
                bit_figure: points_of(name, losses_of, [CODE]),
            }
            for what, values in each.items():
                found.setdefault(what, {"network": title or source.resolve().name, "tasks": []})[
                    "tasks"
                ].append(values)
        if data is not None:
            tell("noise on images")
            floating, stochastic, steps = IMAGE_NETWORKS
            weights = [FOLDER / f"float_{floating}.npz", FOLDER / f"{stochastic}.npz"]
            found[noise] = {"network": floating} | against_noise(
                load_vit(weights[0]), load_network(weights[1]),
                load_images(floating, data, train=COLOUR_CALIBRATION), CODE,
                steps, images, weights, points, jobs, seed,
            )  # fmt: skip
        for what, values in found.items():
            values |= {"seed": seed}
            write_figure(FIGURES[what](values), target / f"{what}.png")
            write_json(target / f"{what}.json", values)
    typer.echo(f"{len(found)} figures in {target}")


def points_of(name: str, measured: dict[int, dict[str, Any]], codes: list[PhaseCode]) -> dict[str, Any]:
    """What a figure shows of the losses of a task by bits of a weight: these codes alone."""
    names = [(code.steps, str(code.log2_base)) for code in codes]
    points = [
        point
        for found in measured.values()
        for point in found["points"]
        if (point["steps"], point["log2_base"]) in names
    ]
    refused = {bits: reason for found in measured.values() for bits, reason in found["refused"].items()}
    metric = next((found["metric"] for found in measured.values() if found["points"]), None)
    return {"task": name, "metric": metric, "points": points, "refused": refused}
