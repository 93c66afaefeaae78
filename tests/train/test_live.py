"""What the farm renders, and the sources that draw from it; the processes themselves are `test_farm`'s."""

from __future__ import annotations

import itertools
import pickle
import random
from dataclasses import replace

import numpy as np
import pytest
import torch

from daybreak.diorama.captions import caption
from daybreak.diorama.sampling import sample_spec
from daybreak.diorama.scene import CAMERAS, RELATIONS, SceneSpec, Subject
from daybreak.evaluate.probes import CLASSES
from daybreak.models.vae import VAE
from daybreak.tokenizer import Tokenizer
from daybreak.train import live
from daybreak.train.farm import Arrays, DevicePool
from daybreak.train.latents import BUCKETS, cover, render_reduced
from daybreak.train.live import (
    FIRST_CLIPS,
    LIVE_SCENES,
    NUM_CAPTIONS,
    STILLS,
    STILLS_EVERY,
    LiveLatents,
    LiveWindows,
    latent_tasks,
    make_latents,
    make_probe_clip,
    make_window,
    mirrored,
    room_for,
    to_unit_range,
)
from daybreak.train.recipes import Recipe
from daybreak.train.transformer import Conditioner
from daybreak.train.world import LIVE_WINDOWS, to_pixels

CPU = torch.device("cpu")


def test_a_mirror_swaps_left_and_right_and_nothing_else() -> None:
    dogs = (Subject("dog", "brown"), Subject("cat", "white"))
    for camera, relation in itertools.product(CAMERAS, RELATIONS):
        spec = SceneSpec(dogs, relation, camera=camera, seed=3)
        image = mirrored(spec)
        swapped = {"left": "right", "right": "left"}
        for before, after in ((camera, image.camera), (relation, image.relation)):
            assert after == " ".join(swapped.get(word, word) for word in before.split())
        assert replace(image, camera=camera, relation=relation) == spec


def test_a_mirror_s_mirror_is_the_scene() -> None:
    for seed in range(200):
        spec = sample_spec(seed)
        assert mirrored(mirrored(spec)) == spec


def test_tasks_are_some_clips_then_stills_then_mostly_clips() -> None:
    tasks = list(itertools.islice(latent_tasks(100), 3_000))
    assert [number for _, number in tasks] == list(range(3_000))
    assert {kind.split()[1] for kind, _ in tasks} == {f"{height}x{width}" for height, width in BUCKETS}
    stills = np.array([kind.startswith("stills") for kind, _ in tasks])
    regular = np.arange(3_000) % STILLS_EVERY == 0
    assert (stills[:FIRST_CLIPS] == regular[:FIRST_CLIPS]).all()
    assert stills[FIRST_CLIPS : FIRST_CLIPS + 100].all()
    assert (stills[FIRST_CLIPS + 100 :] == regular[FIRST_CLIPS + 100 :]).all()
    assert tasks == list(itertools.islice(latent_tasks(100), 3_000))


@pytest.fixture(scope="module")
def clips(tokenizer: Tokenizer) -> Arrays:
    return make_latents(("clips 320x320", 5), tokenizer)


def test_clips_come_as_the_encoder_sees_them(clips: Arrays) -> None:
    frames, entities = render_reduced(LIVE_SCENES[False] + 5 * STILLS, 320, 320)
    assert clips["frames"].shape == (1, 25, 160, 160, 3)
    np.testing.assert_array_equal(clips["frames"][0], frames)
    np.testing.assert_array_equal(clips["coverage"][0], cover(entities).numpy())


def test_stills_come_several_at_once(tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "STILLS", 2)
    stills = make_latents(("stills 256x448", 3), tokenizer)
    assert stills["frames"].shape == (2, 1, 128, 224, 3)
    assert stills["coverage"].shape == (2, 1, 8, 14)
    assert stills["ids"].shape == (2, 2, NUM_CAPTIONS, live.MAX_TOKENS)
    for row in range(2):
        frames, _ = render_reduced(LIVE_SCENES[True] + 3 * 2 + row, 256, 448, still=True)
        np.testing.assert_array_equal(stills["frames"][row], frames)


