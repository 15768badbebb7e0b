"""Where the store keeps its things."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, field_validator


class StoreSettings(BaseModel):
    """Places of the database, the archive and the key.

    Attributes:
        home: Folder of the database file, the archive and the audit anchor; made with mode 0700.
        database_url: `postgresql+psycopg://…`, or None for the encrypted file `home/scorebridge.db`.
        key_file: Master key, or None for `home/key`. It is better kept on another volume than the data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    home: Path
    database_url: SecretStr | None = None
    key_file: Path | None = None

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and not url.get_secret_value().startswith("postgresql+psycopg://"):
            raise ValueError("a database URL starts with postgresql+psycopg://")
        return url

    @property
    def key_path(self) -> Path:
        """Where the master key is."""
        return self.key_file or self.home / "key"

    @property
    def database_path(self) -> Path:
        """The encrypted file, used unless `database_url` is set."""
        return self.home / "scorebridge.db"

    @property
    def archive_path(self) -> Path:
        """Folder of the encrypted documents."""
        return self.home / "archive"

    @property
    def anchor_path(self) -> Path:
        """The file that remembers heads of the audit chain."""
        return self.home / "audit.anchor"
