"""Bad input, end to end: what a user sees names the row, field or element, and the good rest goes on."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orchestration_pipelines.cli import main as command_line
from orchestration_pipelines.cli.output import Problem
from orchestration_pipelines.cli.pilot import told_of_a_loss
from orchestration_pipelines.defs.jobs import workflow_job
from orchestration_pipelines.defs.resources import sweep_resource
from orchestration_pipelines.engine.workflow import load_workflow
from orchestration_pipelines.store.home import Home
from orchestration_pipelines.store.server import EmbeddedServer
from orchestration_pipelines_tests.cli.command import Command, Said
from orchestration_pipelines_tests.drawing import drawing, workflow_folder

HEAD = "case_key,amount,note\n"
WORKERS = """
import time
from orchestration_pipelines import Retry, worker

@worker(inputs=("amount",), outputs=("large",), retry=Retry(attempts=1), timeout_s=0.5)
def check(case):
    if case.key == "raises":
        raise ValueError("boom [/red]")
    if case.key == "hangs":
        time.sleep(20)
    if case.key == "nonsense":
        return "nonsense"
    if case.key == "leaves":
        raise SystemExit(3)
    return {"large": float("nan") if case.key == "nan" else case["amount"] > 100}
"""
STEPS = (
    "service check",
    "user review orch:queue=reviews orch:approves=true",
    "end done",
    "end rejected",
    "received -> check -> which",
    "which -> done if amount < 10",
    "which -> review if amount > 100",
    "review -> then",
    'then -> done if review.outcome = "approve"',
    'then -> rejected if review.outcome = "reject"',
    "timer late on review P3D -> rejected",
)
SETTINGS = """
owner: tests
intake: {key: case_key, fields: {amount: number, note: "text?"}}
queues: {reviews: {owner: tests, role: reviewer}}
reviewers: {ann: [reviewer], bob: [reviewer]}
"""


class Table:
    """A user at a home of their own, with a folder to put files and workflows in."""

    def __init__(self, place: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.place, self._capture = place, capture

    def __call__(self, *words: object) -> Said:
        """``orchestrate`` in this process."""
        self._capture.readouterr()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", ["orchestrate", *map(str, words)])
            try:
                command_line.main()
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return Said(code, *self._capture.readouterr())

    def workflow(self, name: str, *steps: str, settings: str = SETTINGS, workers: str = WORKERS) -> Path:
        """A workflow folder."""
        drawn = drawing(*(steps or STEPS), name=name)
        return workflow_folder(self.place / name, drawn, workers, settings)

    def submit(self, folder: Path, name: str, content: str | bytes) -> Said:
        """Offer a file."""
        file = self.place / name
        file.write_bytes(content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content)
        return self("submit", folder, file, "--as", "broker", "--json")

    def reasons(self, folder: Path, name: str, content: str | bytes) -> tuple[dict[str, int], dict[int, str]]:
        """The counts of an offered file, and why each bad row is bad."""
        said: dict[str, Any] = self.submit(folder, name, content).json
        problems = said.pop("problems")
        return said, {problem["row"]: problem["reason"] for problem in problems}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home whose path has a space, and its server."""
    root = tmp_path_factory.mktemp("bad") / "a home"
    yield root
    EmbeddedServer(Home(root)).remove()


