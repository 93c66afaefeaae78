"""Scores, what is shown as good and bad, and the whole report with random weights."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from daybreak.checkpoint import Components
from daybreak.evaluate import reconstruction
from daybreak.evaluate.asked import Asked
from daybreak.evaluate.clips import Sampling
from daybreak.evaluate.probes import ATTRIBUTES, Probe
from daybreak.evaluate.report import (
    Judged,
    Score,
    evaluate,
    good_and_bad,
    in_world_words,
    model_sampling,
    peak_memory,
    score,
)
from daybreak.generation_settings import GenerationSettings

FRAMES = np.zeros((5, 8, 14, 3), np.uint8)
FOUND = dict.fromkeys(ATTRIBUTES, "x")


def judged(prompt: str, right: int, wrong: int) -> Judged:
    names = ATTRIBUTES[: right + wrong]
    words = ["x"] * right + ["y"] * wrong
    return Judged(Asked(prompt, 0, dict(zip(names, words, strict=True))), FOUND, FRAMES)


def test_only_what_was_asked_is_scored() -> None:
    scores = score([({"subject": "x", "colour": "y"}, FOUND), ({"subject": "x"}, FOUND)])
    assert scores["subject"] == Score(2, 2)
    assert scores["colour"] == Score(0, 1)
    assert scores["action"] == Score(0, 0)
    assert scores["overall"] == Score(2, 3)
    assert scores["overall"].accuracy == pytest.approx(2 / 3)
    assert scores["action"].accuracy is None


def test_good_is_all_right_and_bad_is_the_smallest_share() -> None:
    clips = [judged("half", 1, 1), judged("easy", 1, 0), judged("none", 0, 2), judged("hard", 4, 0)]
    good, bad = good_and_bad(clips, 2)
    assert [one.asked.prompt for one in good] == ["hard", "easy"]
    assert [one.asked.prompt for one in bad] == ["none", "half"]


def test_peak_memory_grows_with_what_is_held() -> None:
    before = peak_memory()
    assert before is not None
    held = np.ones(300_000_000, np.uint8)
    after = peak_memory()
    assert after is not None
    assert held.all()
    assert 20_000_000 < after < 10**11
    assert after >= before


def test_the_report_of_a_random_model_is_whole(
    components: Components, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconstruction, "WINDOW_FRAMES", 9)  # the VAE on fewer frames
    seen: list[tuple[int, int]] = []
    done = evaluate("tiny", components, probe, 1, on_progress=lambda *state: seen.append(state))
    plain = json.loads(json.dumps(done.report.to_dict()))
    assert plain["model"] == "tiny"
    assert plain["sampling"] == {"num_inference_steps": 2, "guidance_scale": 3.0, "batch": 8, "enhanced": False}
    assert plain["captions"]["subject"]["total"] == 1
    assert plain["ceiling"]["environment"]["total"] == 1
    assert plain["reconstructed"]["overall"]["total"] == plain["ceiling"]["overall"]["total"]
    assert 0 < plain["hand_written"]["overall"]["total"] <= 7
    assert plain["vae"]["clips"] == plain["first_frame"]["clips"] == 1
    assert plain["cost"]["seconds_per_clip"] > 0
    assert seen == [(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)]
    assert len(done.good) + len(done.bad) == 2
    assert len(done.pinned) == 1


def test_settings_of_the_caller_win(components: Components) -> None:
    assert model_sampling(components, GenerationSettings()) == Sampling(2, 3.0)
    assert model_sampling(components, GenerationSettings(0, 7, 1.5)) == Sampling(7, 1.5)


def test_a_model_of_the_world_is_judged_as_it_is_used(components: Components) -> None:
    worldly = replace(components, card={**components.card, "world": "diorama"})
    assert model_sampling(worldly, GenerationSettings()).enhanced
    assert not model_sampling(worldly, GenerationSettings(enhance_prompt=False)).enhanced
    assert in_world_words(Asked("my puppy sleeps in the snow at night", 0, {})).startswith("a")
    assert in_world_words(Asked("my puppy sleeps in the snow at night", 0, {})).endswith("in a snowfield at night")


def test_no_captions_are_refused(components: Components, probe: Probe) -> None:
    with pytest.raises(ValueError, match="not 0"):
        evaluate("tiny", components, probe, 0)
