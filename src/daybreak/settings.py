"""The installation's settings: `DAYBREAK_*` environment variables, read when asked for and never at import."""

from __future__ import annotations

from pathlib import Path

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_MODEL = "dawn"  # the built-in model, shipped inside the package


class Settings(BaseSettings):
    """Where this installation keeps things and what it uses unless told otherwise."""

    model_config = SettingsConfigDict(env_prefix="DAYBREAK_", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("daybreak", appauthor=False),
        description="Folder that holds everything a user owns: installed models, and later jobs and media.",
    )
    model: str = Field(default=DEFAULT_MODEL, description="The model that `daybreak generate` uses without --model.")

    @property
    def models_dir(self) -> Path:
        return self.data_dir.expanduser() / "models"


def load_settings() -> Settings:
    """The settings of this process's environment. Raises ValueError with the variable's name when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(map(str, first["loc"])).upper()
        raise ValueError(f"DAYBREAK_{name} is wrong: {first['msg']}") from error
