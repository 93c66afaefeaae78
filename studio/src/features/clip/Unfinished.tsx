import { Link } from "@tanstack/react-router";
import { ChevronsUp, CircleAlert, X } from "lucide-react";
import { media } from "@/api/library";
import { type LiveJob, usePaused } from "@/api/live";
import type { ItemDetail } from "@/api/types";
import { cancelVideo, placeInQueue } from "@/api/videos";
import { Button, Progress } from "@/components/controls";
import { Copyable } from "@/components/states";
import { tellFailure } from "@/components/toasts";
import { againById, reuseById } from "@/features/clip/again";
import { reuse, useDraft } from "@/features/compose/draft";
import { afterFailure } from "@/lib/failures";
import { parseSize } from "@/lib/format";
import { t } from "@/lib/i18n";
import { stateOf } from "@/lib/progress";
import { router } from "@/router";

/** A clip that is not there: how far it is, or why it never came and what can be done. */
export function Unfinished({ item, live }: { item: ItemDetail; live: LiveJob | undefined }) {
  const paused = usePaused();
  if (item.status === "failed" && !live) return <Failed item={item} />;
  const place = item.place ? { position: item.place.position, eta_seconds: item.place.eta_seconds } : {};
  const state = stateOf(live ?? { ...item, ...place }, paused);
  const step = live?.preview_step ?? null;
  const size = parseSize(item.size) ?? { width: 16, height: 9 };
  return (
    <div className="relative grid min-h-64 flex-1 place-items-center overflow-hidden rounded-xl bg-black max-lg:max-h-[58dvh]">
      <div
        className="relative max-h-full max-w-full overflow-hidden"
        style={{ aspectRatio: `${size.width} / ${size.height}`, height: "100%" }}
      >
        {step !== null ? (
          <img
            src={media.preview(item.id, step)}
            alt={t("A rough picture of the clip so far")}
            className="size-full object-contain"
          />
        ) : (
          <div className={state.phase === "queued" ? "checker size-full" : "shimmer size-full opacity-40"} />
        )}
      </div>
      <div
        className="absolute inset-x-0 bottom-0 bg-gradient-to-t from-black to-transparent px-6 pt-16 pb-5 text-white"
        role="status"
      >
        <div className="mx-auto flex max-w-xl flex-col gap-2.5">
          <p className="flex items-baseline justify-between gap-4 tabular">
            <span className="text-lg font-semibold">{state.title}</span>
            <span className="text-white/85">{state.detail}</span>
          </p>
          <Progress
            value={state.phase === "queued" ? 0 : state.percent}
            label={t("Progress")}
            className="bg-white/25"
          />
          <div className="flex flex-wrap gap-2">
            {state.phase === "queued" && (
              <Button
                small
                onClick={() => void placeInQueue(item.id, "first").catch((error) => tellFailure(t("Not moved"), error))}
              >
                <ChevronsUp aria-hidden className="size-4" /> {t("Run next")}
              </Button>
            )}
            <Button
              small
              disabled={state.phase === "cancelling"}
              onClick={() => void cancelVideo(item.id).catch((error) => tellFailure(t("Not cancelled"), error))}
            >
              <X aria-hidden className="size-4" /> {t("Cancel")}
            </Button>
          </div>
        </div>
      </div>
    </div>
  );
}

function Failed({ item }: { item: ItemDetail }) {
  const error = item.error ?? { code: "internal_error", message: t("The server does not say why.") };
  const cancelled = error.code === "cancelled";
  const { cause, ways } = afterFailure(error);
  const edit = () => void reuseById(item, true);
  const smaller = () => {
    reuse(item, true);
    const size = parseSize(item.size);
    if (size)
      useDraft
        .getState()
        .set({ size: [size.width, size.height].map((side) => Math.max(64, 2 * Math.round(side / 4))).join("x") });
    void router.navigate({ to: "/" });
  };
  const shorter = () => {
    reuse(item, true);
    useDraft.getState().set({ seconds: Math.max(1, Number(item.seconds) / 2) });
    void router.navigate({ to: "/" });
  };
  return (
    <div className="checker grid min-h-0 flex-1 place-items-center overflow-auto rounded-xl border border-line p-6">
      <div className="flex max-w-md flex-col gap-3">
        <p className="flex items-center gap-2 text-lg font-semibold">
          <CircleAlert aria-hidden className={cancelled ? "size-5 text-text-3" : "size-5 text-bad"} />
          {cancelled ? t("Cancelled") : t("This clip was not made")}
        </p>
        {!cancelled && <p className="break-words text-text-2">{error.message}</p>}
        {cause && <p className="text-text-2">{cause}</p>}
        <div className="mt-1 flex flex-wrap gap-2">
          {ways.includes("retry") && (
            <Button
              look="primary"
              onClick={() => void againById(item.id, error.code === "invalid_output" ? "new" : "same")}
            >
              {t("Try again")}
            </Button>
          )}
          {ways.includes("smaller") && <Button onClick={smaller}>{t("At half the size")}</Button>}
          {ways.includes("shorter") && <Button onClick={shorter}>{t("At half the length")}</Button>}
          {ways.includes("edit") && <Button onClick={edit}>{t("Change it first")}</Button>}
          {ways.includes("models") && (
            <Link
              to="/settings"
              search={{ section: "models" }}
              className="inline-flex h-9 items-center rounded-lg border border-line-strong bg-raised px-4 hover:bg-hover"
            >
              {t("Other models")}
            </Link>
          )}
        </div>
        {!cancelled && (
          <Copyable
            className="mt-1 text-xs text-text-3"
            label={t("Copy diagnostics")}
            text={JSON.stringify(
              {
                id: item.id,
                model: item.engine_model,
                size: item.size,
                seconds: item.seconds,
                error,
                attempts: item.attempts,
                settings: item.settings,
              },
              null,
              2,
            )}
          />
        )}
      </div>
    </div>
  );
}
