"""`daybreak generate`: a prompt becomes an mp4."""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from daybreak.cli.errors import told_plainly

if TYPE_CHECKING:
    from daybreak.cli.request import Asked, Request
    from daybreak.generation import Video


def generate(
    prompt: Annotated[str | None, typer.Argument(metavar="PROMPT", help="What the video should show.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", help="The mp4 to write; replaced if it exists. Default: named after the prompt."
        ),
    ] = None,
    model: Annotated[str | None, typer.Option(help="An installed model; see `daybreak models`.")] = None,
    size: Annotated[str | None, typer.Option(metavar="WxH", help="Size in pixels. Default: 448x256.")] = None,
    seconds: Annotated[float | None, typer.Option(help="Length. Default: 2.")] = None,
    fps: Annotated[float | None, typer.Option(help="Frames per second. Default: 24.")] = None,
    seed: Annotated[
        str | None, typer.Option(metavar="<int>", help="The same seed gives the same clip. Default: random.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Denoising steps. Default: the model's.")] = None,
    guidance: Annotated[
        float | None, typer.Option(help="How closely to follow the prompt. Default: the model's.")
    ] = None,
    negative_prompt: Annotated[str | None, typer.Option(help="What the video should not show.")] = None,
    image: Annotated[Path | None, typer.Option(help="An image to start from: the first frame.")] = None,
    enhance: Annotated[
        bool | None,
        typer.Option("--enhance/--no-enhance", help="Tell the model the prompt in the words that it knows best."),
    ] = None,
    audio: Annotated[bool | None, typer.Option("--audio/--no-audio", help="With sound, or without.")] = None,
    step_cache: Annotated[
        float | None,
        typer.Option(metavar="<0 to 2>", help="Quicker and less exact: how far the network may drift. Default: 0."),
    ] = None,
    lora: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[:STRENGTH]", help="Add an installed LoRA; may be repeated; none drops those of --like."
        ),
    ] = None,
    like: Annotated[
        Path | None, typer.Option(help="Take prompt, seed and settings from a clip that Daybreak made.")
    ] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show the clip on the terminal as it forms.")] = False,
    profile: Annotated[bool, typer.Option("--profile", help="Print how long each stage took.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was made as JSON.")] = False,
) -> None:
    """Generate a video from a prompt."""
    signal.signal(signal.SIGTERM, _end_politely)
    with told_plainly():
        from daybreak.cli.request import Asked

        asked = Asked(
            prompt, model, size, seconds, fps, seed, steps, guidance, negative_prompt, image, like, tuple(lora or ()),
            enhance, audio, step_cache,
        )  # fmt: skip
        report, stages = _generate(asked, output, show_preview=preview)
    if profile and as_json:
        report["stages"] = {name: round(seconds, 3) for name, seconds in stages.items()}
    elif profile:
        _note_stages(stages)
    print(json.dumps(report, indent=2, ensure_ascii=False) if as_json else report["path"])


def _generate(asked: Asked, output: Path | None, *, show_preview: bool) -> tuple[dict[str, object], dict[str, float]]:
    """Generates and writes the clip; returns what `--json` prints, and the seconds of each stage."""
    from daybreak.catalog import find_model
    from daybreak.cli.progress import progress_bar
    from daybreak.cli.request import build_request, changed_loras, default_output
    from daybreak.engines.produce import open_engine, produce_video
    from daybreak.settings import load_settings
    from daybreak.stages import timed_stages

    started = time.monotonic()
    settings = load_settings()
    request = build_request(asked, settings.model)
    card = find_model(request.model, settings.models_dir)
    weights = card.digest()
    if request.weights and request.weights != weights:
        _note(f"the model {card.name!r} has changed since {asked.like} was made: the clip will differ")
    path = output or default_output(request.timeline.prompt, Path())
    label = "rendering (procedural, not a model)" if card.procedural else f"generating with {card.name}"
    with progress_bar(label, show_preview=show_preview) as on_step, timed_stages() as times:
        extra = {"weights": weights} if weights else {}
        engine = open_engine(card, settings.models_dir)
        video = produce_video(engine, request.timeline, request.settings, path, on_step, extra)
    for name in changed_loras(request, video.metadata):
        _note(f"the LoRA {name!r} has changed since {asked.like} was made: the clip differs")
    if (revised := video.metadata.get("revised_prompt")) and revised != request.timeline.prompt:
        _note(f"the model was told: {'; '.join(video.metadata.get('revised_prompts', [revised]))}")
    if ignored := video.metadata.get("not_followed"):
        _note(f"the scene leaves out what it has no picture for: {', '.join(ignored)}")
    wall = time.monotonic() - started
    stages = {"starting": max(0.0, wall - sum(times.seconds.values())), **times.seconds}
    return _report(request, video, path, wall), stages


def _report(request: Request, video: Video, path: Path, wall_seconds: float) -> dict[str, object]:
    return {
        "path": str(path),
        "bytes": path.stat().st_size,
        "model": request.model,
        "procedural": video.metadata["procedural"],
        "prompt": request.timeline.prompt,
        **{name: video.metadata[name] for name in ("revised_prompt", "not_followed") if name in video.metadata},
        "seed": request.settings.seed,
        "width": video.width,
        "height": video.height,
        "num_frames": video.num_frames,
        "fps": video.fps,
        "seconds": video.seconds,
        "wall_seconds": round(wall_seconds, 2),
    }


def _end_politely(*_: object) -> None:
    """On SIGTERM, unwinds as Ctrl-C does, so that the temporary file is removed."""
    sys.exit(128 + signal.SIGTERM)


def _note_stages(stages: dict[str, float]) -> None:
    whole = sum(stages.values())
    for name, seconds in [*stages.items(), ("together", whole)]:
        typer.echo(f"{name:<24}{seconds:8.2f} s{100 * seconds / max(whole, 1e-9):6.0f} %", err=True)


def _note(message: str) -> None:
    typer.echo(f"daybreak: {message}", err=True)
