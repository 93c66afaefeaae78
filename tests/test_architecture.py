"""What keeps the code readable, held by tests: sizes, names, directions of imports, and a light command line."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
FORBIDDEN_NAMES = {"utils", "util", "common", "helpers", "helper", "core", "base", "manager", "misc"}
HEAVY = {"torch", "numba", "numpy", "av", "PIL", "pydantic_settings", "rich.console", "daybreak.pipeline"}
SOURCES = sorted(path for folder in ("src", "tests", "bench") for path in (ROOT / folder).rglob("*.py"))


def relative(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def functions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def test_there_is_something_to_check() -> None:
    assert {"src/daybreak/cli/app.py", "tests/test_architecture.py"} <= set(map(relative, SOURCES))


@pytest.mark.parametrize("path", SOURCES, ids=relative)
def test_no_file_and_no_function_is_too_long(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= MAX_FILE_LINES, f"{lines} lines"
    long = {
        function.name: length
        for function in functions(path)
        if (length := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_no_file_has_a_name_that_says_nothing() -> None:
    assert [relative(path) for path in SOURCES if {path.stem, path.parent.name} & FORBIDDEN_NAMES] == []


def test_imports_keep_the_contracts() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def modules_after(statement: str) -> set[str]:
    """The modules that a fresh interpreter has loaded after a statement."""
    program = f"import contextlib, io, json, sys\nwith contextlib.redirect_stdout(io.StringIO()):\n    {statement}\n"
    program += "print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout))


@pytest.mark.parametrize("arguments", [["--help"], ["generate", "--help"], ["--version"], ["serve", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    loaded = modules_after(f"from daybreak.cli.app import run; run({arguments!r})")
    assert "daybreak.cli.generate" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("module", ["settings", "catalog", "timeline", "generation", "media.encode", "media.fit"])
def test_what_a_server_needs_loads_no_torch(module: str) -> None:
    loaded = modules_after(f"import daybreak.{module}")
    assert f"daybreak.{module}" in loaded
    assert "torch" not in loaded


@pytest.mark.parametrize("module", ["models.transformer", "diffusion.samplers", "diorama.render", "train.run"])
def test_training_loads_no_media_or_web_package(module: str) -> None:
    loaded = modules_after(f"import daybreak.{module}")
    assert f"daybreak.{module}" in loaded
    assert loaded & {"av", "pydantic", "pydantic_settings", "typer"} == set()
