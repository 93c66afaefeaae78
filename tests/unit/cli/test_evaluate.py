"""`daybreak evaluate` on a small model with random weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
import typer
from typer.testing import CliRunner

from daybreak.checkpoint import Components, save_components
from daybreak.cli.errors import CliError
from daybreak.cli.evaluate import evaluate
from daybreak.evaluate import probes, reconstruction
from daybreak.evaluate.probes import Probe, ProbeConfig, save_probe
from daybreak.models.text_encoder import TextEncoder, TextEncoderConfig
from daybreak.models.transformer import Transformer, TransformerConfig
from daybreak.models.vae import VAE, VAEConfig
from daybreak.tokenizer import Tokenizer, build_vocabulary

APP = typer.Typer()
APP.command()(evaluate)


@pytest.fixture
def tiny_model(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A model and probes of random weights, installed."""
    torch.manual_seed(0)
    tokenizer = Tokenizer(build_vocabulary(["a dog runs"], 160))
    text = TextEncoder(TextEncoderConfig(vocabulary_size=len(tokenizer), width=16, num_layers=1, num_heads=2))
    transformer = Transformer(TransformerConfig(4, 2, 24, 1, 2, 8, 16))
    vae = VAE(VAEConfig(4, decoder_widths=(8, 8, 8), decoder_blocks=(1, 1, 1)))
    card = {"num_inference_steps": 1, "guidance_scale": 1.0}
    save_components(data_dir / "models" / "tiny", Components(tokenizer, text, transformer, vae, card))
    small = Probe(ProbeConfig(patch_width=8, width=16, scene_blocks=(1, 1), shape_blocks=(1, 1), moment_width=4))
    save_probe(small, data_dir / "probes")
    monkeypatch.setattr(probes.load_probe, "__defaults__", (data_dir / "probes", None))
    monkeypatch.setattr(reconstruction, "WINDOW_FRAMES", 9)  # the VAE on fewer frames
    return "tiny"


def run(*arguments: str) -> str:
    result = CliRunner().invoke(APP, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_json_and_the_page_hold_the_same_figures(
    tiny_model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "model.md"
    page.write_text("<!-- report -->\n<!-- /report -->\n")
    report = json.loads(run("--num-captions", "1", "--model", tiny_model, "--steps", "2", "--json"))
    assert report["model"] == "tiny"
    assert report["sampling"]["num_inference_steps"] == 2
    assert f"{report['vae']['psnr']:.1f} dB" in page.read_text()
    assert list((tmp_path / "docs" / "sheets").glob("*.png"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--num-captions", "0"), "--num-captions must be at least 1"),
        (("--model", "diorama"), "procedural"),
        (("--model", "missing"), "not installed"),
        (("--steps", "0"), "steps must be from 1"),
    ],
)
def test_mistakes_are_told_in_one_line(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(CliError, match=message):
        CliRunner().invoke(APP, arguments, catch_exceptions=False)


def test_importing_the_command_loads_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, daybreak.cli.evaluate; sys.exit('torch' in sys.modules or 'numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
