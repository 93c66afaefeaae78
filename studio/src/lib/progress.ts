/** The honest state of a job in words. Nothing is shown as further than it is. */
import { duration, roughly } from "@/lib/format";
import { t } from "@/lib/i18n";

export interface Standing {
  status: string;
  stage: string;
  steps_done: number;
  steps_total: number;
  cancel_requested?: boolean;
  position?: number | null;
  eta_seconds?: number | null;
  error?: { code: string; message: string } | null;
}

export interface State {
  phase: "queued" | "loading" | "generating" | "encoding" | "done" | "failed" | "cancelling" | "cancelled";
  title: string;
  detail: string;
  /** 0 to 100 of the steps; null where there is nothing to count. */
  percent: number | null;
}

/** `paused`: the queue is, so nothing that waits is begun. */
export function stateOf(job: Standing, paused = false): State {
  const eta = job.eta_seconds == null ? "" : t("{time} left", { time: roughly(job.eta_seconds) });
  if (job.status === "completed") return { phase: "done", title: t("Done"), detail: "", percent: 100 };
  if (job.status === "failed") {
    const cancelled = job.error?.code === "cancelled";
    return {
      phase: cancelled ? "cancelled" : "failed",
      title: cancelled ? t("Cancelled") : t("Failed"),
      detail: "",
      percent: null,
    };
  }
  if (job.cancel_requested) return { phase: "cancelling", title: t("Stopping"), detail: "", percent: null };
  if (job.status === "queued") {
    const place =
      job.position == null
        ? ""
        : job.position <= 1
          ? t("next in line")
          : t("{position} in line", { position: `#${job.position}` });
    const start = job.eta_seconds == null ? "" : t("done in {time}", { time: roughly(job.eta_seconds) });
    const title = paused ? t("Paused") : t("Queued");
    return { phase: "queued", title, detail: [place, start].filter(Boolean).join(" · "), percent: null };
  }
  if (job.stage === "encoding" || job.stage === "storing")
    return { phase: "encoding", title: t("Encoding"), detail: eta, percent: 100 };
  if (job.stage === "loading" || !job.steps_total)
    return { phase: "loading", title: t("Loading the model"), detail: eta, percent: null };
  return {
    phase: "generating",
    title: t("Step {done} of {total}", { done: job.steps_done, total: job.steps_total }),
    detail: eta,
    percent: Math.min(100, Math.floor((100 * job.steps_done) / job.steps_total)),
  };
}

/** One sentence for the live region and the tab's title. */
export function spoken(job: Standing): string {
  const state = stateOf(job);
  return [state.title, state.detail].filter(Boolean).join(", ");
}

export { duration };
