import type { components } from "@/api/schema";
import type { Timeline } from "@/lib/timeline";

// Types of answers come from the server's own description (`make studio-types`); only what it leaves open is said here.
type Schemas = components["schemas"];

/** A clip as the library shows it: a Video of the API, and what the owner says about it. */
export type Item = Schemas["LibraryItem"];

export type ItemDetail = Omit<Schemas["LibraryItemDetail"], "timeline" | "settings" | "metadata"> & {
  timeline: Timeline;
  settings: {
    seed?: number | null;
    num_inference_steps?: number | null;
    guidance_scale?: number | null;
    loras?: { name: string; strength: number }[] | null;
    enhance_prompt?: boolean | null;
    generate_audio?: boolean | null;
    step_cache?: number | null;
  };
  metadata: Record<string, string>;
};

export type ItemPage = Schemas["LibraryPage"];
export type Folder = Schemas["LibraryFolder"];
export type Facets = Schemas["LibraryFacets"];
export type LineageNode = Schemas["LineageNode"];
export type Catalogue = Schemas["CatalogueList"];
export type CatalogueEntry = Schemas["CatalogueEntry"];
export type Model = Schemas["ModelResource"];
export type Character = Schemas["CharacterResource"] & { id: string };
export type ApiKey = Schemas["ApiKeyResource"];
export type Usage = Schemas["Usage"];
export type WebhookEndpoint = Schemas["WebhookEndpoint"] & { signing_secret?: string };

export type Status = "queued" | "in_progress" | "completed" | "failed";

export interface JobError {
  code: string;
  message: string;
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
  rating?: number | undefined;
  created_from?: number | undefined;
  created_before?: number | undefined;
  order?: "newest" | "oldest" | "longest" | "title" | "best" | undefined;
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

export interface StudioInfo {
  version: string;
  model: string;
  sora_model: string;
  needs_key: boolean;
  signed_in: boolean;
  root: string;
  workers: number;
}
