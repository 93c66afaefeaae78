"""The evaluation: what share of what was asked for a model's clips show, beside what the probes can read at all."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from daybreak.checkpoint import Components
from daybreak.diorama.build import build_stage
from daybreak.diorama.narrowing import Words
from daybreak.diorama.render import render_frames
from daybreak.engines.world import read_timeline
from daybreak.evaluate.asked import Asked, caption_scene, grammar_captions, hand_written_captions
from daybreak.evaluate.clips import HEIGHT, WIDTH, Sampling, device_of, generate_clips, reconstruct, to_frames
from daybreak.evaluate.probes import ATTRIBUTES, PROBE_FRAMES, Probe, classify, probe_frames, readable_labels
from daybreak.evaluate.reconstruction import FirstFrameFidelity, VAEFidelity, first_frame_fidelity, vae_fidelity
from daybreak.evaluate.sheets import Row, thumbnails
from daybreak.generation import Frames
from daybreak.generation_settings import GenerationSettings
from daybreak.pipeline import DEFAULT_GUIDANCE, DEFAULT_STEPS, WINDOW_FRAMES, Pipeline
from daybreak.shapes import NATIVE_FPS, VideoSpec
from daybreak.timeline import text_to_video

CEILING_CLIPS = 200  # renders at most; each costs a third of a second
RECONSTRUCTED_CLIPS = 40  # of those, also read after the VAE
VAE_CLIPS, FIRST_FRAMES = 12, 8
SHOWN = 6  # clips on each sheet

OnProgress = Callable[[int, int], None]  # clips done, clips to do


@dataclass(frozen=True, slots=True)
class Score:
    """How often an attribute was right."""

    right: int
    total: int

    @property
    def accuracy(self) -> float | None:
        """The share that was right, 0 to 1; None when nothing was asked."""
        return self.right / self.total if self.total else None


Scores = dict[str, Score]  # by attribute, and "overall": all of them together


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip as the probes see it."""

    asked: Asked
    found: dict[str, str]
    frames: Frames  # a few small ones

    @property
    def missed(self) -> dict[str, str]:
        """What should have been seen and was not, by attribute."""
        return {name: word for name, word in self.asked.labels.items() if self.found[name] != word}


@dataclass(frozen=True, slots=True)
class Cost:
    """What one clip of two seconds costs by itself, after the first one, and with others in a batch."""

    seconds_per_clip: float
    seconds_per_clip_batched: float
    peak_memory_bytes: int | None  # of the process after generating one clip; None where the system cannot tell


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that an evaluation measured."""

    model: str
    sampling: Sampling
    device: str
    ceiling: Scores
    reconstructed: Scores  # the same through the VAE: what no transformer can be better than
    captions: Scores
    hand_written: Scores
    vae: VAEFidelity
    first_frame: FirstFrameFidelity
    cost: Cost

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        plain = asdict(self)
        for name in ("ceiling", "reconstructed", "captions", "hand_written"):
            scores: Scores = getattr(self, name)
            plain[name] = {key: {**asdict(score), "accuracy": score.accuracy} for key, score in scores.items()}
        return plain


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A report and the clips that its sheets show."""

    report: Report
    good: list[Row]
    bad: list[Row]
    pinned: list[Row]


def evaluate(
    name: str,
    components: Components,
    probe: Probe,
    num_captions: int,
    *,
    settings: GenerationSettings | None = None,
    on_progress: OnProgress = lambda _done, _total: None,
) -> Evaluation:
    """Everything the report says about a loaded model, on `num_captions` captions and as many hand-written sentences.

    Raises ValueError for less than one caption.
    """
    if num_captions < 1:
        raise ValueError(f"the number of captions must be at least 1, not {num_captions}")
    sampling = model_sampling(components, settings or GenerationSettings())
    alone, memory = measure_alone(components, sampling)
    words = components.card.get("words")
    grammar, hand_written = grammar_captions(num_captions, words), hand_written_captions(num_captions, words)
    asked = [*grammar, *hand_written]
    limits = CEILING_CLIPS, RECONSTRUCTED_CLIPS, VAE_CLIPS, FIRST_FRAMES
    renders, through_vae, vae_clips, pins = (min(num_captions, most) for most in limits)
    total = len(asked) + through_vae + vae_clips + pins
    started = time.monotonic()
    judged = []
    for one in judge(components, probe, asked, sampling):
        judged.append(one)
        on_progress(len(judged), total)
    batched = (time.monotonic() - started) / len(judged)
    ceiling = probe_ceiling(probe, renders, words)
    reconstructed = reconstructed_ceiling(components, probe, through_vae)
    on_progress(total - vae_clips - pins, total)
    vae = vae_fidelity(components, vae_clips)
    on_progress(total - pins, total)
    first_frame, pinned = first_frame_fidelity(components, pins, sampling)
    on_progress(total, total)
    captions, written = (
        score((one.asked.labels, one.found) for one in part) for part in (judged[:num_captions], judged[num_captions:])
    )
    report = Report(
        model=name, sampling=sampling, device=device_of(components).type, ceiling=ceiling, reconstructed=reconstructed,
        captions=captions, hand_written=written, vae=vae, first_frame=first_frame, cost=Cost(alone, batched, memory),
    )  # fmt: skip
    good, bad = good_and_bad(judged)
    rows = [Row(thumbnails(frames), (prompt, "the image, then the clip")) for prompt, frames in pinned[:SHOWN]]
    return Evaluation(report, [_row(one) for one in good], [_row(one) for one in bad], rows)


