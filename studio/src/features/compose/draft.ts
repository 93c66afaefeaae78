import { create } from "zustand";
import { createJSONStorage, persist } from "zustand/middleware";
import type { ItemDetail } from "@/api/types";
import type { Recorded } from "@/api/videos";
import { STYLES } from "@/features/compose/library";

export type Use = "first" | "last" | "restyle" | "continue";

/** A picture or clip that the next generation builds on. */
export interface Reference {
  id: string;
  kind: "image" | "video";
  name: string;
  /** What an <img> or <video> can show. */
  url: string;
  file: Blob | null;
  /** A clip of the library, by its id. */
  clip: string | null;
  width: number;
  height: number;
  seconds: number | null;
  fps: number | null;
  use: Use;
  fit: "cover" | "contain" | "exact";
}

/** A LoRA of a model, by the model's name. */
export interface LoraChoice {
  model: string;
  name: string;
  strength: number;
}

export interface Draft {
  prompt: string;
  negative: string;
  model: string;
  size: string;
  seconds: number;
  count: 1 | 2 | 4;
  seed: string;
  steps: string;
  guidance: string;
  fps: string;
  style: string;
  loras: LoraChoice[];
  /** Whether the model may be told the prompt in its own words, and whether the clip has sound, where it can do so. */
  enhance: boolean;
  sound: boolean;
  /** How much of a clip to change when it is made again in another way, 0 to 1. */
  change: number;
}

interface DraftState extends Draft {
  references: Reference[];
  set: (change: Partial<Draft>) => void;
  addReference: (reference: Reference) => void;
  changeReference: (id: string, change: Partial<Reference>) => void;
  removeReference: (id: string) => void;
}

const EMPTY: Draft = {
  prompt: "",
  negative: "",
  model: "",
  size: "",
  seconds: 4,
  count: 1,
  seed: "",
  steps: "",
  guidance: "",
  fps: "",
  style: "",
  loras: [],
  enhance: true,
  sound: true,
  change: 0.5,
};

/** What is being written, kept over reloads with the clips that it builds on. Files only live in this window. */
export const useDraft = create<DraftState>()(
  persist(
    (set, get) => ({
      ...EMPTY,
      references: [],
      set: (change) => set(change),
      addReference: (reference) => set({ references: [...get().references, reference].slice(-4) }),
      changeReference: (id, change) =>
        set({ references: get().references.map((one) => (one.id === id ? { ...one, ...change } : one)) }),
      removeReference: (id) => {
        const gone = get().references.find((one) => one.id === id);
        if (gone?.file) URL.revokeObjectURL(gone.url);
        set({ references: get().references.filter((one) => one.id !== id) });
      },
    }),
    {
      name: "daybreak.draft",
      storage: createJSONStorage(() => localStorage),
      partialize: ({ references, set: _s, addReference: _a, changeReference: _c, removeReference: _r, ...kept }) => ({
        ...kept,
        references: references.filter((one) => one.clip !== null),
      }),
    },
  ),
);

function text(value: number | null | undefined): string {
  return value == null ? "" : String(value);
}

/** Everything that a clip was made with, back in the box. */
export function reuse(item: Pick<ItemDetail, "model" | "timeline" | "settings">, keepSeed: boolean): void {
  const { spec, shots, negative_prompt } = item.timeline;
  const prompt = shots.map((shot) => shot.prompt).join("\n");
  const style = STYLES.find((one) => prompt.endsWith(one.text));
  useDraft.getState().set({
    ...EMPTY,
    prompt: style ? prompt.slice(0, -style.text.length).replace(/[,.\s]+$/, "") : prompt,
    style: style?.id ?? "",
    negative: negative_prompt ?? "",
    model: item.model,
    size: `${spec.width}x${spec.height}`,
    seconds: Number((spec.num_frames / spec.fps).toFixed(3)),
    fps: spec.fps === 24 ? "" : String(spec.fps),
    seed: keepSeed ? text(item.settings.seed) : "",
    steps: text(item.settings.num_inference_steps),
    guidance: text(item.settings.guidance_scale),
    enhance: item.settings.enhance_prompt !== false,
    sound: item.settings.generate_audio !== false,
    loras: (item.settings.loras ?? []).map((one) => ({ model: item.model, ...one })),
  });
}

export function reuseRecord(record: Recorded): void {
  reuse({ model: record.model ?? "", timeline: record.timeline, settings: record.settings ?? {} }, true);
}
