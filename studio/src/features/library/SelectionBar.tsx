import { useQuery } from "@tanstack/react-query";
import { Columns2, Combine, Download, FolderInput, Heart, Star, StarOff, Tag, Trash2, Undo2, X } from "lucide-react";
import { useState } from "react";
import { send } from "@/api/client";
import { facetsQuery } from "@/api/library";
import { client } from "@/api/query";
import { Button, IconButton } from "@/components/controls";
import { askText, confirm, Menu } from "@/components/overlays";
import { MAX_STARS, starNames } from "@/components/Stars";
import { tell, tellFailure } from "@/components/toasts";
import * as actions from "@/features/library/actions";
import { TagDialog } from "@/features/library/TagDialog";
import { StitchDialog } from "@/features/tools/StitchDialog";
import { number, plural, t } from "@/lib/i18n";
import { router } from "@/router";

/** What can be done with the selected clips, over the grid. */
export function SelectionBar({ ids, trashed, clear }: { ids: string[]; trashed: boolean; clear: () => void }) {
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
          <Menu
            label={t("Stars")}
            trigger={
              <IconButton label={t("Stars")}>
                <Star aria-hidden />
              </IconButton>
            }
            actions={[
              ...Array.from({ length: MAX_STARS }, (_, index) => MAX_STARS - index).map((rating) => ({
                label: starNames(rating),
                icon: <Star aria-hidden />,
                keys: String(rating),
                run: () => void actions.rate(ids, rating),
              })),
              { label: t("No stars"), icon: <StarOff aria-hidden />, keys: "0", run: () => void actions.rate(ids, 0) },
            ]}
          />
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