def model_sampling(components: Components, settings: GenerationSettings) -> Sampling:
    """The settings asked for, and the model's own where nothing was asked."""
    steps = settings.num_inference_steps or int(components.card.get("num_inference_steps", DEFAULT_STEPS))
    guidance = settings.guidance_scale
    if guidance is None:
        guidance = float(components.card.get("guidance_scale", DEFAULT_GUIDANCE))
    enhanced = components.card.get("world") == "diorama" and settings.enhance_prompt is not False
    return Sampling(steps, guidance, enhanced=enhanced)


def measure_alone(components: Components, sampling: Sampling) -> tuple[float, int | None]:
    """Seconds for one clip through the pipeline, the second of two, and the process's peak memory after both."""
    pipeline = Pipeline(components, device_of(components))
    timeline = text_to_video(grammar_captions(1)[0].prompt, VideoSpec(WINDOW_FRAMES, HEIGHT, WIDTH, NATIVE_FPS))
    settings = GenerationSettings(0, sampling.num_inference_steps, sampling.guidance_scale)
    started = 0.0
    for _ in range(2):
        started = time.monotonic()
        pipeline(timeline, settings, lambda *_args, **_kwargs: None)
    return time.monotonic() - started, peak_memory()


def peak_memory() -> int | None:
    """The most memory that this process has held so far, in bytes; None where the system cannot tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def judge(components: Components, probe: Probe, asked: Sequence[Asked], sampling: Sampling) -> Iterator[Judged]:
    """Each prompt's clip, generated and read by the probes."""
    words = components.card.get("words")
    prompts = [in_world_words(one, words) if sampling.enhanced else one.prompt for one in asked]
    clips = generate_clips(components, prompts, [one.seed for one in asked], sampling)
    for one, frames in zip(asked, clips, strict=True):
        yield Judged(one, classify(probe, [probe_frames(frames)], words)[0], thumbnails(frames))


def in_world_words(asked: Asked, words: Words | None = None) -> str:
    """What the native engine would tell a model of the Diorama world for the prompt alone."""
    timeline = text_to_video(asked.prompt, VideoSpec(WINDOW_FRAMES, HEIGHT, WIDTH, NATIVE_FPS))
    return read_timeline(timeline, asked.seed, words)[0].caption


def probe_ceiling(probe: Probe, count: int, words: Words | None = None) -> Scores:
    """What the probes read right in renders of the captions' own scenes, all attributes that can be seen."""
    with ThreadPoolExecutor(2) as threads:
        clips = list(threads.map(lambda index: probe_frames(_rendered(index, PROBE_FRAMES, words)), range(count)))
    found = classify(probe, clips, words)
    return score(zip((readable_labels(caption_scene(index, words)) for index in range(count)), found, strict=True))


def reconstructed_ceiling(components: Components, probe: Probe, count: int) -> Scores:
    """What the probes read right in the first `count` of those renders after the VAE's encoder and decoder."""
    asked, found = [], []
    words = components.card.get("words")
    for index in range(count):
        frames = to_frames(reconstruct(components, _rendered(index, range(WINDOW_FRAMES), words))[0])
        asked.append(readable_labels(caption_scene(index, words)))
        found += classify(probe, [probe_frames(frames)], words)
    return score(zip(asked, found, strict=True))


def _rendered(index: int, indices: Sequence[int], words: Words | None) -> Frames:
    """The clip of the evaluation's scene `index`, (49, 256, 448, 3); only the frames at `indices` are drawn."""
    stage = build_stage(caption_scene(index, words), WINDOW_FRAMES, NATIVE_FPS, WIDTH / HEIGHT)
    clip = np.zeros((WINDOW_FRAMES, HEIGHT, WIDTH, 3), np.uint8)
    clip[list(indices)], _ = render_frames(stage, HEIGHT, WIDTH, indices)
    return clip


def score(pairs: Iterable[tuple[dict[str, str], dict[str, str]]]) -> Scores:
    """How often what was found is what was asked, over (asked, found)."""
    right, total = dict.fromkeys(ATTRIBUTES, 0), dict.fromkeys(ATTRIBUTES, 0)
    for asked, found in pairs:
        for name, word in asked.items():
            total[name] += 1
            right[name] += found[name] == word
    scores = {name: Score(right[name], total[name]) for name in ATTRIBUTES}
    return {**scores, "overall": Score(sum(right.values()), sum(total.values()))}


def good_and_bad(judged: Sequence[Judged], count: int = SHOWN) -> tuple[list[Judged], list[Judged]]:
    """Clips right in everything asked, the most demanding prompts first, and those with the smallest share right."""

    def share(one: Judged) -> float:
        return 1 - len(one.missed) / len(one.asked.labels)

    ranked = sorted(judged, key=lambda one: (-share(one), -len(one.asked.labels), one.asked.prompt))
    good = [one for one in ranked if not one.missed][:count]
    bad = [one for one in reversed(ranked) if one.missed][:count]
    return good, bad


def _row(one: Judged) -> Row:
    missed = "; ".join(f"{name.replace('_', ' ')}: {one.found[name]}, not {word}" for name, word in one.missed.items())
    return Row(one.frames, (one.asked.prompt, missed or "all right: " + ", ".join(one.asked.labels.values())))
