"""A checkpoint comes from the Hugging Face hub, a mirror of it, or the cache that other tools share.

The hub says which files there are, how long each is and what its checksum is; the bytes come over plain HTTP with
ranges, so that a download that was cut off goes on where it stopped. (`hf_hub_download` begins again.)
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from daybreak.durable import full_disk_told
from daybreak.open_models.catalogue import Entry
from daybreak.open_models.install import (
    OnBytes,
    check_name,
    check_room,
    downloads_dir,
    import_folder,
    install,
    make_card,
)
from daybreak.open_models.layout import INDEX_FILE, check_layout, read_index, read_json, wanted_files
from daybreak.open_models.weights import UnusableModel

if TYPE_CHECKING:
    from huggingface_hub import HfApi

_PIECE = 2**20
_TRIES = 5
_REPOSITORY = re.compile(r"[\w.-]{1,96}/[\w.-]{1,96}")


class CannotPull(Exception):  # noqa: N818 - reads as a sentence where it is raised
    """A download that cannot be done, or was cut off; what came is kept. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model is: a repository and revision, and what stands for the hub; None is HF_ENDPOINT or the hub."""

    repository: str
    revision: str = "main"
    mirror: str | None = None
    offline: bool = False

    def __post_init__(self) -> None:
        if not _REPOSITORY.fullmatch(self.repository):
            raise ValueError(f"a repository is OWNER/NAME, not {self.repository!r}")
        if self.mirror is not None and not self.mirror.startswith(("https://", "http://")):
            raise ValueError(f"a mirror is a URL such as https://HOST, not {self.mirror!r}")


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """A file as the hub describes it: `digest` is the SHA-256 of a large file, the git id of a small one."""

    name: str
    size: int
    digest: str

    @property
    def part(self) -> str:
        """The name under which it is while it comes: another version of it is another file."""
        return f"{self.name}.{self.digest[:16]}.part"


def pull(
    source: Source, name: str, models_dir: Path, on_bytes: OnBytes, entry: Entry | None = None, *, replace: bool = False
) -> Path:
    """The installed folder of a model of the hub.

    Raises CannotPull when it can't be had, UnusableModel when it can't be run, OutOfSpace; in each case nothing is
    installed, and what came is there for the next try.
    """
    check_name(name, models_dir, replace=replace)
    try:
        from huggingface_hub.constants import is_offline_mode
    except ImportError as error:
        raise CannotPull("pulling needs the extra: pip install 'daybreak[diffusers]'") from error
    from_ = {"repository": source.repository, "revision": source.revision}
    details: dict[str, Any] = {"source": from_} | ({"catalogue": entry.name} if entry else {})
    if source.offline or is_offline_mode():
        known = {**(entry.card() if entry else {}), **details}
        return import_folder(_cached(source), name, models_dir, known, on_bytes, replace=replace)
    staged = downloads_dir(models_dir) / name
    with _alone(staged):
        hub = _Hub(source)
        files = hub.files(staged)
        total = sum(file.size for file in files)
        check_room(staged, total - sum(_there(staged, file) for file in files))
        progress = _Progress(on_bytes, total)
        for file in files:
            with full_disk_told(staged):
                hub.fetch(file, staged, progress)
        _drop_others(staged, {file.name for file in files})
        from_["commit"] = hub.commit
        return install(staged, name, models_dir, make_card(staged, check_layout(staged), details, entry))


@contextlib.contextmanager
def _alone(staged: Path) -> Iterator[None]:
    """Nobody else downloads the same model within the block. Raises CannotPull when somebody does."""
    with staged.with_name(f"{staged.name}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotPull(f"{staged.name} is being pulled by another command already") from error
        yield


class _Hub:
    """One repository at one commit."""

    def __init__(self, source: Source) -> None:
        from huggingface_hub import HfApi
        from huggingface_hub.utils._headers import build_hf_headers

        # The owner's token is for the hub that it is from, not for whatever mirror is named on a command line.
        token = False if source.mirror else None
        self._source, self._token = source, token
        self._endpoint = source.mirror.rstrip("/") if source.mirror else None
        self._api: HfApi = HfApi(endpoint=self._endpoint)
        self._headers = build_hf_headers(token=token, library_name="daybreak")
        self.commit = source.revision

    def files(self, staged: Path) -> list[RemoteFile]:
        """The files that the model needs. Raises CannotPull, UnusableModel."""
        listed = self._listed()
        if INDEX_FILE not in listed:
            raise UnusableModel(f"{self._source.repository} has no {INDEX_FILE}: it is not in the layout of diffusers")
        self.fetch(listed[INDEX_FILE], staged, _Progress(lambda _done, _total: None, 1))
        _, components = read_index(read_json(staged / INDEX_FILE, INDEX_FILE))
        wanted = [INDEX_FILE]
        for part, class_name in components.items():
            names = [file.partition("/")[2] for file in listed if file.startswith(f"{part}/")]
            wanted += wanted_files(part, [each for each in names if "/" not in each], class_name)
        return [listed[file] for file in sorted({*wanted})]

    def _listed(self) -> dict[str, RemoteFile]:
        from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

        repository = self._source.repository
        try:
            info = self._api.model_info(
                repository, revision=self._source.revision, files_metadata=True, token=self._token
            )
        except GatedRepoError as error:
            page = f"https://huggingface.co/{repository}"
            raise CannotPull(f"accept the licence of {repository} at {page} first, then set HF_TOKEN") from error
        except RepositoryNotFoundError as error:
            raise CannotPull(f"there is no {repository} at {self._api.endpoint}, or it needs HF_TOKEN") from error
        except (HfHubHTTPError, httpx2.HTTPError, OSError) as error:
            if getattr(getattr(error, "response", None), "status_code", None) == 404:
                raise CannotPull(f"there is no {repository} at {self._api.endpoint}") from error
            raise CannotPull(
                f"{self._api.endpoint} can't be asked ({_short(error)}): try again, name a --mirror, take --offline "
                "what the cache has, or `daybreak models import` a folder"
            ) from error
        self.commit = info.sha or self._source.revision
        found = {}
        for sibling in info.siblings or []:
            large = sibling.lfs
            digest = large["sha256"] if isinstance(large, dict) else getattr(large, "sha256", None)
            if (digest or sibling.blob_id) and sibling.size is not None and _safe(sibling.rfilename):
                found[sibling.rfilename] = RemoteFile(sibling.rfilename, sibling.size, digest or str(sibling.blob_id))
        return found

    def fetch(self, file: RemoteFile, staged: Path, progress: _Progress) -> None:
        """Returns when the file is there with its checksum. Raises CannotPull."""
        target, part = staged / file.name, staged / file.part
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_file() and target.stat().st_size == file.size and digest_of(target, file) == file.digest:
            progress.add(file.size)
            return
        cached = self._in_cache(file)
        if cached is not None:
            shutil.copyfile(cached, part)
        for again in range(_TRIES):
            before = part.stat().st_size if part.exists() else 0
            try:
                if before < file.size or not part.exists():
                    self._receive(file, part, progress)
                break
            except httpx2.HTTPError as error:
                came = part.stat().st_size - before if part.exists() else 0
                if again == _TRIES - 1 or (again and not came):
                    raise CannotPull(
                        f"{file.name} was cut off ({_short(error)}): the same command goes on from there"
                    ) from error
        if digest_of(part, file) != file.digest:
            part.unlink()
            raise CannotPull(f"{file.name} came damaged, its checksum is another: run the same command again")
        progress.reach(file.size)
        part.replace(target)

    def _receive(self, file: RemoteFile, part: Path, progress: _Progress) -> None:
        """Appends what is missing. Raises httpx2.HTTPError when the connection ends early."""
        from huggingface_hub import hf_hub_url

        url = hf_hub_url(self._source.repository, file.name, revision=self.commit, endpoint=self._endpoint)
        start = part.stat().st_size if part.exists() else 0
        headers = {**self._headers, "Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        timeout = httpx2.Timeout(60.0, connect=15.0)
        with (
            httpx2.Client(follow_redirects=True, timeout=timeout) as client,
            client.stream("GET", url, headers=headers) as answer,
        ):
            answer.raise_for_status()
            resumed = answer.status_code == 206
            with part.open("ab" if resumed else "wb") as written:
                progress.began(start if resumed else 0)
                for piece in answer.iter_raw():
                    written.write(piece)
                    progress.came(len(piece))
        if part.stat().st_size < file.size:
            raise httpx2.ReadError(f"{part.stat().st_size} of {file.size} bytes came")

    def _in_cache(self, file: RemoteFile) -> Path | None:
        """The file in the cache that other tools share, if it is there."""
        from huggingface_hub import try_to_load_from_cache

        found: Any = try_to_load_from_cache(self._source.repository, file.name, revision=self.commit)
        path = Path(found) if isinstance(found, str) else None
        return path if path is not None and path.is_file() and path.stat().st_size == file.size else None


class _Progress:
    """Bytes of finished files and of the one that comes; what is told never goes down."""

    def __init__(self, tell: OnBytes, total: int) -> None:
        self._tell, self._total = tell, max(total, 1)
        self._finished = self._current = self._told = 0

    def add(self, size: int) -> None:
        self._finished += size
        self._say()

    def began(self, size: int) -> None:
        self._current = size
        self._say()

    def came(self, size: int) -> None:
        self._current += size
        self._say()

    def reach(self, size: int) -> None:
        self._current = 0
        self.add(size)

    def _say(self) -> None:
        self._told = max(self._told, min(self._finished + self._current, self._total))
        self._tell(self._told, self._total)


def digest_of(path: Path, file: RemoteFile) -> str:
    """The digest of a file's bytes, of the kind that `file` has: SHA-256, or git's own."""
    if len(file.digest) == 64:
        digest = hashlib.sha256()
    else:
        digest = hashlib.sha1(usedforsecurity=False)
        digest.update(f"blob {path.stat().st_size}\0".encode())
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            digest.update(piece)
    return digest.hexdigest()


def _cached(source: Source) -> Path:
    """The snapshot in the shared cache. Raises CannotPull."""
    from huggingface_hub import snapshot_download

    try:
        return Path(snapshot_download(source.repository, revision=source.revision, local_files_only=True))
    except (OSError, ValueError) as error:
        raise CannotPull(
            f"the cache has no {source.repository} at {source.revision}: pull it once without --offline, or "
            "`daybreak models import` a folder"
        ) from error


def _there(staged: Path, file: RemoteFile) -> int:
    """Bytes of a file that need not come any more."""
    for path in (staged / file.name, staged / file.part):
        if path.is_file():
            return min(path.stat().st_size, file.size)
    return 0


def _drop_others(staged: Path, wanted: set[str]) -> None:
    """Removes what is left of other versions, so that only what was checked is installed."""
    for path in list(staged.rglob("*")):
        if path.is_file() and path.relative_to(staged).as_posix() not in wanted:
            path.unlink()


def _safe(name: str) -> bool:
    """Whether a name from the hub stays within its folder."""
    parts = name.split("/")
    return all(part and part not in {".", ".."} and "\\" not in part for part in parts)


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
