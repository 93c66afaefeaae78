import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import {
  Columns2,
  Combine,
  Download,
  FolderInput,
  Heart,
  Images,
  Search,
  SearchX,
  Tag,
  Trash2,
  Undo2,
  X,
} from "lucide-react";
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { send } from "@/api/client";
import { facetsQuery } from "@/api/library";
import { client } from "@/api/query";
import type { Filters, Item } from "@/api/types";
import { Button, type Choice, cx, IconButton, Range, Select } from "@/components/controls";
import { askText, confirm, Menu } from "@/components/overlays";
import { Empty } from "@/components/states";
import { tell, tellFailure } from "@/components/toasts";
import { useDrop } from "@/features/compose/CreatePage";
import { takeFiles } from "@/features/compose/references";
import * as actions from "@/features/library/actions";
import { Grid } from "@/features/library/Grid";
import { PlaceMenu, Places } from "@/features/library/Places";
import { TagDialog } from "@/features/library/TagDialog";
import { StitchDialog } from "@/features/tools/StitchDialog";
import { useHotkeys } from "@/lib/hotkeys";
import { number, plural, t } from "@/lib/i18n";
import { kindName } from "@/lib/kinds";
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

function filtersOf(search: LibrarySearch): Filters {
  return search;
}

function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []); // or the library would come back over the page that follows
  return (
    <div className="relative w-full max-w-xl">
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-text-3" />
      <input
        data-search
        type="search"
        aria-label={t("Search in prompts")}
        placeholder={t("Search in prompts, titles and tags")}
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => onChange(next), 180);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") {
            event.preventDefault();
            document.querySelector<HTMLElement>('[data-grid] a[tabindex="0"]')?.focus();
          }
        }}
        className="h-9 w-full rounded-lg border border-line-strong bg-panel pr-3 pl-9 transition-colors hover:border-control focus-visible:outline-offset-0"
      />
    </div>
  );
}

interface FilterProps {
  search: LibrarySearch;
  set: (change: Partial<LibrarySearch>) => void;
  facets: import("@/api/types").Facets | undefined;
}

