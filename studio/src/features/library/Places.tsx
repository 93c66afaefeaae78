import { Clock, Ellipsis, Folder, FolderPlus, Heart, Images, Pencil, Trash2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { download } from "@/api/client";
import { folders } from "@/api/library";
import { client } from "@/api/query";
import type { Facets, Folder as FolderFacts } from "@/api/types";
import { cx, IconButton, inputLook, Select } from "@/components/controls";
import { confirm, Menu } from "@/components/overlays";
import { tellFailure } from "@/components/toasts";
import { number, t } from "@/lib/i18n";
import type { LibrarySearch } from "@/router";

interface PlacesProps {
  search: LibrarySearch;
  set: (change: Partial<LibrarySearch>) => void;
  facets: Facets | undefined;
}

/** The library's places: everything, favourites, what is unfinished, folders, the trash. */
export function Places({ search, set, facets }: PlacesProps) {
  const [adding, setAdding] = useState(false);
  const everywhere = { folder: undefined, favourite: undefined, trashed: undefined, status: undefined };
  const isAll = !search.folder && !search.favourite && !search.trashed && search.status !== "unfinished";
  const refresh = () => client.invalidateQueries({ queryKey: ["library"] });
  const add = async (name: string) => {
    setAdding(false);
    if (!name.trim()) return;
    try {
      const folder = await folders.create(name.trim());
      await refresh();
      set({ ...everywhere, folder: folder.id });
    } catch (error) {
      tellFailure(t("No folder was made"), error);
    }
  };
  return (
    <nav
      aria-label={t("Places")}
      className="hidden w-56 shrink-0 flex-col gap-0.5 overflow-y-auto border-r border-line px-3 py-4 xl:flex"
    >
      <Place icon={<Images aria-hidden />} count={facets?.total} active={isAll} onClick={() => set(everywhere)}>
        {t("All clips")}
      </Place>
      <Place
        icon={<Heart aria-hidden />}
        count={facets?.favourites}
        active={search.favourite === true}
        onClick={() => set({ ...everywhere, favourite: true })}
      >
        {t("Favourites")}
      </Place>
      <Place
        icon={<Clock aria-hidden />}
        active={search.status === "unfinished"}
        onClick={() => set({ ...everywhere, status: "unfinished" })}
      >
        {t("In the queue")}
      </Place>
      <Place
        icon={<Trash2 aria-hidden />}
        count={facets?.trashed}
        active={search.trashed === true}
        onClick={() => set({ ...everywhere, trashed: true })}
      >
        {t("Trash")}
      </Place>
      <div className="mt-5 mb-1 flex items-center justify-between pl-2.5">
        <h2 className="text-xs font-medium text-text-3">{t("Folders")}</h2>
        <IconButton label={t("New folder")} small onClick={() => setAdding(true)}>
          <FolderPlus aria-hidden />
        </IconButton>
      </div>
      {adding && <NameBox initial="" label={t("Name of the new folder")} done={(name) => void add(name)} />}
      {facets?.folders.map((folder) => (
        <FolderPlace
          key={folder.id}
          folder={folder}
          active={search.folder === folder.id}
          open={() => set({ ...everywhere, folder: folder.id })}
          gone={() => set(everywhere)}
        />
      ))}
      {facets && !facets.folders.length && !adding && (
        <p className="px-2.5 text-xs text-text-3">
          {t("Folders keep projects apart. A clip lies in one of them, or in none.")}
        </p>
      )}
    </nav>
  );
}

/** The same places where there is no room for a column. */
export function PlaceMenu({ search, set, facets }: PlacesProps) {
  const everywhere = { folder: undefined, favourite: undefined, trashed: undefined, status: undefined };
  const current = search.trashed
    ? "trash"
    : search.favourite
      ? "favourites"
      : search.status === "unfinished"
        ? "queue"
        : (search.folder ?? "all");
  const changes: Record<string, Partial<LibrarySearch>> = {
    all: {},
    favourites: { favourite: true },
    queue: { status: "unfinished" },
    trash: { trashed: true },
  };
  const choices = [
    { value: "all", label: t("All clips") },
    { value: "favourites", label: t("Favourites") },
    { value: "queue", label: t("In the queue") },
    ...(facets?.folders ?? []).map((folder) => ({ value: folder.id, label: folder.name })),
    { value: "trash", label: t("Trash") },
  ];
  return (
    <Select
      label={t("Place")}
      className="h-9! max-w-40 xl:hidden"
      value={current}
      choices={choices}
      onChange={(place) => set({ ...everywhere, ...(changes[place] ?? { folder: place }) })}
    />
  );
}

function Place({
  icon,
  count,
  active,
  onClick,
  children,
}: {
  icon: ReactNode;
  count?: number | undefined;
  active: boolean;
  onClick: () => void;
  children: ReactNode;
}) {
  return (
    <button
      type="button"
      aria-current={active ? "page" : undefined}
      onClick={onClick}
      className={cx(
        "focus-inset flex h-8 w-full items-center gap-2.5 rounded-lg px-2.5 text-left text-sm transition-colors [&_svg]:size-4 [&_svg]:shrink-0",
        active ? "bg-hover text-text" : "text-text-2 hover:bg-hover hover:text-text",
      )}
    >
      {icon}
      <span className="min-w-0 flex-1 truncate">{children}</span>
      {count !== undefined && <span className="text-xs text-text-3 tabular">{number(count)}</span>}
    </button>
  );
}

function FolderPlace({
  folder,
  active,
  open,
  gone,
}: {
  folder: FolderFacts;
  active: boolean;
  open: () => void;
  gone: () => void;
}) {
  const [renaming, setRenaming] = useState(false);
  const refresh = () => client.invalidateQueries({ queryKey: ["library"] });
  const rename = async (name: string) => {
    setRenaming(false);
    if (!name.trim() || name.trim() === folder.name) return;
    await folders.rename(folder.id, name.trim()).then(refresh, (error) => tellFailure(t("Not renamed"), error));
  };
  const remove = async () => {
    const sure = await confirm({
      title: t("Delete the folder {name}?", { name: folder.name }),
      text: t("Its clips stay in the library."),
      action: t("Delete the folder"),
      danger: true,
    });
    if (!sure) return;
    await folders.remove(folder.id).then(refresh, (error) => tellFailure(t("Not deleted"), error));
    if (active) gone();
  };
  if (renaming)
    return <NameBox initial={folder.name} label={t("Name of the folder")} done={(name) => void rename(name)} />;
  return (
    <div className="group relative">
      <Place icon={<Folder aria-hidden />} count={folder.count} active={active} onClick={open}>
        {folder.name}
      </Place>
      <Menu
        label={t("Folder")}
        trigger={
          <IconButton
            label={t("Folder {name}", { name: folder.name })}
            small
            className="absolute top-0 right-0 bg-hover opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
          >
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          { label: t("Rename"), icon: <Pencil aria-hidden />, run: () => setRenaming(true) },
          {
            label: t("Download as zip"),
            disabled: folder.count === 0,
            run: () => download("v1/library/download", { folder: folder.id }),
          },
          { label: t("Delete the folder"), icon: <Trash2 aria-hidden />, danger: true, run: () => void remove() },
        ]}
      />
    </div>
  );
}

function NameBox({ initial, label, done }: { initial: string; label: string; done: (name: string) => void }) {
  const [name, setName] = useState(initial);
  return (
    <input
      aria-label={label}
      // biome-ignore lint/a11y/noAutofocus: it was asked for just now
      autoFocus
      value={name}
      maxLength={120}
      onChange={(event) => setName(event.target.value)}
      onBlur={() => done(name)}
      onKeyDown={(event) => {
        if (event.key === "Enter") done(name);
        if (event.key === "Escape") done("");
      }}
      className={cx(inputLook, "h-8 text-sm")}
    />
  );
}
