import type { Model } from "@/api/types";
import type { Choice } from "@/components/controls";
import { t } from "@/lib/i18n";

/** The model that is used where none is chosen: the server's default under its own name. */
export function defaultModel(models: readonly Model[]): Model | undefined {
  const own = models.filter((model) => !model.daybreak?.alias);
  return (
    own.find((model) => model.daybreak?.default && model.daybreak.installed) ??
    own.find((model) => model.daybreak?.installed) ??
    models[0]
  );
}

export function findModel(models: readonly Model[], id: string): Model | undefined {
  return models.find((model) => model.id === id) ?? defaultModel(models);
}

/** Models as choices; those that cannot be used are shown with the reason. */
export function modelChoices(models: readonly Model[], current: string): Choice<string>[] {
  const shown = models.filter((model) => !model.daybreak?.alias || model.id === current);
  return shown.map((model) => ({
    value: model.id,
    label: model.daybreak?.procedural ? `${model.id} · ${t("procedural")}` : model.id,
    hint: model.daybreak?.problem ?? model.daybreak?.description ?? "",
    disabled: model.daybreak?.installed === false,
  }));
}

/** The first model that is there and can do all of it. */
export function ableModel(models: readonly Model[], needs: readonly string[]): Model | undefined {
  return models.find((model) => model.daybreak?.installed && !model.daybreak.alias && !lacks(model, needs));
}

/** Whether a model can do what a tool needs; the words say why not. */
export function lacks(model: Model | undefined, needs: readonly string[]): string | null {
  const abilities = model?.daybreak?.abilities;
  if (!abilities) return null; // unknown: the server will say
  const names: Record<string, string> = {
    shots: t("several shots"),
    image_pin: t("pictures"),
    video_pin: t("a source clip"),
    later_pin: t("media later than the first frame"),
    partial_strength: t("a strength below 100 %"),
    loop: t("loops"),
    negative_prompt: t("a negative prompt"),
    steps: t("a number of steps"),
    guidance: t("guidance"),
  };
  const missing = needs.filter((need) => !abilities.includes(need)).map((need) => names[need] ?? need);
  return missing.length ? t("{model} cannot use {what}.", { model: model?.id ?? "", what: missing.join(", ") }) : null;
}