def test_captions_of_the_mirror_image_say_the_swapped_words(
    tokenizer: Tokenizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the scene: here one told by its camera alone."""
    spec = SceneSpec((Subject("dog", "brown"),), camera="pan left")
    monkeypatch.setattr(live, "sample_spec", lambda _seed: spec)
    everything = replace(live.CAPTIONS, full_share=1.0, unconditional_share=0.0)
    monkeypatch.setattr(live, "CAPTIONS", everything)
    monkeypatch.setattr(live, "render_reduced", lambda *_, **__: render_reduced(1, 320, 320, still=True))
    made = make_latents(("clips 320x320", 0), tokenizer)
    for mirror, word, other in ((0, "left", "right"), (1, "right", "left")):
        for ids, length in zip(made["ids"][0, mirror], made["lengths"][0, mirror], strict=True):
            words = tokenizer.decode(ids[:length].tolist()).replace("ward", "").split()
            assert word in words
            assert other not in words


def test_the_tokens_are_those_of_captions_of_the_scene(clips: Arrays, tokenizer: Tokenizer) -> None:
    seed = LIVE_SCENES[False] + 5 * STILLS
    rng = random.Random(f"captions {seed}")
    first = live.training_caption(sample_spec(seed), rng, live.CAPTIONS)
    ids, mask = tokenizer.encode(first, live.MAX_TOKENS)
    assert clips["ids"].shape == (1, 2, NUM_CAPTIONS, live.MAX_TOKENS)
    assert clips["ids"][0, 0, 0].tolist() == ids
    assert clips["lengths"][0, 0, 0] == sum(mask)


def test_what_makes_latents_takes_all_it_needs_with_it(clips: Arrays, tokenizer: Tokenizer) -> None:
    """Workers get it pickled, and know nothing else of the run."""
    sent = pickle.loads(pickle.dumps(tokenizer))
    again = make_latents(("clips 320x320", 5), sent)
    for name, array in clips.items():
        np.testing.assert_array_equal(again[name], array)


def test_windows_and_probe_clips_have_their_shapes() -> None:
    window, clip = make_window(("window", 1)), make_probe_clip(("clip", 1))
    side, length = LIVE_WINDOWS.window, LIVE_WINDOWS.window_frames
    assert window["frames"].shape == (length, side, side, 3)
    assert window["entities"].shape == (length, side, side)
    assert clip["frames"].shape == (8, 128, 224, 3)
    assert clip["share"].shape == (4, 112)
    assert clip["labels"].shape == (len(CLASSES),)
    assert sum(array.nbytes for array in window.values()) <= 4 * length * side**2
    assert sum(array.nbytes for array in clip.values()) < 1 << 20


def test_bytes_become_pixels_from_minus_1_to_1() -> None:
    frames = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), np.uint8)
    torch.testing.assert_close(to_unit_range(torch.from_numpy(frames)[None]), to_pixels([frames]))
    assert to_unit_range(torch.tensor([0, 255]).byte().expand(1, 1, 1, 3, 2).mT).unique().tolist() == [-1, 1]


def test_a_processor_has_room_for_everything() -> None:
    assert room_for((1 << 40, 1 << 40), CPU) == 1


class NoHarvest:
    """In place of processes: nothing is rendered, nothing fails."""

    error: BaseException | None = None


def latents_of(recipe: Recipe, vae: VAE, conditioner: Conditioner) -> LiveLatents:
    """A source without its processes."""
    source = object.__new__(LiveLatents)
    source.vae, source.conditioner, source.device = vae, conditioner, CPU
    source.recipe = replace(recipe.transformer, live_batches=(8, 16))
    source.pools = {f"{what} 320x320": DevicePool(64, CPU) for what in ("clips", "stills")}
    source.harvest = NoHarvest()  # type: ignore[assignment]
    return source


def test_every_scene_is_kept_with_its_mirror_image_and_that_one_s_captions(
    recipe: Recipe, tiny_vae: VAE, conditioner: Conditioner, clips: Arrays
) -> None:
    source = latents_of(recipe, tiny_vae, conditioner)
    source._keep("clips 320x320", [5], {name: torch.from_numpy(array)[None] for name, array in clips.items()})
    kept = source.pools["clips 320x320"].tensors
    assert len(source.pools["clips 320x320"]) == 2
    with torch.no_grad():
        for mirror, frames in enumerate((clips["frames"][0], clips["frames"][0, :, :, ::-1])):
            encoded = tiny_vae.encode_reduced(to_pixels([frames]))[0]
            torch.testing.assert_close(kept["latents"][mirror].float(), encoded, rtol=0.05, atol=0.05)
            np.testing.assert_array_equal(kept["ids"][mirror], clips["ids"][0, mirror])
    np.testing.assert_array_equal(kept["coverage"][1], clips["coverage"][0, :, :, ::-1])


def test_a_batch_has_one_of_each_item_s_captions(recipe: Recipe, tiny_vae: VAE, conditioner: Conditioner) -> None:
    source = latents_of(recipe, tiny_vae, conditioner)
    numbers = torch.arange(64)
    ids = (100 * numbers[:, None] + torch.arange(NUM_CAPTIONS))[:, :, None].expand(-1, -1, live.MAX_TOKENS)
    source.pools["clips 320x320"].add(
        {
            "latents": numbers[:, None, None, None, None].expand(-1, 4, 7, 10, 10).half(),
            "coverage": numbers[:, None, None, None].expand(-1, 7, 10, 10).byte(),
            "ids": ids.short(),
            "lengths": (torch.arange(NUM_CAPTIONS) + 1).expand(64, -1).short(),
        }
    )
    batch = source.batch(3, still=False)
    item = batch.data[:, 0, 0, 0, 0].long()
    assert torch.equal(item, batch.coverage[:, 0, 0, 0].long())
    chosen = batch.ids[:, 0] - 100 * item
    assert (batch.ids == batch.ids[:, :1]).all()
    assert torch.equal(batch.mask.sum(1), chosen + 1)
    assert len(set(chosen.tolist())) > 1
    again = source.batch(3, still=False)
    assert torch.equal(again.data, batch.data)
    first, later = source.deviations()
    torch.testing.assert_close(first, numbers.float().square().mean().sqrt().expand(4))
    torch.testing.assert_close(later, first)
    source.harvest.error = InterruptedError()
    with pytest.raises(InterruptedError):
        source.batch(3, still=False)


def test_windows_are_mirrored_with_their_entities() -> None:
    source = object.__new__(LiveWindows)
    source.pool, source.harvest = DevicePool(4, CPU), NoHarvest()  # type: ignore[assignment]
    frames = torch.zeros(4, 9, 32, 32, 3, dtype=torch.uint8)
    entities = torch.zeros(4, 9, 32, 32, dtype=torch.uint8)
    frames[..., :16, :], entities[..., :16] = 255, 1
    source.pool.add({"frames": frames, "entities": entities})
    pixels, inside = source.batch(0)
    assert pixels.shape == (LIVE_WINDOWS.batch, 3, 9, 32, 32)
    assert torch.equal(pixels[:, 0] > 0, inside == 1)
    assert 0 < int(inside[:, 0, 0, 0].sum()) < LIVE_WINDOWS.batch


def test_a_caption_in_full_names_what_a_mirror_swaps() -> None:
    spec = SceneSpec((Subject("dog", "brown"),), camera="pan left")
    told = caption(mirrored(spec), random.Random(0), mention=frozenset(["camera"])).text
    assert "right" in told