@pytest.fixture
def orchestrate(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Table:
    """The command line."""
    monkeypatch.setenv("ORCHESTRATION_HOME", str(home))
    monkeypatch.delenv("ORCHESTRATION_DATABASE_URL", raising=False)
    return Table(tmp_path, capsys)


def test_each_bad_row_of_a_csv_is_named_and_the_good_ones_are_taken(orchestrate: Table) -> None:
    """Malformed, wrong type, too long, NUL, not a number, keys that cannot be: each with its row and field."""
    rows = [
        "G-1,250,first",
        'M-1,"2,broken',
        "M-2,3",
        "T-1,abc,",
        "T-2,,",
        f"B-1,1,{'x' * 10_000_000}",
        "N-1,1,a\0b",
        "X-1,NaN,",
        "X-2,-Infinity,",
        "a:b,1,",
        "L-1,1,\udce9",
        "ключ-鍵,7,last",
    ]
    counts, reasons = orchestrate.reasons(
        orchestrate.workflow("rows"), "bad.csv", HEAD + "\n".join(rows) + '\n"K\nK",1,\n'
    )
    assert counts == {"accepted": 2, "duplicates": 0, "conflicts": 0, "quarantined": 11}
    told = [
        "line 3 cannot be read",
        "2 fields and the header has 3",
        "'amount' is 'abc', not a number",
        "'amount' is empty",
    ]
    told += ["'note' has 10,000,000 characters", "'note' has a NUL byte", "'amount' is NaN", "'amount' is -Infinity"]
    told += [
        "the case key 'a:b' has a colon",
        "'note' is not valid Unicode",
        r"the case key 'K\nK' has a colon, a line",
    ]
    for row, reason in zip([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14], told, strict=True):
        assert reason in reasons[row]


def test_a_key_with_another_payload_is_a_conflict(orchestrate: Table) -> None:
    """The first payload stands; the same one again, written otherwise, is a duplicate."""
    folder = orchestrate.workflow("twice")
    assert orchestrate.submit(folder, "a.csv", HEAD + "A,250,x\n").json["accepted"] == 1
    counts, reasons = orchestrate.reasons(folder, "b.csv", HEAD + "A,251,x\nA,250.00,x\nB,1,\n")
    assert counts == {"accepted": 1, "duplicates": 1, "conflicts": 1, "quarantined": 0}
    assert "case A was submitted before with another payload: nothing was changed" in reasons[2]


def test_json_lines_that_make_no_row(orchestrate: Table) -> None:
    """Arrays, a name twice, a number beyond any, a missing column; a byte order mark is no fault."""
    lines = [
        '{"case_key": "A", "amount": 1, "note": null}',
        "[1, 2]",
        '{"case_key": "B", "amount": 1, "amount": 2, "note": null}',
        '{"case_key": "C", "amount": 1e99999999999999999999, "note": null}',
        '{"case_key": "D", "amount": [1], "note": null}',
        '{"case_key": "E"}',
    ]
    counts, reasons = orchestrate.reasons(orchestrate.workflow("lines"), "a.jsonl", "\ufeff" + "\n".join(lines))
    assert (counts["accepted"], counts["quarantined"]) == (1, 5)
    told = ["is not an object", "a name appears twice", "beyond any number", "(list), not a number", "missing column"]
    for row, reason in enumerate(told, 2):
        assert reason in reasons[row]


def test_parquet_of_nested_types_and_a_damaged_one(orchestrate: Table) -> None:
    """A nested value is that row's fault; damage in the file is told with the row it lies behind."""
    folder = orchestrate.workflow("parquet")
    file = orchestrate.place / "a.parquet"
    pq.write_table(pa.table({"case_key": ["A"], "amount": [{"x": 1}], "note": [["y"]]}), file)
    _, reasons = orchestrate.reasons(folder, "a.parquet", file.read_bytes())
    assert "(dict), not a number" in reasons[1]
    pq.write_table(pa.table({"case_key": ["A"], "amount": [1], "note": ["y"]}), file)
    damaged = bytearray(file.read_bytes())
    damaged[20:60] = b"\xff" * 40
    said = orchestrate.submit(folder, "b.parquet", bytes(damaged))
    assert said.code == 1
    assert "b.parquet is damaged behind row 0" in said.err


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", "", "a.csv is empty"),
        ("a.csv", "case_key,note\nA,1\n", "missing column 'amount'"),
        ("a.csv", HEAD.replace(",", ";"), "parted by ';': part them by commas"),
        ("a.csv", (HEAD + "A,1,x\n").encode("utf-16"), "is written in UTF-16: save it as UTF-8"),
        ("a.parquet", "PAR1", "is not a Parquet file"),
        ("a.txt", HEAD, "none of .csv, .jsonl, .parquet"),
    ],
)
def test_a_file_of_which_nothing_can_be_taken(orchestrate: Table, name: str, content: str | bytes, reason: str) -> None:
    """One line says why, and the exit code is 1."""
    said = orchestrate.submit(orchestrate.workflow("files"), name, content)
    assert said.code == 1
    assert reason in said.err
    assert "Traceback" not in said.err


