import type { Timeline } from "@/lib/timeline";

export type Status = "queued" | "in_progress" | "completed" | "failed";

export interface JobError {
  code: string;
  message: string;
}

/** A clip as the library shows it: a Video of the API, and what the owner says about it. */
export interface Item {
  id: string;
  kind: string;
  tool: string | null;
  title: string | null;
  prompt: string | null;
  model: string;
  engine_model: string;
  procedural: boolean;
  status: Status;
  stage: string;
  progress: number;
  steps_done: number;
  steps_total: number;
  size: string;
  seconds: string;
  created_at: number;
  started_at: number | null;
  completed_at: number | null;
  expires_at: number | null;
  error: JobError | null;
  source_id: string | null;
  remixed_from_video_id: string | null;
  favourite: boolean;
  folder_id: string | null;
  tags: string[];
  trashed_at: number | null;
  cancel_requested: boolean;
  place: { position: number; eta_seconds: number | null } | null;
}

export interface AssetFacts {
  variant: string;
  content_type: string;
  bytes: number;
  sha256: string;
  width: number | null;
  height: number | null;
  num_frames: number | null;
  fps: number | null;
}

export interface ItemDetail extends Item {
  timeline: Timeline;
  settings: { seed?: number | null; num_inference_steps?: number | null; guidance_scale?: number | null };
  duration: number | null;
  attempts: number;
  metadata: Record<string, string>;
  assets: AssetFacts[];
}

export interface ItemPage {
  data: Item[];
  total: number;
  offset: number;
}

export interface Filters {
  q?: string | undefined;
  folder?: string | undefined;
  tag?: string | undefined;
  favourite?: boolean | undefined;
  status?: Status | "unfinished" | undefined;
  model?: string | undefined;
  kind?: string | undefined;
  size?: string | undefined;
  trashed?: boolean | undefined;
  order?: "newest" | "oldest" | "longest" | "title" | undefined;
}

export interface Folder {
  id: string;
  name: string;
  count: number;
  created_at: number;
}

export interface LineageNode {
  id: string;
  title: string | null;
  prompt: string | null;
  kind: string;
  tool: string | null;
  status: Status;
  created_at: number;
  size: string;
  seconds: string;
  sources: string[];
  gone: boolean;
}

export interface Facets {
  total: number;
  favourites: number;
  trashed: number;
  folders: Folder[];
  tags: { name: string; count: number }[];
  models: { name: string; count: number }[];
  kinds: { name: string; count: number }[];
  sizes: { name: string; count: number }[];
}

export interface DocumentSummary {
  id: string;
  kind: string;
  name: string;
  created_at: number;
  updated_at: number;
}

export interface SavedDocument<T> extends DocumentSummary {
  content: T;
}

export interface Model {
  id: string;
  object: "model";
  owned_by: string;
  created: number;
  daybreak?: {
    installed?: boolean;
    default?: boolean;
    model?: string;
    alias?: boolean;
    licence?: string | null;
    procedural?: boolean;
    description?: string;
    abilities?: string[];
    usable?: boolean;
    problem?: string | null;
    bytes?: number;
    native_sizes?: string[];
    fps?: number;
  };
}

export interface Character {
  id: string;
  name: string | null;
  created_at: number;
}

export interface ApiKey {
  id: string;
  name: string;
  hint: string;
  scopes: string[];
  created_at: number;
  last_used_at: number | null;
  expires_at: number | null;
  revoked_at: number | null;
}

export interface WebhookEndpoint {
  id: string;
  name: string;
  url: string;
  event_types: string[];
  created_at: number;
  signing_secret?: string;
  signing_secret_hint?: string;
}

export interface Usage {
  clips: number;
  bytes: number;
  by_variant: Record<string, number>;
  free: number | null;
  location: string;
}

export interface StudioInfo {
  version: string;
  model: string;
  sora_model: string;
  needs_key: boolean;
  signed_in: boolean;
  root: string;
  workers: number;
}
