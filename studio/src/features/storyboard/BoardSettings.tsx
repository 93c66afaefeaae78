import { useQuery } from "@tanstack/react-query";
import { FileText } from "lucide-react";
import { useState } from "react";
import { modelsQuery } from "@/api/library";
import { Button, Field, inputLook, Select, Switch } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { tell } from "@/components/toasts";
import { sizes } from "@/features/compose/library";
import { findModel, modelChoices } from "@/features/compose/models";
import { localId } from "@/features/compose/references";
import { useBoard } from "@/features/storyboard/board";
import { duration, parseSize } from "@/lib/format";
import { plural, t } from "@/lib/i18n";
import * as sb from "@/lib/storyboard";
import { MAX_SECONDS } from "@/lib/timeline";

/** What holds for the whole clip, and the board as text. */
export function BoardSettings() {
  const { history, edit } = useBoard();
  const board = history.present;
  const models = useQuery(modelsQuery);
  const model = findModel(models.data ?? [], board.model);
  const [listing, setListing] = useState(false);
  const size = `${board.width}x${board.height}`;
  const choices = sizes().map((one) => ({ value: one.value, label: one.value.replace("x", "×"), hint: one.hint }));
  if (!choices.some((one) => one.value === size))
    choices.unshift({ value: size, label: size.replace("x", "×"), hint: "" });
  return (
    <aside
      aria-label={t("The whole clip")}
      className="flex shrink-0 flex-col gap-4 border-line p-5 max-lg:border-t lg:w-72 lg:overflow-y-auto lg:border-l"
    >
      <h2 className="text-sm font-semibold">{t("The whole clip")}</h2>
      <Field label={t("Model")}>
        {() => (
          <Select
            label={t("Model")}
            className="w-full"
            value={model?.id ?? ""}
            choices={modelChoices(models.data ?? [], board.model)}
            onChange={(next) => edit((now) => ({ ...now, model: next }))}
          />
        )}
      </Field>
      <Field label={t("Size")}>
        {() => (
          <Select
            label={t("Size")}
            className="w-full tabular"
            value={size}
            choices={choices}
            onChange={(next) => {
              const parsed = parseSize(next);
              if (parsed) edit((now) => ({ ...now, ...parsed }));
            }}
          />
        )}
      </Field>
      <Field label={t("Length, seconds")}>
        {(id) => (
          <input
            id={id}
            type="number"
            min={0.25}
            max={MAX_SECONDS}
            step={0.25}
            value={board.seconds}
            onChange={(event) =>
              Number.isFinite(event.target.valueAsNumber) &&
              edit((now) => sb.setSeconds(now, event.target.valueAsNumber), "length")
            }
            className={`${inputLook} tabular`}
          />
        )}
      </Field>
      <Switch
        label={t("Repeats without a seam")}
        checked={board.loop}
        onChange={(loop) => edit((now) => ({ ...now, loop }))}
      />
      <Field label={t("Seed")}>
        {(id) => (
          <input
            id={id}
            inputMode="numeric"
            placeholder={t("random")}
            value={board.seed}
            onChange={(event) => edit((now) => ({ ...now, seed: event.target.value.replace(/\D/g, "") }), "seed")}
            className={`${inputLook} tabular`}
          />
        )}
      </Field>
      <Field label={t("Negative prompt")}>
        {(id) => (
          <textarea
            id={id}
            rows={2}
            value={board.negativePrompt}
            onChange={(event) => edit((now) => ({ ...now, negativePrompt: event.target.value }), "negative")}
            className={`${inputLook} h-auto py-2`}
          />
        )}
      </Field>
      <div className="flex flex-col gap-2 border-t border-line pt-4">
        <Button small onClick={() => setListing(true)}>
          <FileText aria-hidden className="size-4" /> {t("Shot list as text")}
        </Button>
        <Button small look="ghost" onClick={() => edit(sb.closeGaps)}>
          {t("Close the gaps")}
        </Button>
      </div>
      {listing && <ListDialog onClose={() => setListing(false)} />}
    </aside>
  );
}

function ListDialog({ onClose }: { onClose: () => void }) {
  const { history, edit, choose } = useBoard();
  const [text, setText] = useState(sb.toShotList(history.present));
  const listed = sb.parseShotList(text);
  const take = () => {
    const laid = sb.layOut(history.present, listed, () => localId("s"));
    edit(() => laid.board);
    choose(laid.board.shots[0]?.id ?? null);
    if (laid.left)
      tell({
        title: t("Not all shots fit"),
        text: plural(
          laid.left,
          "{count} shot would end after the longest clip.",
          "{count} shots would end after the longest clip.",
        ),
        tone: "bad",
      });
    onClose();
  };
  return (
    <Dialog
      open
      onClose={onClose}
      title={t("Shot list as text")}
      description={t(
        "One numbered line a shot, its length in brackets if you like: 2. (3 s) A dog runs across the meadow",
      )}
      footer={
        <>
          <span className="mr-auto text-sm text-text-3 tabular">
            {plural(listed.length, "{count} shot", "{count} shots")},{" "}
            {duration(listed.reduce((sum, one) => sum + one.length, 0))}
          </span>
          <Button look="primary" disabled={!listed.length} onClick={take}>
            {t("Lay them out")}
          </Button>
        </>
      }
    >
      <textarea
        aria-label={t("Shot list")}
        rows={12}
        value={text}
        onChange={(event) => setText(event.target.value)}
        className={`${inputLook} h-auto py-2.5 font-mono text-sm leading-6`}
      />
    </Dialog>
  );
}
