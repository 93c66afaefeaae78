import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Images, SearchX, Trash2 } from "lucide-react";
import { type KeyboardEvent, useState } from "react";
import { facetsQuery } from "@/api/library";
import type { Filters, Item } from "@/api/types";
import { Button, Range } from "@/components/controls";
import { starKeys } from "@/components/Stars";
import { Empty } from "@/components/states";
import { useDrop } from "@/features/compose/CreatePage";
import { takeFiles } from "@/features/compose/references";
import * as actions from "@/features/library/actions";
import { FilterBar, SearchBox } from "@/features/library/FilterBar";
import { Grid } from "@/features/library/Grid";
import { PlaceMenu, Places } from "@/features/library/Places";
import { SelectionBar } from "@/features/library/SelectionBar";
import { useHotkeys } from "@/lib/hotkeys";
import { t } from "@/lib/i18n";
import { spanOf } from "@/lib/made";
import { setPreferences, usePreferences } from "@/lib/preferences";
import { type LibrarySearch, router } from "@/router";

const route = getRouteApi("/library");

export function LibraryPage() {
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const density = usePreferences((preferences) => preferences.density);
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const facets = useQuery(facetsQuery);
  const set = (change: Partial<LibrarySearch>) => {
    setSelected(new Set());
    void navigate({ search: (now: LibrarySearch) => ({ ...now, ...change }), replace: true });
  };
  const select = (ids: string[], how: "only" | "toggle" | "add") =>
    setSelected((now) => {
      const next = new Set(how === "only" ? [] : now);
      for (const id of ids) {
        if (how === "toggle" && next.has(id)) next.delete(id);
        else next.add(id);
      }
      return next;
    });
  const onKey = (event: KeyboardEvent, item: Item) => {
    const ids = selected.size ? [...selected] : [item.id];
    const known: Record<string, (() => void) | undefined> = {
      ...starKeys((rating) => void actions.rate(ids, rating)),
      f: () => void actions.favourite(ids, !item.favourite),
      d: () => actions.downloadMany(ids),
      c: () => void router.navigate({ to: "/compare", search: { clips: ids.slice(0, 4).join(",") } }),
      r: () => void router.navigate({ to: "/clip/$id", params: { id: item.id }, search: { tool: "remix" } }),
      e: () => void router.navigate({ to: "/clip/$id", params: { id: item.id }, search: { tool: "extend" } }),
      Delete: () =>
        void (search.trashed ? actions.deleteForGood(ids) : actions.trash(ids)).then(
          (done) => done && setSelected(new Set()),
        ),
    };
    const run = event.ctrlKey || event.metaKey || event.altKey ? undefined : known[event.key];
    if (!run) return;
    event.preventDefault();
    event.stopPropagation();
    run();
  };
  useHotkeys({ escape: () => setSelected(new Set()) }, selected.size > 0);
  const drop = useDrop((files) => void takeFiles(files).then(() => router.navigate({ to: "/" })));
  const total = facets.data;

  return (
    <div className="flex h-full min-w-0" {...drop.handlers}>
      <Places search={search} set={set} facets={total} />
      <div className="flex min-w-0 flex-1 flex-col">
        <header className="flex flex-col gap-2.5 px-4 pt-4 pb-3 md:px-6">
          <div className="flex items-center gap-3">
            <h1 className="sr-only">{t("Library")}</h1>
            <PlaceMenu search={search} set={set} facets={total} />
            <SearchBox value={search.q ?? ""} onChange={(q) => set({ q: q || undefined })} />
            <div className="ml-auto hidden w-28 items-center gap-2 lg:flex">
              <Range
                label={t("Size of the pictures")}
                min={140}
                max={520}
                step={20}
                value={density}
                onChange={(next) => setPreferences({ density: next })}
              />
            </div>
          </div>
          <FilterBar search={search} set={set} facets={total} />
        </header>
        <div className="relative min-h-0 flex-1">
          <Grid
            label={t("Clips")}
            filters={filtersOf(search)}
            width={density}
            selected={selected}
            onSelect={select}
            onKey={onKey}
            empty={<NothingHere search={search} clear={() => void navigate({ search: {}, replace: true })} />}
          />
          {selected.size > 0 && (
            <SelectionBar ids={[...selected]} trashed={Boolean(search.trashed)} clear={() => setSelected(new Set())} />
          )}
        </div>
      </div>
    </div>
  );
}

/** What to ask the server for: the address has days, it takes moments. */
function filtersOf({ made, from, to, ...rest }: LibrarySearch): Filters {
  return { ...rest, ...spanOf({ made, from, to }, new Date()) };
}

function NothingHere({ search, clear }: { search: LibrarySearch; clear: () => void }) {
  const { trashed, ...rest } = search;
  if (Object.values(rest).some((value) => value !== undefined)) {
    return (
      <Empty
        icon={<SearchX aria-hidden />}
        title={t("No clip is like this")}
        action={<Button onClick={clear}>{t("Show all clips")}</Button>}
      >
        {t("Take a word or a filter away.")}
      </Empty>
    );
  }
  if (trashed) {
    return (
      <Empty icon={<Trash2 aria-hidden />} title={t("The trash is empty")}>
        {t("What is put here stays until you delete it for good.")}
      </Empty>
    );
  }
  return (
    <Empty
      icon={<Images aria-hidden />}
      title={t("Your clips will be here")}
      action={
        <Link to="/" className="dawn inline-flex h-9 items-center rounded-lg px-4 font-semibold text-on-accent">
          {t("Make the first one")}
        </Link>
      }
    >
      {t(
        "Every clip is kept with its prompt, model, seed and settings, and with what it was made from. Drop a Daybreak mp4 anywhere to get its settings back.",
      )}
    </Empty>
  );
}
