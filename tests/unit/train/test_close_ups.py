"""Close-ups: that they show what the probes would cut out of the picture, and that a resumed lesson is the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from einops import rearrange

from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.framing import CROP, crops, moved, places, windows
from daybreak.evaluate.probes import CLASSES, ProbeConfig, SubjectView
from daybreak.train import close_ups
from daybreak.train.close_ups import (
    FIRST_SCENE,
    MOMENTS,
    CloseUpRecipe,
    CloseUpStage,
    close_up_pixels,
    look,
    offset_error,
    render_close_up,
)
from daybreak.train.loop import Loop, LoopConfig
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.probes import render_clip

TINY = CloseUpRecipe(
    LoopConfig(4, OptimiserConfig(1e-3, 1e-3, 2), save_every=2, sample_every=100, log_every=2), batch=3, fresh=2, pool=5
)
SMALL = ProbeConfig(patch_width=8, width=16, scene_blocks=(1, 1), shape_blocks=(1, 1), moment_width=4)


def view() -> SubjectView:
    torch.manual_seed(0)
    return SubjectView(SMALL)


@pytest.mark.parametrize("seed", [FIRST_SCENE + 1, FIRST_SCENE + 4])
def test_a_close_up_is_what_the_probes_cut_out_of_the_whole_picture(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    off = torch.tensor([0.2, -0.1, 0.15])
    monkeypatch.setattr(close_ups, "jitter", lambda *_: off)
    close_up, clip = render_close_up(seed), render_clip(seed)
    pictures = rearrange(torch.from_numpy(clip.frames).float(), "(T t) H W C -> T (t C) H W", t=2)
    mark = windows(places(torch.from_numpy(clip.share)))
    cut = crops(pictures, moved(mark, off))
    whole = rearrange(cut, "T (t C) h w -> T t h w C", t=2).round().byte().numpy()
    ours = close_up.frames.reshape(MOMENTS, 2, CROP, CROP, 3)
    # At one of the three pairs of neighbouring moments, to the rounding of a bilinear sample.
    errors = [np.abs(whole[i : i + MOMENTS].astype(int) - ours).max() for i in range(3)]
    assert min(errors) <= 1
    assert close_up.labels == clip.labels
    first = errors.index(min(errors))
    back = moved(moved(mark, off)[first : first + MOMENTS], torch.from_numpy(close_up.offset))
    torch.testing.assert_close(back, mark[first : first + MOMENTS])


def test_a_close_up_is_a_function_of_its_seed() -> None:
    first, again, other = (render_close_up(seed) for seed in (FIRST_SCENE, FIRST_SCENE, FIRST_SCENE + 2))
    assert np.array_equal(first.frames, again.frames)
    assert not np.array_equal(first.frames, other.frames)
    assert CLASSES["subject"][first.labels[0]] == sample_spec(FIRST_SCENE, max_subjects=1).subjects[0].kind


def test_every_moment_names_the_subject() -> None:
    seen = look(view(), close_up_pixels([render_close_up(FIRST_SCENE)]))
    assert {name: tuple(values.shape) for name, values in seen.logits.items()} == {
        name: (1, MOMENTS, len(CLASSES[name])) for name in ("subject", "colour", "action")
    }
    assert seen.offset.shape == (1, MOMENTS, 3)


def test_where_the_subject_is_not_seen_nothing_is_asked_of_its_offset() -> None:
    target = torch.tensor([[[0.5, -0.5, 0.0], [torch.nan] * 3]])
    offset = torch.zeros(1, 2, 3, requires_grad=True)
    error = offset_error(offset, target)
    error.backward()
    assert error.item() == pytest.approx(1 / 3)
    assert offset.grad is not None
    assert offset.grad[0, 1].tolist() == [0, 0, 0]
    assert offset_error(offset, target * torch.nan).item() == 0


def test_each_close_up_is_in_the_pool_for_a_while_and_none_waits_for_all() -> None:
    stage = CloseUpStage(CloseUpRecipe(TINY.loop, batch=4, fresh=2, pool=8), view())
    for step in range(6):
        assert len(stage._batch(step)) == 4
        first = max(0, 2 * step + 4 - 8)
        assert min(stage.close_ups) == first
        assert max(stage.close_ups) < first + 8 + 4 * 2


def test_a_resumed_lesson_is_the_same_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = Loop(CloseUpStage(TINY, view()), TINY.loop, tmp_path / "whole", torch.device("cpu"))
    whole.run()
    Loop(CloseUpStage(TINY, view()), TINY.loop, tmp_path / "halves", torch.device("cpu")).run(until=2)
    second = Loop(CloseUpStage(TINY, view()), TINY.loop, tmp_path / "halves", torch.device("cpu"))
    assert second.resume()
    second.run()
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(second.averaged.state_dict()[name], tensor), name


def test_a_lesson_measures_itself_on_held_out_combinations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(close_ups, "CHECKED", 3)
    accuracy = CloseUpStage(TINY, view()).sample(view(), tmp_path / "sheet.png")
    assert set(accuracy) == {"subject", "colour", "action"}
    assert all(0 <= share <= 1 for share in accuracy.values())
    assert (tmp_path / "sheet.png").exists()
