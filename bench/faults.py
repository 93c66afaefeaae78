"""kill -9 at 50 random moments over 100 jobs, and 1,000 creates of which three in ten get no answer: prints figures."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from daybreak.testing import tiny_model
from dropping_proxy import DroppingProxy, send_creates
from fault_campaign import Campaign, all_videos
from live_server import live_server
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--creates", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    outcomes = []
    if options.creates:
        outcomes.append(drop(options.creates, options.seed))
    if options.kills:
        outcomes.append(kill(options.jobs, options.kills, options.seed))
    return 0 if all(outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