function FilterBar({ search, set, facets }: FilterProps) {
  const any: Choice<string> = { value: "", label: t("Any") };
  const counted = (list: { name: string; count: number }[] = [], name = (value: string) => value): Choice<string>[] =>
    list.map((one) => ({
      value: one.name,
      label: name(one.name),
      hint: plural(one.count, "{count} clip", "{count} clips"),
    }));
  const filter = (
    label: string,
    value: string | undefined,
    choices: Choice<string>[],
    change: (value: string | undefined) => void,
  ) => (
    <Select
      quiet
      label={label}
      value={value ?? ""}
      choices={[{ ...any, label: label }, ...choices]}
      onChange={(next) => change(next || undefined)}
      className={cx("h-7! text-xs!", value && "bg-accent-soft! text-accent-text!")}
    />
  );
  const active = search.status || search.model || search.kind || search.size || search.tag || search.favourite;
  return (
    <div className="flex flex-wrap items-center gap-1">
      {filter(
        t("State"),
        search.status,
        [
          { value: "completed", label: t("Done") },
          { value: "unfinished", label: t("In the queue") },
          { value: "failed", label: t("Failed or cancelled") },
        ],
        (status) => set({ status: status as LibrarySearch["status"] }),
      )}
      {filter(t("Made by"), search.kind, counted(facets?.kinds, kindName), (kind) => set({ kind }))}
      {filter(t("Model"), search.model, counted(facets?.models), (model) => set({ model }))}
      {filter(
        t("Size"),
        search.size,
        counted(facets?.sizes, (size) => size.replace("x", "×")),
        (size) => set({ size }),
      )}
      {filter(t("Tag"), search.tag, counted(facets?.tags), (tag) => set({ tag }))}
      {active && (
        <Button
          small
          look="ghost"
          className="h-7 text-xs"
          onClick={() =>
            set({
              status: undefined,
              model: undefined,
              kind: undefined,
              size: undefined,
              tag: undefined,
              favourite: undefined,
            })
          }
        >
          <X aria-hidden className="size-3.5" /> {t("Clear")}
        </Button>
      )}
      <div className="ml-auto">
        <Select
          quiet
          label={t("Order")}
          value={search.order ?? "newest"}
          choices={[
            { value: "newest", label: t("Newest first") },
            { value: "oldest", label: t("Oldest first") },
            { value: "longest", label: t("Longest first") },
            { value: "title", label: t("By title") },
          ]}
          onChange={(order) => set({ order: order === "newest" ? undefined : (order as LibrarySearch["order"]) })}
          className="h-7! text-xs!"
        />
      </div>
    </div>
  );
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

function SelectionBar({ ids, trashed, clear }: { ids: string[]; trashed: boolean; clear: () => void }) {
  const facets = useQuery(facetsQuery);
  const [tagging, setTagging] = useState(false);
  const [stitching, setStitching] = useState(false);
  const folders = facets.data?.folders ?? [];
  const newFolder = async () => {
    const name = await askText({ title: t("New folder"), label: t("Name"), action: t("Make the folder") });
    if (!name) return;
    try {
      const folder = await send<{ id: string }>("POST", "v1/library/folders", { name });
      await actions.moveTo(ids, folder.id);
      clear();
    } catch (error) {
      tellFailure(t("No folder was made"), error);
    }
  };
  return (
    <div
      role="toolbar"
      aria-label={t("Selected clips")}
      className="absolute inset-x-3 bottom-4 z-20 mx-auto flex w-fit max-w-[calc(100%-24px)] flex-wrap items-center justify-center gap-1 rounded-2xl border border-line-strong bg-raised p-1.5 shadow-float"
    >
      <span className="px-3 font-medium tabular" aria-live="polite">
        {plural(ids.length, "{count} selected", "{count} selected")}
      </span>
      {trashed ? (
        <>
          <IconButton label={t("Put back")} onClick={() => void actions.restore(ids).then(clear)}>
            <Undo2 aria-hidden />
          </IconButton>
          <IconButton
            label={t("Delete for good")}
            onClick={() => void actions.deleteForGood(ids).then((done) => done && clear())}
          >
            <Trash2 aria-hidden className="text-bad" />
          </IconButton>
          <Button small look="ghost" onClick={() => void emptyTrash().then(clear)}>
            {t("Empty the trash")}
          </Button>
        </>
      ) : (
        <>
          <IconButton label={t("Favourite")} keys="f" onClick={() => void actions.favourite(ids, true)}>
            <Heart aria-hidden />
          </IconButton>
          <IconButton label={t("Tag")} onClick={() => setTagging(true)}>
            <Tag aria-hidden />
          </IconButton>
          <Menu
            label={t("Folder")}
            trigger={
              <IconButton label={t("Move to a folder")}>
                <FolderInput aria-hidden />
              </IconButton>
            }
            actions={[
              ...folders.map((folder) => ({
                label: folder.name,
                run: () => void actions.moveTo(ids, folder.id).then(clear),
              })),
              { label: t("No folder"), run: () => void actions.moveTo(ids, null).then(clear) },
              null,
              { label: t("New folder…"), run: () => void newFolder() },
            ]}
          />
          <IconButton
            label={t("Compare")}
            keys="c"
            disabled={ids.length < 2 || ids.length > 4}
            onClick={() => void router.navigate({ to: "/compare", search: { clips: ids.join(",") } })}
          >
            <Columns2 aria-hidden />
          </IconButton>
          <IconButton label={t("Stitch into one clip")} disabled={ids.length < 2} onClick={() => setStitching(true)}>
            <Combine aria-hidden />
          </IconButton>
          <IconButton
            label={ids.length > 1 ? t("Download as zip") : t("Download")}
            keys="d"
            onClick={() => actions.downloadMany(ids)}
          >
            <Download aria-hidden />
          </IconButton>
          <IconButton
            label={t("Put into the trash")}
            keys="delete"
            onClick={() => void actions.trash(ids).then((done) => done && clear())}
          >
            <Trash2 aria-hidden />
          </IconButton>
        </>
      )}
      <IconButton label={t("Select nothing")} keys="escape" onClick={clear}>
        <X aria-hidden />
      </IconButton>
      <TagDialog
        open={tagging}
        onClose={() => setTagging(false)}
        ids={ids}
        known={facets.data?.tags.map((one) => one.name) ?? []}
      />
      {stitching && <StitchDialog ids={ids} onClose={() => setStitching(false)} />}
    </div>
  );
}

async function emptyTrash(): Promise<void> {
  const sure = await confirm({
    title: t("Empty the trash?"),
    text: t("Everything in it is removed from this machine. This cannot be undone."),
    action: t("Empty it"),
    danger: true,
  });
  if (!sure) return;
  try {
    const { changed } = await send<{ changed: string[] }>("POST", "v1/library/empty_trash");
    await client.invalidateQueries({ queryKey: ["library"] });
    tell({ title: t("{count} clips deleted", { count: number(changed.length) }) });
  } catch (error) {
    tellFailure(t("Not emptied"), error);
  }
}
