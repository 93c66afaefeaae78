from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from daybreak.worker.process import UNUSABLE


def test_a_worker_loads_no_web_framework_and_a_model_s_libraries_only_for_its_jobs() -> None:
    program = (
        "import json, sys, daybreak.worker.process, daybreak.executors.local; print(json.dumps(list(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stdout))
    assert "daybreak.worker.attempt" in loaded
    assert loaded & {"fastapi", "starlette", "uvicorn", "torch", "numba"} == set()


@pytest.mark.parametrize("wrong", [{"database_url": "mysql://x"}, {"storage_url": "ftp://x"}])
def test_a_worker_that_cannot_start_says_so_by_its_status(tmp_path: Path, wrong: dict[str, str]) -> None:
    program = (
        "import json, sys; from pathlib import Path; from daybreak.settings import Settings;"
        "from daybreak.worker.pace import Pace; from daybreak.worker.process import run_worker;"
        "sys.exit(run_worker(Settings(data_dir=Path(sys.argv[1]), **json.loads(sys.argv[2])), Pace()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path), json.dumps(wrong)], capture_output=True, text=True
    )
    assert done.returncode == UNUSABLE
    assert "cannot start" in done.stdout + done.stderr
