import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import {
  ArrowDown,
  ArrowUp,
  ChevronsUp,
  CircleAlert,
  Ellipsis,
  ListVideo,
  Pause,
  Play,
  RotateCcw,
  Trash2,
  X,
} from "lucide-react";
import { bulk, media, pageQuery } from "@/api/library";
import { type LiveJob, useLive, usePaused } from "@/api/live";
import type { Item } from "@/api/types";
import { cancelVideo, placeInQueue } from "@/api/videos";
import { Badge, Button, cx, IconButton, Progress } from "@/components/controls";
import { confirm, Menu } from "@/components/overlays";
import { Empty } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { again } from "@/features/clip/again";
import { pauseQueue } from "@/features/queue/pause";
import { useUi } from "@/features/shell/ui";
import { ago, clockTime } from "@/lib/format";
import { useHotkeys } from "@/lib/hotkeys";
import { plural, t } from "@/lib/i18n";
import { stateOf } from "@/lib/progress";

const RECENT = { order: "newest" } as const;

/** All that is going on, and what failed lately: cancel, run next, reorder, retry. */
export function QueuePanel() {
  const { queueOpen, set } = useUi();
  useHotkeys({ escape: () => set({ queueOpen: false }) }, queueOpen);
  if (!queueOpen) return null;
  return (
    <aside
      aria-label={t("Queue")}
      className="fixed inset-x-0 top-0 bottom-[58px] z-40 flex flex-col border-line bg-panel md:inset-y-0 md:right-0 md:left-auto md:w-[380px] md:border-l md:shadow-float xl:static xl:w-[360px] xl:shrink-0 xl:shadow-none"
    >
      <Inside close={() => set({ queueOpen: false })} />
    </aside>
  );
}

function Inside({ close }: { close: () => void }) {
  const jobs = useLive((live) => live.jobs);
  const online = useLive((live) => live.online);
  const paused = usePaused();
  const recent = useQuery(pageQuery(RECENT, 0));
  const ended = (recent.data?.data ?? []).filter((item) => item.status === "failed").slice(0, 8);
  const queued = jobs.filter((job) => job.status === "queued");
  const cancelAll = async () => {
    const sure = await confirm({
      title: t("Cancel everything that waits?"),
      text: plural(queued.length, "{count} clip has not begun yet.", "{count} clips have not begun yet."),
      action: t("Cancel them"),
      danger: true,
    });
    if (sure)
      bulk(
        queued.map((job) => job.id),
        { action: "cancel" },
      ).catch((error) => tellFailure(t("Not cancelled"), error));
  };
  return (
    <>
      <header className="flex items-center gap-2 border-b border-line px-4 py-3">
        <h2 className="flex-1 text-lg font-semibold">{t("Queue")}</h2>
        <IconButton
          label={paused ? t("Let the queue go on") : t("Pause the queue")}
          keys="shift+q"
          small
          side="left"
          active={paused}
          onClick={() => void pauseQueue(!paused)}
        >
          {paused ? <Play aria-hidden /> : <Pause aria-hidden />}
        </IconButton>
        {queued.length > 1 && (
          <Button small look="ghost" onClick={cancelAll}>
            {t("Cancel all waiting")}
          </Button>
        )}
        <IconButton label={t("Close")} keys="q" small onClick={close} side="left">
          <X aria-hidden />
        </IconButton>
      </header>
      {paused && <PausedNote queued={queued.length} running={jobs.length - queued.length} />}
      <div className="min-h-0 flex-1 overflow-y-auto p-3">
        {jobs.length === 0 && ended.length === 0 && (
          <Empty
            icon={<ListVideo aria-hidden />}
            title={online === false ? t("Not connected") : t("Nothing is waiting")}
          >
            {online === false
              ? t("The queue is shown again as soon as the server answers.")
              : t("Whatever you generate is queued here at once. It goes on when this window is closed.")}
          </Empty>
        )}
        <ol className="flex flex-col gap-2">
          {jobs.map((job, index) => (
            <QueueRow key={job.id} job={job} first={queued[0]?.id === job.id} last={index === jobs.length - 1} />
          ))}
        </ol>
        {ended.length > 0 && (
          <>
            <h3 className="mt-5 mb-2 px-1 text-xs font-medium text-text-3">{t("Ended without a clip")}</h3>
            <ul className="flex flex-col gap-2">
              {ended.map((item) => (
                <EndedRow key={item.id} item={item} />
              ))}
            </ul>
          </>
        )}
      </div>
    </>
  );
}

