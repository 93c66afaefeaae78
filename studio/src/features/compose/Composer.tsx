import { useQuery } from "@tanstack/react-query";
import { ArrowUp, Clock, Dices, Frame, ImagePlus, Layers, Palette, SlidersHorizontal } from "lucide-react";
import { useRef, useState } from "react";
import { charactersQuery, estimateQuery, fullDocumentsQuery, modelsQuery } from "@/api/library";
import { Button, type Choice, cx, Field, IconButton, inputLook, Keys, Select, Tip } from "@/components/controls";
import { Popover } from "@/components/overlays";
import { type Draft, useDraft } from "@/features/compose/draft";
import { LENGTHS, STYLES, type Style, sizes } from "@/features/compose/library";
import { findModel, lacks, modelChoices } from "@/features/compose/models";
import { PromptBox } from "@/features/compose/PromptBox";
import { PromptHelp } from "@/features/compose/PromptHelp";
import { References } from "@/features/compose/References";
import { addClip, takeFiles } from "@/features/compose/references";
import { send } from "@/features/compose/send";
import { obstacle, totalSeconds } from "@/features/compose/submit";
import { ClipPicker } from "@/features/library/ClipPicker";
import { aspectName, duration, parseSize, roughly } from "@/lib/format";
import { t } from "@/lib/i18n";

/** Where words become clips. Sending queues at once; the box stays usable. */
export function Composer() {
  const draft = useDraft();
  const { prompt, set } = draft;
  const models = useQuery(modelsQuery);
  const characters = useQuery(charactersQuery);
  const [sending, setSending] = useState(0);
  const model = findModel(models.data ?? [], draft.model);
  const size = draft.size || "448x256";
  const problem = prompt.trim() ? obstacle({ ...draft, size }, characters.data ?? []) : null;
  const missing = missingAbility(draft, model);

  const submit = async () => {
    if (!prompt.trim() || problem) return;
    setSending((now) => now + 1);
    await send();
    setSending((now) => now - 1);
  };

  return (
    <section
      data-compose
      aria-label={t("Compose")}
      className="z-20 mx-auto w-full max-w-[920px] shrink-0 px-3 pb-3 md:px-6 md:pb-5"
    >
      <div className="rounded-2xl border border-line-strong bg-panel shadow-float focus-within:border-control">
        <References />
        <div className="flex items-end gap-2 px-3 pt-2.5">
          <PromptBox
            className="flex-1"
            value={prompt}
            onChange={(next) => set({ prompt: next })}
            onSubmit={() => void submit()}
            label={t("Prompt")}
            placeholder={t("What should the clip show? Name characters with @")}
            autoFocus={matchMedia("(pointer: fine)").matches}
            onPasteFiles={(files) => void takeFiles(files)}
          />
        </div>
        <div className="flex flex-wrap items-center gap-1 px-2 pb-2">
          <AddMenu />
          <PromptHelp />
          <StyleChoice />
          <span aria-hidden className="mx-1 hidden h-5 w-px bg-line sm:block" />
          <ModelAndShape />
          <Advanced model={model?.id} />
          <div className="ml-auto flex items-center gap-2">
            <Tip label={t("Generate")} keys="mod+enter">
              <Button
                look="primary"
                onClick={() => void submit()}
                disabled={!prompt.trim() || problem !== null}
                className="pr-3"
              >
                {draft.count > 1 ? t("Generate {count}", { count: draft.count }) : t("Generate")}
                <ArrowUp aria-hidden className={cx("size-4 transition-transform", sending > 0 && "-translate-y-0.5")} />
              </Button>
            </Tip>
          </div>
        </div>
      </div>
      <p
        className="mt-1.5 flex min-h-5 flex-wrap items-center justify-between gap-x-4 px-2 text-xs text-text-3"
        aria-live="polite"
      >
        {(problem ?? missing) ? (
          <span className="text-warn">{problem ?? missing}</span>
        ) : (
          <Estimate draft={draft} model={model?.id ?? ""} size={size} />
        )}
        <span className="hidden items-center gap-1.5 md:flex">
          <Keys combination="mod+enter" /> {t("queues it at once")}
        </span>
      </p>
    </section>
  );
}

function missingAbility(
  draft: ReturnType<typeof useDraft.getState>,
  model: ReturnType<typeof findModel>,
): string | null {
  const needs = new Set<string>();
  for (const one of draft.references) {
    needs.add(one.kind === "image" ? "image_pin" : "video_pin");
    if (one.use === "last") needs.add("later_pin");
    if (one.use === "restyle") needs.add("partial_strength");
  }
  if (draft.negative.trim()) needs.add("negative_prompt");
  if (draft.steps.trim()) needs.add("steps");
  if (draft.guidance.trim()) needs.add("guidance");
  return lacks(model, [...needs]);
}

