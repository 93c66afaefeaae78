import { useQuery } from "@tanstack/react-query";
import { ArrowUp, ImagePlus } from "lucide-react";
import { useRef, useState } from "react";
import { charactersQuery, modelsQuery } from "@/api/library";
import { Button, cx, IconButton, Keys, Tip } from "@/components/controls";
import { Popover } from "@/components/overlays";
import { Advanced } from "@/features/compose/Advanced";
import { CannotUse } from "@/features/compose/CannotUse";
import { ModelAndShape, StyleChoice } from "@/features/compose/Choices";
import { useDraft } from "@/features/compose/draft";
import { Estimate } from "@/features/compose/Estimate";
import { findModel, lacks } from "@/features/compose/models";
import { PromptBox } from "@/features/compose/PromptBox";
import { PromptHelp } from "@/features/compose/PromptHelp";
import { References } from "@/features/compose/References";
import { addClip, takeFiles } from "@/features/compose/references";
import { send } from "@/features/compose/send";
import { obstacle, totalSeconds } from "@/features/compose/submit";
import { ClipPicker } from "@/features/library/ClipPicker";
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
  const needs = abilities(draft);
  const missing = lacks(model, needs);

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
        {problem || missing ? (
          <span className="text-warn">
            {problem ?? <CannotUse words={missing ?? ""} needs={needs} onUse={(able) => draft.set({ model: able })} />}
          </span>
        ) : (
          <Estimate
            model={model?.id ?? ""}
            size={size}
            seconds={totalSeconds(draft, draft.references)}
            count={draft.count}
          />
        )}
        <span className="hidden items-center gap-1.5 md:flex">
          <Keys combination="mod+enter" /> {t("queues it at once")}
        </span>
      </p>
    </section>
  );
}

/** What a model has to be able to do for this draft. */
function abilities(draft: ReturnType<typeof useDraft.getState>): string[] {
  const needs = new Set<string>();
  for (const one of draft.references) {
    needs.add(one.kind === "image" ? "image_pin" : "video_pin");
    if (one.use === "last") needs.add("later_pin");
    if (one.use === "restyle") needs.add("partial_strength");
  }
  if (draft.negative.trim()) needs.add("negative_prompt");
  if (draft.steps.trim()) needs.add("steps");
  if (draft.guidance.trim()) needs.add("guidance");
  return [...needs];
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
