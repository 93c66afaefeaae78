"""Tiny checkpoints as installed models, for the tests of the engines that run them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from daybreak.catalog import ModelCard, find_model
from daybreak.open_models.install import import_folder

Installed = Callable[[str], ModelCard]


@pytest.fixture(scope="module")
def one_thread() -> Iterator[None]:
    """Tensors this small are slower on several threads, and much slower where other tests run beside."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The card of a tiny checkpoint by its name: built and imported when it is first asked for."""
    root = tmp_path_factory.mktemp("checkpoints")

    def install(name: str) -> ModelCard:
        if not (root / "models" / name).exists():
            from tiny_checkpoints import build

            import_folder(build(name, root / "built" / name), name, root / "models", {}, lambda _done, _total: None)
        return find_model(name, root / "models")

    return install
