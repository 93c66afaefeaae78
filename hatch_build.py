"""Builds the studio into the wheel, so that whoever installs it needs no Node."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class StudioBuildHook(BuildHookInterface):
    """Runs npm where the studio is not built yet and Node is there.

    Without Node the wheel has no studio, and the server says so on its first page; DAYBREAK_REQUIRE_STUDIO makes that
    an error, for releases.
    """

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - the interface's own
        studio = Path(self.root) / "studio"
        built = Path(self.root) / "src" / "daybreak" / "server" / "dist" / "index.html"
        if version == "editable" or built.is_file():
            return
        npm = shutil.which("npm")
        if npm is not None and studio.is_dir():
            subprocess.run([npm, "ci", "--no-fund", "--no-audit", "--loglevel=error"], cwd=studio, check=True)
            subprocess.run([npm, "run", "build"], cwd=studio, check=True)
            return
        message = "the studio is not built: that needs Node 20.19 or newer (npm is not on PATH)"
        if os.environ.get("DAYBREAK_REQUIRE_STUDIO"):
            raise RuntimeError(message)
        self.app.display_warning(message)
