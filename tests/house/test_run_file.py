"""The start file: what it installs and when, and what it says when it cannot."""

import importlib.util
import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


class Shell:
    """Stands in for the programs that set-up runs: keeps what was asked, fails or stops where told."""

    def __init__(self, run: ModuleType) -> None:
        self.run = run
        self.asked: list[list[str]] = []
        self.fails: Callable[[list[str]], bool] = lambda command: False
        self.stops: Callable[[list[str]], bool] = lambda command: False

    def __call__(self, command: Sequence[str]) -> int:
        self.asked.append(list(command))
        if self.stops(self.asked[-1]):
            raise KeyboardInterrupt
        if self.fails(self.asked[-1]):
            return 1
        if "venv" in command:
            self.run.BIN.mkdir(parents=True, exist_ok=True)
            self.run.PYTHON.touch()
        return 0

    def count(self, part: str) -> int:
        return sum(any(part in word for word in command) for command in self.asked)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The start file, standing in an empty checkout with three locks and one extra."""
    loader = SourceFileLoader("run_file", str(ROOT / "run"))
    spec = importlib.util.spec_from_loader("run_file", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "run_file", module)
    loader.exec_module(module)
    locks = tmp_path / "requirements"
    locks.mkdir()
    for name in ("core", "dev", "build", "installer"):
        (locks / f"{name}.lock").write_text(f"{name}==1", "utf-8")
    (tmp_path / "pyproject.toml").write_text("[project]", "utf-8")
    venv = tmp_path / ".venv"
    for name, value in {
        "ROOT": tmp_path,
        "LOCKS": locks,
        "VENV": venv,
        "BIN": venv / "bin",
        "PYTHON": venv / "bin" / "python",
        "STAMP": venv / module.STAMP.name,
    }.items():
        monkeypatch.setattr(module, name, value)
    return module


@pytest.fixture
def shell(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Shell:
    shell = Shell(run)
    monkeypatch.setattr(run, "_run", shell)
    return shell


@pytest.fixture
def handed_over(run: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    commands: list[list[str]] = []
    monkeypatch.setattr(run, "_hand_over", lambda command: commands.append(list(command)) or 0)
    return commands


def test_a_first_start_installs_by_hash_and_opens_the_app(
    run: ModuleType, shell: Shell, handed_over: list[list[str]]
) -> None:
    assert run.main([]) == 0
    assert handed_over == [[str(run.BIN / "tradefloor"), "serve"]]
    locked = [command for command in shell.asked if "--require-hashes" in command]
    assert [Path(command[-1]).stem for command in locked] == ["installer", "build", "core"]
    assert all("--no-deps" in command for command in locked)
    assert shell.asked[-1][-2:] == ["--editable", str(run.ROOT)]


def test_a_warm_start_runs_nothing(run: ModuleType, shell: Shell, handed_over: list[list[str]]) -> None:
    run.main(["setup"])
    shell.asked.clear()
    assert run.main(["--port", "8000"]) == 0
    assert shell.asked == []
    assert handed_over[-1][1:] == ["serve", "--port", "8000"]


def test_tests_add_their_tools_and_pass_arguments_on(
    run: ModuleType, shell: Shell, handed_over: list[list[str]]
) -> None:
    run.main(["setup"])
    assert run.main(["test", "-k", "ledger"]) == 0
    assert shell.count("dev.lock") == 1
    assert handed_over == [[str(run.PYTHON), "-m", "pytest", "-n", "auto", "--dist", "loadfile", "-k", "ledger"]]
    assert shell.count("--clear") == 1, "the environment that was there is kept"


def test_a_changed_lock_is_installed_with_the_extras_that_were_there(run: ModuleType, shell: Shell) -> None:
    run.main(["setup", "dev"])
    (run.LOCKS / "dev.lock").write_text("dev==2", "utf-8")
    shell.asked.clear()
    run.main(["setup"])
    assert shell.count("dev.lock") == 1
    assert json.loads(run.STAMP.read_text())["extras"] == ["dev"]


def test_an_extra_that_is_no_more_does_not_stop_a_start(run: ModuleType, shell: Shell) -> None:
    run.main(["setup", "dev"])
    (run.LOCKS / "dev.lock").unlink()
    assert run.main(["setup"]) == 0
    assert json.loads(run.STAMP.read_text())["extras"] == []


@pytest.mark.parametrize("where", ["venv", "installer.lock", "core.lock", "--editable"])
def test_an_interrupted_set_up_begins_anew(run: ModuleType, shell: Shell, where: str) -> None:
    shell.stops = lambda command: any(where in word for word in command)
    assert run.main(["setup"]) == 130
    assert not run.STAMP.exists()
    shell.stops = lambda command: False
    shell.asked.clear()
    assert run.main(["setup"]) == 0
    assert "--clear" in shell.asked[0]
    assert run.STAMP.exists()


def test_a_checkout_that_was_moved_gets_a_new_environment(run: ModuleType, shell: Shell, tmp_path: Path) -> None:
    run.main(["setup"])
    stamp = json.loads(run.STAMP.read_text())
    run.STAMP.write_text(json.dumps(stamp | {"root": str(tmp_path / "elsewhere")}))
    shell.asked.clear()
    run.main(["setup"])
    assert "--clear" in shell.asked[0]


@pytest.mark.parametrize("rubbish", ["", "{", "[]", '"x"', '{"extras": []}', '{"root": "x", "odd": 1}'])
def test_a_rubbish_stamp_counts_as_none(run: ModuleType, shell: Shell, rubbish: str) -> None:
    run.main(["setup"])
    run.STAMP.write_text(rubbish)
    assert run.stamped() is None
    assert run.main(["setup"]) == 0


def test_pip_does_it_where_uv_cannot(run: ModuleType, shell: Shell) -> None:
    shell.fails = lambda command: command[0].endswith("uv")
    assert run.main(["setup"]) == 0
    by_pip = [command for command in shell.asked if "pip" in command and command[0] == str(run.PYTHON)]
    assert [Path(command[-1]).name for command in by_pip][:3] == ["installer.lock", "build.lock", "core.lock"]


def test_without_an_index_it_fails_in_one_line(
    run: ModuleType, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.fails = lambda command: "install" in command
    assert run.main(["setup"]) == 1
    assert not run.STAMP.exists()
    assert "build.lock could not be installed" in capsys.readouterr().err.splitlines()[-1]


def test_a_python_without_venv_is_told_what_to_install(
    run: ModuleType, shell: Shell, capsys: pytest.CaptureFixture[str]
) -> None:
    shell.fails = lambda command: "venv" in command
    assert run.main([]) == 1
    assert "python3-venv" in capsys.readouterr().err


@pytest.mark.parametrize(("arguments", "said"), [(["setup", "everything"], "'everything'"), (["tset"], "'tset'")])
def test_what_it_does_not_know_is_refused(
    run: ModuleType, shell: Shell, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    assert run.main(arguments) == 2
    assert said in capsys.readouterr().err
    assert shell.asked == []


def test_two_starts_at_once_set_up_once(run: ModuleType, shell: Shell) -> None:
    starts = [threading.Thread(target=run.setup, args=([],)) for _ in range(4)]
    for start in starts:
        start.start()
    for start in starts:
        start.join(timeout=30)
    assert shell.count("core.lock") == 1
    assert run.STAMP.exists()


def test_it_says_how_it_is_used() -> None:
    done = subprocess.run([sys.executable, str(ROOT / "run"), "--help"], capture_output=True, text=True, check=True)
    assert "./run test" in done.stdout