def test_a_folder_and_nothing_at_all_are_no_files(orchestrate: Table) -> None:
    """And a file with a header only is no fault: it has no rows."""
    folder = orchestrate.workflow("nothing")
    (orchestrate.place / "d.csv").mkdir()
    assert "d.csv is a folder" in orchestrate("submit", folder, orchestrate.place / "d.csv").err
    assert "there is no file no.csv" in orchestrate("submit", folder, orchestrate.place / "no.csv").err
    assert orchestrate.submit(folder, "h.csv", HEAD).json["accepted"] == 0


def test_workers_that_fail_and_a_gateway_without_a_way(orchestrate: Table) -> None:
    """One sweep: each bad case is a dead letter or an incident with its reason, and the good ones go on."""
    folder = orchestrate.workflow("hostile")
    keys = ("raises", "hangs", "nonsense", "leaves", "nan", "good")
    offered = HEAD + "".join(f"{key},5,\n" for key in keys) + "stuck,50,\n"
    assert orchestrate.submit(folder, "a.csv", offered).json["accepted"] == 7
    assert orchestrate("sweep", folder, "--json").json["closed"] == {"done": 1}
    letters = {
        each["case_key"]: each for each in orchestrate("dead-letters", "list", "--workflow", "hostile", "--json").json
    }
    told = {"raises": "boom", "hangs": "no answer within 0.5 s", "nonsense": "returned a str", "leaves": "SystemExit"}
    told["nan"] = "NaN is not a number that can be kept"
    assert set(letters) == set(told)
    for key, reason in told.items():
        assert reason in letters[key]["error"]
    (incident,) = orchestrate("incidents", "list", "--workflow", "hostile", "--json").json
    assert (incident["case_key"], incident["kind"]) == ("stuck", "no branch")
    assert "at the gateway which: no condition is true" in incident["reason"]
    assert "boom [/red]" in orchestrate("dead-letters", "list", "--workflow", "hostile").out

    first = letters["raises"]["id"]
    assert orchestrate("dead-letters", "replay", first, "--reason", "again").code == 0
    again = orchestrate("dead-letters", "replay", first, "--reason", "again")
    assert (again.code, "was replayed by" in again.err) == (1, True)


def test_a_decision_that_cannot_be(orchestrate: Table) -> None:
    """By nobody, on another digest, by the requester, by ``answer``, twice: each is refused with its rule."""
    folder = orchestrate.workflow("decided")
    orchestrate.submit(folder, "a.csv", HEAD + "A,500,\n")
    orchestrate("sweep", folder)
    (task,) = orchestrate("reviews", "list", "--workflow", "decided", "--json").json
    number, seen = task["task"], task["digest"]

    def refused(*words: object) -> str:
        said = orchestrate(*words)
        assert said.code == 1
        return said.err

    decide = ("reviews", "decide", number, "--outcome", "approve")
    assert "--as names nobody" in refused(*decide, "--as", "", "--seen", seen)
    assert "has changed since it was shown" in refused(*decide, "--as", "ann", "--seen", "wrong")
    assert "nobody decides their own" in refused(*decide, "--as", "broker", "--seen", seen)
    assert "zed is not an active reviewer" in refused(*decide, "--as", "zed", "--seen", seen)
    assert "is not asked of the requester" in refused("answer", number, "--as", "ann")
    assert orchestrate(*decide, "--as", "ann", "--seen", seen).code == 0
    assert "it was decided by ann at" in refused(*decide, "--as", "bob", "--seen", seen)
    orchestrate("sweep", folder)
    assert "only an open case can be cancelled" in refused(
        "cases", "cancel", "A", "--workflow", "decided", "--reason", "x"
    )


