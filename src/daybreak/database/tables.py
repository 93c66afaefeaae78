"""The tables: everything that must survive a restart, except bytes, which are in object storage.

Times are Unix seconds: integers where the wire shows them, floats where the queue counts with them. Ids are
`PREFIX_` and 32 hex digits. Every row that a client can name carries its project, and every read asks for it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

# Named constraints, so that a later migration can find them on every database.
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite counts rows only in a column of type INTEGER; PostgreSQL's is wider.
Sequence = BigInteger().with_variant(Integer, "sqlite")


def _id() -> Column[str]:
    return Column("id", String(48), primary_key=True)


def _project() -> Column[str]:
    return Column("project_id", String(48), ForeignKey("projects.id"), nullable=False)


projects = Table(
    "projects",
    metadata,
    _id(),
    Column("name", String(200), nullable=False, unique=True),
    Column("weight", Float, nullable=False, server_default="1"),  # its share of the workers, against the others'
    # Where its last claimed job began and ended in virtual time: seconds of work over weight (jobs/fairness.py).
    Column("virtual_start", Float, nullable=False, server_default="0"),
    Column("virtual_finish", Float, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("paused_at", BigInteger),  # since when none of its jobs is begun; None while its queue moves
)

api_keys = Table(
    "api_keys",
    metadata,
    _id(),
    _project(),
    Column("name", String(200), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),  # SHA-256 of the key, hex; the key itself is not kept
    Column("hint", String(16), nullable=False),  # its last characters
    Column("scopes", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_at", BigInteger),
)

jobs = Table(
    "jobs",
    metadata,
    Column("sequence", Sequence, primary_key=True, autoincrement=True),  # the order of arrival, whatever clocks say
    Column("id", String(48), nullable=False, unique=True),  # video_…
    _project(),
    # What was asked.
    Column("kind", String(16), nullable=False),  # create, remix, edit, extend
    Column("model", String(200), nullable=False),  # as the client named it: the wire shows this
    Column("engine_model", String(200), nullable=False),  # what the alias pointed to
    Column("prompt", Text),
    Column("size", String(16), nullable=False),
    Column("seconds", String(16), nullable=False),  # of the finished clip, as the wire shows it
    Column("timeline", JSON, nullable=False),  # Timeline.to_dict(); media are "asset:ID"
    Column("settings", JSON, nullable=False),  # GenerationSettings.to_dict()
    Column("source_id", String(48)),  # the video that it was made from, by whatever operation
    Column("remixed_from_id", String(48)),  # the same, when the wire calls it a remix
    Column("batch_id", String(48)),
    Column("metadata", JSON, nullable=False),  # what the client wants remembered: string to string
    # How it is known again.
    Column("fingerprint", String(64), nullable=False),  # SHA-256 of the canonical request
    Column("idempotency_key", String(255)),
    Column("retries_seen", Integer, nullable=False, server_default="0"),  # the SDK's retry count that last matched
    # Where it stands.
    Column("status", String(16), nullable=False),  # queued, in_progress, completed, failed
    Column("stage", String(16), nullable=False, server_default=""),  # loading, generating, encoding, storing
    Column("steps_done", Integer, nullable=False, server_default="0"),
    Column("steps_total", Integer, nullable=False, server_default="0"),
    Column("error", JSON),  # {"code", "message"} of a failed one
    Column("created_at", BigInteger, nullable=False),
    Column("started_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("expires_after", Integer),  # seconds after completion, when the owner asked for it
    Column("deleted_at", BigInteger),
    Column("duration", Float),  # seconds of work that the finished attempt took: what estimates learn from
    # The queue.
    Column("priority", Integer, nullable=False, server_default="0"),  # higher first
    Column("cost", Float, nullable=False, server_default="1"),  # estimated seconds of work: what fairness counts
    Column("not_before", Float, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),  # that were begun and not given back
    Column("fence", Integer, nullable=False, server_default="0"),  # rises with each claim; a stale worker's writes miss
    Column("lease_owner", String(120)),
    Column("lease_until", Float),
    Column("cancel_requested", Boolean, nullable=False, server_default="0"),
    Column("checkpoint_key", String(255)),  # storage key of the last saved latents
    Column("checkpoint_step", Integer, nullable=False, server_default="0"),
    Column("told", JSON),  # what the engine says of a clip that it made: {"revised_prompt", "not_followed", …}
    UniqueConstraint("project_id", "idempotency_key"),
)
# All that choosing the next job reads, in the order in which it reads it, so that no row of the table is touched.
Index(
    "ix_jobs_claim",
    jobs.c.status,
    jobs.c.project_id,
    jobs.c.priority.desc(),
    jobs.c.sequence,
    jobs.c.cost,
    jobs.c.not_before,
    jobs.c.engine_model,
)
Index("ix_jobs_project", jobs.c.project_id, jobs.c.sequence)
Index("ix_jobs_project_status", jobs.c.project_id, jobs.c.status, jobs.c.sequence)
Index("ix_jobs_source", jobs.c.source_id)
Index("ix_jobs_fingerprint", jobs.c.project_id, jobs.c.fingerprint, jobs.c.created_at)
Index("ix_jobs_batch", jobs.c.batch_id, jobs.c.status)
Index("ix_jobs_durations", jobs.c.engine_model, jobs.c.size, jobs.c.seconds, jobs.c.completed_at)
Index("ix_jobs_expiry", jobs.c.expires_at)

job_media = Table(  # the assets that a job's timeline names: they stay while it needs them
    "job_media",
    metadata,
    Column("job_id", String(48), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("asset_id", String(48), primary_key=True),
)
Index("ix_job_media_asset", job_media.c.asset_id)

previews = Table(  # the newest picture of a running job; gone when it ends
    "previews",
    metadata,
    Column("job_id", String(48), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("step", Integer, nullable=False),
    Column("image", LargeBinary, nullable=False),  # WebP
)

assets = Table(
    "assets",
    metadata,
    _id(),  # asset_…
    _project(),
    Column("job_id", String(48)),  # the job that made it
    Column("variant", String(16), nullable=False),  # video, thumbnail, spritesheet; of uploads: image, video, data
    Column("key", String(255), nullable=False),  # in object storage
    Column("content_type", String(100), nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("width", Integer),
    Column("height", Integer),
    Column("num_frames", Integer),
    Column("fps", Float),
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
    Column("removed_at", BigInteger),  # when its bytes left the storage, which may be later
)
Index("ix_assets_job", assets.c.job_id, assets.c.variant)
Index("ix_assets_key", assets.c.key)
Index("ix_assets_removal", assets.c.removed_at, assets.c.deleted_at)

files = Table(
    "files",
    metadata,
    _id(),  # file-… on the wire as well
    _project(),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("asset_id", String(48), ForeignKey("assets.id"), nullable=False),
    Column("filename", String(255), nullable=False),  # shown, never a path
    Column("purpose", String(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("deleted_at", BigInteger),
)

Index("ix_files_asset", files.c.asset_id)
Index("ix_files_project", files.c.project_id, files.c.sequence)

characters = Table(
    "characters",
    metadata,
    _id(),  # char_…
    _project(),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("name", String(80), nullable=False),
    Column("asset_id", String(48), ForeignKey("assets.id"), nullable=False),  # the clip that it was made from
    Column("created_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger),
)

Index("ix_characters_asset", characters.c.asset_id)
Index("ix_characters_project", characters.c.project_id, characters.c.sequence)

batches = Table(
    "batches",
    metadata,
    _id(),  # batch_…
    _project(),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("endpoint", String(64), nullable=False),
    Column("completion_window", String(16), nullable=False),
    Column("input_file_id", String(48), nullable=False),
    Column("output_file_id", String(48)),
    Column("error_file_id", String(48)),
    Column("status", String(16), nullable=False),
    Column("errors", JSON),  # of the input file as a whole
    Column("metadata", JSON),
    Column("total", Integer, nullable=False, server_default="0"),
    Column("lines_completed", Integer, nullable=False, server_default="0"),  # final counts, of a batch that ended
    Column("lines_failed", Integer, nullable=False, server_default="0"),
    Column("output_expires_after", Integer),
    Column("created_at", BigInteger, nullable=False),
    Column("in_progress_at", BigInteger),
    Column("finalizing_at", BigInteger),
    Column("completed_at", BigInteger),
    Column("failed_at", BigInteger),
    Column("cancelling_at", BigInteger),
    Column("cancelled_at", BigInteger),
    Column("expires_at", BigInteger),
    Column("expired_at", BigInteger),
    Column("lease_owner", String(120)),  # the server that works on it
    Column("lease_until", Float),
)

Index("ix_batches_project", batches.c.project_id, batches.c.sequence)

batch_lines = Table(
    "batch_lines",
    metadata,
    Column("batch_id", String(48), ForeignKey("batches.id", ondelete="CASCADE"), primary_key=True),
    Column("line", Integer, primary_key=True),
    Column("custom_id", String(512), nullable=False),
    Column("position", BigInteger, nullable=False, server_default="0"),  # bytes into the input file
    Column("length", Integer, nullable=False, server_default="0"),  # bytes
    Column("job_id", String(48)),
    Column("error", JSON),  # why no job was made of it
)
Index("ix_batch_lines_job", batch_lines.c.job_id)

webhook_endpoints = Table(
    "webhook_endpoints",
    metadata,
    _id(),  # we_…
    _project(),
    Column("sequence", BigInteger, nullable=False, server_default="0"),
    Column("name", String(200), nullable=False),
    Column("url", Text, nullable=False),
    Column("event_types", JSON, nullable=False),
    Column("secret", String(200), nullable=False),  # whsec_…: needed to sign, so it cannot be hashed
    Column("old_secret", String(200)),
    Column("old_secret_until", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("disabled_at", BigInteger),
    Column("deleted_at", BigInteger),
)

Index("ix_webhook_endpoints_project", webhook_endpoints.c.project_id)

webhook_deliveries = Table(  # the outbox: written in the transaction that ends a job
    "webhook_deliveries",
    metadata,
    _id(),  # wh_…: the webhook-id header, the same on every attempt
    _project(),
    Column("endpoint_id", String(48), ForeignKey("webhook_endpoints.id"), nullable=False),
    Column("event_type", String(64), nullable=False),
    Column("body", Text, nullable=False),  # sent byte for byte the same on every attempt
    Column("created_at", BigInteger, nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Float),  # None: delivered or given up
    Column("delivered_at", BigInteger),
    Column("exhausted_at", BigInteger),
    Column("last_status", Integer),
    Column("last_error", Text),
)
Index("ix_webhook_deliveries_due", webhook_deliveries.c.next_attempt_at)

aliases = Table(  # model names that clients use, and what each means here
    "aliases",
    metadata,
    Column("name", String(200), primary_key=True),
    Column("model", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

library_folders = Table(
    "library_folders",
    metadata,
    _id(),  # fold_…
    _project(),
    Column("name", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)
Index("ix_library_folders_project", library_folders.c.project_id)

library_entries = Table(  # what an owner says about a clip; a clip without a row has nothing said about it
    "library_entries",
    metadata,
    Column("job_id", String(48), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    _project(),
    Column("title", String(200)),
    Column("favourite", Boolean, nullable=False, server_default="0"),
    Column("folder_id", String(48), ForeignKey("library_folders.id", ondelete="SET NULL")),
    Column("trashed_at", BigInteger),
    Column("revision", BigInteger, nullable=False, server_default="0"),  # rises with every change in the project
    Column("rating", Integer, nullable=False, server_default="0"),  # stars from 1 to 5; 0 is none given
)
Index("ix_library_entries_project", library_entries.c.project_id, library_entries.c.revision)
Index("ix_library_entries_folder", library_entries.c.folder_id)

library_tags = Table(
    "library_tags",
    metadata,
    Column("job_id", String(48), ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("name", String(60), primary_key=True),
    _project(),
)
Index("ix_library_tags_project", library_tags.c.project_id, library_tags.c.name)

library_documents = Table(  # what the studio keeps: storyboards, styles, prompt templates
    "library_documents",
    metadata,
    _id(),  # doc_…
    _project(),
    Column("kind", String(24), nullable=False),
    Column("name", String(200), nullable=False),
    Column("content", JSON, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
)
Index("ix_library_documents_project", library_documents.c.project_id, library_documents.c.kind)
