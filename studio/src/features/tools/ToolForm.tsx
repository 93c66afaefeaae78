import { useQuery } from "@tanstack/react-query";
import { ArrowUp } from "lucide-react";
import { type ReactNode, useState } from "react";
import { facts, modelsQuery } from "@/api/library";
import { client } from "@/api/query";
import type { ItemDetail } from "@/api/types";
import type { Video } from "@/api/videos";
import { Button, Field, Select } from "@/components/controls";
import { tell, tellFailure } from "@/components/toasts";
import { CannotUse } from "@/features/compose/CannotUse";
import { Estimate } from "@/features/compose/Estimate";
import { findModel, lacks, modelChoices } from "@/features/compose/models";
import { PromptBox } from "@/features/compose/PromptBox";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import type { Source } from "@/lib/timeline";
import { router } from "@/router";

export function sourceOf(item: ItemDetail): Source {
  return { media: item.id, prompt: item.prompt?.trim() || t("the same clip"), ...facts(item) };
}

interface ToolFormProps {
  item: ItemDetail;
  about: string;
  needs: readonly string[];
  prompt: string;
  onPrompt: (prompt: string) => void;
  promptLabel?: string;
  action: string;
  /** What keeps it from being sent, in words. */
  problem?: string | null;
  seconds: number;
  send: (model: string) => Promise<Video>;
  children?: ReactNode;
}

/** What every tool has in common: what it does, its words, a model that can do it, and what it leads to. */
export function ToolForm({
  item,
  about,
  needs,
  prompt,
  onPrompt,
  promptLabel,
  action,
  problem,
  seconds,
  send,
  children,
}: ToolFormProps) {
  const models = useQuery(modelsQuery);
  const { width, height } = facts(item);
  const size = `${width}x${height}`;
  const [chosen, setChosen] = useState(item.model);
  const [busy, setBusy] = useState(false);
  const all = models.data ?? [];
  const model = findModel(all, chosen);
  const missing = lacks(model, needs);
  const stop = problem ?? (prompt.trim() ? null : t("Say what should be seen."));

  const submit = async () => {
    if (stop || missing || busy) return;
    setBusy(true);
    try {
      const name = model?.id ?? item.model;
      const video = await send(name);
      await client.invalidateQueries({ queryKey: ["library"] });
      tell({
        title: t("Queued"),
        text: t("The clip itself stays as it is."),
        action: {
          label: t("Follow it"),
          run: () => void router.navigate({ to: "/clip/$id", params: { id: video.id } }),
        },
      });
    } catch (error) {
      tellFailure(t("Not queued"), error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="flex flex-col gap-4"
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <p className="text-text-2">{about}</p>
      {children}
      <Field label={promptLabel ?? t("Prompt")}>
        {(id) => (
          <div className="rounded-lg border border-line-strong bg-ground px-2 py-1 focus-within:outline-2 focus-within:outline-accent hover:border-control">
            <PromptBox
              id={id}
              label={promptLabel ?? t("Prompt")}
              value={prompt}
              onChange={onPrompt}
              onSubmit={() => void submit()}
              rows={3}
            />
          </div>
        )}
      </Field>
      <div className="flex flex-wrap items-center justify-between gap-3">
        <Select
          label={t("Model")}
          value={model?.id ?? ""}
          choices={modelChoices(all, chosen)}
          onChange={setChosen}
          className="max-w-44 min-w-28"
        />
        <span className="text-sm text-text-3 tabular">
          {t("{time} in all", { time: duration(Number(seconds.toFixed(2))) })}
        </span>
      </div>
      {missing && (
        <p role="status" className="rounded-lg bg-bad-soft px-3 py-2 text-sm">
          <CannotUse words={missing} needs={needs} onUse={setChosen} />
        </p>
      )}
      {stop && !missing && <p className="text-sm text-text-3">{stop}</p>}
      <Button look="primary" type="submit" busy={busy} disabled={stop !== null || missing !== null}>
        {action} <ArrowUp aria-hidden className="size-4" />
      </Button>
      {!stop && !missing && (
        <p className="text-center text-xs text-text-3">
          <Estimate model={model?.id ?? item.model} size={size} seconds={seconds} count={1} />
        </p>
      )}
    </form>
  );
}
