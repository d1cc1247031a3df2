"""Makes the site in `build/site/html`: every lab with its stored outputs, the map, costs, and what has moved.

    make site                                   builds it; nothing is executed, nothing is fetched
    make site REPOSITORY=https://github.com/OWNER/NAME
                                                adds the buttons for Binder and Colab, which need a public place

Sphinx's warnings are errors: a link to a page that is not there stops the build.
"""

import argparse
import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from labs.kit.course import guide
from labs.kit.curriculum import Curriculum, Lab, load

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "site"
INDEX = """# TensorFlow Labs

A hands-on TensorFlow curriculum that you work through in JupyterLab: predict, run, fill in the blanks, and be told
precisely what is wrong. Everything runs offline, on two processor cores, in seconds, on real data. The pages here
show each lab solved and executed; the same labs with blanks and checks are what you open yourself.

```sh
make lab                   # makes the environment and opens JupyterLab
.venv/bin/labs start LAB   # opens one lab, on a copy of your own
```

{map}

{trees}

```{{toctree}}
:hidden:
:caption: Teaching

teach/index
```

```{{toctree}}
:hidden:
:caption: About the labs

prerequisites
costs
moved
data
```
"""


def write_pages(curriculum: Curriculum, source: Path) -> None:
    """Write all pages into the empty folder `source`."""
    for lab in curriculum.labs.values():
        page = source / f"{lab.name}.ipynb"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(json.dumps(notebook_page(lab), ensure_ascii=False), "utf-8")
    (source / "index.md").write_text(index(curriculum), "utf-8")
    (source / "prerequisites.md").write_text(prerequisites(curriculum), "utf-8")
    (source / "costs.md").write_text(costs(curriculum), "utf-8")
    (source / "moved.md").write_text(moved(curriculum), "utf-8")
    shutil.copy(ROOT / "data" / "SOURCES.md", source / "data.md")
    shutil.copytree(ROOT / "docs" / "site" / guide.FOLDER, source / guide.FOLDER)
    hub = ROOT / "examples" / "jupyterhub"
    (source / guide.FOLDER / "jupyterhub.md").write_text(example(hub), "utf-8")
    for name, text in guide.pages(curriculum).items():
        page = source / f"{name}.md"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(text, "utf-8")


def example(folder: Path) -> str:
    """Return the README of an example with the files that it links to in their place, as folds under it."""
    text = (folder / "README.md").read_text("utf-8")
    for name in re.findall(r"\[[^]]+\]\(([\w.]+\.py)\)", text):
        text = text.replace(f"[{name}]({name})", f"`{name}`")
        code = (folder / name).read_text("utf-8").rstrip()
        text += f"\n## {name}\n\n```python\n{code}\n```\n"
    return text


def notebook_page(lab: Lab) -> dict:
    """Return the worked notebook of `lab` with the description of each figure where the page keeps it."""
    notebook = json.loads((ROOT / "notebooks" / "worked" / f"{lab.name}.ipynb").read_text("utf-8"))
    for cell in notebook["cells"]:
        described = [alt for output in cell.get("outputs", ()) if (alt := alt_text(output))]
        if described:
            cell["metadata"]["mystnb"] = {"image": {"alt": " ".join(described)}}
    notebook["cells"].insert(
        1, {"cell_type": "markdown", "id": "open", "metadata": {}, "source": opening(lab)}
    )
    return notebook


def alt_text(output: dict) -> str:
    """Return what a figure shows in words, or nothing for another output."""
    return output.get("metadata", {}).get("image/png", {}).get("alt", "")


def opening(lab: Lab) -> str:
    """Return the line that says how to work through a lab oneself."""
    return f"*Solved, with its outputs. To do it yourself, in JupyterLab:* `labs start {lab.name}`"


def index(curriculum: Curriculum) -> str:
    """Return the first page: the map, and the tree of all pages."""
    parts, trees = [], []
    for module in curriculum.modules:
        rows = [row(curriculum.lab(name)) for name in module.labs]
        head = "| Lab | You will | Minutes | Level |\n|---|---|---:|---|"
        parts.append(f"## {module.title}\n\n{head}\n" + "\n".join(rows))
        names = "\n".join(module.labs)
        trees.append(f"```{{toctree}}\n:hidden:\n:caption: {module.title}\n\n{names}\n```")
    return INDEX.format(map="\n\n".join(parts), trees="\n\n".join(trees))


def row(lab: Lab) -> str:
    """Return a lab's line in the map."""
    return f"| [{lab.title}]({lab.name}.ipynb) | {lab.promise} | {lab.minutes} | {lab.level} |"


