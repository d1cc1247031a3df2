"""A learner's progress: one line of JSON for each thing that happened, in the learner's own folder.

Lines are only ever added, under a lock, so two notebooks may write at once; a line that was damaged is
passed over and costs nothing but itself.
"""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from labs.kit import paths
from labs.kit.curriculum import Curriculum

_KEYS = ("kind", "lab", "exercise")
_LOCK_SECONDS = 2
_warned = False


def path() -> Path:
    """Return the file of events; not created here."""
    return paths.home() / "progress.jsonl"


def record(kind: str, lab: str, exercise: str, **details: Any) -> bool:
    """Add an event and return whether it is saved. Never raises: when it is not, a line on standard error says so.

    Args:
        kind: `check`, `hint` or `answer`.
        lab: the lab's name.
        exercise: the exercise's name; empty for an answer, which belongs to a question of the prose.
        details: plain data that JSON can hold.
    """
    event = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "kind": kind,
        "lab": lab,
        "exercise": exercise,
        **details,
    }
    try:
        _append(path(), json.dumps(event, ensure_ascii=True))
    except OSError as error:
        _warn(error)
        return False
    return True


def _append(file: Path, line: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(file.with_suffix(".lock"), timeout=_LOCK_SECONDS)
    with suppress(Timeout):
        lock.acquire()
    try:
        with open(file, "ab+") as stream:
            ends_well = stream.seek(0, os.SEEK_END) == 0 or _last_byte(stream) == b"\n"
            stream.write(b"" if ends_well else b"\n")
            stream.write(line.encode("ascii") + b"\n")
    finally:
        lock.release()


def _last_byte(stream: Any) -> bytes:
    stream.seek(-1, os.SEEK_END)
    return stream.read(1)


def _warn(error: OSError) -> None:
    global _warned
    if not _warned:
        _warned = True
        print(
            f"Your progress could not be saved in {path()} ({error.strerror or error}). "
            "The lab works without it; set LABS_HOME to a folder that you can write to.",
            file=sys.stderr,
        )


def events() -> list[dict[str, Any]]:
    """Return all events that can be read, oldest first."""
    try:
        raw = path().read_bytes()
    except OSError:
        return []
    found = []
    for line in raw.split(b"\n"):
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and all(isinstance(event.get(key), str) for key in _KEYS):
                found.append(event)
    return found


def hints_seen(lab: str, exercise: str) -> int:
    """Return the number of the last hint of an exercise that the learner has seen, from 1; 0 for none."""
    return states().get((lab, exercise), {"hints": 0})["hints"]


def next_hint(lab: str, exercise: str, hints: int) -> int:
    """Return the number of the next hint, from 1, and remember that it was asked for; after the last, the last.

    Args:
        lab: the lab's name.
        exercise: the exercise's name.
        hints: how many the exercise has.
    """
    number = min(hints_seen(lab, exercise) + 1, hints)
    record("hint", lab, exercise, number=number)
    return number


def states(happened: Iterable[dict[str, Any]] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """Return, for each (lab, exercise) tried, its `state`, `tries`, `hints` and last `diagnosis`.

    What has passed once stays passed.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events() if happened is None else happened:
        if event["kind"] not in ("check", "hint"):
            continue
        key = (event["lab"], event["exercise"])
        entry = found.setdefault(key, {"state": "blank", "tries": 0, "hints": 0, "diagnosis": ""})
        if event["kind"] == "hint":
            number = event.get("number")
            # One without a number is from before hints had them.
            entry["hints"] = max(entry["hints"], number if isinstance(number, int) else entry["hints"] + 1)
        elif event["kind"] == "check":
            state = event.get("state", "blank")
            entry["tries"] += state != "blank"
            entry["diagnosis"] = event.get("diagnosis", "")
            entry["state"] = "passed" if entry["state"] == "passed" else state
    return found


def answers(happened: Iterable[dict[str, Any]] | None = None) -> dict[tuple[str, str], dict[str, Any]]:
    """Return, for each (lab, question) answered, its `first`, `right`, `value` and `tries`.

    `first` and `right` tell whether the first and the last answer was right, `value` is the last. The first one
    counts: what comes after it was given with the reasons in view.
    """
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for event in events() if happened is None else happened:
        question, right = event.get("question"), event.get("right")
        if event["kind"] == "answer" and isinstance(question, str) and isinstance(right, bool):
            entry = found.setdefault((event["lab"], question), {"first": right, "tries": 0})
            entry |= {"right": right, "value": event.get("value"), "tries": entry["tries"] + 1}
    return found


def report(curriculum: Curriculum) -> list[dict[str, Any]]:
    """Return one dict for each lab in order: `lab`, `passed`, `exercises`, `points`, `of_points`."""
    from labs.kit.load import exercises

    done = states()
    rows = []
    for lab in curriculum.labs.values():
        known = exercises(lab)
        passed = [n for n in known if done.get((lab.name, n), {}).get("state") == "passed"]
        rows.append(
            {
                "lab": lab.name,
                "passed": len(passed),
                "exercises": len(known),
                "points": sum(known[n].points for n in passed),
                "of_points": sum(exercise.points for exercise in known.values()),
            }
        )
    return rows
