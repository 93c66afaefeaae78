from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from daybreak.database.aliases import set_alias
from daybreak.server.errors import ApiError
from daybreak.server.models import SORA_NAMES, resolve_model
from serving import Served


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    yield served
    served.client.close()
    served.db.close()


def test_every_name_is_listed_soras_first(served: Served) -> None:
    models = served.client.get("/v1/models").json()
    ids = [model["id"] for model in models["data"]]
    assert models["object"] == "list"
    assert set(ids[: len(SORA_NAMES)]) == set(SORA_NAMES)
    assert {"dawn", "diorama"} <= set(ids)
    for model in models["data"]:
        assert (model["object"], model["owned_by"], model["shutdown_date"]) == ("model", "daybreak", None)
    sora = served.client.get("/v1/models/sora-2").json()
    assert sora["daybreak"]["alias"] is True
    assert sora["daybreak"]["model"] == "dawn"
    assert {"loop", "shots"} <= set(sora["daybreak"]["abilities"])
    assert sora["daybreak"]["native_sizes"][0] == "448x256"
    assert sora["daybreak"]["licence"] == "Apache-2.0"
    assert served.client.get("/v1/models/diorama").json()["daybreak"]["procedural"] is True


def test_an_unknown_one_is_not_found(served: Served) -> None:
    for path in ("nonsense", "%00", "sora-3"):
        assert served.error(served.client.get(f"/v1/models/{path}"), 404)["code"] == "model_not_found"


def test_the_owner_says_what_names_mean(tmp_path: Path) -> None:
    served = Served(tmp_path / "named", sora_model="diorama")
    assert resolve_model(served.context, "sora-2-pro").name == "diorama"
    assert resolve_model(served.context, "dawn").name == "dawn"
    set_alias(served.db, "sora-2", "dawn", served.now)
    set_alias(served.db, "house", "diorama", served.now)
    assert resolve_model(served.context, "sora-2").name == "dawn"
    assert resolve_model(served.context, "house").name == "diorama"
    assert served.client.get("/v1/models/house").json()["daybreak"]["model"] == "diorama"
    with pytest.raises(ApiError, match="does not exist") as unknown:
        resolve_model(served.context, "nonsense")
    assert unknown.value.status == 404
    served.client.close()
    served.db.close()


def test_a_model_that_is_not_whole_is_told_without_paths(served: Served) -> None:
    folder = served.settings.models_dir / "torn"
    folder.mkdir(parents=True)
    (folder / "model.json").write_text("{}")
    shown = served.client.get("/v1/models/torn").json()
    assert shown["daybreak"]["installed"] is False
    with pytest.raises(ApiError) as refused:
        resolve_model(served.context, "torn")
    for text in (json.dumps(shown), refused.value.message):
        assert str(served.folder) not in text
    assert refused.value.code == "model_unavailable"
