/** The wire's Timeline (shots and pins over seconds), and how the tools of a clip become one. */

export interface Shot {
  prompt: string;
  start: number;
  end: number | null;
}

export interface Pin {
  media: string;
  kind: "image" | "video";
  start: number;
  end: number | null;
  strength: number;
  strength_end: number | null;
  media_start: number;
}

export interface VideoSpec {
  num_frames: number;
  height: number;
  width: number;
  fps: number;
}

export interface Timeline {
  shots: Shot[];
  spec: VideoSpec;
  pins: Pin[];
  negative_prompt: string;
  loop: boolean;
}

/** What the tools need to know of a clip. */
export interface Source {
  media: string;
  seconds: number;
  width: number;
  height: number;
  fps: number;
  prompt: string;
}

export const MAX_SECONDS = 120;
export const MIN_SPAN = 0.25;

/** The nearest whole frame, in seconds: what the engine can honour exactly. */
export function onFrame(seconds: number, fps: number): number {
  return Math.round(seconds * fps) / fps;
}

export function tidy(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6;
}

export function spec(source: Pick<Source, "width" | "height" | "fps">, seconds: number): VideoSpec {
  return {
    num_frames: Math.max(1, Math.round(seconds * source.fps)),
    height: source.height,
    width: source.width,
    fps: source.fps,
  };
}

function pin(media: string, start: number, end: number, mediaStart: number, strength = 1, strengthEnd = strength): Pin {
  return {
    media,
    kind: "video",
    start: tidy(start),
    end: tidy(end),
    strength: tidy(strength),
    strength_end: strengthEnd === strength ? null : tidy(strengthEnd),
    media_start: tidy(mediaStart),
  };
}

function timeline(prompt: string, frame: Source, seconds: number, pins: Pin[], loop = false): Timeline {
  return {
    shots: [{ prompt, start: 0, end: null }],
    spec: spec(frame, seconds),
    pins: pins.filter((one) => (one.end ?? one.start + 1) - one.start > 1 / frame.fps / 2),
    negative_prompt: "",
    loop,
  };
}

/** What is kept from `from` to `to`, then a crossing of `crossing` seconds that leads back to the first frame. */
export function loop(source: Source, prompt: string, from: number, to: number, crossing: number): Timeline {
  const kept = to - from;
  return timeline(prompt, source, kept + crossing, [pin(source.media, 0, kept, from)], true);
}

export interface Kept {
  id: string;
  /** Where in the source it begins and ends, and where in the new clip it lies. */
  from: number;
  to: number;
  at: number;
}

/** Parts of the clip at new places; what lies between them, before or after is made anew. */
export function recut(source: Source, prompt: string, kept: readonly Kept[], seconds: number): Timeline {
  const pins = kept.map((part) => pin(source.media, part.at, part.at + part.to - part.from, part.from));
  return timeline(prompt, source, seconds, pins);
}

/** The free spans of a clip of `seconds`, given what is held. */
export function gaps(
  held: readonly { start: number; end: number }[],
  seconds: number,
): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  let reached = 0;
  for (const span of [...held].sort((a, b) => a.start - b.start)) {
    if (span.start - reached > 1e-3) found.push({ start: reached, end: span.start });
    reached = Math.max(reached, span.end);
  }
  if (seconds - reached > 1e-3) found.push({ start: reached, end: seconds });
  return found;
}

export interface CurvePoint {
  /** Position within the crossing, 0 to 1. */
  at: number;
  /** How much of the second clip, 0 to 1. */
  share: number;
}

export const BLEND_CURVES: Record<"transition" | "mix" | "sample", CurvePoint[]> = {
  transition: [
    { at: 0, share: 0 },
    { at: 1, share: 1 },
  ],
  mix: [
    { at: 0, share: 0 },
    { at: 0.3, share: 0.5 },
    { at: 0.7, share: 0.5 },
    { at: 1, share: 1 },
  ],
  sample: [
    { at: 0, share: 0 },
    { at: 0.45, share: 0.15 },
    { at: 0.55, share: 0.85 },
    { at: 1, share: 1 },
  ],
};

/** Two clips into one: they overlap for `overlap` seconds, in which the curve says how much of each is held. */
export function blend(
  first: Source,
  second: Source,
  prompt: string,
  overlap: number,
  curve: readonly CurvePoint[],
): Timeline {
  const crossing = onFrame(Math.min(overlap, first.seconds, second.seconds), first.fps);
  const start = first.seconds - crossing;
  const total = start + second.seconds;
  const pins = [pin(first.media, 0, start, 0)];
  for (let index = 1; index < curve.length; index += 1) {
    const a = curve[index - 1] as CurvePoint;
    const b = curve[index] as CurvePoint;
    const from = start + onFrame(a.at * crossing, first.fps);
    const to = start + onFrame(b.at * crossing, first.fps);
    if (to - from < 1e-6) continue;
    pins.push(pin(first.media, from, to, from, 1 - a.share, 1 - b.share));
    pins.push(pin(second.media, from, to, from - start, a.share, b.share));
  }
  pins.push(pin(second.media, first.seconds, total, crossing));
  return timeline(prompt, first, total, pins);
}

/** Clips one after the other, each as it is. The first decides size and frame rate. */
export function stitch(parts: readonly { source: Source; from: number; to: number }[]): Timeline {
  const first = parts[0];
  if (!first) throw new Error("nothing to stitch");
  let at = 0;
  const pins: Pin[] = [];
  const shots: Shot[] = [];
  for (const { source, from, to } of parts) {
    const length = onFrame(to - from, first.source.fps);
    pins.push(pin(source.media, at, at + length, from));
    shots.push({ prompt: source.prompt || "a clip", start: tidy(at), end: tidy(at + length) });
    at += length;
  }
  const last = shots.at(-1);
  if (last) last.end = null;
  return { ...timeline("", first.source, at, pins), shots };
}
