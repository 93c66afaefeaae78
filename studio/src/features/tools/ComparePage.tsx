import { useQueries } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { Columns2, Pause, Play, Plus, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { facts, itemQuery, media } from "@/api/library";
import type { ItemDetail } from "@/api/types";
import { Button, cx, IconButton, Segmented } from "@/components/controls";
import { Empty, Failure } from "@/components/states";
import { ClipPicker } from "@/features/library/ClipPicker";
import { timecode } from "@/lib/format";
import { useHotkeys } from "@/lib/hotkeys";
import { t } from "@/lib/i18n";

const route = getRouteApi("/compare");
type View = "side" | "wipe" | "flip";

/** Two to four clips in step: side by side, behind a wipe, or one over the other with A and B. */
export function ComparePage() {
  const { clips = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const ids = [...new Set(clips.split(",").filter(Boolean))].slice(0, 4);
  const results = useQueries({ queries: ids.map((id) => itemQuery(id)) });
  const items = results.flatMap((result) => (result.data ? [result.data] : []));
  const error = results.find((result) => result.isError)?.error;
  const [picking, setPicking] = useState(false);
  const put = (next: string[]) => void navigate({ search: { clips: next.join(",") }, replace: true });
  return (
    <div className="flex h-full flex-col gap-3 p-4 md:p-5">
      {error && <Failure error={error} title={t("One of the clips cannot be shown")} />}
      {items.length < 2 && !error ? (
        <Empty
          icon={<Columns2 aria-hidden />}
          title={t("Compare clips")}
          action={
            <Button look="primary" onClick={() => setPicking(true)}>
              <Plus aria-hidden className="size-4" />{" "}
              {items.length ? t("Choose the clip to compare with") : t("Choose a clip")}
            </Button>
          }
        >
          {t("Two to four clips play in step: side by side, behind a wipe, or by flipping between A and B.")}
        </Empty>
      ) : (
        <Stage
          key={ids.join()}
          items={items}
          drop={(id) => put(ids.filter((one) => one !== id))}
          add={ids.length < 4 ? () => setPicking(true) : null}
        />
      )}
      <ClipPicker
        open={picking}
        onClose={() => setPicking(false)}
        title={t("Compare with")}
        onPick={(item) => put([...ids, item.id])}
      />
    </div>
  );
}

function Stage({ items, drop, add }: { items: ItemDetail[]; drop: (id: string) => void; add: (() => void) | null }) {
  const videos = useRef<(HTMLVideoElement | null)[]>([]);
  const [view, setView] = useState<View>("side");
  const [shown, setShown] = useState(0);
  const [wipe, setWipe] = useState(50);
  const [playing, setPlaying] = useState(false);
  const [time, setTime] = useState(0);
  const known = items.map(facts);
  const longest = Math.max(...known.map((one) => one.seconds), 0.1);
  const fps = known[0]?.fps ?? 24;

  const seek = (to: number) => {
    const at = Math.min(Math.max(0, to), longest - 1 / fps);
    setTime(at);
    for (const [index, video] of videos.current.entries()) {
      if (video) video.currentTime = Math.min(at, (known[index]?.seconds ?? at) - 0.5 / fps) + 0.25 / fps;
    }
  };
  const toggle = () => {
    if (playing) for (const video of videos.current) video?.pause();
    else {
      if (time >= longest - 2 / fps) seek(0);
      for (const video of videos.current) void video?.play().catch(() => undefined);
    }
    setPlaying(!playing);
  };
  // One clock for all: whoever drifts by more than a frame is put right.
  // biome-ignore lint/correctness/useExhaustiveDependencies: the clock starts once for every play
  useEffect(() => {
    if (!playing) return;
    let request = 0;
    let began = performance.now();
    let from = time;
    const tick = () => {
      let now = from + (performance.now() - began) / 1000;
      if (now >= longest) {
        [from, began, now] = [0, performance.now(), 0];
        for (const video of videos.current) if (video) video.currentTime = 0;
      }
      for (const [index, video] of videos.current.entries()) {
        const seconds = known[index]?.seconds ?? longest;
        if (!video) continue;
        if (now >= seconds) video.pause();
        else if (Math.abs(video.currentTime - now) > 1.5 / fps) video.currentTime = now;
        if (now < seconds && video.paused) void video.play().catch(() => undefined);
      }
      setTime(now);
      request = requestAnimationFrame(tick);
    };
    request = requestAnimationFrame(tick);
    return () => cancelAnimationFrame(request);
  }, [playing]);
  const flip = (index: number) => {
    setView("flip");
    setShown(index);
  };
  useHotkeys({
    space: toggle,
    arrowleft: () => seek(time - 1 / fps),
    arrowright: () => seek(time + 1 / fps),
    a: () => flip(0),
    b: () => flip(1),
    home: () => seek(0),
  });
  const two = items.length === 2;
  const layered = view !== "side";
  return (
    <>
      <header className="flex flex-wrap items-center gap-2">
        <h1 className="mr-auto text-lg font-semibold">{t("Compare")}</h1>
        <Segmented
          label={t("View")}
          value={two || view !== "wipe" ? view : "side"}
          onChange={setView}
          choices={[
            { value: "side", label: t("Side by side") },
            { value: "wipe", label: t("Wipe"), disabled: !two },
            { value: "flip", label: t("Flip A/B") },
          ]}
        />
        {add && (
          <Button small onClick={add}>
            <Plus aria-hidden className="size-4" /> {t("Add")}
          </Button>
        )}
      </header>
      <div
        className={cx(
          "relative min-h-0 flex-1",
          !layered && "grid gap-2",
          !layered && (items.length === 1 ? "" : "sm:grid-cols-2"),
          !layered && items.length > 2 && "grid-rows-2",
        )}
      >
        {items.map((item, index) => (
          <figure
            key={item.id}
            className={cx("min-h-0 overflow-hidden rounded-xl bg-black", layered ? "absolute inset-0" : "relative")}
            style={{
              visibility: view === "flip" && index !== shown ? "hidden" : "visible",
              clipPath: view === "wipe" && index === 1 ? `inset(0 0 0 ${wipe}%)` : undefined,
            }}
          >
            <video
              ref={(element) => {
                videos.current[index] = element;
              }}
              src={media.video(item.id)}
              poster={media.thumbnail(item.id)}
              muted={index > 0}
              playsInline
              preload="auto"
              aria-label={item.title || item.prompt || item.id}
              className="size-full object-contain"
            />
            <figcaption
              className={cx(
                "absolute top-2 flex max-w-[46%] items-center gap-2 rounded-lg bg-black/70 py-1 pr-1 pl-2.5 text-xs text-white",
                view === "wipe" && index === 1 ? "right-2" : "left-2",
              )}
            >
              <span className="font-semibold">{"ABCD"[index]}</span>
              <Link to="/clip/$id" params={{ id: item.id }} className="truncate hover:underline">
                {item.title || item.prompt}
              </Link>
              <button
                type="button"
                aria-label={t("Take {name} out", { name: "ABCD"[index] ?? "" })}
                onClick={() => drop(item.id)}
                className="rounded p-1 hover:bg-white/20"
              >
                <X aria-hidden className="size-3.5" />
              </button>
            </figcaption>
          </figure>
        ))}
        {view === "wipe" && (
          <input
            type="range"
            aria-label={t("Place of the wipe")}
            min={0}
            max={100}
            step={0.5}
            value={wipe}
            onChange={(event) => setWipe(event.currentTarget.valueAsNumber)}
            className="absolute inset-0 size-full cursor-ew-resize appearance-none bg-transparent opacity-0"
          />
        )}
        {view === "wipe" && (
          <div
            aria-hidden
            className="pointer-events-none absolute inset-y-0 w-0.5 bg-white shadow"
            style={{ left: `${wipe}%` }}
          />
        )}
      </div>
      <div className="flex items-center gap-3">
        <IconButton label={playing ? t("Pause") : t("Play")} keys="space" onClick={toggle}>
          {playing ? <Pause aria-hidden /> : <Play aria-hidden />}
        </IconButton>
        <input
          type="range"
          aria-label={t("Position")}
          aria-valuetext={timecode(time, fps)}
          className="range"
          style={{ "--at": `${(100 * time) / longest}%` } as React.CSSProperties}
          min={0}
          max={longest}
          step={1 / fps}
          value={time}
          onChange={(event) => seek(event.currentTarget.valueAsNumber)}
        />
        <span className="font-mono text-sm tabular">{timecode(time, fps)}</span>
        {view === "flip" && (
          <Segmented
            label={t("Shown")}
            value={String(shown)}
            onChange={(next) => setShown(Number(next))}
            choices={items.map((_, index) => ({ value: String(index), label: "ABCD"[index] ?? "" }))}
          />
        )}
      </div>
    </>
  );
}
