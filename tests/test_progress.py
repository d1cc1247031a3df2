"""A learner's progress survives two writers, a damaged file and a folder that cannot be written."""

import multiprocessing
import os

from labs.kit import paths, progress


def _write_many(home, name):
    os.environ["LABS_HOME"] = home
    for _ in range(50):
        progress.record("check", "a/lab", name, state="wrong", diagnosis="x" * 200)


def test_what_passed_once_stays_passed():
    for state in ("wrong", "passed", "error"):
        progress.record("check", "a/lab", "one", state=state, diagnosis="")
    entry = progress.states()["a/lab", "one"]
    assert (entry["state"], entry["tries"]) == ("passed", 3)


def test_blank_checks_are_no_tries():
    progress.record("check", "a/lab", "one", state="blank", diagnosis="")
    assert progress.states()["a/lab", "one"]["tries"] == 0


def test_the_last_hint_seen_counts_however_often():
    for exercise, number in (("one", 1), ("one", 2), ("one", 2), ("one", 1), ("two", 1)):
        progress.record("hint", "a/lab", exercise, number=number)
    assert progress.hints_seen("a/lab", "one") == 2
    assert progress.hints_seen("a/lab", "three") == 0


def test_the_first_answer_counts_and_the_last_is_remembered():
    for value, right in ((["3"], False), (["2355"], True)):
        assert progress.record("answer", "a/lab", "", question="how-many", value=value, right=right)
    entry = progress.answers()["a/lab", "how-many"]
    assert entry == {"first": False, "right": True, "value": ["2355"], "tries": 2}
    assert progress.states() == {}


def test_events_of_a_strange_shape_are_passed_over():
    progress.path().parent.mkdir(parents=True, exist_ok=True)
    lines = [
        '{"kind": "check", "lab": [], "exercise": {}}',
        '{"kind": "answer", "lab": "a", "exercise": ""}',
        "7",
    ]
    progress.path().write_text("\n".join(lines))
    assert progress.answers() == {} and progress.states() == {}


def test_two_notebooks_may_write_at_once(own_home):
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write_many, args=(str(own_home), name)) for name in ("one", "two")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert sorted(e["exercise"] for e in progress.events()) == ["one"] * 50 + ["two"] * 50


def test_a_damaged_line_costs_only_itself():
    progress.record("check", "a/lab", "one", state="passed", diagnosis="")
    with open(progress.path(), "ab") as file:
        file.write(b'{"kind": "check", "lab"\xff\x00 half a line')
    progress.record("check", "a/lab", "two", state="passed", diagnosis="")
    assert {exercise for _, exercise in progress.states()} == {"one", "two"}


def test_a_file_of_rubbish_is_kept_and_added_to():
    paths.home().mkdir(parents=True, exist_ok=True)
    rubbish = os.urandom(500).replace(b"\n", b"-")
    progress.path().write_bytes(rubbish)
    progress.record("check", "a/lab", "one", state="passed", diagnosis="")
    assert progress.path().read_bytes().startswith(rubbish)
    assert progress.states()["a/lab", "one"]["state"] == "passed"


def test_a_place_that_cannot_be_written_costs_one_line_and_no_more(own_home, monkeypatch, capsys):
    (own_home / "file").write_text("")
    monkeypatch.setenv("LABS_HOME", str(own_home / "file"))
    monkeypatch.setattr(progress, "_warned", False)
    for _ in range(2):
        assert not progress.record("check", "a/lab", "one", state="passed", diagnosis="")
    said = capsys.readouterr().err
    assert said.count("could not be saved") == 1 and "LABS_HOME" in said
