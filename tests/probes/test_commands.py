"""`tymbal probe` and `tymbal replicate` from the outside: what they write, and what they refuse in one line."""

import json
from pathlib import Path

import pytest

from tymbal.cli import main


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.csv"
    words = [("cat", "animal"), ("Lily", "name"), ("mom", "name"), ("cat", "animal")] * 12
    rows = [f"{'a ' * (n % 4)}{word},{label},{n},set {n // 2 % 2}" for n, (word, label) in enumerate(words)]
    path.write_text("\n".join(["text,label,group,dataset", *rows]) + "\n", encoding="utf-8")
    return path


def test_probe_writes_table_pictures_probe_and_finding(tiny_llama_folder, labels, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    quick = ["--draws", "20", "--permutations", "9", "--site", "resid_post.1"]
    assert main(["probe", str(tiny_llama_folder), "--labels", str(labels), "--out", str(out), *quick]) == 0
    printed = capsys.readouterr().out
    assert "| **resid_post.1** | **1.00 [1.00, 1.00]** |" in printed
    assert (out / "table.md").read_text(encoding="utf-8") in printed
    names = {path.name for path in out.iterdir()}
    assert names == {"table.md", "scores.svg", "transfer.svg", "finding.json", "probe"}
    finding = json.loads((out / "finding.json").read_text(encoding="utf-8"))
    assert finding["best"] == "resid_post.1"
    baselines = finding["results"][0]["score"]["baselines"]
    assert set(baselines) == {"chance", "control task", "untrained model", "bag of tokens", "position"}
    assert finding["results"][0]["sample"]["held_out_rows"] == 12
    assert finding["model"]["weights_sha256"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--site", "resid_post.9"], "a block from 0 to 3 of"),
        (["--reader", "ridge"], "a reader of classes"),
        (["--label", "group", "--numbers", "--reader", "lda"], "a reader of numbers"),
        (["--label", "colour"], "a column 'colour'"),
    ],
)
def test_a_mistake_is_one_line_and_exit_1(tiny_llama_folder, labels, tmp_path, capsys, arguments, message) -> None:
    out = ["--out", str(tmp_path / "out")]
    assert main(["probe", str(tiny_llama_folder), "--labels", str(labels), *out, *arguments]) == 1
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("tymbal: expected ")
    assert message in error


@pytest.mark.parametrize("given", [[], ["--concept", "tone", "--labels", "x.csv"]])
def test_labels_come_from_one_place(given: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["probe", *given])
    assert caught.value.code == 2
    assert "either --labels FILE or --concept NAME" in capsys.readouterr().err


def test_a_replication_without_its_data_says_what_it_left_out(tmp_path, capsys) -> None:
    assert main(["replicate", "names-and-languages", "--out", str(tmp_path)]) == 0
    assert "Left out: gender of names and language of text, for want of --real." in capsys.readouterr().out
