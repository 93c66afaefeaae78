import { CircleAlert, Clock, Heart, Link2 } from "lucide-react";
import { memo, useEffect, useRef, useState } from "react";
import { media } from "@/api/library";
import { type LiveJob, useLiveJob, usePaused } from "@/api/live";
import type { Item } from "@/api/types";
import { cx, Progress } from "@/components/controls";
import { StarMarks } from "@/components/Stars";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { reducedMotion } from "@/lib/preferences";
import { stateOf } from "@/lib/progress";

/** The picture of a clip: its thumbnail, the clip itself while the pointer rests on it, or how far it has got. */
export const ClipPicture = memo(function ClipPicture({
  item,
  live,
  className,
}: {
  item: Item;
  live?: LiveJob | undefined;
  className?: string;
}) {
  const [over, setOver] = useState(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const rest = () => {
    timer.current = setTimeout(() => setOver(true), 110); // a pointer on its way elsewhere loads nothing
  };
  const leave = () => {
    clearTimeout(timer.current);
    setOver(false);
  };
  const [broken, setBroken] = useState(false);
  const done = item.status === "completed" && (!live || live.status === "completed");
  return (
    <div
      className={cx("relative size-full overflow-hidden bg-raised", className)}
      onPointerEnter={(event) => event.pointerType === "mouse" && done && rest()}
      onPointerLeave={leave}
    >
      {done && !broken && (
        <img
          src={media.thumbnail(item.id)}
          alt=""
          loading="lazy"
          decoding="async"
          draggable={false}
          onError={() => setBroken(true)}
          className="size-full object-cover"
        />
      )}
      {done && over && !reducedMotion() && <HoverVideo id={item.id} />}
      {!done && <Unfinished item={item} live={live} />}
    </div>
  );
});

function HoverVideo({ id }: { id: string }) {
  const [ready, setReady] = useState(false);
  const video = useRef<HTMLVideoElement>(null);
  useEffect(() => {
    const element = video.current;
    return () => {
      element?.removeAttribute("src"); // ends the download
      element?.load();
    };
  }, []);
  return (
    <video
      ref={video}
      src={media.video(id)}
      muted
      loop
      autoPlay
      playsInline
      aria-hidden
      tabIndex={-1}
      onPlaying={() => setReady(true)}
      className={cx(
        "absolute inset-0 size-full bg-transparent object-cover transition-opacity duration-150",
        ready ? "opacity-100" : "opacity-0",
      )}
    />
  );
}

function Unfinished({ item, live }: { item: Item; live: LiveJob | undefined }) {
  const paused = usePaused();
  const state = stateOf(live ?? item, paused);
  if (item.status === "failed" && !live) {
    return (
      <div className="checker flex size-full flex-col items-center justify-center gap-1.5 px-3 text-center">
        <CircleAlert
          aria-hidden
          className={cx("size-5", item.error?.code === "cancelled" ? "text-text-3" : "text-bad")}
        />
        <span className="text-sm text-text-2">{item.error?.code === "cancelled" ? t("Cancelled") : t("Failed")}</span>
      </div>
    );
  }
  const step = live?.preview_step ?? null;
  return (
    <div className="@container relative flex size-full items-end">
      {step !== null ? (
        <img src={media.preview(item.id, step)} alt="" className="absolute inset-0 size-full object-cover" />
      ) : (
        <div className={cx("absolute inset-0", state.phase === "queued" ? "checker" : "shimmer")} />
      )}
      <div
        className={cx(
          "relative w-full px-3 pt-8 pb-2.5",
          step === null ? "text-text-2" : "bg-gradient-to-t from-black/85 to-transparent text-white",
        )}
      >
        <p className="flex items-center justify-between gap-2 text-xs tabular">
          <span className="truncate font-medium">{state.title}</span>
          <span className="hidden shrink-0 @[230px]:inline">{state.detail}</span>
        </p>
        <Progress
          value={state.phase === "queued" ? 0 : state.percent}
          label={t("Progress")}
          className={cx("mt-1.5", step !== null && "bg-white/25")}
        />
      </div>
    </div>
  );
}

/** Whether a tile is a picture alone: others also say how far they are, which belongs to their link's name. */
export function finished(item: Item): boolean {
  return item.status === "completed";
}

/** What lies over the corner of a tile. */
export function TileMarks({ item }: { item: Item }) {
  return (
    <div className="pointer-events-none absolute inset-x-0 bottom-0 flex items-end gap-1.5 bg-gradient-to-t from-black/65 to-transparent px-2 pt-6 pb-1.5 text-2xs font-medium text-white opacity-0 transition-opacity group-hover:opacity-100 group-focus-within:opacity-100">
      <span className="tabular inline-flex items-center gap-1">
        <Clock aria-hidden className="size-3" />
        {duration(Number(item.seconds))}
      </span>
      <span className="tabular">{item.size.replace("x", "×")}</span>
      {item.source_id && <Link2 aria-label={t("Made from another clip")} className="size-3" />}
      {(item.favourite || item.rating > 0) && (
        <span className="ml-auto flex items-center gap-1.5 text-[#ffb35c]">
          <StarMarks rating={item.rating} />
          {item.favourite && <Heart aria-hidden className="size-3.5 fill-current" />}
        </span>
      )}
    </div>
  );
}

export function useItemLive(item: Item): LiveJob | undefined {
  const live = useLiveJob(item.id);
  return item.status === "queued" || item.status === "in_progress" ? live : undefined;
}
