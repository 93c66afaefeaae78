import { Dialog } from "@base-ui/react/dialog";
import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { type KeyboardEvent, useDeferredValue, useId, useState } from "react";
import { documentsQuery, media, pageQuery } from "@/api/library";
import { useLive } from "@/api/live";
import { cx, Keys } from "@/components/controls";
import { togglePause } from "@/features/queue/pause";
import { useUi } from "@/features/shell/ui";
import { t } from "@/lib/i18n";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { router } from "@/router";

interface Entry {
  id: string;
  group: string;
  label: string;
  keys?: string;
  picture?: string;
  run: () => void;
}

/** Everything by name: pages, actions, storyboards, clips. */
export default function Palette() {
  const set = useUi((ui) => ui.set);
  const [words, setWords] = useState("");
  const [at, setAt] = useState(0);
  const listId = useId();
  const q = useDeferredValue(words.trim());
  const clips = useQuery({ ...pageQuery({ q }, 0), enabled: q.length > 1 });
  const boards = useQuery(documentsQuery("storyboard"));
  const close = () => set({ paletteOpen: false });
  const entries = [...commands(), ...(boards.data ?? []).map(boardEntry)].filter((one) => matches(one.label, q));
  if (q.length > 1) entries.push(...(clips.data?.data ?? []).slice(0, 8).map(clipEntry));
  const chosen = Math.min(at, Math.max(0, entries.length - 1));
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    entry.run();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && entries.length) {
      event.preventDefault();
      const next = (chosen + step + entries.length) % entries.length;
      setAt(next);
      document.getElementById(`${listId}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter") {
      event.preventDefault();
      run(entries[chosen]);
    }
  };
  return (
    <Dialog.Root open onOpenChange={(open) => !open && close()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="fixed inset-0 z-50 bg-(--scrim)" />
        <Dialog.Popup className="fixed top-[12dvh] left-1/2 z-50 flex max-h-[70dvh] w-[min(600px,calc(100vw-24px))] -translate-x-1/2 flex-col overflow-hidden rounded-2xl border border-line-strong bg-panel shadow-float outline-none">
          <Dialog.Title className="sr-only">{t("Find")}</Dialog.Title>
          <div className="flex items-center gap-3 border-b border-line px-4">
            <Search aria-hidden className="size-4.5 shrink-0 text-text-3" />
            <input
              role="combobox"
              aria-expanded
              aria-controls={listId}
              aria-activedescendant={entries.length ? `${listId}-${chosen}` : undefined}
              aria-label={t("Find anything")}
              placeholder={t("Pages, actions, storyboards, prompts")}
              value={words}
              onChange={(event) => {
                setWords(event.target.value);
                setAt(0);
              }}
              onKeyDown={onKeyDown}
              className="h-13 min-w-0 flex-1 bg-transparent text-lg outline-none"
            />
            <Keys combination="escape" />
          </div>
          <div id={listId} role="listbox" aria-label={t("Found")} className="min-h-0 overflow-y-auto p-2">
            {!entries.length && (
              <p className="px-3 py-6 text-center text-text-3">{t("Nothing is called like this.")}</p>
            )}
            {entries.map((entry, index) => (
              <div
                key={entry.id}
                id={`${listId}-${index}`}
                role="option"
                tabIndex={-1}
                aria-selected={index === chosen}
                onPointerMove={() => setAt(index)}
                onClick={() => run(entry)}
                onKeyDown={() => undefined}
                className={cx(
                  "flex cursor-pointer items-center gap-3 rounded-lg px-3 py-2",
                  index === chosen && "bg-hover",
                )}
              >
                {entry.picture && (
                  <img src={entry.picture} alt="" className="h-8 w-13 shrink-0 rounded bg-ground object-cover" />
                )}
                <span className="min-w-0 flex-1 truncate">{entry.label}</span>
                {entry.keys ? (
                  <Keys combination={entry.keys} />
                ) : (
                  <span className="text-xs text-text-3">{entry.group}</span>
                )}
              </div>
            ))}
          </div>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function matches(label: string, words: string): boolean {
  const text = label.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

function commands(): Entry[] {
  const page = (label: string, run: () => void, keys?: string): Entry => ({
    id: label,
    group: t("Page"),
    label,
    run,
    ...(keys ? { keys } : {}),
  });
  const dark = usePreferences.getState().theme !== "light";
  const { jobs: active, pausedAt } = useLive.getState();
  const jobs = active.length;
  return [
    page(t("Create"), () => void router.navigate({ to: "/" }), "alt+1"),
    page(t("Storyboards"), () => void router.navigate({ to: "/storyboard" }), "alt+2"),
    page(t("Library"), () => void router.navigate({ to: "/library" }), "alt+3"),
    page(t("Characters"), () => void router.navigate({ to: "/characters" }), "alt+4"),
    page(t("Favourites"), () => void router.navigate({ to: "/library", search: { favourite: true } })),
    page(t("Trash"), () => void router.navigate({ to: "/library", search: { trashed: true } })),
    page(t("Compare clips"), () => void router.navigate({ to: "/compare" })),
    page(
      jobs ? t("Queue ({count})", { count: jobs }) : t("Queue"),
      () => useUi.getState().set({ queueOpen: true }),
      "q",
    ),
    page(t("Settings"), () => void router.navigate({ to: "/settings" })),
    page(t("Models"), () => void router.navigate({ to: "/settings", search: { section: "models" } })),
    page(t("API keys"), () => void router.navigate({ to: "/settings", search: { section: "keys" } })),
    page(t("Connect a program"), () => void router.navigate({ to: "/settings", search: { section: "connect" } })),
    {
      ...page(pausedAt === null ? t("Pause the queue") : t("Let the queue go on"), () => void togglePause(), "shift+q"),
      group: t("Action"),
    },
    {
      ...page(dark ? t("Light theme") : t("Dark theme"), () => setPreferences({ theme: dark ? "light" : "dark" })),
      group: t("Action"),
    },
    { ...page(t("Keyboard"), () => useUi.getState().set({ shortcutsOpen: true }), "?") },
  ];
}

function boardEntry(board: { id: string; name: string }): Entry {
  return {
    id: board.id,
    group: t("Storyboard"),
    label: board.name,
    run: () => void router.navigate({ to: "/storyboard/$id", params: { id: board.id } }),
  };
}

function clipEntry(item: { id: string; title: string | null; prompt: string | null }): Entry {
  return {
    id: item.id,
    group: t("Clip"),
    label: item.title || item.prompt || item.id,
    picture: media.thumbnail(item.id),
    run: () => void router.navigate({ to: "/clip/$id", params: { id: item.id } }),
  };
}
