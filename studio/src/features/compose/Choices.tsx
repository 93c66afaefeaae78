import { useQuery } from "@tanstack/react-query";
import { Clock, Frame, Layers, Palette } from "lucide-react";
import { fullDocumentsQuery, modelsQuery } from "@/api/library";
import { type Choice, cx, Select } from "@/components/controls";
import { type Draft, useDraft } from "@/features/compose/draft";
import { LENGTHS, STYLES, type Style, sizes } from "@/features/compose/library";
import { findModel, modelChoices } from "@/features/compose/models";
import { aspectName, duration, parseSize } from "@/lib/format";
import { t } from "@/lib/i18n";

export function StyleChoice() {
  const { style, set } = useDraft();
  const own = useQuery(fullDocumentsQuery<Style>("style"));
  const all = [...STYLES, ...(own.data ?? []).map((one) => ({ id: one.id, name: one.name, text: one.content.text }))];
  const choices: Choice<string>[] = [
    { value: "", label: t("No style") },
    ...all.map((one) => ({ value: one.id, label: one.name, hint: one.text })),
  ];
  return (
    <Select
      quiet
      label={t("Style")}
      value={choices.some((one) => one.value === style) ? style : ""}
      choices={choices}
      onChange={(next) => set({ style: next })}
      icon={<Palette aria-hidden className="size-4 shrink-0" />}
      className={cx("max-w-36", style && "bg-accent-soft text-accent-text")}
    />
  );
}

/** Model, size, length and number of the next clips. */
export function ModelAndShape() {
  const draft = useDraft();
  const models = useQuery(modelsQuery);
  const model = findModel(models.data ?? [], draft.model);
  const size = draft.size || "448x256";
  const known = sizes();
  const parsed = parseSize(size);
  const sizeChoices: Choice<string>[] = known.map((one) => ({
    value: one.value,
    label: <SizeLabel size={one.value} name={one.name} />,
    hint: one.hint,
  }));
  if (!known.some((one) => one.value === size))
    sizeChoices.unshift({ value: size, label: <SizeLabel size={size} name={t("Own size")} /> });
  const lengths = [...new Set<number>([...LENGTHS, draft.seconds])].sort((a, b) => a - b);
  return (
    <>
      <Select
        quiet
        label={t("Model")}
        value={model?.id ?? ""}
        choices={modelChoices(models.data ?? [], draft.model)}
        onChange={(next) => draft.set({ model: next })}
        icon={<Layers aria-hidden className="size-4 shrink-0" />}
        className="max-w-40"
      />
      <Select
        quiet
        label={t("Size")}
        value={size}
        choices={sizeChoices}
        onChange={(next) => draft.set({ size: next })}
        icon={<Shape width={parsed?.width ?? 16} height={parsed?.height ?? 9} />}
      />
      <Select
        quiet
        label={t("Length")}
        value={String(draft.seconds)}
        choices={lengths.map((seconds) => ({ value: String(seconds), label: duration(seconds) }))}
        onChange={(next) => draft.set({ seconds: Number(next) })}
        icon={<Clock aria-hidden className="size-4 shrink-0" />}
      />
      <Select
        quiet
        label={t("Variations")}
        value={String(draft.count)}
        choices={(["1", "2", "4"] as const).map((value) => ({ value, label: `${value} ×` }))}
        onChange={(next) => draft.set({ count: Number(next) as Draft["count"] })}
        icon={<Frame aria-hidden className="size-4 shrink-0" />}
      />
    </>
  );
}

function SizeLabel({ size, name }: { size: string; name: string }) {
  return (
    <span className="tabular">
      {size.replace("x", "×")}
      <span className="sr-only"> {name}</span>
    </span>
  );
}

/** A size as its outline. */
export function Shape({ width, height }: { width: number; height: number }) {
  const scale = 14 / Math.max(width, height);
  const [w, h] = [Math.max(5, width * scale), Math.max(5, height * scale)];
  return (
    <svg viewBox="0 0 16 16" aria-label={aspectName(width, height)} role="img" className="size-4 shrink-0">
      <rect
        x={8 - w / 2}
        y={8 - h / 2}
        width={w}
        height={h}
        rx="1.5"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.5"
      />
    </svg>
  );
}
