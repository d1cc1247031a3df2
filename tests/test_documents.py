"""What the documents say is there, is there."""

import re
from pathlib import Path

import pytest

from labs.kit import paths
from labs.kit.curriculum import load

DOCUMENTS = ("README.md", "CONTRIBUTING.md", "data/SOURCES.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_and_pictures_lead_somewhere(name):
    document = paths.ROOT / name
    targets = re.findall(r"\]\(([^)#\s]+)\)", document.read_text("utf-8"))
    local = [target for target in targets if "://" not in target]
    assert [target for target in local if not Path(document.parent, target).exists()] == []


def test_the_map_names_every_lab_by_its_title():
    text = (paths.ROOT / "README.md").read_text("utf-8")
    for lab in load().labs.values():
        assert f"[{lab.title}](notebooks/worked/{lab.name}.ipynb)" in text