def test_a_task_that_was_cancelled_says_when(orchestrate: Table) -> None:
    """Nobody decided it: no name is told."""
    folder = orchestrate.workflow("cancelled")
    orchestrate.submit(folder, "a.csv", HEAD + "A,500,\n")
    orchestrate("sweep", folder)
    (task,) = orchestrate("reviews", "list", "--workflow", "cancelled", "--json").json
    orchestrate("cases", "cancel", "A", "--workflow", "cancelled", "--reason", "x")
    said = orchestrate("reviews", "show", task["task"])
    assert "it was cancelled at 20" in said.err


def test_a_row_is_mended_in_its_own_workflow_and_columns(orchestrate: Table) -> None:
    """Offered to another workflow, or with a column that none has, it stays in quarantine."""
    folder, other = orchestrate.workflow("mine"), orchestrate.workflow("other")
    orchestrate.submit(folder, "a.csv", HEAD + "A,abc,\n")
    (row,) = orchestrate("quarantine", "list", "--workflow", "mine", "--json").json
    assert "was offered to mine, not to other" in orchestrate("quarantine", "resubmit", row["id"], other).err
    unknown = orchestrate("quarantine", "resubmit", row["id"], folder, "--set", "amuont=1")
    assert "mine has no column 'amuont': there are amount, case_key, note" in unknown.err
    assert orchestrate("quarantine", "resubmit", row["id"], folder, "--set", "amount=1").code == 0


def test_what_somebody_wrote_is_shown_and_not_obeyed(orchestrate: Table) -> None:
    """Neither the table's markup nor the terminal's commands: one row must not spoil everybody's list."""
    folder = orchestrate.workflow("markup")
    orchestrate.submit(folder, "a.csv", HEAD + "[/red]x,1,\nesc\x1b[31m,1,\n")
    assert "[/red]x" in orchestrate("cases", "list", "--workflow", "markup").out
    shown = orchestrate("quarantine", "list", "--workflow", "markup").out
    assert r"esc\x1b[31m" in shown
    assert "\x1b[31m" not in shown


