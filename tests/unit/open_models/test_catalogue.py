from __future__ import annotations

import pytest

from daybreak.open_models.catalogue import catalogue
from daybreak.open_models.families import PIPELINES
from daybreak.open_models.memory import Machine, fit, need, smaller

GIB = 2**30
FAMILIES = {"wan", "ltx", "ltx2", "hunyuan-video-1.5", "cogvideox", "sana-video", "mochi"}


def test_every_family_is_there_and_every_entry_says_what_it_permits() -> None:
    entries = catalogue()
    assert {entry.family.name for entry in entries.values()} == FAMILIES
    assert {kind.family.name for kind in PIPELINES.values()} == FAMILIES
    for entry in entries.values():
        assert entry.licence.permits.endswith(".")
        assert entry.licence.name == "Apache-2.0" or entry.licence.check
        assert (entry.num_frames - 1) % entry.family.frame_step == 0
        for width, height in entry.sizes:
            # Mochi's own 848 is no multiple of 32, but of its token.
            assert (width % entry.token_pixels, height % entry.token_pixels) == (0, 0)


@pytest.mark.parametrize("name", list(catalogue()))
def test_memory_grows_with_the_clip_and_shrinks_with_offloading(name: str) -> None:
    entry = catalogue()[name]
    width, height = entry.sizes[0]
    short, long = need(entry, width, height, 2), need(entry, width, height, 10)
    assert short.whole < long.whole
    assert long.streamed < long.offloaded < long.whole
    assert short.weights == long.weights == entry.size


def test_what_does_not_fit_says_what_would() -> None:
    entry = catalogue()["wan2.1-t2v-14b"]
    found = fit(entry, Machine(8 * GIB), 832, 480, 5)
    assert not found.fits
    assert "it takes a GPU with 11 GiB and 40 GiB of memory beside it" in found.fix
    assert fit(entry, Machine(64 * GIB, 12 * GIB), 832, 480, 5).how == "fits, streamed through the GPU block by block"
    assert fit(entry, Machine(64 * GIB, 40 * GIB), 832, 480, 5).how == "fits, with one part at a time on the GPU"
    assert fit(entry, Machine(8 * GIB, 80 * GIB), 832, 480, 5).how == "fits on the GPU"


def test_the_nearest_clip_that_fits_is_shorter_before_it_is_smaller() -> None:
    entry = catalogue()["ltx-video-2b-0.9.5"]
    machine = Machine(20 * GIB)
    assert not fit(entry, machine, 768, 512, 6.7).fits
    other = smaller(entry, machine, 768, 512, 6.7)
    assert other is not None
    assert other[:2] == (768, 512)
    assert fit(entry, machine, *other).fits
