import { Link } from "@tanstack/react-router";
import { Ellipsis, Heart, Repeat2, RotateCcw, X } from "lucide-react";
import { memo } from "react";
import type { Item } from "@/api/types";
import { cancelVideo } from "@/api/videos";
import { ClipPicture, finished, TileMarks, useItemLive } from "@/components/ClipTile";
import { Badge, cx, IconButton } from "@/components/controls";
import { Menu } from "@/components/overlays";
import { tellFailure } from "@/components/toasts";
import { againById, reuseById } from "@/features/clip/again";
import { favourite, itemActions } from "@/features/library/actions";
import { ago, parseSize } from "@/lib/format";
import { t } from "@/lib/i18n";

/** A clip with its words below: how the newest ones are shown where clips are made. */
export const FeedTile = memo(function FeedTile({ item }: { item: Item }) {
  const live = useItemLive(item);
  const size = parseSize(item.size);
  const tall = size !== null && size.height > size.width;
  const name = item.title || item.prompt || item.id;
  const unfinished = item.status === "queued" || item.status === "in_progress";
  return (
    <li className="group min-w-0">
      <div className="relative aspect-video overflow-hidden rounded-xl border border-line bg-raised">
        <Link
          to="/clip/$id"
          params={{ id: item.id }}
          aria-label={finished(item) ? name : undefined}
          className={cx("focus-inset block size-full rounded-xl", tall && "mx-auto aspect-[9/16] w-auto")}
        >
          {!finished(item) && <span className="sr-only">{name}</span>}
          <ClipPicture item={item} live={live} />
          {finished(item) && <TileMarks item={item} />}
        </Link>
        <div className="absolute top-1.5 right-1.5 flex gap-1 opacity-0 transition-opacity group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
          {unfinished ? (
            <IconButton
              label={t("Cancel")}
              small
              className="bg-black/65 text-white hover:bg-black/85 hover:text-white"
              onClick={() => void cancelVideo(item.id).catch((error) => tellFailure(t("Not cancelled"), error))}
            >
              <X aria-hidden />
            </IconButton>
          ) : (
            <>
              <IconButton
                label={item.favourite ? t("No longer a favourite") : t("Favourite")}
                active={item.favourite}
                small
                className="bg-black/65! text-white! hover:bg-black/85!"
                onClick={() => void favourite([item.id], !item.favourite)}
              >
                <Heart aria-hidden className={item.favourite ? "fill-[#ffb35c] text-[#ffb35c]" : ""} />
              </IconButton>
              <Menu
                label={t("Actions")}
                trigger={
                  <IconButton
                    label={t("Actions")}
                    small
                    className="bg-black/65 text-white hover:bg-black/85 hover:text-white"
                  >
                    <Ellipsis aria-hidden />
                  </IconButton>
                }
                actions={itemActions(item)}
              />
            </>
          )}
        </div>
      </div>
      <div className="mt-2 flex items-start gap-2 px-0.5">
        <div className="min-w-0 flex-1">
          <p className="line-clamp-2 text-sm leading-snug text-text-2">{name}</p>
          <p className="mt-1 flex flex-wrap items-center gap-1.5 text-xs text-text-3 tabular">
            {item.procedural && <Badge>{t("procedural")}</Badge>}
            {item.status === "failed" && item.error?.code !== "cancelled" && (
              <span className="line-clamp-1 text-bad">{item.error?.message}</span>
            )}
            <span>{ago(item.created_at, Date.now() / 1000)}</span>
          </p>
        </div>
        {item.status === "failed" ? (
          <IconButton label={t("Try again")} small onClick={() => void againById(item.id, "same")}>
            <RotateCcw aria-hidden />
          </IconButton>
        ) : (
          <IconButton
            label={t("Reuse all settings")}
            small
            onClick={() => void reuseById(item, true)}
            className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
          >
            <Repeat2 aria-hidden />
          </IconButton>
        )}
      </div>
    </li>
  );
});
