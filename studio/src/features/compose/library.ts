/** What helps to begin: styles, templates, examples. The user's own are kept on the server as documents. */
import { t } from "@/lib/i18n";

export interface Style {
  id: string;
  name: string;
  text: string;
}

export const STYLES: readonly Style[] = [
  { id: "noir", name: "Film noir", text: "black and white film noir, hard shadows, rain-wet streets, 35mm grain" },
  {
    id: "stop-motion",
    name: "Stop motion",
    text: "stop-motion animation, handmade puppets, visible fingerprints, soft studio light",
  },
  {
    id: "papercraft",
    name: "Papercraft",
    text: "cardboard and paper craft, layered cut-outs, crisp folded edges, gentle shadows",
  },
  { id: "archival", name: "Archival", text: "faded archival footage, 16mm, light leaks, dust and scratches" },
  {
    id: "balloon",
    name: "Balloon world",
    text: "everything made of glossy balloons, soft reflections, bright daylight",
  },
  { id: "golden", name: "Golden hour", text: "golden hour, low warm sun, long shadows, shallow depth of field" },
  { id: "handheld", name: "Handheld", text: "handheld documentary camera, natural light, slight shake" },
  { id: "anime", name: "Anime", text: "hand-drawn anime, clean line art, painted backgrounds" },
  { id: "retro", name: "Retro", text: "1970s film stock, warm faded colours, soft focus" },
  { id: "news", name: "News", text: "live news footage, long lens, broadcast colours" },
];

export interface Template {
  id: string;
  name: string;
  text: string;
}

export const TEMPLATES: readonly Template[] = [
  {
    id: "shot",
    name: "Shot grammar",
    text: "[Wide shot] of [subject] [doing what] in [place], [time of day], [camera move]",
  },
  {
    id: "reveal",
    name: "Slow reveal",
    text: "The camera rises slowly over [foreground] and reveals [subject] at [time of day]",
  },
  {
    id: "product",
    name: "Product turntable",
    text: "[Product] turns slowly on a plain [colour] background, soft studio light, close-up",
  },
  { id: "dialogue", name: "Spoken line", text: '[Character] looks into the camera and says: "[line]"' },
  {
    id: "seasons",
    name: "Time passing",
    text: "[Place] from [first season] to [second season], fixed camera, time-lapse",
  },
];

/** Prompts that the built-in model does well. */
export const EXAMPLES: readonly string[] = [
  "a brown dog runs across a meadow at sunset",
  "a red car drives through the town at night",
  "a penguin dances on the snow",
  "a small boat drifts on a calm lake at dawn",
  "rain falls on a green hill while a white horse walks by",
  "a yellow bird flies over the sea, the camera follows",
];

export interface SizeChoice {
  value: string;
  name: string;
  hint: string;
}

export function sizes(): SizeChoice[] {
  return [
    { value: "448x256", name: t("Draft wide"), hint: t("the built-in model's own size, quickest") },
    { value: "256x448", name: t("Draft tall"), hint: t("the built-in model's own size, quickest") },
    { value: "320x320", name: t("Draft square"), hint: t("the built-in model's own size, quickest") },
    { value: "1280x720", name: t("HD wide"), hint: "16:9" },
    { value: "720x1280", name: t("HD tall"), hint: "9:16" },
    { value: "1024x1024", name: t("HD square"), hint: "1:1" },
    { value: "1920x1080", name: t("Full HD wide"), hint: "16:9" },
    { value: "1080x1920", name: t("Full HD tall"), hint: "9:16" },
    { value: "1792x1024", name: t("Cinema wide"), hint: "7:4" },
    { value: "1024x1792", name: t("Cinema tall"), hint: "4:7" },
  ];
}

export const LENGTHS = [2, 4, 6, 8, 12, 16, 20] as const;
