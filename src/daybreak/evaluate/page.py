"""The report as a page: tables and contact sheets between two markers of docs/model.md."""

from __future__ import annotations

from pathlib import Path

from daybreak.evaluate.probes import ATTRIBUTES
from daybreak.evaluate.report import Evaluation, Report, Score
from daybreak.evaluate.sheets import save_sheet

BEGIN, END = "<!-- report -->", "<!-- /report -->"
PAGE = "model.md"
SHEETS = "sheets"


def write_page(evaluation: Evaluation, docs: Path) -> Path:
    """Writes the sheets into `docs`/sheets and the tables between the markers of `docs`/model.md; gives that page.

    Raises ValueError when the page has no markers.
    """
    page = docs / PAGE
    text = page.read_text(encoding="utf-8")
    start, end = text.find(BEGIN), text.find(END)
    if not 0 <= start < end:
        raise ValueError(f"{page} has no {BEGIN} and {END} to write the report between")
    titles = {
        "good": "Right in everything that was asked",
        "bad": "Furthest from what was asked",
        "pinned": "From an image: the image, then the clip",
    }
    pictures = []
    for name, title in titles.items():
        if rows := getattr(evaluation, name):
            save_sheet(rows, docs / SHEETS / f"{name}.png")
            pictures.append(f"{title}:\n\n![{title}]({SHEETS}/{name}.png)")
    body = "\n\n".join([tables(evaluation.report), *pictures])
    page.write_text(f"{text[:start]}{BEGIN}\n\n{body}\n\n{text[end:]}", encoding="utf-8")
    return page


def tables(report: Report) -> str:
    """The report in Markdown."""
    captions = report.captions["subject"].total
    told = "prompts in the world's words (the default)" if report.sampling.enhanced else "prompts as they are"
    lines = [
        f"`{report.model}` on {report.device}, {report.sampling.num_inference_steps} steps, guidance "
        f"{report.sampling.guidance_scale:g}, {told}. Ceiling: the same probes on renders of the captions' own scenes, "
        "combinations of attributes that training never saw.",
        "",
        f"| attribute | ceiling | ceiling through the VAE | {captions} held-out captions | hand-written sentences |",
        "|---|---:|---:|---:|---:|",
    ]
    for name in (*ATTRIBUTES, "overall"):
        cells = (report.ceiling[name], report.reconstructed[name], report.captions[name], report.hand_written[name])
        lines.append(f"| {name.replace('_', ' ')} | " + " | ".join(percent(cell) for cell in cells) + " |")
    return "\n".join([*lines, "", *figures(report)])


def percent(score: Score) -> str:
    """ "87.5 % of 40", or a dash when nothing was asked."""
    return "-" if score.accuracy is None else f"{100 * score.accuracy:.1f} % of {score.total}"


def figures(report: Report) -> list[str]:
    """Fidelity and cost in Markdown."""
    vae, first, cost = report.vae, report.first_frame, report.cost
    memory = "not measured" if cost.peak_memory_bytes is None else f"{cost.peak_memory_bytes / 1e9:.2f} GB"
    return [
        "| figure | value |",
        "|---|---:|",
        f"| VAE, PSNR over the frame ({vae.clips} held-out renders) | {vae.psnr:.1f} dB |",
        f"| VAE, PSNR inside the subjects' boxes | {vae.psnr_boxes:.1f} dB |",
        f"| VAE, SSIM | {vae.ssim:.3f} |",
        f"| image to video, first frame against the image ({first.clips} clips) | {first.psnr_image:.1f} dB |",
        f"| image to video, first frame against the VAE's picture of the image | {first.psnr_reconstruction:.1f} dB |",
        f"| seconds for a clip of two seconds, by itself | {cost.seconds_per_clip:.1f} |",
        f"| seconds a clip in batches of {report.sampling.batch} | {cost.seconds_per_clip_batched:.1f} |",
        f"| peak memory for one clip | {memory} |",
    ]
