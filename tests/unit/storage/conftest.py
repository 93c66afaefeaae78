"""The three storages, and one small SeaweedFS server, on loopback, that all tests of the S3 one share."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.storage import Storage, StorageUnavailable, check_storage, open_storage

ACCESS, SECRET = "daybreak", "not-a-secret"


def free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [int(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


def weed_command(folder: Path, s3_port: int) -> list[str]:
    identity = {
        "name": "daybreak",
        "credentials": [{"accessKey": ACCESS, "secretKey": SECRET}],
        "actions": ["Admin", "Read", "Write", "List", "Tagging"],
    }
    (folder / "s3.json").write_text(json.dumps({"identities": [identity]}))
    names = ["master.port", "master.port.grpc", "volume.port", "volume.port.grpc"]
    names += ["filer.port", "filer.port.grpc", "s3.port.grpc"]
    options = dict(zip(names, map(str, free_ports(len(names))), strict=True)) | {
        "dir": str(folder),
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "master.telemetry": "false",
        "master.electionTimeout": "1s",
        "master.volumeSizeLimitMB": "64",
        "volume.max": "20",
        "volume.minFreeSpace": "1MiB",
        "filer.localSocket": str(folder / "filer.sock"),
        "s3.port": str(s3_port),
        "s3.port.iceberg": "0",
        "s3.port.lance": "0",
        "s3.config": str(folder / "s3.json"),
        "s3.localSocket": str(folder / "s3.sock"),
    }
    weed = Path(sys.executable).with_name("weed")
    return [str(weed), "server", "-filer", "-s3", *(f"-{name}={value}" for name, value in options.items())]


@pytest.fixture(scope="session")
def s3_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a running server whose bucket `daybreak` exists."""
    folder = tmp_path_factory.mktemp("weed")
    (port,) = free_ports(1)
    endpoint = f"http://127.0.0.1:{port}"
    environment = {**os.environ, "GOMEMLIMIT": "200MiB", "GOMAXPROCS": "1"}
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(weed_command(folder, port), stdout=log, stderr=log, env=environment, cwd=folder)
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
            patch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
            storage = open_storage(f"s3://daybreak?endpoint={endpoint}&region=us-east-1")
        for _ in range(600):
            try:
                check_storage(storage)
                break
            except StorageUnavailable:
                assert server.poll() is None, (folder / "log").read_text()[-2000:]
                time.sleep(0.1)
        else:
            pytest.fail((folder / "log").read_text()[-2000:])
        yield endpoint
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def s3_url(s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """The URL of a prefix that no other test uses; the credentials are in the environment."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    return f"s3://daybreak/{tmp_path.name}?endpoint={s3_endpoint}&region=us-east-1"


@pytest.fixture(params=["folder", "memory", "s3"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    if request.param == "s3":
        return open_storage(request.getfixturevalue("s3_url"))
    return open_storage("memory://" if request.param == "memory" else f"file://{tmp_path}/stored")
