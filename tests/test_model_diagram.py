"""The diagrams of the bound relations."""

from __future__ import annotations

from itertools import combinations

import pytest
from lxml import etree

from xenconform.models.api import Api
from xenconform.models.diagram import mermaid, relations_about, rows_of
from xenconform.models.diagram_svg import svg
from xenconform.models.layout import layout

API = Api.load()
SVG = "{http://www.w3.org/2000/svg}"


def test_mermaid_has_a_line_for_each_relation() -> None:
    """Crow's feet: a single ref gives none-or-one to many, two sets give many to many."""
    lines = mermaid(API.relations).splitlines()
    assert lines[0] == "erDiagram"
    assert len(lines) == 1 + len(API.relations)
    assert '    VM |o--o{ VIF : "VIFs / VM"' in lines
    assert '    pool_update }o--o{ host : "hosts / updates"' in lines


def test_relations_of_one_class() -> None:
    """Only those in which the class takes part, at either end."""
    assert [str(each) for each in relations_about(API, "VIF")] == ["VIF.VM<->VM.VIFs", "VIF.network<->network.VIFs"]
    assert relations_about(API, "secret") == ()
    with pytest.raises(ValueError, match="no class 'nothing'"):
        relations_about(API, "nothing")


@pytest.mark.parametrize("cls", ["", "VM", "task", "VGPU_type", "secret"])
def test_the_picture_shows_every_class_field_and_relation(cls: str) -> None:
    """Each box has its class's name and bound fields, each relation is a named line, all inside the page."""
    relations = relations_about(API, cls)
    root = etree.fromstring(svg(relations, "T & <t>").encode())
    texts = {each.text for each in root.iter(f"{SVG}text")}
    for name, fields in rows_of(relations).items():
        assert {name, *fields} <= texts
    lines = [path for path in root.iter(f"{SVG}path") if path.get("class") == "line"]
    assert sorted(path.findtext(f"{SVG}title") or "" for path in lines) == sorted(map(str, relations))
    for box in root.iter(f"{SVG}rect"):
        right = float(box.get("x", "0")) + float(box.get("width", "0"))
        assert right <= float(root.get("width", "0"))
        assert float(box.get("y", "0")) + float(box.get("height", "0")) <= float(root.get("height", "0"))


def test_boxes_never_overlap() -> None:
    """No two boxes of the whole picture cover each other."""
    root = etree.fromstring(svg(API.relations, "all").encode())
    boxes = [
        tuple(float(each.get(key, "")) for key in ("x", "y", "width", "height"))
        for each in root.iter(f"{SVG}rect")
        if each.get("class") == "box"
    ]
    assert len(boxes) == len(rows_of(API.relations))
    for (x1, y1, w1, h1), (x2, y2, w2, h2) in combinations(boxes, 2):
        assert x1 + w1 <= x2 or x2 + w2 <= x1 or y1 + h1 <= y2 or y2 + h2 <= y1


def test_the_same_relations_give_the_same_picture() -> None:
    """Drawing has no chance in it."""
    assert svg(API.relations, "all") == svg(API.relations, "all")


def test_the_layout_puts_owners_left_and_leads_long_lines_round_boxes() -> None:
    """A line over a column has a waypoint in it; a cycle is cut rather than followed for ever."""
    placed = layout({"a": 10, "b": 10, "c": 10}, [("a", "b"), ("b", "c"), ("a", "c"), ("c", "a")])
    assert placed.column == {"a": 0, "b": 1, "c": 2}
    assert [len(each) for each in placed.waypoints] == [0, 0, 1, 1]
    assert layout({}, []).height == 0
