import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ArrowRight } from "lucide-react";
import { useCallback, useState } from "react";
import { pageQuery } from "@/api/library";
import { Failure } from "@/components/states";
import { Composer } from "@/features/compose/Composer";
import { FirstRun } from "@/features/compose/FirstRun";
import { takeFiles } from "@/features/compose/references";
import { FeedTile } from "@/features/library/FeedTile";
import { t } from "@/lib/i18n";

const NEWEST = { order: "newest" } as const;

export function CreatePage() {
  const recent = useQuery(pageQuery(NEWEST, 0));
  const items = recent.data?.data ?? [];
  const drop = useDrop(useCallback((files: File[]) => void takeFiles(files), []));
  return (
    <div className="relative flex h-full flex-col" {...drop.handlers}>
      <h1 className="sr-only">{t("Create")}</h1>
      <div className="min-h-0 flex-1 overflow-y-auto px-4 pt-5 pb-8 md:px-8">
        {recent.isError && (
          <Failure
            error={recent.error}
            retry={() => void recent.refetch()}
            title={t("The library could not be read")}
          />
        )}
        {recent.data && items.length === 0 && <FirstRun />}
        {recent.isPending && !recent.isError && <Waiting />}
        {items.length > 0 && (
          <section aria-label={t("Recent clips")} className="mx-auto max-w-[1760px]">
            <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,280px),1fr))] gap-x-4 gap-y-6">
              {items.slice(0, 36).map((item) => (
                <FeedTile key={item.id} item={item} />
              ))}
            </ul>
            {(recent.data?.total ?? 0) > 36 && (
              <Link
                to="/library"
                className="mx-auto mt-8 flex w-fit items-center gap-2 rounded-lg px-3 py-2 text-text-2 hover:bg-hover hover:text-text"
              >
                {t("All clips")} <ArrowRight aria-hidden className="size-4" />
              </Link>
            )}
          </section>
        )}
      </div>
      <Composer />
      {drop.over && (
        <div className="pointer-events-none absolute inset-3 z-40 grid place-items-center rounded-2xl border-2 border-dashed border-accent bg-(--scrim)">
          <p className="rounded-xl bg-raised px-5 py-3 shadow-float">
            {t("Drop a picture or clip to build on it, or one of our own clips to get its settings back")}
          </p>
        </div>
      )}
    </div>
  );
}

function Waiting() {
  return (
    <div
      aria-hidden
      className="mx-auto grid max-w-[1760px] grid-cols-[repeat(auto-fill,minmax(min(100%,280px),1fr))] gap-x-4 gap-y-6"
    >
      {Array.from({ length: 8 }, (_, index) => (
        <div key={index} className="shimmer aspect-video rounded-xl" />
      ))}
    </div>
  );
}

/** Files that are dragged over an element. */
export function useDrop(take: (files: File[]) => void) {
  const [depth, setDepth] = useState(0);
  const hasFiles = (event: React.DragEvent) => event.dataTransfer.types.includes("Files");
  return {
    over: depth > 0,
    handlers: {
      onDragEnter: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => now + 1),
      onDragLeave: (event: React.DragEvent) => hasFiles(event) && setDepth((now) => Math.max(0, now - 1)),
      onDragOver: (event: React.DragEvent) => hasFiles(event) && event.preventDefault(),
      onDrop: (event: React.DragEvent) => {
        if (!hasFiles(event)) return;
        event.preventDefault();
        setDepth(0);
        take([...event.dataTransfer.files]);
      },
    },
  };
}
