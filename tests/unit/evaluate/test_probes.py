"""The probes' input, network and file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from daybreak.catalog import ModelUnavailable
from daybreak.diorama.scene import SceneSpec, Subject
from daybreak.evaluate import probes
from daybreak.evaluate.framing import crops, moved, places, windows
from daybreak.evaluate.probes import (
    ATTRIBUTES,
    CLASSES,
    PROBE_FRAMES,
    Probe,
    ProbeConfig,
    ShiftBlock,
    channels_first,
    classify,
    join_cells,
    load_probe,
    mirrored_logits,
    probe_frames,
    probe_pixels,
    readable_labels,
    save_probe,
    shift,
)

TINY = ProbeConfig(patch_width=8, width=16, scene_blocks=(1, 1), shape_blocks=(1, 1), moment_width=4)
SPEC = SceneSpec((Subject("dog", "brown", action="run"),), time_of_day="sunset", camera="pan left")


@pytest.fixture
def probe() -> Probe:
    torch.manual_seed(0)
    return Probe(TINY).eval()


def test_labels_are_the_scene_and_its_first_subject() -> None:
    assert readable_labels(SPEC) == {
        "subject": "dog", "colour": "brown", "action": "run", "environment": "meadow",
        "time_of_day": "sunset", "weather": "clear", "camera": "pan left",
    }  # fmt: skip


@pytest.mark.parametrize("style", ["noir", "sepia"])
def test_a_style_without_colours_hides_colour_and_light(style: str) -> None:
    assert set(ATTRIBUTES) - set(readable_labels(replace(SPEC, style=style))) == {"colour", "time_of_day"}


def test_frames_are_averaged_over_whole_blocks() -> None:
    clip = np.zeros((49, 256, 448, 3), np.uint8)
    clip[3, 0:2, 2:4, 1] = 200  # one block of the second frame that the probes see
    clip[3, 2, 0, 0] = 160  # one pixel of another: a quarter
    clip[1] = 255  # not looked at
    expected = np.zeros((8, 128, 224, 3), np.uint8)
    expected[1, 0, 1, 1], expected[1, 1, 0, 0] = 200, 40
    np.testing.assert_array_equal(probe_frames(clip), expected)


def test_frames_at_the_probes_own_size_are_kept() -> None:
    clip = np.random.default_rng(0).integers(0, 256, (49, 128, 224, 3)).astype(np.uint8)
    np.testing.assert_array_equal(probe_frames(clip), clip[list(PROBE_FRAMES)])


@pytest.mark.parametrize("shape", [(49, 448, 256, 3), (45, 256, 448, 3), (49, 120, 224, 3)])
def test_other_clips_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="probes read"):
        probe_frames(np.zeros(shape, np.uint8))


def test_pixels_span_minus_one_to_one() -> None:
    clip = np.zeros((8, 128, 224, 3), np.uint8)
    clip[0, 0, 0] = (0, 255, 0)
    pixels = probe_pixels([clip])
    assert pixels.shape == (1, 3, 8, 128, 224)
    assert pixels[0, :, 0, 0, 0].tolist() == [-1, 1, -1]


def test_shift_moves_channels_within_each_clip() -> None:
    x = torch.arange(6.0).reshape(6, 1, 1, 1) + torch.zeros(6, 16, 1, 1)  # two clips of three moments, 16 channels
    shifted = shift(x, 3)[:, :, 0, 0]
    assert shifted[:, 0].tolist() == [0, 0, 1, 0, 3, 4]  # late: what the moment before had
    assert shifted[:, 2].tolist() == [1, 2, 0, 4, 5, 0]  # early: what the next one has
    torch.testing.assert_close(shifted[:, 4:], x[:, 4:, 0, 0])


def test_a_new_block_changes_nothing() -> None:
    x = torch.randn(4, 16, 8, 14)
    block = ShiftBlock(16)
    torch.nn.init.zeros_(block.out.bias)
    torch.testing.assert_close(block(x, 2), x)


def test_joined_cells_are_the_four_neighbours() -> None:
    x = torch.arange(8.0).reshape(1, 2, 4, 1)
    assert join_cells(x)[0, 0].tolist() == [[0, 1, 4, 5], [2, 3, 6, 7]]


def test_channels_first_is_a_view() -> None:
    x = torch.randn(1, 2, 3, 4)
    assert channels_first(x).shape == (1, 4, 2, 3)
    assert channels_first(x).data_ptr() == x.data_ptr()


def test_the_second_look_is_where_the_first_one_says(probe: Probe, monkeypatch: pytest.MonkeyPatch) -> None:
    pixels, off = torch.randn(1, 3, 8, 128, 224), torch.tensor([0.4, -0.2, 0.1])
    looks: list[torch.Tensor] = []
    monkeypatch.setattr(probes, "crops", lambda x, window: looks.append(window) or crops(x, window))
    with torch.no_grad():
        probe.view.offset.bias.copy_(off)
        _, where = probe(pixels)
    first = windows(places(where.exp()))
    torch.testing.assert_close(looks[0], first.flatten(0, 1))
    torch.testing.assert_close(looks[1], moved(first, off.expand(1, 4, 3)).flatten(0, 1))


def test_logits_have_a_number_for_every_word_and_shares_sum_to_one(probe: Probe) -> None:
    logits, where = probe(torch.randn(2, 3, 8, 128, 224))
    assert {name: tuple(values.shape) for name, values in logits.items()} == {
        name: (2, len(words)) for name, words in CLASSES.items()
    }
    assert where.shape == (2, 4, 8 * 14)
    torch.testing.assert_close(where.exp().sum(-1), torch.ones(2, 4))


def test_a_clip_is_read_the_same_alone_and_in_a_batch(probe: Probe) -> None:
    pixels = torch.randn(3, 3, 8, 128, 224)
    with torch.no_grad():
        together, _ = probe(pixels)
        alone, _ = probe(pixels[1:2])
    for name in ATTRIBUTES:
        torch.testing.assert_close(together[name][1:2], alone[name], rtol=1e-4, atol=1e-4)


def test_classify_gives_the_word_of_the_largest_logit(probe: Probe) -> None:
    for name, head in probe.heads.items():
        torch.nn.init.zeros_(head.weight)
        head.bias.data.copy_(10 * torch.nn.functional.one_hot(torch.tensor(3), len(CLASSES[name])))
    clips = [np.zeros((8, 128, 224, 3), np.uint8)] * 3
    assert classify(probe, clips, batch=2) == [{name: CLASSES[name][3] for name in ATTRIBUTES}] * 3


def test_a_mirrored_clip_is_read_alike_but_for_its_pans(probe: Probe) -> None:
    clips = list(np.random.default_rng(0).integers(0, 256, (6, 8, 128, 224, 3), dtype=np.uint8))
    pans = {"pan left": "pan right", "pan right": "pan left"}
    for one, other in zip(classify(probe, clips), classify(probe, [clip[:, :, ::-1] for clip in clips]), strict=True):
        assert other == {**one, "camera": pans.get(one["camera"], one["camera"])}


def test_mirrored_logits_swap_the_pans_and_nothing_else() -> None:
    logits = {name: torch.arange(float(len(words)))[None] for name, words in CLASSES.items()}
    mirrored = mirrored_logits(logits)
    words = list(CLASSES["camera"])
    assert mirrored["camera"][0, words.index("pan left")] == words.index("pan right")
    assert mirrored["camera"][0, words.index("pan right")] == words.index("pan left")
    assert (mirrored["camera"] != logits["camera"]).sum() == 2
    assert all(torch.equal(mirrored[name], logits[name]) for name in CLASSES if name != "camera")


def test_saved_probes_load_as_they_were(probe: Probe, tmp_path: Path) -> None:
    save_probe(probe, tmp_path)
    loaded = load_probe(tmp_path)
    assert loaded.config == probe.config
    assert not loaded.training
    for name, tensor in probe.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], tensor.half().float())


def test_probes_that_cannot_be_used_are_named_in_one_line(probe: Probe, tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="daybreak train probes"):
        load_probe(tmp_path / "none")
    save_probe(probe, tmp_path)
    card = (tmp_path / "probe.json").read_text()
    (tmp_path / "probe.json").write_text(card.replace("elephant", "mammoth"))
    with pytest.raises(ModelUnavailable, match="other words"):
        load_probe(tmp_path)
    (tmp_path / "probe.json").write_text(card)
    (tmp_path / "probe.safetensors").write_bytes((tmp_path / "probe.safetensors").read_bytes()[:1000])
    with pytest.raises(ModelUnavailable) as error:
        load_probe(tmp_path)
    assert "\n" not in str(error.value)
