import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Clapperboard, FileVideo, Play, TriangleAlert } from "lucide-react";
import { useEffect } from "react";
import { modelsQuery } from "@/api/library";
import { Button } from "@/components/controls";
import { useDraft } from "@/features/compose/draft";
import { EXAMPLES } from "@/features/compose/library";
import { send } from "@/features/compose/send";
import { t } from "@/lib/i18n";

/** An empty library: what this is, a working example, and one click to a first clip. */
export function FirstRun() {
  const set = useDraft((draft) => draft.set);
  const models = useQuery(modelsQuery);
  // One press of Generate is enough for a first clip.
  useEffect(() => {
    if (!useDraft.getState().prompt) set({ prompt: EXAMPLES[0] ?? "" });
  }, [set]);
  const usable = models.data?.some((model) => model.daybreak?.installed !== false) ?? true;
  return (
    <section className="mx-auto flex max-w-3xl flex-col gap-7 pt-[min(6vh,64px)]">
      <div>
        <h2 className="text-2xl font-semibold text-balance">{t("Say what you want to see.")}</h2>
        <p className="mt-2 max-w-prose text-text-2">
          {t(
            "A sentence becomes a clip on this machine: nothing is sent anywhere, nothing expires. Take an example, change its words, and generate.",
          )}
        </p>
      </div>
      {models.data && !usable && (
        <div role="alert" className="flex items-start gap-3 rounded-xl border border-line bg-raised p-4">
          <TriangleAlert aria-hidden className="mt-0.5 size-5 shrink-0 text-warn" />
          <div>
            <p className="font-medium">{t("No model can be used yet")}</p>
            <p className="text-text-2">
              {t("The procedural model is always there.")}{" "}
              <Link to="/settings" search={{ section: "models" }} className="text-accent-text underline">
                {t("See what is missing")}
              </Link>
            </p>
          </div>
        </div>
      )}
      <ul className="grid gap-2.5 sm:grid-cols-2">
        {EXAMPLES.map((example) => (
          <li
            key={example}
            className="flex items-center gap-3 rounded-xl border border-line bg-panel p-2 pl-4 transition-colors hover:border-line-strong"
          >
            <button
              type="button"
              className="min-w-0 flex-1 py-1.5 text-left text-text-2 hover:text-text"
              onClick={() => set({ prompt: example })}
            >
              {example}
            </button>
            <Button
              small
              aria-label={t("Generate: {prompt}", { prompt: example })}
              onClick={() => {
                set({ prompt: example });
                void send();
              }}
            >
              <Play aria-hidden className="size-3.5" />
              {t("Generate")}
            </Button>
          </li>
        ))}
      </ul>
      <div className="flex flex-wrap gap-x-6 gap-y-2 text-sm text-text-3">
        <span className="flex items-center gap-2">
          <FileVideo aria-hidden className="size-4" />
          {t("Drop a picture here and it becomes the first frame.")}
        </span>
        <Link to="/storyboard" className="flex items-center gap-2 hover:text-text">
          <Clapperboard aria-hidden className="size-4" />
          {t("Several shots in one clip? Begin with a storyboard.")}
        </Link>
      </div>
    </section>
  );
}
