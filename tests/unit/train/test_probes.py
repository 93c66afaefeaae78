"""The probes' data: shares of cells, mirrored clips, determinism, and a resumed run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from daybreak.diorama.sampling import sample_spec
from daybreak.evaluate.framing import subject_share
from daybreak.evaluate.probes import ATTRIBUTES, CLASSES, FOLDER, ProbeConfig, load_probe, probe_pixels
from daybreak.train import probes
from daybreak.train.augment import COLOURFUL, UNKNOWN, augment, mirrored_labels, mirrored_shares
from daybreak.train.close_ups import CloseUpRecipe
from daybreak.train.loop import Loop, LoopConfig
from daybreak.train.optimiser import OptimiserConfig
from daybreak.train.probes import (
    FIRST_SCENE,
    PROBES,
    ProbeStage,
    mistakes_sheet,
    render_clip,
    train_probes,
    train_probes_live,
    view_error,
)

TINY = replace(
    PROBES,
    model=ProbeConfig(patch_width=8, width=16, scene_blocks=(1, 1), shape_blocks=(1, 1), moment_width=4),
    close_ups=CloseUpRecipe(LoopConfig(1, OptimiserConfig(1e-3, 1e-3, 1)), batch=2, fresh=1, pool=3),
    loop=LoopConfig(4, OptimiserConfig(1e-3, 1e-3, 2), save_every=2, sample_every=100, log_every=2),
    batch=2,
    fresh_clips=1,
    pool=3,
)


def test_shares_of_cells_sum_to_one_where_the_subject_is_seen() -> None:
    inside = np.zeros((4, 128, 224), bool)
    inside[0, 0:16, 0:16] = True  # the first cell, in the first of a moment's two frames
    inside[1, 16:32, 16:32] = True  # and one of the next row, in the second
    share = subject_share(inside)
    assert share.shape == (2, 112)
    assert share[0, 0] == share[0, 15] == 0.5
    assert share[0].sum() == 1
    assert share[1].sum() == 0, "a moment without the subject has no share at all"


def test_shares_do_not_depend_on_the_resolution() -> None:
    inside = np.random.default_rng(0).random((4, 128, 224)) < 0.1
    large = inside.repeat(2, 1).repeat(2, 2)
    np.testing.assert_allclose(subject_share(large), subject_share(inside), rtol=1e-6)


def test_a_clip_has_the_labels_of_its_scene() -> None:
    clip = render_clip(FIRST_SCENE)
    spec = sample_spec(FIRST_SCENE, max_subjects=1)
    assert clip.frames.shape == (8, 128, 224, 3)
    assert CLASSES["subject"][clip.labels[0]] == spec.subjects[0].kind
    assert CLASSES["camera"][clip.labels[6]] == spec.camera
    sums = clip.share.sum(1)
    assert np.isclose(sums[sums > 0], 1).all()
    assert (sums > 0).any()


def test_a_large_render_averages_to_nearly_the_small_one() -> None:
    small, large = render_clip(FIRST_SCENE + 1), render_clip(FIRST_SCENE + 1, scale=2)
    assert small.labels == large.labels
    assert np.abs(small.frames.astype(int) - large.frames).mean() < 6


def test_a_mirrored_pan_goes_the_other_way() -> None:
    words = CLASSES["camera"]
    cameras = torch.tensor([words.index("pan left"), words.index("pan right"), words.index("orbit"), UNKNOWN])
    labels = torch.zeros(4, 7, dtype=torch.long)
    labels[:, 6] = cameras
    mirrored = mirrored_labels(labels)
    assert mirrored[:, 6].tolist() == [words.index("pan right"), words.index("pan left"), words.index("orbit"), UNKNOWN]
    assert torch.equal(mirrored_labels(mirrored), labels)
    assert not mirrored[:, :6].any()


def test_pixels_shares_and_labels_are_mirrored_together() -> None:
    left = CLASSES["camera"].index("pan left")
    pixels = torch.full((8, 3, 8, 128, 224), -1.0)
    pixels[..., :112] = 1.0  # bright on the left
    share = torch.zeros(8, 4, 112)
    share[:, :, 0] = 1.0
    labels = torch.full((8, 7), left)
    seen, named, mirrored = augment(pixels, labels, torch.Generator().manual_seed(0))
    shares = mirrored_shares(share, mirrored)
    bright_left = seen[..., :56].mean((1, 2, 3, 4)) > seen[..., -56:].mean((1, 2, 3, 4))
    assert torch.equal(bright_left, shares[:, 0, 0] == 1)
    assert torch.equal(bright_left, shares[:, 0, 13] == 0)
    assert torch.equal(bright_left, named[:, 6] == left)
    assert torch.equal(bright_left, ~mirrored)
    assert 0 < int(bright_left.sum()) < 8


def test_clips_with_mixed_colours_tell_what_they_show_but_not_its_light() -> None:
    pixels = torch.tensor([-0.8, 0.0, 0.8]).reshape(1, 3, 1, 1, 1).expand(64, 3, 8, 128, 224)
    seen, named, _ = augment(pixels, torch.ones(64, 7, dtype=torch.long), torch.Generator().manual_seed(0))
    rising = (seen.mean((2, 3, 4)).diff(dim=1) > 0).all(1)
    mixed = named[:, ATTRIBUTES.index("colour")] == UNKNOWN
    assert 0.15 < mixed.float().mean() < 0.45
    assert rising[~mixed].all()
    assert not rising[mixed].all()
    hidden = torch.tensor([name in COLOURFUL for name in ATTRIBUTES])
    assert ((named == UNKNOWN) == (mixed[:, None] & hidden)).all()


def test_augmentation_is_a_function_of_its_generator() -> None:
    batch = torch.rand(2, 3, 8, 128, 224), torch.zeros(2, 7, dtype=torch.long)
    first, again = (augment(*batch, torch.Generator().manual_seed(5)) for _ in range(2))
    for one, other in zip(first, again, strict=True):
        assert torch.equal(one, other)


def test_a_resumed_run_is_the_same_as_an_uninterrupted_one(tmp_path: Path) -> None:
    whole = Loop(ProbeStage(TINY), TINY.loop, tmp_path / "whole", torch.device("cpu"))
    whole.run()
    Loop(ProbeStage(TINY), TINY.loop, tmp_path / "halves", torch.device("cpu")).run(until=2)
    second = Loop(ProbeStage(TINY), TINY.loop, tmp_path / "halves", torch.device("cpu"))
    assert second.resume()
    second.run()
    for name, tensor in whole.averaged.state_dict().items():
        assert torch.equal(second.averaged.state_dict()[name], tensor), name


def test_training_writes_probes_that_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "PROBES", replace(TINY, loop=replace(TINY.loop, num_steps=1, sample_every=1)))
    monkeypatch.setattr(probes, "CHECKED_CLIPS", 2)
    monkeypatch.setattr(probes, "lower_priority", lambda: None)
    train_probes(tmp_path / "run", tmp_path / "probes")
    assert load_probe(tmp_path / "probes").config == TINY.model
    assert (tmp_path / "run" / "sample-000001.png").exists()


class Given:
    """Two clips, whatever the step."""

    def batch(self, _step: int, size: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        clips = [render_clip(FIRST_SCENE + index) for index in range(size)]
        share = torch.from_numpy(np.stack([clip.share for clip in clips]))
        return probe_pixels([clip.frames for clip in clips]), torch.tensor([clip.labels for clip in clips]), share


def test_the_view_learns_from_clips_only_where_it_is_asked_to() -> None:
    for weight in (0.0, 1.0):
        stage = ProbeStage(replace(TINY, view_weight=weight), Given())
        loss, figures = stage.loss(0, torch.device("cpu"))
        loss.backward()  # type: ignore[no-untyped-call]
        assert ("view" in figures) == bool(weight)
        learns = [name for name, p in stage.module.view.named_parameters() if p.grad is not None and p.grad.any()]
        assert bool(learns) == bool(weight)


def test_the_view_s_error_is_a_function_of_its_generator() -> None:
    stage = ProbeStage(TINY, Given())
    pixels, labels, share = Given().batch(0, 2)
    named = view_error(stage.module.view, pixels, labels, share, torch.Generator().manual_seed(0))
    again = view_error(stage.module.view, pixels, labels, share, torch.Generator().manual_seed(0))
    assert named.isfinite()
    assert torch.equal(named, again)


def test_probes_trained_on_a_source_for_some_seconds_load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probes, "LIVE_PROBES", replace(TINY, view_weight=1.0, loop=replace(TINY.loop, num_steps=4)))
    train_probes_live(Given(), 1e-9, tmp_path / "run", tmp_path / "probes", torch.device("cpu"))
    assert load_probe(tmp_path / "probes").config == TINY.model


def test_the_probes_know_every_subject() -> None:
    assert len(CLASSES["subject"]) == 25
    shipped = load_probe(FOLDER)
    assert shipped.heads["subject"].out_features == 25


def test_the_sheet_shows_a_row_for_each_clip_with_mistakes() -> None:
    clip = render_clip(FIRST_SCENE)
    labels = torch.tensor([clip.labels] * 3)
    answers = labels.clone()
    answers[1, 0] = (answers[1, 0] + 1) % len(CLASSES["subject"])
    one, two = mistakes_sheet([clip] * 3, answers, labels), mistakes_sheet([clip] * 3, labels * 0 + 1, labels)
    assert len(ATTRIBUTES) == labels.shape[1]
    assert one.height < two.height
