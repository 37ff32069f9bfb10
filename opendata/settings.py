"""One frozen Settings, read from environment variables. docs/settings.md explains each; a test keeps the two equal."""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

PREFIX = "OPENDATA_"
ROOT = Path(__file__).resolve().parent.parent


class Policy(StrEnum):
    """Who may publish: two reviewers, or a holder of the publish right at once."""

    REVIEWED = "reviewed"
    DIRECT = "direct"


class SettingsError(Exception):
    """A setting is wrong; the text names the variable and the reason."""


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True)

    data_dir: Path = Field(Path("var"), description="Folder of everything that the embedded shape keeps.")
    site_url: str = Field("http://127.0.0.1:8000", description="The public address, for every absolute link.")
    site_title: str = Field("Open Data Portal", description="The portal's name in English.")
    site_title_zh: str = Field("公共数据开放平台", description="The portal's name in Chinese.")
    database_url: str = Field("", description="A SQLAlchemy address; empty: SQLite in the data folder.")
    storage_url: str = Field(
        "", description="A folder, or s3+http(s)://key:secret@host:port/PREFIX; empty: the data folder."
    )
    inbox_storage_url: str = Field(
        "", description="The same for the inbox store, to give it a key of its own."
    )
    search_url: str = Field(
        "",
        description="An Elasticsearch address, #NAME for an index name of its own; empty: the embedded index.",
    )
    site_secret: str = Field(
        "",
        repr=False,
        description="Salts what is kept of erased keys, seals others' secrets; the same on all servers; empty: made once in the data folder.",
    )
    publication_policy: Policy = Field(Policy.REVIEWED, description="reviewed (two people) or direct.")
    mail_url: str = Field(
        "", description="smtp(s)://[user:password@]host[:port], or a folder for *.eml; empty: no e-mail."
    )
    mail_sender: str = Field(
        "opendata@localhost", description="The address that e-mails of notices come from."
    )
    quiet_seconds: float = Field(
        60.0, ge=0, description="How long a CKAN client must be quiet before its draft is submitted."
    )
    max_upload_bytes: int = Field(16 << 30, gt=0, description="The largest file, in bytes.")
    max_json_bytes: int = Field(2 << 20, gt=0, description="The largest JSON body, in bytes.")
    workers: int = Field(2, ge=1, le=64, description="Parser processes and job threads of a process.")
    run_jobs: bool = Field(
        True, description="Whether `serve` also runs jobs; switch off beside `opendata worker`."
    )
    x_accel_prefix: str = Field(
        "", description="nginx: internal location that serves the local public store."
    )
    presigned_seconds: int = Field(
        0, ge=0, le=60, description="S3: redirect downloads to addresses valid so long; 0: stream."
    )
    trusted_proxies: int = Field(
        0, ge=0, le=5, description="How many proxies stand before us (X-Forwarded-For is cut there)."
    )
    rate_limit: int = Field(0, ge=0, description="Requests a minute an address may make; 0: no limit.")
    fetch_allowed: str = Field(
        "", description="host:port pairs that may be fetched from though they are private, by commas."
    )
    harvest_folder: str = Field(
        "",
        description="A folder, or s3+http(s)://key:secret@host:port/BUCKET/PREFIX, below which bodies drop files; empty: none.",
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")
    catalog_schemas: Path = Field(
        ROOT / "catalog_schemas", description="Folder of profile, code lists, themes, licences, schemas."
    )
    supervision: bool = Field(
        True,
        description="Whether bodies are scored by quarter; orders, reviews and counts of use stay either way.",
    )
    plan: bool = Field(
        True, description="Whether bodies keep a yearly opening plan; inventory and openings stay either way."
    )
    sample: bool = Field(
        False, description="Load the sample catalogue at the first start (set by `make run`)."
    )

    @field_validator("site_url")
    @classmethod
    def _no_slash(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value.rstrip("/")

    @field_validator("storage_url", "inbox_storage_url", "harvest_folder")
    @classmethod
    def _known_storage(cls, value: str) -> str:
        if "://" in value and not value.startswith(("s3+http://", "s3+https://")):
            raise ValueError("must be a folder, or s3+http(s)://key:secret@host:port/PREFIX")
        return value

    @field_validator("mail_url")
    @classmethod
    def _known_mailer(cls, value: str) -> str:
        if "://" in value and not value.startswith(("smtp://", "smtps://")):
            raise ValueError("must be a folder, or smtp(s)://[user:password@]host[:port]")
        return value

    @field_validator("mail_sender")
    @classmethod
    def _mailbox(cls, value: str) -> str:
        if "@" not in value or any(c.isspace() for c in value):
            raise ValueError("must be an e-mail address")
        return value

    @field_validator("search_url")
    @classmethod
    def _known_search(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must be empty, or an address of Elasticsearch: http(s)://host:port")
        return value

    @field_validator("data_dir")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Raises `SettingsError` naming each wrong variable."""
        names = {PREFIX + name.upper(): name for name in cls.model_fields}
        values = {field: environ[name] for name, field in names.items() if environ.get(name)}
        try:
            return cls(**values)
        except ValidationError as error:
            lines = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
            raise SettingsError("\n".join(lines)) from None

    def served_at(self, host: str, port: int) -> Self:
        """With the address of a server on this machine, where `OPENDATA_SITE_URL` names no other."""
        if "site_url" in self.model_fields_set:
            return self
        name = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104 - compared
        return self.model_copy(update={"site_url": f"http://{name}:{port}"})

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{self.data_dir / 'opendata.db'}"

    @property
    def storage(self) -> str:
        return self.storage_url or str(self.data_dir / "files")

    @property
    def inbox_storage(self) -> str:
        return self.inbox_storage_url or self.storage

    @property
    def scratch(self) -> Path:
        return self.data_dir / "scratch"
