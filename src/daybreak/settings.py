"""The installation's settings: `DAYBREAK_*` environment variables, read when asked for and never at import."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from platformdirs import user_data_path
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

DEFAULT_MODEL = "dawn"  # the built-in model, shipped inside the package


class Settings(BaseSettings):
    """Where this installation keeps things and what it uses unless told otherwise."""

    model_config = SettingsConfigDict(env_prefix="DAYBREAK_", env_ignore_empty=True, extra="ignore", frozen=True)

    data_dir: Path = Field(
        default_factory=lambda: user_data_path("daybreak", appauthor=False),
        description="Folder that holds everything a user owns: installed models, jobs and media.",
    )
    model: str = Field(default=DEFAULT_MODEL, description="The model that is used where none is named.")
    database_url: str | None = Field(
        default=None, description="sqlite:///PATH or postgresql://… [default: daybreak.sqlite in the data folder]."
    )
    storage_url: str | None = Field(
        default=None, description="A folder, file:///… or s3://BUCKET/PREFIX [default: media in the data folder]."
    )
    host: str = Field(default="127.0.0.1", description="The address that the server listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Its port; 0 takes a free one.")
    require_key: bool = Field(default=False, description="Ask for a key on loopback too, as behind a proxy.")
    root_path: str = Field(default="", description="A path in front of every route, such as /daybreak.")
    allowed_hosts: str = Field(default="", description="Names, with commas, that requests may carry in Host.")
    allowed_origins: str = Field(
        default="", description="Origins, with commas, whose pages may change things here, as behind a proxy."
    )
    workers: int = Field(default=1, ge=0, le=64, description="Worker processes that the server keeps running.")
    queue_limit: int = Field(default=1000, ge=1, description="Jobs that a project may have queued.")
    sora_model: str | None = Field(
        default=None, description="What sora-2 and sora-2-pro mean here [default: DAYBREAK_MODEL]."
    )
    max_upload_mb: int = Field(default=512, ge=1, le=65536, description="The largest video upload, in MB.")
    max_image_mb: int = Field(default=50, ge=1, le=4096, description="The largest image upload, in MB.")
    requests_per_minute: int = Field(
        default=0, ge=0, description="Requests of a project that change something, a minute; 0 is no limit."
    )
    fetch_allow: str = Field(
        default="", description="Hosts, with commas, that the server may fetch from although they are not public."
    )
    wan_engine: Literal["native", "diffusers"] = Field(
        default="native", description="What runs Wan checkpoints: Daybreak's own engine where it can, or diffusers."
    )
    wan_precision: Literal["auto", "int8"] = Field(
        default="auto", description="Its arithmetic: the device's best, or 8-bit products, quicker and less exact."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        default="auto", description="auto: console on a terminal, else JSON."
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")

    @property
    def models_dir(self) -> Path:
        return self.data_dir.expanduser() / "models"

    @property
    def database(self) -> str:
        """The URL of the database in use."""
        return self.database_url or f"sqlite:///{self.data_dir.expanduser().absolute() / 'daybreak.sqlite'}"

    @property
    def storage(self) -> str:
        """The URL or folder of the object storage in use."""
        return self.storage_url or str(self.data_dir.expanduser().absolute() / "media")

    @property
    def incoming_dir(self) -> Path:
        """The folder where uploads lie while their request is being answered."""
        return self.data_dir.expanduser().absolute() / "incoming"

    @property
    def fetch_hosts(self) -> frozenset[str]:
        return _names(self.fetch_allow)

    @property
    def hosts(self) -> frozenset[str]:
        return _names(self.allowed_hosts)

    @property
    def origins(self) -> frozenset[str]:
        return frozenset(name.rstrip("/") for name in _names(self.allowed_origins))


def load_settings() -> Settings:
    """The settings of this process's environment. Raises ValueError with the variable's name when one is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(map(str, first["loc"])).upper()
        raise ValueError(f"DAYBREAK_{name} is wrong: {first['msg']}") from error


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip().lower() for name in text.split(",") if name.strip())
