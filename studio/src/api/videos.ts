import { create, send } from "@/api/client";
import type { Character, Item } from "@/api/types";
import type { Timeline } from "@/lib/timeline";

export interface Lora {
  name: string;
  strength: number;
}

export interface Settings {
  seed: number | null;
  negative_prompt: string;
  num_inference_steps: number | null;
  guidance_scale: number | null;
  fps: number | null;
  loras: Lora[] | null;
  enhance_prompt: boolean | null;
  generate_audio: boolean | null;
}

export interface Video {
  id: string;
  status: string;
}

/** Fields of a create that are left out when they are empty, so that the model's own choice holds. */
function present(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).filter(([, value]) => value !== null && value !== "" && value !== undefined),
  );
}

export interface NewVideo {
  prompt: string;
  model: string;
  size: string;
  seconds: number;
  settings: Settings;
  characters: string[];
  reference: { file: Blob; name: string; fit: string } | null;
}

export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return `studio-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}

export function createVideo(video: NewVideo, key: string): Promise<Video> {
  const fields = present({
    prompt: video.prompt,
    model: video.model,
    size: video.size,
    seconds: String(video.seconds),
    ...video.settings,
  });
  const { reference } = video;
  if (!reference) {
    const characters = video.characters.map((id) => ({ id }));
    return create("v1/videos", characters.length ? { ...fields, characters } : fields, key);
  }
  const form = new FormData();
  const { loras, ...plain } = fields;
  for (const [name, value] of Object.entries(plain)) form.append(name, String(value));
  for (const lora of video.settings.loras ?? []) {
    form.append("loras[][name]", lora.name);
    form.append("loras[][strength]", String(lora.strength));
  }
  for (const id of video.characters) form.append("characters[][id]", id);
  form.append("input_reference_fit", reference.fit);
  form.append("input_reference", reference.file, reference.name);
  return create("v1/videos", form, key);
}

export function createFromTimeline(
  timeline: Timeline,
  model: string,
  settings: Partial<Settings>,
  key = newKey(),
  extra: Record<string, unknown> = {},
): Promise<Video> {
  const { seed, num_inference_steps, guidance_scale, loras, enhance_prompt, generate_audio } = settings;
  return create(
    "v1/videos",
    present({
      prompt: timeline.shots[0]?.prompt,
      model,
      timeline,
      seed,
      num_inference_steps,
      guidance_scale,
      loras,
      enhance_prompt,
      generate_audio,
      ...extra,
    }),
    key,
  );
}

export function remixVideo(id: string, prompt: string, model: string, strength: number): Promise<Video> {
  return create(`v1/videos/${id}/remix`, { prompt, model, strength }, newKey());
}

export function extendVideo(
  id: string,
  prompt: string,
  model: string,
  seconds: number,
  direction: "forward" | "backward",
): Promise<Video> {
  return create(
    "v1/videos/extensions",
    { prompt, model, seconds: String(seconds), direction, video: { id } },
    newKey(),
  );
}

/** A tool of the studio that the API has no operation for: a timeline, and a word that says what it was. */
export function sendTool(
  tool: string,
  timeline: Timeline,
  model: string,
  settings: Partial<Settings> = {},
): Promise<Video> {
  return createFromTimeline(timeline, model, settings, newKey(), { metadata: { tool } });
}

export const cancelVideo = (id: string) => send<Item>("POST", `v1/videos/${id}/cancel`);
export const deleteVideo = (id: string) => send("DELETE", `v1/videos/${id}`);

/** Where in the queue: "first" lets it run next. */
export const placeInQueue = (id: string, where: "first" | "up" | "down") =>
  send<{ data: string[] }>("POST", `v1/library/queue/${id}`, { where });

export async function uploadFile(file: Blob, name: string): Promise<{ id: string }> {
  const form = new FormData();
  form.append("purpose", "user_data");
  form.append("file", file, name);
  return send("POST", "v1/files", form);
}

export async function createCharacter(name: string, source: File | { id: string }): Promise<Character> {
  if (!(source instanceof File)) return send("POST", "v1/videos/characters", { name, video: { id: source.id } });
  const form = new FormData();
  form.append("name", name);
  form.append("video", source, source.name);
  return send("POST", "v1/videos/characters", form);
}

export const deleteCharacter = (id: string) => send("DELETE", `v1/videos/characters/${id}`);

/** What a dropped file of ours says about how it was made. */
export interface Recorded {
  model?: string;
  timeline: Timeline;
  settings?: Partial<Settings>;
}

export async function readRecord(file: File): Promise<Recorded> {
  const form = new FormData();
  form.append("file", file, file.name);
  return send("POST", "v1/library/read-settings", form);
}
