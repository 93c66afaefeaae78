/** Failures in words: what happened, and what to do next. The server's own sentence comes first, never a code alone. */
import { ApiFailure, Unreachable } from "@/api/client";
import type { JobError } from "@/api/types";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";

export interface Words {
  text: string;
  next: string | null;
  requestId: string | null;
}

export function said(error: unknown): Words {
  if (error instanceof Unreachable) {
    return {
      text: t("The server does not answer."),
      next: t("What you wrote is kept here; it can be sent when the server is back."),
      requestId: null,
    };
  }
  if (error instanceof ApiFailure) return { text: error.message, next: nextStep(error), requestId: error.requestId };
  return { text: error instanceof Error ? error.message : String(error), next: null, requestId: null };
}

function nextStep(error: ApiFailure): string | null {
  if (error.status === 401) return t("Enter an API key of this server under Settings.");
  if (error.status === 403) return t("Use a key that has this right.");
  if (error.status === 404) return t("It may have been deleted in another window.");
  if (error.status === 413) return t("Choose a smaller file.");
  if (error.status === 429) {
    return error.retryAfter
      ? t("Try again in {time}.", { time: duration(error.retryAfter) })
      : t("Wait until some clips are done, or cancel some.");
  }
  if (error.status >= 500) return t("Try again; if it stays so, the server's log has more under this request id.");
  return null;
}

/** Likely causes and ways on for a job that failed, by the code that the server gives. */
export function afterFailure(error: JobError): {
  cause: string;
  ways: ("retry" | "smaller" | "shorter" | "models" | "edit")[];
} {
  switch (error.code) {
    case "cancelled":
      return { cause: t("You cancelled it."), ways: ["retry", "edit"] };
    case "out_of_memory":
      return {
        cause: t("The model needed more memory than this machine has free."),
        ways: ["smaller", "shorter", "models"],
      };
    case "invalid_output":
      return { cause: t("The model gave an unusable picture; another seed often helps."), ways: ["retry", "edit"] };
    case "step_timeout":
      return { cause: t("A step took far longer than the ones before and was stopped."), ways: ["retry", "smaller"] };
    case "model_unavailable":
      return { cause: t("The model's files are missing or damaged."), ways: ["models"] };
    case "unsupported":
      return { cause: t("This model cannot do what was asked."), ways: ["models", "edit"] };
    case "media_unavailable":
      return { cause: t("A picture or clip that it builds on is no longer there."), ways: ["edit"] };
    case "disk_full":
      return { cause: t("The disk is full."), ways: ["retry"] };
    case "worker_crashed":
      return { cause: t("The worker stopped several times while working on it."), ways: ["retry", "smaller"] };
    default:
      return { cause: "", ways: ["retry", "edit"] };
  }
}
