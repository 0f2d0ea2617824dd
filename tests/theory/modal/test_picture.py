from xml.etree import ElementTree

from tymbal.theory.modal import FairBot, PayorBot, tournament
from tymbal.theory.modal.picture import draw_frames, draw_tournament


def words(path):
    return [element.text for element in ElementTree.parse(path).iter() if element.tag.endswith("}text")]


def test_a_tournament_is_drawn_with_every_name_and_outcome_and_the_same_way_each_time(tmp_path):
    table = tournament(["FairBot", "DefectBot"])
    for name in ("a.svg", "b.svg"):
        draw_tournament(table, tmp_path / name)
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
    drawn = words(tmp_path / "a.svg")
    assert [word for word in drawn if word in ("CC", "DD", "DD*")] == ["CC", "DD*", "DD*", "DD"]
    assert {"FairBot", "DefectBot", "both cooperate"} <= set(drawn)


def test_the_frames_are_drawn_with_their_count(tmp_path):
    draw_frames([FairBot, PayorBot], tmp_path / "frames.svg")
    drawn = " ".join(words(tmp_path / "frames.svg"))
    assert "501 of 530" in drawn
    assert " 0 of 530" in drawn
