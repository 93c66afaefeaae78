from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from daybreak.diffusion.guidance import guide, guided

PROMPT = (torch.full((1, 3, 2), 5.0), torch.tensor([[True, True, False]]))
NEGATIVE = (torch.full((1, 3, 2), 2.0), torch.tensor([[True, False, False]]))


class Recorder:
    """A transformer whose velocity is its text's first number plus its first sigma, and that remembers its batches."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, latents: Tensor, sigmas: Tensor, text_embeds: Tensor, text_mask: Tensor) -> Tensor:
        self.batches.append(len(latents))
        assert len(latents) == len(sigmas) == len(text_embeds) == len(text_mask)
        level = text_embeds[:, 0, 0] * text_mask.sum(1) + sigmas[:, 0]
        return level[:, None, None, None, None].expand_as(latents)


def test_scale_1_is_conditional_and_scale_0_unconditional() -> None:
    conditional, unconditional = torch.randn(2, 5, dtype=torch.float64)
    assert_close(guide(conditional, unconditional, 1.0), conditional)
    assert torch.equal(guide(conditional, unconditional, 0.0), unconditional)


def test_more_goes_further_along_the_same_line() -> None:
    assert guide(torch.tensor(3.0), torch.tensor(1.0), 4.0) == 9


@pytest.mark.parametrize(("scale", "expected"), [(0.0, 2.0), (1.0, 10.0), (2.5, 22.0)])
def test_a_guided_denoiser_mixes_what_prompt_and_negative_give(scale: float, expected: float) -> None:
    recorder = Recorder()
    denoise = guided(recorder, PROMPT, NEGATIVE, scale)
    velocity = denoise(torch.zeros(1, 4, 2, 2, 2), torch.full((1, 2), 0.25))
    # 5 x 2 tokens, 2 x 1 token; the sigma is the same in both and passes through.
    assert (velocity == expected + 0.25).all()
    assert velocity.shape == (1, 4, 2, 2, 2)
    assert recorder.batches == [1 if scale == 1 else 2]


def test_a_batch_of_clips_is_guided_clip_by_clip() -> None:
    prompts = (torch.arange(3.0)[:, None, None].expand(3, 3, 2), torch.ones(3, 3, dtype=torch.bool))
    nothing = (torch.zeros(3, 3, 2), torch.ones(3, 3, dtype=torch.bool))
    velocity = guided(Recorder(), prompts, nothing, 2.0)(torch.zeros(3, 1, 1, 2, 2), torch.zeros(3, 1))
    assert velocity[:, 0, 0, 0, 0].tolist() == [0, 6, 12]
