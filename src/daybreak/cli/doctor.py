"""`daybreak doctor`: whether this machine can do the work, and what to do where it can't."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from daybreak.cli.errors import CliError, told_plainly

if TYPE_CHECKING:
    from daybreak.settings import Settings

_GIB = 2**30
_MIN_MEMORY, _MIN_DISK = 3 * _GIB, 2 * _GIB  # the built-in model at its largest size; a few hundred clips


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `fix` says what to do unless it is ok."""

    check: str
    state: Literal["ok", "warning", "wrong"]
    found: str
    fix: str = ""


def doctor(as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False) -> None:
    """Check this installation: processor, memory, disk, database, storage, models, port and keys."""
    with told_plainly():
        from daybreak.settings import load_settings

        findings = list(examine(load_settings()))
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            mark = {"ok": "ok     ", "warning": "warning", "wrong": "WRONG  "}[finding.state]
            print(f"{mark}  {finding.check:9}  {finding.found}" + (f"\n{'':20}{finding.fix}" if finding.fix else ""))
    wrong = [finding.check for finding in findings if finding.state == "wrong"]
    if wrong:
        raise CliError(f"{', '.join(wrong)}: see above for what to do")


def examine(settings: Settings) -> Iterator[Finding]:
    """What every look found; one that fails by itself is a finding too."""
    looks: list[tuple[str, Callable[[Settings], Finding | Iterator[Finding]]]] = [
        ("python", _python),
        ("torch", _torch),
        ("processor", _processor),
        ("memory", _memory),
        ("disk", _disk),
        ("database", _database),
        ("keys", _keys),
        ("storage", _storage),
        ("models", _models),
        ("catalogue", _catalogue),
        ("port", _port),
    ]
    for name, look in looks:
        try:
            found = look(settings)
            if isinstance(found, Finding):
                yield found
            else:
                yield from found
        except Exception as error:  # a look must not end the others
            yield Finding(name, "wrong", f"{type(error).__name__}: {error}", "Mend what the message names.")


def _python(_settings: Settings) -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", "ok", f"{version} at {sys.executable}")


def _torch(_settings: Settings) -> Finding:
    import torch

    device = f"CUDA device {torch.cuda.get_device_name(0)}" if torch.cuda.is_available() else "CPU only"
    return Finding("torch", "ok", f"{torch.__version__}, {device}, {torch.get_num_threads()} threads")


def _processor(_settings: Settings) -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    flags: set[str] = set()
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith(("flags", "Features")):
                flags = set(line.split(":", 1)[1].split())
                break
    bf16 = sorted(flags & {"avx512_bf16", "amx_bf16", "bf16"})
    found = f"{cores} cores, bfloat16 in hardware: {', '.join(bf16) if bf16 else 'no'}"
    if not bf16:
        return Finding("processor", "warning", found, "It works in float32, at about half the speed or less.")
    return Finding("processor", "ok", found)


def _memory(_settings: Settings) -> Finding:
    from daybreak.engines.machine import available_memory

    available = available_memory()
    found = f"{available / _GIB:.1f} GiB available"
    if available < _MIN_MEMORY:
        return Finding("memory", "warning", found, "End other programs, or ask for smaller sizes and fewer seconds.")
    return Finding("memory", "ok", found)


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir.expanduser().absolute()
    place = next(path for path in (folder, *folder.parents) if path.is_dir())
    free = shutil.disk_usage(place).free
    found = f"{free / _GIB:.1f} GiB free for {folder}"
    if not os.access(place, os.W_OK):
        return Finding("disk", "wrong", f"{place} can't be written", "Set DAYBREAK_DATA_DIR to a folder of yours.")
    if free < _MIN_DISK:
        return Finding("disk", "warning", found, "Free some space, or set DAYBREAK_DATA_DIR to a larger disk.")
    return Finding("disk", "ok", found)


