"""20,000 requests made up from the OpenAPI document: prints how often each status came, and what should not have."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from fuzzing import fuzz
from live_server import live_server


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        live_server(Path(folder), sora_model="diorama", workers=0, queue_limit=200) as server,
    ):
        made = server.post("/v1/videos", {"prompt": "a brown dog", "size": "96x64", "seconds": "0.5"})
        began = time.monotonic()
        fuzzed = fuzz(server.root, options.requests, options.seed, {"video_id": made["id"]})
    print(f"{fuzzed.total} requests in {time.monotonic() - began:.0f} s: {dict(sorted(fuzzed.statuses.items()))}")
    print(f"{fuzzed.waited} still waited for after 5 s; of 500 or above, or without an envelope: {len(fuzzed.wrong)}")
    for line in fuzzed.wrong[:50]:
        print(f"  {line}")
    return 1 if fuzzed.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
