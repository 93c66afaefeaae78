"""An engine's state in object storage: what a job goes on from when its worker is gone."""

from __future__ import annotations

import hashlib
import json
import struct
import tempfile
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load, save
from sqlalchemy import select

from daybreak.database.connect import Database, DatabaseUnavailable
from daybreak.database.tables import jobs
from daybreak.generation import State
from daybreak.jobs.job import Claim
from daybreak.storage import Damaged, Missing, Storage, StorageUnavailable

_DIGEST = "sha256"  # in the file's own metadata: of all its arrays, so that a damaged one is not gone on from


def checkpoint_key(claim: Claim) -> str:
    """Where this attempt saves; another attempt has another key, so a worker taken for dead harms nobody."""
    return f"checkpoints/{claim.job.id}/{claim.fence}.safetensors"


def store_state(storage: Storage, claim: Claim, state: State) -> str:
    """The key under which the state is now safely stored. Raises OutOfSpace, StorageUnavailable, OSError."""
    arrays = {name: np.ascontiguousarray(array) for name, array in state.items()}
    key = checkpoint_key(claim)
    storage.put_bytes(key, save(arrays, {_DIGEST: _digest(arrays)}), "application/octet-stream")
    return key


def load_state(storage: Storage, key: str) -> State | None:
    """The state under a key; None when there is none that can be trusted: the job then starts from the beginning."""
    try:
        with tempfile.TemporaryDirectory(prefix="daybreak-state-") as folder:
            path = Path(folder) / "state.safetensors"
            storage.get_file(key, path)
            content = path.read_bytes()
        state = load(content)
        (length,) = struct.unpack("<Q", content[:8])
        said = json.loads(content[8 : 8 + length])["__metadata__"][_DIGEST]
    except (Missing, Damaged, StorageUnavailable, SafetensorError, OSError, LookupError, ValueError):
        return None
    return state if _digest(state) == said else None


def forget_states(db: Database, storage: Storage, claim: Claim) -> None:
    """Removes the states that this attempt found or saved, but for the one that the job would now go on from.

    What cannot be removed at the moment, a sweep finds later.
    """
    try:
        with db.read() as connection:
            kept = connection.scalar(select(jobs.c.checkpoint_key).where(jobs.c.sequence == claim.job.sequence))
        for key in {checkpoint_key(claim), claim.job.checkpoint_key} - {kept, None}:
            storage.delete(str(key))
    except (DatabaseUnavailable, StorageUnavailable, OSError):
        return


def _digest(state: State) -> str:
    total = hashlib.sha256()
    for name in sorted(state):
        array = np.ascontiguousarray(state[name])
        total.update(f"{name} {array.dtype} {array.shape}".encode())
        total.update(array.tobytes())
    return total.hexdigest()