def prerequisites(curriculum: Curriculum) -> str:
    """Return the page of what comes before what, as a list that also reads aloud."""
    lines = [
        "# What to do first",
        "",
        "Each lab names those it builds on; the others can be taken in any order.",
        "",
    ]
    for name in curriculum.order:
        lab = curriculum.lab(name)
        before = ", ".join(link(curriculum.lab(needed)) for needed in lab.prerequisites)
        after = ", ".join(link(other) for other in curriculum.labs.values() if name in other.prerequisites)
        lines += [link(lab), f": after {before}" if before else ": needs nothing before it"]
        lines += [f": leads to {after}" if after else "", ""]
    return "\n".join(lines)


def link(lab: Lab) -> str:
    """Return a link to a lab's page."""
    return f"[{lab.title}]({lab.name}.ipynb)"


def costs(curriculum: Curriculum) -> str:
    """Return the page of what each notebook takes, as the last benchmark measured it."""
    measured = json.loads((ROOT / "benchmarks" / "results.json").read_text("utf-8"))["re_execute"]
    known = measured.get("costs", {})
    lines = [
        "# What each lab takes",
        "",
        f"Measured on {measured['date']} on {measured['machine']}; `make bench` measures again. A lab that was added "
        "since then shows its limit only.",
        "",
        "| Lab | Processor seconds | Most memory (MB) | Limit (s) | Exercises' minutes |",
        "|---|---:|---:|---:|---:|",
    ]
    for lab in curriculum.labs.values():
        took = known.get(lab.name, {})
        seconds, memory = took.get("cpu_seconds", ""), took.get("peak_mb", "")
        lines.append(f"| {link(lab)} | {seconds} | {memory} | {lab.cpu_seconds} | {lab.minutes} |")
    return "\n".join(lines) + "\n"


def moved(curriculum: Curriculum) -> str:
    """Return the page of what the ecosystem replaced by what."""
    lines = ["# What has moved", "", "Names that older courses teach, and what took their place.", ""]
    lines += ["| You may know | Today | Lab |", "|---|---|---|"]
    for lab in curriculum.labs.values():
        lines += [f"| {cell(entry.old)} | {cell(entry.new)} | {link(lab)} |" for entry in lab.replaces]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """Return text that may stand in a table."""
    return text.replace("|", "\\|")


def build(source: Path, target: Path, repository: str) -> int:
    """Let Sphinx render `source` into `target`, and return its exit status."""
    environment = {**os.environ, "LABS_REPOSITORY": repository}
    command = [sys.executable, "-m", "sphinx", "-W", "--keep-going", "-q", "-j", "auto", "-b", "html"]
    command += ["-c", str(ROOT / "docs" / "site"), str(source), str(target)]
    return subprocess.run(command, env=environment).returncode


def dead_links(site: Path) -> list[str]:
    """Return a sentence for each link within the site that leads nowhere."""
    files = (
        file for file in site.rglob("*.html") if "_static" not in file.parts
    )  # a theme keeps templates there
    pages = {file: file.read_text("utf-8") for file in files}
    places = {file: set(re.findall(r'\sid="([^"]+)"', text)) for file, text in pages.items()}
    found = []
    for file, text in pages.items():
        for target in re.findall(r'<(?:a|img|script|link)[^>]*\s(?:href|src)="([^"]+)"', text):
            address, _, place = html.unescape(target).partition("#")
            if re.match(r"[a-z]+:|//", address):
                continue
            aim = (file.parent / address.partition("?")[0]).resolve() if address else file
            aim = aim / "index.html" if aim.is_dir() else aim
            if not aim.is_file():
                found.append(f"{file.relative_to(site)}: {target} is not there")
            elif place and aim in places and place not in places[aim]:
                found.append(f"{file.relative_to(site)}: {target} names a place that is not on that page")
    return sorted(set(found))


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repository", default="", help="where the labs are public, for Binder and Colab")
    parser.add_argument("--to", type=Path, default=BUILD, help="folder to write")
    asked = parser.parse_args()
    source, target = asked.to / "source", asked.to / "html"
    shutil.rmtree(asked.to, ignore_errors=True)
    source.mkdir(parents=True)
    write_pages(load(), source)
    if build(source, target, asked.repository):
        sys.exit("The site was not built: Sphinx says above what is wrong.")
    if dead := dead_links(target):
        sys.exit("\n".join(["The site has links that lead nowhere:", *dead]))
    print(f"The site is {target / 'index.html'}")


if __name__ == "__main__":
    main()
