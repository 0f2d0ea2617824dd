"""Labels from files: what is read, and what is refused with its line."""

import json
from pathlib import Path

import pytest

from tymbal.errors import ProbeError
from tymbal.probes import Classes, Example, LabelConfig, LabelledTexts, Numbers, read_labels


def csv_file(folder: Path, *lines: str) -> Path:
    path = folder / "labels.csv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_csv_gives_texts_spans_groups_and_data_sets(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "text,label,start,end,group,dataset", '"A red, big cat",yes,2,5,cat,animals', "No,no,,,,")
    texts = read_labels(path)
    assert texts.examples == (
        Example("A red, big cat", 2, 5, "yes", "cat", "animals"),
        Example("No", 0, 2, "no", "No", ""),
    )
    target = texts.target()
    assert isinstance(target, Classes)
    assert (target.ids.tolist(), target.names) == ([1, 0], ("no", "yes"))


def test_jsonl_and_numbers_by_other_names(tmp_path: Path) -> None:
    path = tmp_path / "places.jsonl"
    rows = [{"name": "Rome", "lat": 41.9, "lon": 12.5, "span": [0, 4]}, {"name": "Lima", "lat": -12, "lon": "-77"}]
    path.write_text("\n".join(json.dumps(row) for row in rows) + "\n\n", encoding="utf-8")
    texts = read_labels(path, LabelConfig(text="name", label=("lat", "lon"), numbers=True))
    target = texts.target()
    assert isinstance(target, Numbers)
    assert target.names == ("lat", "lon")
    assert target.values.tolist() == [[41.9, 12.5], [-12.0, -77.0]]


def test_numbers_that_are_classes_stay_classes(tmp_path: Path) -> None:
    target = read_labels(csv_file(tmp_path, "text,label", "a,0", "b,1", "c,10")).target()
    assert isinstance(target, Classes)
    assert target.names == ("0", "1", "10")


@pytest.mark.parametrize(
    ("lines", "config", "message"),
    [
        (("text,label", "a,x", "b,x"), {}, "at least two classes.*got only x"),
        (("text,label", "a,nan", "b,2"), {"numbers": True}, r"finite number in column 'label' of .*line 2; got 'nan'"),
        (("text,label", "a,many", "b,2"), {"numbers": True}, "finite number"),
        (("text,label", "a,3", "b,3"), {"numbers": True}, "different numbers 'label'"),
        (("text,label", "a,", "b,2"), {}, "a label in .*line 2"),
        (("text,label,start,end", "abc,x,1,4"), {}, "within the 3 characters of .*line 2; got 1 to 4"),
        (("text,label,start,end", "abc,x,2,2"), {}, "got 2 to 2"),
        (("text,label,start,end", "abc,x,one,2"), {}, "two characters' places"),
        (("text,name", "a,b"), {}, "a column 'label' in .*got columns text, name; name one by --label"),
        (("sentence,label", "a,b"), {}, "a column 'text'.*name one by --text"),
        (("text,label",), {}, "labelled texts in .*got none"),
        (("text,a,b", "x,1,2"), {"label": ("a", "b")}, "one column of classes; got a, b"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_line(tmp_path: Path, lines, config, message) -> None:
    with pytest.raises(ProbeError, match=message) as caught:
        read_labels(csv_file(tmp_path, *lines), LabelConfig(**config)).target()
    assert "\n" not in str(caught.value)


def test_files_that_are_missing_or_of_another_kind_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ProbeError, match=r"to read .*none\.csv"):
        read_labels(tmp_path / "none.csv")
    with pytest.raises(ProbeError, match=r"a file ending in \.csv, \.jsonl"):
        read_labels(tmp_path / "labels.txt")
    broken = tmp_path / "broken.jsonl"
    broken.write_text('{"text": "a", "label": "b"}\n{"text"\n', encoding="utf-8")
    with pytest.raises(ProbeError, match=r"a JSON object in .*line 2"):
        read_labels(broken)


def test_a_sample_is_the_same_for_the_same_seed() -> None:
    texts = LabelledTexts(name="t", examples=tuple(Example(str(n), 0, 1, str(n % 2), str(n), "") for n in range(50)))
    assert texts.sampled(10, 3) == texts.sampled(10, 3)
    assert texts.sampled(10, 3) != texts.sampled(10, 4)
    assert len(texts.sampled(10, 3).examples) == 10
    assert texts.sampled(None, 0) == texts
