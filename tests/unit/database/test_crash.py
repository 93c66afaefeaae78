"""What a killed process had been told is done, is done; what it was in the middle of never happened."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from daybreak.database.connect import open_database
from daybreak.database.maintenance import check_integrity
from daybreak.database.projects import DEFAULT_PROJECT
from daybreak.jobs.queue import claim, list_jobs

WRITER = """
import sys
sys.path.insert(0, sys.argv[2])
from new_jobs import new_job, new_video
from daybreak.database.connect import open_database
from daybreak.jobs.queue import claim, complete, enqueue
db = open_database(sys.argv[1])
while True:
    job = enqueue(db, new_job(), 1000, None).job
    print("queued", job.id, flush=True)
    mine = claim(db, "worker", 1000, 15)
    print("claimed", mine.job.id, flush=True)
    if complete(db, mine, [new_video(job.id)], 1001, 1.0):
        print("completed", mine.job.id, flush=True)
"""


def test_every_acknowledged_write_of_a_killed_process_is_there(sqlite_url: str) -> None:
    acknowledged: dict[str, str] = {}
    for rounds in (1, 2, 3):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, sqlite_url, str(Path(__file__).parents[2])],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert writer.stdout is not None
        for _ in range(10 * rounds + rounds):  # another place in the loop each time
            status, job_id = writer.stdout.readline().split()
            acknowledged[job_id] = status
        writer.kill()
        for line in writer.stdout:  # said before the end came
            status, job_id = line.split()
            acknowledged[job_id] = status
        writer.wait()
        writer.stdout.close()
    database = open_database(sqlite_url)
    assert check_integrity(database) == []
    there = {job.id: job for job in list_jobs(database, DEFAULT_PROJECT, limit=10_000).jobs}
    reached = {"queued": 0, "claimed": 1, "in_progress": 1, "completed": 2}
    for job_id, status in acknowledged.items():
        assert reached[there[job_id].status] >= reached[status]
    assert len(there) <= len(acknowledged) + 3  # at most one of each process was not acknowledged in time
    left = [job for job in there.values() if job.status != "completed"]
    assert len(left) <= 2 * 3
    for _ in left:
        assert claim(database, "next", 2_000, 15) is not None  # what was begun goes on
    database.close()
