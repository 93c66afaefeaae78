"""The engines that a worker keeps: weights stay in memory from job to job."""

from __future__ import annotations

import gc
import sys
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from pathlib import Path

from daybreak.catalog import CARD_FILE, ModelCard, ModelUnavailable, find_model
from daybreak.engines.produce import open_engine
from daybreak.engines.protocol import Engine


class Shelf:
    """At most `room` engines, the one that was used longest ago goes first."""

    def __init__(self, models_dir: Path, open_: Callable[[ModelCard], Engine] | None = None, room: int = 2) -> None:
        self._models_dir, self._room = models_dir, room
        self._open: Callable[[ModelCard], Engine] = (
            partial(open_engine, models_dir=models_dir) if open_ is None else open_
        )
        self._engines: OrderedDict[object, Engine] = OrderedDict()

    def take(self, name: str) -> Engine:
        """The engine of a model, opened anew when the model's files are others now. Raises ModelUnavailable."""
        card = find_model(name, self._models_dir)
        key = (name, _versions(card))
        if key in self._engines:
            self._engines.move_to_end(key)
            return self._engines[key]
        # Not before the new one is open: room is made for it, but a card that is wrong costs nobody their weights.
        engine = self._open(card)
        for old in [old for old in self._engines if isinstance(old, tuple) and old[0] == name]:
            del self._engines[old]
        while len(self._engines) >= self._room:
            self._engines.popitem(last=False)
        self._engines[key] = engine
        return engine

    def clear(self) -> None:
        """Gives all their memory back."""
        self._engines.clear()
        gc.collect()
        torch = sys.modules.get("torch")
        if torch is not None and torch.cuda.is_available():
            torch.cuda.empty_cache()


def _versions(card: ModelCard) -> tuple[tuple[str, int, int], ...]:
    """What changes when a model is installed again."""
    files = [card.path / CARD_FILE, *card.files] if card.path else []
    try:
        return tuple((file.name, status.st_size, status.st_mtime_ns) for file in files for status in [file.stat()])
    except OSError as error:
        raise ModelUnavailable(f"{error.filename} has just gone: install the model {card.name!r} again") from error