function Estimate({
  draft,
  model,
  size,
}: {
  draft: Draft & { references: ReturnType<typeof useDraft.getState>["references"] };
  model: string;
  size: string;
}) {
  const seconds = totalSeconds(draft, draft.references);
  const question = { model, size, seconds, count: draft.count };
  const estimate = useQuery({ ...estimateQuery(question), enabled: Boolean(model) && seconds > 0 });
  if (!estimate.data) return <span>&nbsp;</span>;
  const { seconds: work, waiting } = estimate.data;
  if (work === null) return <span>{t("No estimate yet: the first clip of this size and length teaches it.")}</span>;
  return (
    <span className="tabular">
      {t("{time} on this machine", { time: roughly(work) })}
      {waiting ? ` · ${t("after {time} of waiting", { time: roughly(waiting) })}` : ""}
    </span>
  );
}

function AddMenu() {
  const file = useRef<HTMLInputElement>(null);
  const [picking, setPicking] = useState(false);
  const [open, setOpen] = useState(false);
  return (
    <>
      <Popover
        title={t("Build on something")}
        side="top"
        open={open}
        onOpenChange={setOpen}
        trigger={
          <IconButton label={t("Add a picture or clip")}>
            <ImagePlus aria-hidden />
          </IconButton>
        }
      >
        <div className="flex flex-col gap-2">
          <Button
            onClick={() => {
              setOpen(false);
              file.current?.click();
            }}
          >
            {t("From this computer")}
          </Button>
          <Button
            onClick={() => {
              setOpen(false);
              setPicking(true);
            }}
          >
            {t("From the library")}
          </Button>
          <p className="text-xs text-text-3">
            {t(
              "Pictures become the first or last frame; clips are restyled or continued. Dropping or pasting works, too.",
            )}
          </p>
        </div>
      </Popover>
      <input
        ref={file}
        type="file"
        multiple
        hidden
        aria-label={t("Picture or clip")}
        accept="image/png,image/jpeg,image/webp,video/mp4,video/webm,video/quicktime"
        onChange={(event) => {
          void takeFiles([...(event.target.files ?? [])]);
          event.target.value = "";
        }}
      />
      <ClipPicker
        open={picking}
        onClose={() => setPicking(false)}
        title={t("Build on a clip")}
        onPick={(item) => void addClip(item.id)}
      />
    </>
  );
}

function StyleChoice() {
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

function ModelAndShape() {
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

function Advanced({ model }: { model: string | undefined }) {
  const draft = useDraft();
  const { set } = draft;
  const changed = [draft.seed, draft.steps, draft.guidance, draft.fps, draft.negative].some((value) => value.trim());
  const number = (label: string, key: "seed" | "steps" | "guidance" | "fps", placeholder: string) => (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          inputMode="decimal"
          value={draft[key]}
          placeholder={placeholder}
          onChange={(event) => set({ [key]: event.target.value })}
          className={cx(inputLook, "tabular")}
        />
      )}
    </Field>
  );
  return (
    <Popover
      title={t("Settings of the next clip")}
      side="top"
      align="end"
      trigger={
        <IconButton label={t("More settings")} className={changed ? "bg-accent-soft text-accent-text" : ""}>
          <SlidersHorizontal aria-hidden />
        </IconButton>
      }
    >
      <div className="flex flex-col gap-3.5">
        <Field
          label={t("Seed")}
          hint={t("The same seed and settings give the same clip. Variations count up from it.")}
        >
          {(id) => (
            <div className="flex gap-2">
              <input
                id={id}
                inputMode="numeric"
                value={draft.seed}
                placeholder={t("random")}
                onChange={(event) => set({ seed: event.target.value })}
                className={cx(inputLook, "tabular")}
              />
              <IconButton
                label={t("A new seed")}
                onClick={() => set({ seed: String(crypto.getRandomValues(new Uint32Array(1))[0] ?? 1) })}
              >
                <Dices aria-hidden />
              </IconButton>
            </div>
          )}
        </Field>
        <div className="grid grid-cols-3 gap-3">
          {number(t("Steps"), "steps", t("model's"))}
          {number(t("Guidance"), "guidance", t("model's"))}
          {number(t("Frames/s"), "fps", "24")}
        </div>
        <Field label={t("Own size and length")}>
          {(id) => (
            <div className="grid grid-cols-2 gap-3">
              <input
                id={id}
                value={draft.size}
                placeholder="448x256"
                onChange={(event) => set({ size: event.target.value.replace(/[×* ]+/g, "x") })}
                className={cx(inputLook, "tabular")}
              />
              <input
                aria-label={t("Seconds")}
                type="number"
                min={0.25}
                max={60}
                step={0.25}
                value={draft.seconds}
                onChange={(event) => set({ seconds: event.target.valueAsNumber || 4 })}
                className={cx(inputLook, "tabular")}
              />
            </div>
          )}
        </Field>
        <Field label={t("Negative prompt")} hint={t("What should not be seen.")}>
          {(id) => (
            <textarea
              id={id}
              rows={2}
              value={draft.negative}
              onChange={(event) => set({ negative: event.target.value })}
              className={cx(inputLook, "h-auto py-2")}
            />
          )}
        </Field>
        <div className="flex justify-between">
          <Button small look="ghost" onClick={() => set({ seed: "", steps: "", guidance: "", fps: "", negative: "" })}>
            {t("Back to the model's own")}
          </Button>
          {model && <span className="self-center text-xs text-text-3">{model}</span>}
        </div>
      </div>
    </Popover>
  );
}
