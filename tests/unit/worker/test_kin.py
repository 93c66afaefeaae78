from __future__ import annotations

import os
import subprocess
import sys
import time

from daybreak.jobs.queue import claim
from daybreak.worker.kin import is_gone, new_owner
from daybreak.worker.loop import Worker
from working import Place

TELL = "from daybreak.worker.kin import new_owner; print(new_owner())"


def owner_that_is_gone() -> str:
    return subprocess.run([sys.executable, "-c", TELL], capture_output=True, text=True, check=True).stdout.strip()


def test_names_are_unique_and_a_living_process_is_not_gone() -> None:
    first, second = new_owner(), new_owner()
    assert first != second
    assert not is_gone(first)
    assert f":{os.getpid()}:" in first


def test_a_process_that_ended_is_gone() -> None:
    assert is_gone(owner_that_is_gone())


def test_nothing_is_said_of_other_machines_or_other_names() -> None:
    gone = owner_that_is_gone()
    machine, pid, token = gone.rsplit(":", 2)
    for other in ("", "one", "a:b", f"elsewhere:{pid}:{token}", f"{machine}:x:{token}", f"{machine}:{10**30}:{token}"):
        assert not is_gone(other), other


def test_the_job_of_a_killed_worker_does_not_wait_for_its_lease(place: Place) -> None:
    job_id = place.submit()
    assert claim(place.db, owner_that_is_gone(), time.time(), lease=3600)
    assert Worker(place.tools(), new_owner()).work_once()
    job = place.job(job_id)
    assert (job.status, job.attempts, job.fence) == ("completed", 2, 2)


def test_the_job_of_a_living_worker_stays_its_own(place: Place) -> None:
    place.submit()
    assert claim(place.db, new_owner(), time.time(), lease=3600)
    assert not Worker(place.tools(), new_owner()).work_once()
