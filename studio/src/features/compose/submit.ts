import type { Character } from "@/api/types";
import {
  createFromTimeline,
  createVideo,
  type Lora,
  newKey,
  type Settings,
  uploadFile,
  type Video,
} from "@/api/videos";
import type { Draft, Reference } from "@/features/compose/draft";
import { resolveMentions } from "@/features/compose/mentions";
import { shownWhole } from "@/features/compose/whole";
import { parseSize } from "@/lib/format";
import { t } from "@/lib/i18n";
import { MAX_SECONDS, type Pin, type Timeline, tidy } from "@/lib/timeline";

export const DEFAULT_FPS = 24;

function whole(text: string): number | null {
  return /^\d+$/.test(text.trim()) ? Number(text) : null;
}

function decimal(text: string): number | null {
  const value = Number(text.replace(",", "."));
  return text.trim() && Number.isFinite(value) ? value : null;
}

/** What keeps a draft from being sent, in words; null when nothing does. */
export function obstacle(draft: Draft, characters: readonly Character[]): string | null {
  if (!draft.prompt.trim()) return t("Say what the video should show.");
  const size = parseSize(draft.size);
  if (!size) return t("The size is written as width x height, such as 1280x720.");
  if (Math.min(size.width, size.height) < 64 || Math.max(size.width, size.height) > 2048)
    return t("Width and height are 64 to 2048 pixels.");
  if (size.width % 2 || size.height % 2) return t("Width and height must be even.");
  if (!(draft.seconds > 0 && draft.seconds <= MAX_SECONDS))
    return t("A clip is more than 0 and at most {most} seconds long.", { most: MAX_SECONDS });
  if (draft.seed.trim() && whole(draft.seed) === null)
    return t("The seed is a whole number, or empty for a random one.");
  if (draft.steps.trim() && !whole(draft.steps)) return t("Steps is a whole number from 1 to 1000.");
  if (draft.guidance.trim() && decimal(draft.guidance) === null) return t("Guidance is a number from 0 to 100.");
  if (draft.fps.trim() && !(Number(draft.fps) >= 1 && Number(draft.fps) <= 120))
    return t("Frames per second are 1 to 120.");
  if (resolveMentions(draft.prompt, characters).ids.length > 2) return t("A clip can have at most two characters.");
  return null;
}

/** Those of the model that is used: another one's stay in the box, for when it is chosen again. */
function lorasOf(draft: Draft): Lora[] | null {
  const used = draft.loras.filter((one) => one.model === draft.model);
  return used.length ? used.map(({ name, strength }) => ({ name, strength })) : null;
}

export function settingsOf(draft: Draft, index = 0): Settings {
  const seed = whole(draft.seed);
  return {
    seed: seed === null ? null : seed + index,
    negative_prompt: draft.negative.trim(),
    num_inference_steps: whole(draft.steps),
    guidance_scale: decimal(draft.guidance),
    fps: decimal(draft.fps),
    loras: lorasOf(draft),
    enhance_prompt: draft.enhance ? null : false,
    generate_audio: draft.sound ? null : false,
  };
}

/** How long the clip will be: a continued one is as long as what it continues and what is asked for. */
export function totalSeconds(draft: Draft, references: readonly Reference[]): number {
  const clip = references.find((one) => one.kind === "video");
  if (clip?.use === "continue") return (clip.seconds ?? 0) + draft.seconds;
  if (clip?.use === "restyle") return clip.seconds ?? draft.seconds;
  return draft.seconds;
}

export function referenceTimeline(
  draft: Draft,
  prompt: string,
  references: readonly Reference[],
  mediaOf: ReadonlyMap<string, string>,
): Timeline {
  const size = parseSize(draft.size) ?? { width: 1280, height: 720 };
  const fps = decimal(draft.fps) ?? references.find((one) => one.kind === "video")?.fps ?? DEFAULT_FPS;
  const frames = Math.max(1, Math.round(totalSeconds(draft, references) * fps));
  const seconds = frames / fps;
  const pins = references.map((one): Pin => {
    const pin = {
      media: mediaOf.get(one.id) ?? "",
      kind: one.kind,
      start: 0,
      end: null,
      strength: 1,
      strength_end: null,
      media_start: 0,
    };
    if (one.kind === "video") {
      const end = tidy(Math.min(seconds, one.seconds ?? seconds));
      return { ...pin, end, strength: one.use === "restyle" ? tidy(1 - draft.change) : 1 };
    }
    return one.use === "last" ? { ...pin, start: tidy((frames - 1) / fps) } : pin;
  });
  return {
    shots: [{ prompt, start: 0, end: null }],
    spec: { num_frames: frames, ...size, fps },
    pins,
    negative_prompt: draft.negative.trim(),
    loop: false,
  };
}

/** The file of a reference as a timeline takes it: timelines crop, so what is to be seen whole is made to fit before. */
async function fitted({ file, kind, fit }: Reference, size: string): Promise<Blob> {
  const frame = parseSize(size);
  return kind === "image" && fit === "contain" && frame
    ? shownWhole(file as Blob, frame.width, frame.height)
    : (file as Blob);
}

/** Sends a draft `count` times; each variation has its own seed. Resolves with what was queued. */
export async function submit(
  draft: Draft,
  references: readonly Reference[],
  characters: readonly Character[],
  styleText: string,
): Promise<Video[]> {
  const { prompt: named, ids } = resolveMentions(draft.prompt.trim(), characters);
  const prompt = styleText ? `${named.replace(/[,.\s]+$/, "")}, ${styleText}` : named;
  const [only] = references;
  const simple = references.length === 0 || (references.length === 1 && only?.use === "first" && only.file !== null);
  const mediaOf = new Map<string, string>();
  if (!simple) {
    for (const one of references) {
      mediaOf.set(one.id, one.clip ?? (await uploadFile(await fitted(one, draft.size), one.name)).id);
    }
  }
  const sent: Video[] = [];
  for (let index = 0; index < draft.count; index += 1) {
    const settings = settingsOf(draft, index);
    if (simple) {
      const reference = only?.file ? { file: only.file, name: only.name, fit: only.fit } : null;
      const { model, size, seconds } = draft;
      sent.push(await createVideo({ prompt, model, size, seconds, settings, characters: ids, reference }, newKey()));
    } else {
      const timeline = referenceTimeline(draft, prompt, references, mediaOf);
      const extra = ids.length ? { characters: ids.map((id) => ({ id })) } : {};
      sent.push(await createFromTimeline(timeline, draft.model, settings, newKey(), extra));
    }
  }
  return sent;
}