@pytest.mark.parametrize(
    "words",
    [
        ("cases", "list", "--limit", "-1"),
        ("reviews", "show", "99999999999999999999999"),
        ("pilot", "--limit", "0"),
        ("sweep", "throughput", "--seconds", "0"),
    ],
)
def test_a_number_that_cannot_be_is_a_slip_of_usage(orchestrate: Table, words: tuple[str, ...]) -> None:
    """Exit code 2, with the usage."""
    said = orchestrate(*words)
    assert said.code == 2
    assert "Invalid value" in said.err


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ("owner: [a\n", "workflow.yaml is not YAML"),
        ("- 1\n", "is not a mapping of settings"),
        (SETTINGS.replace('{amount: number, note: "text?"}', "[1, 2]"), "intake.fields is '[1, 2]'"),
        (SETTINGS + "queues: text\n", "'queues' is said twice"),
        ("owner: tests\nqueues: text\n", "queues is 'text': write names with a value each"),
        ("owner: tests\nqueues: {reviews: ann}\n", "queues.reviews is 'ann'"),
        ("owner: tests\nreviewers: {ann: reviewer}\n", "reviewers.ann is 'reviewer': write a list"),
        ("owner: tests\nintake: {keys: a}\n", "unknown setting 'intake.keys'"),
        ("owner: tests\nname: a/b\n", "cannot name a Dagster job"),
        ("owner: tests\nintake: {fields: {case_key: text}}\n", "the column 'case_key' twice"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused_by_their_place(
    orchestrate: Table, settings: str, reason: str
) -> None:
    """No traceback, and nothing is taken for something else."""
    said = orchestrate("model", "describe", orchestrate.workflow("settings", settings=settings))
    assert said.code == 1
    assert reason in said.err


@pytest.mark.parametrize(
    ("workers", "reason"),
    [
        ("import no_such_thing\n", "No module named 'no_such_thing' (workers.py line 1)"),
        ("x = 1\ndef f(:\n", "SyntaxError"),
        ("raise SystemExit(3)\n", "SystemExit: 3 (workers.py line 1)"),
        ("TOOLS = 5\n", "TOOLS in workers.py is not a mapping"),
        ("", "check (check) has no worker"),
    ],
)
def test_workers_that_cannot_be_imported_or_bound(orchestrate: Table, workers: str, reason: str) -> None:
    """The message has the line of the user's own file."""
    said = orchestrate("model", "describe", orchestrate.workflow("workers", workers=workers))
    assert said.code == 1
    assert reason in said.err


def test_a_drawing_that_is_none_or_two_or_has_an_unknown_element(orchestrate: Table) -> None:
    """The element is named; so is the number of files."""
    folder = orchestrate.workflow("drawn")
    bpmn = (folder / "flow.bpmn").read_text()
    (folder / "flow.bpmn").write_text(bpmn.replace('<serviceTask id="check"/>', '<complexGateway id="check"/>'))
    assert "check: a complexGateway is refused" in orchestrate("model", "describe", folder).err.replace(" (check)", "")
    shutil.copy(folder / "flow.bpmn", folder / "other.bpmn")
    assert "needs exactly one .bpmn file and has 2" in orchestrate("model", "describe", folder).err
    (folder / "other.bpmn").unlink()
    (folder / "flow.bpmn").unlink()
    (folder / "flow.bpmn").mkdir()
    assert "flow.bpmn cannot be read: Is a directory" in orchestrate("model", "describe", folder).err


def test_the_readme_of_a_new_workflow_runs_as_it_is_written(
    orchestrate: Table, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of its commands, in a shell, ends well; the case then waits for a person."""
    monkeypatch.chdir(orchestrate.place)
    assert orchestrate("new", "fresh", "--owner", "").code == 1
    assert not Path("fresh").exists()
    assert orchestrate("new", "fresh", "--owner", "ops").code == 0
    bin_folder = orchestrate.place / "bin"
    bin_folder.mkdir()
    (bin_folder / "orchestrate").write_text(
        f"#!{sys.executable}\nfrom orchestration_pipelines.cli.main import main\nmain()\n"
    )
    (bin_folder / "orchestrate").chmod(0o755)
    written = Path("fresh/README.md").read_text()
    commands = [line.strip() for line in written.splitlines() if line.startswith("    ")]
    environment = {**os.environ, "PATH": f"{bin_folder}:{os.environ['PATH']}"}
    ran = subprocess.run(
        ["/bin/sh", "-ec", "\n".join(commands)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    assert "See one with: orchestrate reviews show" in ran.stdout


def test_a_run_in_dagster_takes_files_of_the_inbox_alone(orchestrate: Table, home: Path) -> None:
    """A path out of it is refused, by name and with what to do; the run fails, and what waits is still swept."""
    folder = orchestrate.workflow("inbox")
    orchestrate.submit(folder, "a.csv", HEAD + "A,5,\n")
    (home / "secret.csv").write_text(HEAD + "S,5,\n")
    (home / "inbox" / "link.csv").symlink_to(home / "secret.csv")
    workflow = load_workflow(folder)
    job = workflow_job(workflow, {}, resource=sweep_resource(workflow))
    for source in ("../secret.csv", str(home / "secret.csv"), "link.csv"):
        with dg.DagsterInstance.ephemeral() as instance:
            result = job.execute_in_process(
                instance=instance,
                run_config={"ops": {"receive": {"config": {"source": source, "requested_by": "broker"}}}},
                raise_on_error=False,
            )
        assert not result.success
        (failed,) = [event for event in result.all_events if event.is_step_failure]
        assert "is not in the inbox: put the file into the inbox folder" in str(failed.event_specific_data)
    listed = orchestrate("cases", "list", "--workflow", "inbox", "--json").json
    assert [(case["key"], case["outcome"]) for case in listed] == [("A", "done")]


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("nonsense s3cret", "is not the address of a PostgreSQL"),
        ("mysql://u:s3cret@h/x", "is not the address of a PostgreSQL"),
        ("postgresql://u:s3cret@127.0.0.1:1/x", "Connection refused"),
        ("postgresql://u:s3cret@/x?host=/nonexistent", "No such file or directory"),
    ],
)
def test_a_database_that_cannot_be_reached(
    orchestrate: Table, monkeypatch: pytest.MonkeyPatch, url: str, reason: str
) -> None:
    """The reason and what to do, never the password."""
    monkeypatch.setenv("ORCHESTRATION_DATABASE_URL", url)
    said = orchestrate("cases", "list")
    assert said.code == 1
    assert reason in said.err
    assert "ORCHESTRATION_DATABASE_URL" in said.err
    assert "s3cret" not in said.err


def test_an_embedded_server_that_cannot_start_says_why(tmp_path: Path) -> None:
    """Its last words, where all of them are, and what to do; mended, everything is there again."""
    command = Command(tmp_path / "home")
    server = command.server
    try:
        assert command("db", "migrate").code == 0
        server.kill()
        control = server.data / "global" / "pg_control"
        kept = control.read_bytes()
        control.write_bytes(b"\0" * 100)
        said = command("cases", "list")
        assert said.code == 1
        assert "ended at once. Its last words" in said.err
        assert 'could not read file "global/pg_control"' in said.err
        assert "orchestrate restore" in said.err
        control.write_bytes(kept)
        assert command("cases", "list", "--json").json == []
    finally:
        server.remove()


def test_a_home_that_cannot_be_made(orchestrate: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file stands in its place: said with what to set."""
    (orchestrate.place / "file").write_text("")
    monkeypatch.setenv("ORCHESTRATION_HOME", str(orchestrate.place / "file" / "home"))
    said = orchestrate("cases", "list")
    assert said.code == 1
    assert "set ORCHESTRATION_HOME" in said.err


def test_the_pilot_stopped_by_a_key_goes_on_the_next_time(home: Path) -> None:
    """Ctrl-C in the middle of a run: exit code 130, no table of half the truth; then all of it, and nothing twice."""
    command = [sys.executable, "-c", "from orchestration_pipelines.cli.main import main; main()", "pilot", "--json"]
    environment = {**os.environ, "ORCHESTRATION_HOME": str(home)}
    with subprocess.Popen(
        [*command, "--limit", "40"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as pilot:
        assert pilot.stderr is not None
        assert any("taking the applications in" in line for line in pilot.stderr)
        pilot.send_signal(signal.SIGINT)
        shown, _ = pilot.communicate(timeout=60)
    assert (pilot.returncode, shown) == (130, "")
    ended = Command(home)("pilot", "--json", "--limit", "40").json
    assert (ended["submitted"], ended["approved"] + ended["declined"], ended["open"]) == (40, 40, 0)
    assert ended["ledger_balanced"]


def test_a_database_lost_in_the_middle_of_a_pilot_is_one_message() -> None:
    """With what was the matter, and what to do."""
    with (
        pytest.raises(Problem, match=r"lost in the middle of the run \(.*refused.*run it again, and it goes on"),
        told_of_a_loss(),
    ):
        psycopg.connect("host=127.0.0.1 port=1 dbname=x", connect_timeout=5)
