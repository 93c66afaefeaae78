"""Our Wan transformer against that of diffusers: same weights, same inputs, the same numbers, layer by layer."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from daybreak.models.wan.layers import TextStates, rotate, rotations, text_bias
from daybreak.models.wan.transformer import WanConfig, WanTransformer
from daybreak.open_models.wan_names import transformer_sources

diffusers = pytest.importorskip("diffusers", reason="needs the extra: pip install 'daybreak[diffusers]'")
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.usefixtures("one_thread")]
LENGTH = 16


def same(ours: Tensor, theirs: Tensor) -> bool:
    """Whether two tensors differ by no more than rounding does."""
    return bool((ours - theirs).abs().max() <= 2e-5 * theirs.abs().max())


def published(**sizes: Any) -> Any:
    """A transformer of diffusers in which every tensor counts."""
    small = {
        "num_attention_heads": 2, "attention_head_dim": 12, "in_channels": 16, "out_channels": 16, "text_dim": 32,
        "ffn_dim": 32, "num_layers": 2, "rope_max_seq_len": 64,
    }  # fmt: skip
    torch.manual_seed(0)
    model = diffusers.WanTransformer3DModel(**{**small, **sizes}).eval().requires_grad_(False)
    for parameter in model.parameters():
        parameter += 0.02 * torch.randn_like(parameter)
    return model


def ours_of(theirs: Any) -> WanTransformer:
    config = WanConfig(**{field.name: theirs.config[field.name] for field in fields(WanConfig)})
    model, tensors = WanTransformer(config), theirs.state_dict()
    made = {
        name: torch.cat([tensors[source] for source in sources])
        for name, sources in transformer_sources(model.state_dict(), "diffusers")
    }
    model.load_state_dict(made)
    return model.eval().requires_grad_(False)


def prompts(width: int, *lengths: int) -> tuple[list[Tensor], list[Tensor]]:
    """Embeddings as they are, and padded with zeros as a published pipeline pads them."""
    plain = [torch.randn(length, width) for length in lengths]
    return plain, [F.pad(prompt, (0, 0, 0, LENGTH - len(prompt)))[None] for prompt in plain]


def test_velocities_for_both_branches_are_those_of_diffusers() -> None:
    theirs = published()
    ours, (plain, padded) = ours_of(theirs), prompts(32, 5, 9)
    latents, moment = torch.randn(1, 16, 3, 8, 6), torch.tensor([537.0])
    text = ours.text_states(plain, LENGTH)
    together = ours(latents, moment, text)
    for number, prompt in enumerate(padded):
        expected = theirs(latents, moment.long(), prompt, return_dict=False)[0]
        assert same(together[number : number + 1], expected)
        assert same(ours(latents, moment, text.branch(number)), expected)


def test_every_block_gives_what_that_of_diffusers_gives() -> None:
    theirs = published(num_layers=3)
    ours, (plain, padded) = ours_of(theirs), prompts(32, 7)
    expected, found = [], []
    for blocks, outputs in ((theirs.blocks, expected), (ours.blocks, found)):
        for block in blocks:
            block.register_forward_hook(lambda _module, _inputs, output, kept=outputs: kept.append(output))
    latents = torch.randn(1, 16, 2, 4, 8)
    theirs(latents, torch.tensor([800]), padded[0])
    ours(latents, torch.tensor([800.0]), ours.text_states(plain, LENGTH))
    assert len(found) == len(expected) == 3
    assert all(same(one, other) for one, other in zip(found, expected, strict=True))


def test_a_timestep_for_each_token_is_that_of_diffusers() -> None:
    theirs = published()
    ours, (plain, padded) = ours_of(theirs), prompts(32, 4)
    latents = torch.randn(1, 16, 3, 8, 6)
    per_token = torch.tensor([[0] * 12 + [537] * 24])
    expected = theirs(latents, per_token, padded[0], return_dict=False)[0]
    text = ours.text_states(plain, LENGTH)
    assert same(ours(latents, torch.tensor([0.0, 537.0]), text, [1, 2]), expected)
    alike = ours(latents, torch.tensor([537.0, 537.0]), text, [1, 2])
    assert same(alike, ours(latents, torch.tensor([537.0]), text))


def test_thirty_million_parameters_give_the_same_velocity() -> None:
    theirs = published(num_attention_heads=6, attention_head_dim=64, ffn_dim=1536, num_layers=12)
    assert sum(parameter.numel() for parameter in theirs.parameters()) > 29e6
    ours, (plain, padded) = ours_of(theirs), prompts(32, 12, 1)
    latents = torch.randn(1, 16, 5, 16, 16)
    found = ours(latents, torch.tensor([300.0]), ours.text_states(plain, LENGTH))
    for number, prompt in enumerate(padded):
        assert same(found[number : number + 1], theirs(latents, torch.tensor([300]), prompt, return_dict=False)[0])


@pytest.mark.parametrize("lengths", [(3,), (0, 5), (16, 2)])
def test_one_key_stands_for_all_padding(lengths: tuple[int, ...]) -> None:
    """Softmax over a prompt's keys and n equal ones is softmax over the prompt's and one that is larger by log n."""
    logits, padding = torch.randn(len(lengths), LENGTH), 0.7
    bias = text_bias(lengths, LENGTH)
    for row, length, added in zip(logits, lengths, bias, strict=True):
        full = torch.cat([row[:length], torch.full((LENGTH - length,), padding)]).softmax(0)
        short = (F.pad(row[:length], (0, len(added) - length), value=padding) + added).softmax(0)
        assert torch.allclose(short[:length], full[:length])
        assert torch.allclose(short[length:].sum(), full[length:].sum(), atol=1e-7)


def test_a_rotation_keeps_lengths_and_tells_distances_alone() -> None:
    turns = rotations(3, 4, 5, 12)
    query, key = torch.randn(12).expand(1, 60, 1, 12), torch.randn(12).expand(1, 60, 1, 12)
    turned = rotate(query, turns)
    assert torch.allclose(turned.norm(dim=-1), query.norm(dim=-1), atol=1e-5)
    dots = (turned[0, :, 0] @ rotate(key, turns)[0, :, 0].T).view(3, 4, 5, 3, 4, 5)
    assert torch.allclose(dots[0, 0, 0, 1, 1, 1], dots[1, 2, 3, 2, 3, 4], atol=1e-4)


def test_odd_latents_are_refused() -> None:
    ours = ours_of(published())
    text = TextStates((), (), torch.zeros(1, 1))
    with pytest.raises(ValueError, match="latents of 7x6 cells cannot be cut into 2x2 patches"):
        ours(torch.randn(1, 16, 1, 7, 6), torch.tensor([1.0]), text)
