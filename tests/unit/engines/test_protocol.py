from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from daybreak.catalog import PROCEDURAL_CARD, ModelCard
from daybreak.engines.abilities import Ability, abilities_of, needed_abilities
from daybreak.engines.protocol import refuse_unsupported
from daybreak.generation import Unsupported
from daybreak.generation_settings import GenerationSettings
from daybreak.shapes import VideoSpec
from daybreak.testing import FakeEngine
from daybreak.timeline import Pin, text_to_video

PLAIN = text_to_video("a dog", VideoSpec(24, 64, 96))
RICH = text_to_video("a dog", VideoSpec(24, 64, 96), pins=(Pin("a.png"),), negative_prompt="rain")


def test_a_plain_prompt_needs_nothing() -> None:
    assert needed_abilities(PLAIN, GenerationSettings()) == frozenset()
    refuse_unsupported(FakeEngine(frozenset()), PLAIN, GenerationSettings())


def test_all_that_would_be_left_out_is_named_at_once() -> None:
    settings = GenerationSettings(num_inference_steps=4, guidance_scale=2.0)
    with pytest.raises(
        Unsupported, match="'fake' cannot use a guidance scale or a negative prompt or a number of steps or an image"
    ):
        refuse_unsupported(FakeEngine(frozenset()), RICH, settings)


def test_a_step_cache_is_for_the_engines_that_have_one() -> None:
    of_diffusers = {"engine": "diffusers", "abilities": ["steps"]}
    cards = {
        "dawn": ModelCard("dawn", Path("dawn")),
        "wan": ModelCard("wan", Path("wan"), details={**of_diffusers, "pipeline": "WanPipeline"}),
        "mochi": ModelCard("mochi", Path("mochi"), details={**of_diffusers, "pipeline": "MochiPipeline"}),
        "diorama": PROCEDURAL_CARD,
    }
    able = {name for name, card in cards.items() if "step_cache" in abilities_of(card)}
    assert able == {"dawn", "wan"}
    with pytest.raises(Unsupported, match="'fake' cannot use a step cache"):
        refuse_unsupported(FakeEngine(frozenset()), PLAIN, GenerationSettings(step_cache=0.5))
    refuse_unsupported(FakeEngine(frozenset()), PLAIN, GenerationSettings(step_cache=0.0))


@pytest.mark.parametrize("ability", sorted(needed_abilities(RICH, GenerationSettings())))
def test_one_missing_ability_is_enough_to_refuse(ability: Ability) -> None:
    abilities = needed_abilities(RICH, GenerationSettings())
    refuse_unsupported(FakeEngine(abilities), RICH, GenerationSettings())
    with pytest.raises(Unsupported):
        refuse_unsupported(FakeEngine(abilities - {ability}), RICH, GenerationSettings())


def test_what_an_engine_can_do_is_known_without_loading_it() -> None:
    program = (
        "import sys; from daybreak.engines.abilities import abilities_of; from daybreak.catalog import ModelCard;"
        "print(sorted(abilities_of(ModelCard('m', None)))); assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "'loop'" in done.stdout
