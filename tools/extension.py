"""Build JupyterLab's panel from `extension/` into `labs/kit/jupyterlab`, which is what is shipped; needs Node 20.

Learners need no Node, and neither does CI: a test holds what is shipped to the sources by the hashes written here.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "extension"
PACKAGE = ROOT / "labs" / "kit" / "jupyterlab"
OUTPUT = PACKAGE / "labextension"
HASHES = PACKAGE / "built.json"
MADE = ("node_modules", "lib")

INSTALL = {
    "packageManager": "python",
    "packageName": "tensorflow-labs",
    "uninstallInstructions": "Remove the Python package tensorflow-labs.",
}
"""What JupyterLab says of where the panel came from."""


def digest(folder: Path) -> str:
    """Return one hash for the names and contents of the files in `folder`, the same with Windows' line ends."""
    total = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and name.parts[0] not in MADE:
            content = hashlib.sha256(path.read_bytes().replace(b"\r\n", b"\n")).hexdigest()
            total.update(f"{name.as_posix()} {content}\n".encode())
    return total.hexdigest()


def hashes() -> dict[str, str]:
    """Return the hashes of the sources and of what is shipped, as they are now."""
    return {"sources": digest(SOURCES), "output": digest(OUTPUT)}


def build() -> None:
    """Build, and write the hashes."""
    lock, installed = SOURCES / "package-lock.json", SOURCES / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        run("npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts")
    shutil.rmtree(SOURCES / "lib", ignore_errors=True)
    shutil.rmtree(OUTPUT, ignore_errors=True)
    run("node", "node_modules/typescript/bin/tsc")
    # JupyterLab's own package says which libraries it brings, so that they are not shipped twice.
    import jupyterlab

    core = Path(jupyterlab.__file__).parent / "staging"
    run("node", "node_modules/@jupyterlab/builder/lib/build-labextension.js", "--core-path", str(core), ".")
    OUTPUT.joinpath("install.json").write_text(json.dumps(INSTALL, indent=2) + "\n", "utf-8")
    HASHES.write_text(json.dumps(hashes(), indent=1) + "\n", "utf-8")
    size = sum(path.stat().st_size for path in OUTPUT.rglob("*") if path.is_file())
    print(f"Built {OUTPUT.relative_to(ROOT)}, {size / 1000:.0f} kB")


def run(*command: str) -> None:
    """Run a command in the folder of the sources, or stop with a sentence."""
    found = shutil.which(command[0])
    if not found:
        sys.exit(f"{command[0]} is missing: install Node 20 or later. Only who changes extension/ needs it.")
    if subprocess.run([found, *command[1:]], cwd=SOURCES).returncode:
        sys.exit(f"`{' '.join(command)}` failed in {SOURCES}.")


if __name__ == "__main__":
    build()
