"""Figures of faults: kill -9 at 50 random moments over 100 jobs, 1,000 creates of which three in ten get no answer, a
killed job of 20 steps, and how soon a worker is free after a cancel or a delete."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from daybreak.testing import tiny_model
from dropping_proxy import DroppingProxy, send_creates
from fault_campaign import Campaign, all_videos
from live_server import LiveServer, live_server, until
from receiver import Receiver


def kill(jobs: int, kills: int, seed: int) -> bool:
    """Prints what the campaign found; whether it is nothing."""
    with tempfile.TemporaryDirectory() as folder, Receiver() as receiver:
        tiny_model(Path(folder) / "data" / "models" / "tiny")
        with live_server(Path(folder), sora_model="diorama") as server:
            figures = Campaign(server, receiver, jobs, kills, seed, pause=8.0).run()
    violations = figures.pop("violations")
    print(f"kill -9, seed {seed}, load {os.getloadavg()[0]:.1f}: {figures}")
    print(f"violations: {len(violations)}")
    for line in violations:
        print(f"  {line}")
    return not violations


def drop(creates: int, seed: int) -> bool:
    """Prints how many jobs so many creates made through a lossy proxy; whether it is exactly as many."""
    with (
        tempfile.TemporaryDirectory() as folder,
        live_server(Path(folder), sora_model="diorama", workers=0, queue_limit=2 * creates) as server,
    ):
        with DroppingProxy(server.port, 0.3, seed) as proxy:
            ids = send_creates(proxy.url, creates)
        made = {video["id"] for video in all_videos(server)}
    print(f"{creates} creates, {proxy.dropped} answers lost, load {os.getloadavg()[0]:.1f}: {len(made)} jobs")
    return len(made) == creates and set(ids) == made


def resume() -> bool:
    """Prints from which step a killed job of 20 steps on the built-in model goes on; whether it is above 0."""
    with tempfile.TemporaryDirectory() as folder, live_server(Path(folder)) as server:
        body = {"prompt": "a brown dog runs", "model": "dawn", "size": "448x256", "seconds": "4"}
        video = server.post("/v1/videos", {**body, "num_inference_steps": 20})["id"]

        def step() -> int:
            return int(server.get(f"/v1/videos/{video}")["daybreak"]["step"])

        until(lambda: step() >= 1, 300)
        time.sleep(6)  # states are saved every 5 s
        reached = step()
        server.kill_worker()
        ended = until(lambda: server.get(f"/v1/videos/{video}")["completed_at"], 600, 0.5)
        steps = [claim["step"] for claim in claims(server)]
    print(f"a job of 20 steps, killed at {reached}: went on at {steps[-1]}, load {os.getloadavg()[0]:.1f}")
    return bool(ended) and len(steps) == 2 and steps[-1] > 0


def stop(rounds: int) -> bool:
    """Prints how long a worker goes on after a cancel and after a delete; whether that is a step and 2 s at most."""
    with tempfile.TemporaryDirectory() as folder:
        tiny_model(Path(folder) / "data" / "models" / "tiny", steps=1000)
        with live_server(Path(folder), sora_model="tiny") as server:
            late = [stopped(server, how) for _ in range(rounds) for how in ("cancel", "delete")]
    for how, some in (("cancel", late[::2]), ("delete", late[1::2])):
        most, step = max(some)
        print(f"{how}: the next job began {most:.2f} s later at most, of steps of {step:.2f} s, {rounds} rounds")
    return all(seconds <= step + 2 for seconds, step in late)


def stopped(server: LiveServer, how: str) -> tuple[float, float]:
    """Seconds until the worker took the next job, and how long a step of the one that it left was."""
    body = {"prompt": "a brown dog runs", "size": "96x64"}
    video = server.post("/v1/videos", {**body, "seconds": "4"})["id"]
    until(lambda: server.get(f"/v1/videos/{video}")["daybreak"]["step"] > 3, 300, 0.02)
    began, first = time.monotonic(), server.get(f"/v1/videos/{video}")["daybreak"]["step"]
    time.sleep(2)
    step = (time.monotonic() - began) / max(1, server.get(f"/v1/videos/{video}")["daybreak"]["step"] - first)
    following = server.post("/v1/videos", {**body, "seconds": "0.2", "num_inference_steps": 1})["id"]
    request = urllib.request.Request(f"{server.url}/videos/{video}", method="DELETE")
    if how == "cancel":
        request = urllib.request.Request(f"{server.url}/videos/{video}/cancel", b"", method="POST")
    urllib.request.urlopen(request, timeout=60).close()
    began = time.monotonic()
    until(lambda: any(claim["job"] == following for claim in claims(server)), 300, 0.02)
    seconds = time.monotonic() - began
    until(lambda: server.get(f"/v1/videos/{following}")["completed_at"], 300)
    return seconds, step


def claims(server: LiveServer) -> list[dict[str, Any]]:
    """What the workers' log says of the jobs that they took."""
    return [json.loads(line) for line in server.log.read_text().splitlines() if '"claimed"' in line]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--creates", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5, help="of cancelling and of deleting; 0 leaves them out")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcomes = []
    if options.creates:
        outcomes.append(drop(options.creates, options.seed))
    if options.kills:
        outcomes.append(kill(options.jobs, options.kills, options.seed))
    if options.rounds:
        outcomes += [resume(), stop(options.rounds)]
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