def _database(settings: Settings) -> Finding:
    from daybreak.database.connect import DatabaseUnavailable, open_database

    shown = _without_password(settings.database)
    if settings.database_url is None and not (settings.data_dir.expanduser() / "daybreak.sqlite").exists():
        return Finding("database", "ok", f"{shown}, not made yet")
    try:
        db = open_database(settings.database, migrate=False)
    except DatabaseUnavailable as error:
        return Finding("database", "wrong", f"{shown}: {error}", "Check DAYBREAK_DATABASE_URL and that it is running.")
    try:
        with db.write():
            return Finding("database", "ok", f"{shown}, can be written")
    finally:
        db.close()


def _keys(settings: Settings) -> Finding:
    from daybreak.database.connect import open_database
    from daybreak.database.keys import list_keys
    from daybreak.server.listen import is_loopback

    if settings.database_url is None and not (settings.data_dir.expanduser() / "daybreak.sqlite").exists():
        valid = 0
    else:
        import time

        db = open_database(settings.database, migrate=False)
        try:
            valid = sum(key.valid(time.time()) for key in list_keys(db, None))
        finally:
            db.close()
    needed = settings.require_key or not is_loopback(settings.host)
    if needed and not valid:
        return Finding("keys", "wrong", f"none, but {settings.host} needs one", "Run: daybreak keys create")
    return Finding("keys", "ok", f"{valid} valid, {'needed' if needed else 'not needed on loopback'}")


def _storage(settings: Settings) -> Finding:
    from daybreak.storage import open_storage

    shown = settings.storage.partition("?")[0]
    storage = open_storage(settings.storage)
    key = "health/doctor"
    storage.put_bytes(key, b"ok", "text/plain")
    good = b"".join(storage.read(key, 0, 2)) == b"ok"
    storage.delete(key)
    if not good:
        return Finding("storage", "wrong", f"{shown} doesn't give back what was put", "Check DAYBREAK_STORAGE_URL.")
    return Finding("storage", "ok", f"{shown}, can be written and read")


def _models(settings: Settings) -> Iterator[Finding]:
    from daybreak.catalog import ModelUnavailable, find_model, installed_models

    wanted = {settings.model, settings.sora_model or settings.model}
    names = [card.name for card in installed_models(settings.models_dir)]
    for name in sorted({*names, *wanted}):
        use = ", the default" if name == settings.model else ""
        try:
            card = find_model(name, settings.models_dir)
        except ModelUnavailable as error:
            state: Literal["wrong", "warning"] = "wrong" if name in wanted else "warning"
            yield Finding(
                "model", state, f"{name}{use}: {error}", "Install it again, or set DAYBREAK_MODEL to another."
            )
        else:
            yield Finding("model", "ok", f"{name}{use}: whole, {card.size / 1e6:.0f} MB")


def _catalogue(settings: Settings) -> Iterator[Finding]:
    """A line for each open model that can be pulled: whether it fits here, and what would make it fit."""
    from daybreak.engines.machine import measure
    from daybreak.open_models.catalogue import catalogue
    from daybreak.open_models.memory import fit

    machine = measure()
    for entry in catalogue().values():
        width, height = entry.sizes[0]
        found = fit(entry, machine, width, height, entry.seconds)
        installed = ", installed" if (settings.models_dir / entry.name).is_dir() else ""
        clip = f"{width}x{height} for {entry.seconds:.1f} s"
        said = f"{entry.name}{installed}: {found.how} ({clip}, {entry.size / 1e9:.0f} GB to download)"
        yield Finding("can pull", "ok" if found.fits else "warning", said, found.fix)


def _port(settings: Settings) -> Finding:
    from daybreak.server.listen import CannotServe, bind

    try:
        bind(settings.host, settings.port).close()
    except CannotServe as error:
        return Finding("port", "warning", str(error), "A server may be running already; else: daybreak serve --port")
    return Finding("port", "ok", f"{settings.host}:{settings.port} is free")


def _without_password(url: str) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return "the URL can't be read"
