import {
  Columns2,
  Copy,
  Download,
  Heart,
  HeartOff,
  MoveHorizontal,
  Repeat2,
  RotateCcw,
  Scissors,
  Share2,
  Sparkles,
  Trash2,
  Undo2,
  WandSparkles,
} from "lucide-react";
import { download } from "@/api/client";
import { bulk } from "@/api/library";
import { client } from "@/api/query";
import type { Item } from "@/api/types";
import { type Action, confirm } from "@/components/overlays";
import { tell, tellFailure } from "@/components/toasts";
import { againById, reuseById } from "@/features/clip/again";
import { addClip } from "@/features/compose/references";
import { plural, t } from "@/lib/i18n";
import { router } from "@/router";

async function change(ids: readonly string[], action: Parameters<typeof bulk>[1], failure: string): Promise<string[]> {
  try {
    const { changed } = await bulk(ids, action);
    await client.invalidateQueries({ queryKey: ["library"] });
    return changed;
  } catch (error) {
    tellFailure(failure, error);
    return [];
  }
}

export async function trash(ids: readonly string[]): Promise<boolean> {
  const changed = await change(ids, { action: "trash" }, t("Not put into the trash"));
  if (!changed.length) return false;
  tell({
    title: plural(changed.length, "{count} clip is in the trash", "{count} clips are in the trash"),
    action: { label: t("Undo"), run: () => void change(changed, { action: "restore" }, t("Not put back")) },
  });
  return true;
}

export const restore = (ids: readonly string[]) => change(ids, { action: "restore" }, t("Not put back"));

export async function deleteForGood(ids: readonly string[]): Promise<boolean> {
  const sure = await confirm({
    title: plural(ids.length, "Delete {count} clip for good?", "Delete {count} clips for good?"),
    text: t("The files are removed from this machine. This cannot be undone."),
    action: t("Delete"),
    danger: true,
  });
  return sure && (await change(ids, { action: "delete" }, t("Not deleted"))).length > 0;
}

export const favourite = (ids: readonly string[], on: boolean) =>
  change(ids, { action: on ? "favourite" : "unfavourite" }, t("Not changed"));

export const rate = (ids: readonly string[], rating: number) =>
  change(ids, { action: "rate", rating }, t("No stars were given"));

export async function moveTo(ids: readonly string[], folder: string | null): Promise<void> {
  const changed = await change(ids, { action: "move", folder_id: folder }, t("Not moved"));
  if (changed.length) tell({ title: plural(changed.length, "{count} clip moved", "{count} clips moved") });
}

export const tag = (ids: readonly string[], name: string, on = true) =>
  change(ids, { action: on ? "tag" : "untag", tag: name }, t("Not tagged"));

export function downloadMany(ids: readonly string[]): void {
  const [only] = ids;
  if (ids.length === 1 && only) download(`v1/library/items/${only}/export`, { format: "mp4" });
  else download("v1/library/download", { ids: ids.join(",") });
}

/** What can be done with a clip, as a menu. */
export function itemActions(item: Item): (Action | null)[] {
  const done = item.status === "completed";
  const tool = (name: "remix" | "recut" | "extend") => () =>
    void router.navigate({ to: "/clip/$id", params: { id: item.id }, search: { tool: name } });
  if (item.trashed_at) {
    return [
      { label: t("Put back"), icon: <Undo2 aria-hidden />, run: () => void restore([item.id]) },
      {
        label: t("Delete for good"),
        icon: <Trash2 aria-hidden />,
        danger: true,
        run: () => void deleteForGood([item.id]),
      },
    ];
  }
  return [
    { label: t("Reuse all settings"), icon: <Repeat2 aria-hidden />, run: () => void reuseById(item, true) },
    { label: t("Reuse with a new seed"), icon: <Sparkles aria-hidden />, run: () => void reuseById(item, false) },
    {
      label: done ? t("Generate again, new seed") : t("Try again"),
      icon: <RotateCcw aria-hidden />,
      run: () => void againById(item.id, done ? "new" : "same"),
    },
    null,
    { label: t("Remix"), icon: <WandSparkles aria-hidden />, keys: "r", disabled: !done, run: tool("remix") },
    { label: t("Re-cut"), icon: <Scissors aria-hidden />, disabled: !done, run: tool("recut") },
    { label: t("Extend"), icon: <MoveHorizontal aria-hidden />, keys: "e", disabled: !done, run: tool("extend") },
    {
      label: t("Build on it"),
      icon: <Share2 aria-hidden />,
      disabled: !done,
      run: () => void addClip(item.id).then(() => router.navigate({ to: "/" })),
    },
    {
      label: t("Compare with…"),
      icon: <Columns2 aria-hidden />,
      keys: "c",
      disabled: !done,
      run: () => void router.navigate({ to: "/compare", search: { clips: item.id } }),
    },
    null,
    {
      label: item.favourite ? t("No longer a favourite") : t("Favourite"),
      icon: item.favourite ? <HeartOff aria-hidden /> : <Heart aria-hidden />,
      keys: "f",
      run: () => void favourite([item.id], !item.favourite),
    },
    {
      label: t("Download"),
      icon: <Download aria-hidden />,
      keys: "d",
      disabled: !done,
      run: () => downloadMany([item.id]),
    },
    {
      label: t("Copy prompt"),
      icon: <Copy aria-hidden />,
      disabled: !item.prompt,
      run: () => void navigator.clipboard?.writeText(item.prompt ?? ""),
    },
    null,
    {
      label: t("Put into the trash"),
      icon: <Trash2 aria-hidden />,
      keys: "delete",
      danger: true,
      run: () => void trash([item.id]),
    },
  ];
}
