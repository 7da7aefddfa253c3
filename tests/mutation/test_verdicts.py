"""The file of verdicts: what stays in it, what is refused, and its table in the document."""

from dataclasses import replace
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from tests.mutation import mutate, verdicts
from tests.mutation.components import COMPONENTS
from tests.mutation.judge import draw, told
from tests.mutation.netlist import Mutant
from tests.mutation.subjects import SUBJECTS
from tests.mutation.verdicts import OUTCOMES, PATH, Verdict, Verdicts, counts, key, markdown, score
from tests.test_documents import ROOT

SAMPLE = "stochastic, two tokens"


def test_verdicts_of_a_netlist_stay_and_those_of_another_go(tmp_path: Path) -> None:
    path = tmp_path / "verdicts.jsonl"
    now, before, elsewhere = (
        Verdict(design, "link/ring.py", key(form, "place"), "killed", "trial")
        for design, form in (("x", "1" * 24), ("x", "2" * 24), ("y", "3" * 24))
    )
    passed, fresh = (replace(now, mutant=key("1" * 24, place), outcome="passed", killer="") for place in "ab")
    first = Verdicts(path)
    for one in (before, elsewhere, now, passed):
        first.add(one)
    first.write()
    for again, outcome in ((False, "passed"), (True, "not judged")):
        second, drawn = Verdicts(path), [replace(one, outcome="not judged") for one in (now, passed, fresh)]
        assert second.begin(drawn, "1" * 24, again=again) == 1
        assert {*second} == {elsewhere, now, replace(passed, outcome=outcome), drawn[2]}
        assert [second.outcome(one) for one in drawn] == ["killed", outcome, "not judged"]
        second.write()
        assert [*Verdicts(path)] == [*second]
        first.write()


def test_what_is_published_are_mutants_of_designs() -> None:
    published = [*Verdicts(PATH)]
    assert {one.design for one in published} <= {*SUBJECTS}
    assert {one.component for one in published} <= {*COMPONENTS}
    assert {one.outcome for one in published} <= {*OUTCOMES}
    assert all(bool(one.killer) == (one.outcome == "killed") for one in published)
    # one netlist of each design
    assert len({(one.design, one.mutant[:8]) for one in published}) == len({one.design for one in published})
    assert PATH.stat().st_size < 1_000_000


def test_the_table_of_the_document_is_that_of_the_file() -> None:
    document = (ROOT / "docs" / "verification.md").read_text()
    assert f"<!-- begin mutants -->\n{markdown(Verdicts(PATH), SUBJECTS)}<!-- end mutants -->" in document, (
        "python -m tests.mutation.verdicts prints the table"
    )


def failed_run(path: Path, minutes: float) -> None:
    with pytest.raises(SystemExit) as status:
        mutate.main([SAMPLE], each=1, seed=1, jobs=1, minutes=minutes, again=False, output=path)
    assert status.value.code == 1


def written(path: Path, *verdicts: Verdict) -> Path:
    kept = Verdicts(path)
    for one in verdicts:
        kept.add(one)
    kept.write()
    return path


def test_a_run_of_no_mutants_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """And leaves what stands of the design, on whatever netlist."""
    before = Verdict(SAMPLE, "link/ring.py", key("1" * 24, "place"), "killed", "trial")
    failed_run(written(tmp_path / "verdicts.jsonl", before), minutes=0)
    assert "0 of" in capsys.readouterr().out
    assert [*Verdicts(tmp_path / "verdicts.jsonl")] == [before]


class Late:
    """Processes that begin nothing: the time was up."""

    def __init__(self, *how: object, **options: object) -> None:
        pass

    def __enter__(self) -> "Late":
        return self

    def __exit__(self, *error: object) -> None:
        pass

    def map(self, step: object, mutants: list[Mutant]) -> list[None]:
        return [None] * len(mutants)


def test_what_no_proof_was_tried_of_is_not_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mutate, "ProcessPoolExecutor", Late)
    passed = [told(SAMPLE, mutant, "passed") for mutant in draw(SAMPLE, 1, seed=1)]
    failed_run(written(tmp_path / "verdicts.jsonl", *passed), minutes=10)
    assert f"\n0 of {len(passed)} mutants judged" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "no JSON",
        "3",
        "{}",
        '{"design":"x","component":"y","mutant":"z","more":""}',
        '{"design":"x","component":"y","mutant":["z"]}',
        '{"design":"x","component":"y","mutant":"z","outcome":"dead"}',
        b"\xff\xfe".decode(errors="surrogateescape"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, line: str) -> None:
    good = Verdict(SAMPLE, "link/ring.py", key("1" * 24, "place"))
    path = written(tmp_path / "other.txt", good)
    path.write_bytes(path.read_bytes() + line.encode(errors="surrogateescape") + b"\n")
    before = path.read_bytes()
    wanted = f"{path}, line 2: must be a verdict, JSON of the texts design, component"
    for main, words in ((verdicts.main, [str(path)]), (mutate.main, [SAMPLE, "--output", str(path)])):
        app = typer.Typer()
        app.command()(main)
        ran = CliRunner().invoke(app, words, env={"NO_COLOR": "1", "TERM": "dumb"})
        assert (ran.exit_code, ran.stdout) == (2, "")
        # whatever the width of the box that it is in
        assert "".join(wanted.split()) in "".join(ran.stderr.replace("│", "").split())
        assert path.read_bytes() == before


def test_a_file_that_is_not_there_has_no_table(tmp_path: Path) -> None:
    app = typer.Typer()
    app.command()(verdicts.main)
    for path in (tmp_path / "none.jsonl", tmp_path):
        ran = CliRunner().invoke(app, [str(path)])
        assert (ran.exit_code, ran.stdout) == (2, "")


def test_every_component_has_its_line() -> None:
    lines = [
        Verdict("x", "link/ring.py", str(n), outcome)
        for n, outcome in enumerate(("killed", "not judged", "not judged", "equivalent"))
    ]
    assert mutate.table(lines).row_count == len(COMPONENTS) + 1
    assert score(counts(lines)["all"]) == 1 / 3  # what is not judged counts as alive
    assert "board/clock.py" in COMPONENTS
    assert "| `link/ring` | 4 | 1 | 0 | 1 | 0 | 2 | 33 |\n| all | 4 |" in markdown(lines, ["x", "y"])
    assert markdown(lines, ["x", "y"]).endswith("\nDesigns without any verdict: `y`.\n")
