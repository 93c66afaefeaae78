from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from daybreak.open_models.loras import install_lora
from serving import Served

BODY = {"model": "dawn", "prompt": "a dog"}


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    served = Served(tmp_path)
    tensors = {f"x.lora_{part}.weight": np.zeros((2, 2), np.float32) for part in "AB"}
    save_file(tensors, tmp_path / "ink.safetensors")
    for name, base in (("ink", "dawn"), ("snow", "dawn"), ("far", "wan")):
        facts = {"trigger_words": ["ukiyo"], "description": "ink on paper"}
        models_dir = served.context.settings.models_dir
        install_lora(tmp_path / "ink.safetensors", name, models_dir, base, facts, lambda _done, _total: None)
    yield served
    served.client.close()
    served.db.close()


def settings(served: Served, video: Any) -> dict[str, Any]:
    plain: dict[str, Any] = served.job(video["id"]).settings
    return plain


def test_a_model_lists_those_that_it_can_use(served: Served) -> None:
    dawn = served.client.get("/v1/models/dawn").json()["daybreak"]
    ink = {"name": "ink", "description": "ink on paper", "trigger_words": ["ukiyo"]}
    assert dawn["loras"] == [ink, {**ink, "name": "snow"}]
    assert "lora" in dawn["abilities"]
    assert served.client.get("/v1/models/diorama").json()["daybreak"]["loras"] == []


def test_names_and_objects_reach_the_job(served: Served) -> None:
    asked = {**BODY, "loras": ["ink", {"name": "snow", "strength": "-0.5"}]}
    expected = [{"name": "ink", "strength": 1.0}, {"name": "snow", "strength": -0.5}]
    assert settings(served, served.post("/v1/videos", asked))["loras"] == expected
    fields = [*BODY.items(), ("loras[][name]", "ink"), ("loras[][strength]", "1"), ("loras[][name]", "snow")]
    made = settings(served, served.form("/v1/videos", [*fields, ("loras[][strength]", "-0.5")]).json())
    assert made["loras"] == expected
    assert settings(served, served.form("/v1/videos", {**BODY, "loras": "ink"}).json())["loras"] == expected[:1]
    for nothing in ([], None):
        assert "loras" not in settings(served, served.post("/v1/videos", {**BODY, "loras": nothing}))


def test_a_remix_takes_them_too(served: Served) -> None:
    job = served.finished()
    made = served.post(f"/v1/videos/{job.id}/remix", {"prompt": "at night", "model": "dawn", "loras": ["ink"]})
    assert settings(served, made)["loras"] == [{"name": "ink", "strength": 1.0}]


@pytest.mark.parametrize(
    ("loras", "code", "param", "words"),
    [
        (["nonsense"], "lora_unavailable", "loras", "choose from ink, snow"),
        (["far"], "lora_unavailable", "loras", "is for the model 'wan', not for 'dawn'"),
        (["../far"], "invalid_value", "loras", "no LoRA can be called"),
        (["ink", "ink"], "invalid_value", "loras", "named twice"),
        ([{"name": "ink", "strength": 5}], "decimal_above_max_value", "loras[0].strength", "at most 4"),
        ([{"name": "ink", "weight": 1}], "unknown_parameter", "loras[0].weight", "weight"),
        ([{"strength": 1}], "missing_required_parameter", "loras[0].name", "name"),
        ([3], "invalid_type", "loras[0]", "an object"),
        ({"name": "ink"}, "invalid_type", "loras", "an array"),
        (["ink"] * 9, "array_above_max_length", "loras", "maximum length 8"),
    ],
)
def test_what_cannot_be_is_refused_in_words(served: Served, loras: Any, code: str, param: str, words: str) -> None:
    error = served.error(served.client.post("/v1/videos", json={**BODY, "loras": loras}))
    assert (error["code"], error["param"]) == (code, param)
    assert words in error["message"]


def test_a_model_without_any_refuses_the_field(served: Served) -> None:
    error = served.error(served.client.post("/v1/videos", json={**BODY, "model": "diorama", "loras": ["ink"]}))
    assert (error["code"], error["param"]) == ("unsupported_by_model", "loras")
    assert "cannot use a LoRA" in error["message"]


def test_a_damaged_one_is_refused_without_its_path(served: Served, tmp_path: Path) -> None:
    folder = served.context.settings.models_dir.parent / "loras" / "ink"
    (folder / "lora.safetensors").unlink()
    message = served.error(served.client.post("/v1/videos", json={**BODY, "loras": ["ink"]}))["message"]
    assert "is damaged (No such file" in message
    assert str(tmp_path) not in message
    shutil.rmtree(folder)
    assert served.error(served.client.post("/v1/videos", json={**BODY, "loras": ["ink"]}))["code"] == "lora_unavailable"
