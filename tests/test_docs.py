"""Documentation that would go stale without a test: the file map, the settings, the version, the options."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import daybreak
from daybreak.server.bodies import (
    CreateVideo,
    EditVideo,
    ExtendVideo,
    PinBody,
    RemixVideo,
    ShotBody,
    SpecBody,
    TimelineBody,
)
from daybreak.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
API = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
OPERATE = (ROOT / "docs" / "operate.md").read_text(encoding="utf-8")
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_file_map_is_the_tree() -> None:
    block = README.split("src/daybreak/\n", 1)[1].split("```", 1)[0]
    mapped = set(re.findall(r"^  ([a-z_]+(?:\.py|/))", block, re.MULTILINE))
    folder = ROOT / "src" / "daybreak"
    tree = {path.name for path in folder.glob("*.py")}
    tree |= {
        f"{path.name}/"
        for path in folder.iterdir()
        if path.is_dir() and path.name != "__pycache__" and any(path.glob("*[!_].*"))
    }
    assert mapped == tree - {"__init__.py", "__main__.py"}


def test_every_setting_is_documented_with_its_default() -> None:
    rows = re.findall(r"^\| `(DAYBREAK_[A-Z_]+)` \| .+ \| (.+) \|$", OPERATE, re.MULTILINE)
    assert {name for name, _ in rows} == {f"DAYBREAK_{name.upper()}" for name in Settings.model_fields}
    for name, default in rows:
        value = Settings.model_fields[name.removeprefix("DAYBREAK_").lower()].default
        if isinstance(value, bool):
            assert default == f"`{str(value).lower()}`", name
        elif isinstance(value, int | str) and value != "":
            assert default.startswith(f"`{value}`"), name


def test_every_field_of_a_request_is_documented() -> None:
    bodies = (CreateVideo, RemixVideo, EditVideo, ExtendVideo, TimelineBody, ShotBody, PinBody, SpecBody)
    names = {name for body in bodies for name in body.model_fields}
    assert len(names) >= 30
    assert {name for name in names if f"`{name}" not in API} == set()


def test_every_error_code_is_documented() -> None:
    sources = [*(ROOT / "src/daybreak/server").glob("*.py"), *(ROOT / "src/daybreak/worker").glob("*.py")]
    codes = {code for path in sources for code in error_codes(ast.parse(path.read_text(encoding="utf-8")))}
    assert {"invalid_type", "queue_full", "out_of_memory"} <= codes
    assert {code for code in codes if f"`{code}`" not in API} == set()


CODE_POSITION = {"invalid": 2, "too_many": 2, "unavailable": 2, "JobError": 0}


def error_codes(tree: ast.AST) -> Iterator[str]:
    """The codes that calls which make an error are given."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "id", "")
        if name not in {*CODE_POSITION, "ApiError"}:
            continue
        position = CODE_POSITION.get(name, len(call.args))
        said = [*call.args[position : position + 1], *(word.value for word in call.keywords if word.arg == "code")]
        yield from (node.value for node in said if isinstance(node, ast.Constant) and isinstance(node.value, str))


def test_every_option_of_generate_is_documented() -> None:
    help_text = subprocess.run(
        [sys.executable, "-m", "daybreak", "generate", "--help"], capture_output=True, text=True, check=True
    ).stdout
    options = set(re.findall(r"^ +(?:-\w, )?(--[a-z-]+)", help_text, re.MULTILINE)) - {"--help"}
    assert len(options) >= 13
    assert {option for option in options if f"`{option}" not in README} == set()


def test_the_changelogs_newest_version_is_the_packages() -> None:
    versions = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", CHANGELOG, re.MULTILINE)
    assert versions[0] == daybreak.__version__


def test_the_readmes_first_screen_has_the_two_commands_and_nothing_else_to_set_up() -> None:
    screen = README.split("\n## ", 2)
    commands = re.findall(r"^(make .*)$", screen[0] + screen[1], re.MULTILINE)
    assert [command.split()[1] for command in commands] == ["video", "test"]


def test_every_dependency_has_its_reason() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    block = project.split("\ndependencies = [", 1)[1].split("]", 1)[0]
    names = re.findall(r'"([a-z0-9-]+)>=', block)
    reasons = (ROOT / "docs" / "design.md").read_text(encoding="utf-8")
    assert len(names) >= 10
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_links_inside_the_repository_lead_somewhere() -> None:
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md")]
    links = [
        (page.name, target)
        for page in pages
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
        if not (page.parent / target).exists()
    ]
    assert links == []
