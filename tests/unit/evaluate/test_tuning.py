"""How schedule and guidance are chosen: on captions of their own, by what only these say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from daybreak.checkpoint import Components
from daybreak.diorama.parse import parse
from daybreak.evaluate import tuning
from daybreak.evaluate.asked import Asked, caption_scene, grammar_captions
from daybreak.evaluate.probes import ATTRIBUTES, CLASSES, Probe, readable_labels
from daybreak.evaluate.prompts import HAND_WRITTEN
from daybreak.evaluate.tuning import FIRST, Choice, accuracies, read, sample_latents, tuning_captions

CPU = torch.device("cpu")
CHOICE = Choice(2, 1.0, 6.0)


def test_a_sentence_s_labels_are_what_it_says_and_no_more() -> None:
    """Read back by the world's own parser: whatever it finds is labelled, and nothing else is."""
    asked = tuning_captions(30)
    assert [one.seed for one in asked] == list(range(FIRST, FIRST + 30))
    for index, one in enumerate(asked):
        scene = readable_labels(caption_scene(FIRST + index))
        assert one.labels.items() <= scene.items()
        assert set(one.labels) == set(parse(one.prompt).mentioned) & set(scene), one.prompt
    assert any(len(one.labels) < len(ATTRIBUTES) - 2 for one in asked)


def test_no_scene_of_the_report_is_asked_for() -> None:
    """Theirs are numbered from 0, and a report asks for some hundreds."""
    assert [one.seed for one in grammar_captions(3)] == [0, 1, 2]
    assert 10 * len(HAND_WRITTEN) < FIRST


def conditioned(texts: list[str], _device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(len(texts), 20, 16, generator=generator), torch.ones(len(texts), 20, dtype=torch.bool)


def test_a_clip_s_noise_is_its_own(components: Components) -> None:
    asked = tuning_captions(3)
    with torch.no_grad():
        together = sample_latents(components.transformer, conditioned, asked, CHOICE, CPU)
        assert together.shape == (3, 4, 7, 8, 14)
        alone = sample_latents(components.transformer, conditioned, asked[:1], CHOICE, CPU)
    torch.testing.assert_close(alone, together[:1], rtol=1e-3, atol=1e-3)
    assert not torch.allclose(together[0], together[1], atol=0.1)


def test_accuracies_count_only_what_was_said(
    components: Components, probe: Probe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of four clips read as the first class of everything, in two parts."""
    firsts = {name: CLASSES[name][0] for name in ATTRIBUTES}
    monkeypatch.setattr(tuning, "DECODED_TOGETHER", 3)
    monkeypatch.setattr(
        tuning, "read", lambda _probe, _vae, latents: {name: [firsts[name]] * len(latents) for name in ATTRIBUTES}
    )
    said = [
        {"subject": firsts["subject"], "colour": CLASSES["colour"][1]},
        {"subject": CLASSES["subject"][1]},
        {"colour": CLASSES["colour"][2]},
        {"subject": firsts["subject"]},
    ]
    asked = [Asked("a prompt", seed, labels) for seed, labels in enumerate(said)]
    shares = accuracies(components.transformer, conditioned, components.vae, probe, asked, CHOICE)
    assert shares["subject"] == pytest.approx(2 / 3)
    assert shares["colour"] == 0
    assert shares["weather"] == 0  # said by none
    assert shares["mean"] == pytest.approx(sum(shares[name] for name in ATTRIBUTES) / len(ATTRIBUTES))


def test_the_probes_see_what_they_would_of_the_decoded_clip(components: Components, probe: Probe) -> None:
    """The same words as from the whole clip: only the frames that they look at are decoded here."""
    generator = torch.Generator().manual_seed(0)
    latents = torch.randn(2, 4, 7, 8, 14, generator=generator)
    with torch.no_grad():
        words = read(probe, components.vae, latents)
        whole = components.vae.decode(latents).clamp(-1, 1)[:, :, list(tuning.PROBE_FRAMES)]
        seen = torch.nn.functional.avg_pool3d(whole, (1, 2, 2))
        logits = probe(((seen + 1) * 127.5).round() / 127.5 - 1)[0]
    for name in ATTRIBUTES:
        assert words[name] == [CLASSES[name][index] for index in logits[name].argmax(1).tolist()]


def test_a_choice_is_told_by_its_numbers() -> None:
    assert replace(CHOICE, num_steps=4) == Choice(4, 1.0, 6.0)
