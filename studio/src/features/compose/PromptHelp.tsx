import { useQuery } from "@tanstack/react-query";
import { BookOpenText, Trash2 } from "lucide-react";
import { useState } from "react";
import { send } from "@/api/client";
import { fullDocumentsQuery, pageQuery, saveDocument } from "@/api/library";
import { client } from "@/api/query";
import { Button, IconButton, Segmented } from "@/components/controls";
import { Popover } from "@/components/overlays";
import { tell, tellFailure } from "@/components/toasts";
import { useDraft } from "@/features/compose/draft";
import { TEMPLATES, type Template } from "@/features/compose/library";
import { clip } from "@/lib/format";
import { t } from "@/lib/i18n";

const NEWEST = { order: "newest" } as const;

/** Templates with places to fill in, the prompts of the last clips, and a way to keep one's own. */
export function PromptHelp() {
  const [open, setOpen] = useState(false);
  const [tab, setTab] = useState<"templates" | "recent">("templates");
  const { prompt, set } = useDraft();
  const take = (text: string) => {
    set({ prompt: text });
    setOpen(false);
    requestAnimationFrame(() => {
      const box = document.querySelector<HTMLTextAreaElement>("[data-compose] textarea");
      const place = /\[[^\]]+\]/.exec(text);
      box?.focus();
      if (place) box?.setSelectionRange(place.index, place.index + place[0].length);
    });
  };
  return (
    <Popover
      title={t("Prompts")}
      side="top"
      open={open}
      onOpenChange={setOpen}
      trigger={
        <IconButton label={t("Templates and recent prompts")}>
          <BookOpenText aria-hidden />
        </IconButton>
      }
    >
      <Segmented
        small
        label={t("Show")}
        value={tab}
        onChange={setTab}
        choices={[
          { value: "templates", label: t("Templates") },
          { value: "recent", label: t("Recent") },
        ]}
      />
      <div className="mt-3 flex max-h-72 flex-col gap-1 overflow-y-auto">
        {tab === "templates" ? <Templates take={take} /> : <Recent take={take} />}
      </div>
      <Button small className="mt-3 w-full" disabled={!prompt.trim()} onClick={() => void keep(prompt)}>
        {t("Keep this prompt as a template")}
      </Button>
    </Popover>
  );
}

async function keep(prompt: string): Promise<void> {
  try {
    await saveDocument<{ text: string }>("template", clip(prompt.trim(), 60), { text: prompt.trim() });
    await client.invalidateQueries({ queryKey: ["documents", "template"] });
    tell({ title: t("Template kept") });
  } catch (error) {
    tellFailure(t("Not kept"), error);
  }
}

function Templates({ take }: { take: (text: string) => void }) {
  const own = useQuery(fullDocumentsQuery<{ text: string }>("template"));
  const all: (Template & { own?: boolean })[] = [
    ...(own.data ?? []).map((one) => ({ id: one.id, name: one.name, text: one.content.text, own: true })),
    ...TEMPLATES,
  ];
  return all.map((one) => (
    <div key={one.id} className="group flex items-start gap-1 rounded-lg hover:bg-hover">
      <button type="button" onClick={() => take(one.text)} className="min-w-0 flex-1 rounded-lg px-2.5 py-2 text-left">
        <span className="block truncate text-sm font-medium">{one.name}</span>
        <span className="line-clamp-2 text-xs text-text-3">{one.text}</span>
      </button>
      {one.own && (
        <IconButton
          label={t("Delete this template")}
          small
          onClick={() =>
            void send("DELETE", `v1/library/documents/${one.id}`)
              .then(() => client.invalidateQueries({ queryKey: ["documents", "template"] }))
              .catch((error) => tellFailure(t("Not deleted"), error))
          }
        >
          <Trash2 aria-hidden />
        </IconButton>
      )}
    </div>
  ));
}

function Recent({ take }: { take: (text: string) => void }) {
  const page = useQuery(pageQuery(NEWEST, 0));
  const prompts = [...new Set((page.data?.data ?? []).map((item) => item.prompt?.trim()).filter(Boolean))].slice(
    0,
    25,
  ) as string[];
  if (!prompts.length)
    return <p className="px-2 py-4 text-center text-sm text-text-3">{t("What you generate is listed here.")}</p>;
  return prompts.map((prompt) => (
    <button
      key={prompt}
      type="button"
      onClick={() => take(prompt)}
      className="line-clamp-2 shrink-0 rounded-lg px-2.5 py-2 text-left text-sm hover:bg-hover"
    >
      {prompt}
    </button>
  ));
}