function PausedNote({ queued, running }: { queued: number; running: number }) {
  const since = useLive((live) => live.pausedAt);
  return (
    <div role="status" className="border-b border-line bg-accent-soft px-4 py-3 text-sm">
      <p className="font-medium text-accent-text">
        {t("Paused since {time}", { time: since === null ? "" : clockTime(since, Date.now() / 1000) })}
      </p>
      <p className="mt-0.5 text-text-2">
        {running
          ? t("What runs is finished; after it nothing begins.")
          : queued
            ? t("Nothing begins until you let it go on.")
            : t("What you generate waits here until you let it go on.")}
      </p>
      <Button small className="mt-2.5" onClick={() => void pauseQueue(false)}>
        <Play aria-hidden className="size-4" /> {t("Go on")}
      </Button>
    </div>
  );
}

function QueueRow({ job, first, last }: { job: LiveJob; first: boolean; last: boolean }) {
  const paused = usePaused();
  const state = stateOf(job, paused);
  const cancel = useMutation({
    mutationFn: () => cancelVideo(job.id),
    onError: (error) => tellFailure(t("Not cancelled"), error),
  });
  const move = (where: "first" | "up" | "down") =>
    placeInQueue(job.id, where).catch((error) => tellFailure(t("Not moved"), error));
  return (
    <li className="rounded-xl border border-line bg-raised p-2.5">
      <div className="flex gap-3">
        <Link
          to="/clip/$id"
          params={{ id: job.id }}
          tabIndex={-1}
          aria-hidden
          className={cx(
            "grid h-14 w-20 shrink-0 place-items-center overflow-hidden rounded-lg bg-ground",
            job.status === "queued" && "checker",
          )}
        >
          {job.preview_step !== null && (
            <img src={media.preview(job.id, job.preview_step)} alt="" className="size-full object-cover" />
          )}
        </Link>
        <div className="min-w-0 flex-1">
          <Link to="/clip/$id" params={{ id: job.id }} className="line-clamp-2 text-sm leading-snug hover:underline">
            {job.prompt || t("No prompt")}
          </Link>
          <p className="mt-1 flex items-center gap-1.5 text-xs text-text-3 tabular">
            <span className="truncate">
              {job.size.replace("x", "×")} · {job.seconds} s · {job.model}
            </span>
          </p>
        </div>
        <div className="flex flex-col">
          <IconButton
            label={t("Cancel")}
            small
            side="left"
            disabled={cancel.isPending || job.cancel_requested}
            onClick={() => cancel.mutate()}
          >
            <X aria-hidden />
          </IconButton>
          {job.status === "queued" && (
            <Menu
              label={t("Order")}
              trigger={
                <IconButton label={t("Move")} small side="left">
                  <Ellipsis aria-hidden />
                </IconButton>
              }
              actions={[
                {
                  label: t("Run next"),
                  icon: <ChevronsUp aria-hidden />,
                  disabled: first,
                  run: () => void move("first"),
                },
                { label: t("Move up"), icon: <ArrowUp aria-hidden />, disabled: first, run: () => void move("up") },
                {
                  label: t("Move down"),
                  icon: <ArrowDown aria-hidden />,
                  disabled: last,
                  run: () => void move("down"),
                },
              ]}
            />
          )}
        </div>
      </div>
      <div className="mt-2 flex items-center justify-between gap-3 text-xs tabular">
        <span className={cx("font-medium", state.phase === "queued" ? "text-text-2" : "text-accent-text")}>
          {state.title}
        </span>
        <span className="truncate text-text-3">{state.detail}</span>
      </div>
      {state.phase !== "queued" && (
        <Progress value={state.percent} label={t("Progress of {name}", { name: job.prompt })} className="mt-1.5" />
      )}
    </li>
  );
}

function EndedRow({ item }: { item: Item }) {
  const cancelled = item.error?.code === "cancelled";
  const retry = async () => {
    try {
      await again(item.id, "same");
      await bulk([item.id], { action: "trash" });
    } catch (error) {
      tellFailure(t("Not queued again"), error);
    }
  };
  return (
    <li className="flex items-start gap-2.5 rounded-xl border border-line px-3 py-2.5">
      <CircleAlert aria-hidden className={cx("mt-0.5 size-4 shrink-0", cancelled ? "text-text-3" : "text-bad")} />
      <div className="min-w-0 flex-1">
        <Link to="/clip/$id" params={{ id: item.id }} className="line-clamp-1 text-sm hover:underline">
          {item.title || item.prompt || t("No prompt")}
        </Link>
        <p className="mt-0.5 line-clamp-2 text-xs text-text-3">
          {cancelled ? <Badge>{t("Cancelled")}</Badge> : item.error?.message}{" "}
          <span className="whitespace-nowrap">{ago(item.completed_at ?? item.created_at, Date.now() / 1000)}</span>
        </p>
      </div>
      <IconButton label={t("Try again")} small side="left" onClick={() => void retry()}>
        <RotateCcw aria-hidden />
      </IconButton>
      <IconButton
        label={t("Put into the trash")}
        small
        side="left"
        onClick={() => void bulk([item.id], { action: "trash" })}
      >
        <Trash2 aria-hidden />
      </IconButton>
    </li>
  );
}
