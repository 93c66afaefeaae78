import { useQuery } from "@tanstack/react-query";
import { Dices, SlidersHorizontal } from "lucide-react";
import { modelsQuery } from "@/api/library";
import { Button, cx, Field, IconButton, inputLook, Switch } from "@/components/controls";
import { Popover } from "@/components/overlays";
import { useDraft } from "@/features/compose/draft";
import { Loras } from "@/features/compose/Loras";
import { findModel } from "@/features/compose/models";
import { t } from "@/lib/i18n";
import { MAX_SECONDS } from "@/lib/timeline";

/** What most clips leave to the model. */
export function Advanced({ model }: { model: string | undefined }) {
  const draft = useDraft();
  const { set } = draft;
  const written = [draft.seed, draft.steps, draft.guidance, draft.fps, draft.negative].some((value) => value.trim());
  const changed = written || !draft.enhance || !draft.sound;
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
                max={MAX_SECONDS}
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
        <Own />
        <Loras />
        <div className="flex justify-between">
          <Button
            small
            look="ghost"
            onClick={() =>
              set({ seed: "", steps: "", guidance: "", fps: "", negative: "", loras: [], enhance: true, sound: true })
            }
          >
            {t("Back to the model's own")}
          </Button>
          {model && <span className="self-center text-xs text-text-3">{model}</span>}
        </div>
      </div>
    </Popover>
  );
}

/** What some models do of their own accord, and can be told not to. */
function Own() {
  const { model: chosen, enhance, sound, set } = useDraft();
  const models = useQuery(modelsQuery);
  const able = findModel(models.data ?? [], chosen)?.daybreak?.abilities ?? [];
  return (
    <>
      {able.includes("enhance_prompt") && (
        <Switch
          label={t("In the model's words")}
          hint={t("The prompt is said in the words that it knows best; what you leave open is filled in.")}
          checked={enhance}
          onChange={(on) => set({ enhance: on })}
        />
      )}
      {able.includes("audio") && <Switch label={t("Sound")} checked={sound} onChange={(on) => set({ sound: on })} />}
    </>
  );
}
