import { Toast } from "@base-ui/react/toast";
import { CircleAlert, CircleCheck, X } from "lucide-react";
import { cx } from "@/components/controls";
import { said } from "@/lib/failures";
import { t } from "@/lib/i18n";

export const toasts = Toast.createToastManager();

interface Said {
  title: string;
  text?: string | undefined;
  action?: { label: string; run: () => void };
  tone?: "good" | "bad";
}

export function tell({ title, text, action, tone = "good" }: Said): void {
  const id = toasts.add({
    title,
    ...(text ? { description: text } : {}),
    type: tone,
    timeout: tone === "bad" ? 12_000 : action ? 8_000 : 4_000,
    priority: tone === "bad" ? "high" : "low",
    ...(action
      ? {
          actionProps: {
            children: action.label,
            onClick: () => {
              action.run();
              toasts.close(id);
            },
          },
        }
      : {}),
  });
}

/** An error in words, with what to do next and the request id to copy. */
export function tellFailure(title: string, error: unknown): void {
  const words = said(error);
  const text = [words.text, words.next, words.requestId && t("Request {id}", { id: words.requestId })]
    .filter(Boolean)
    .join(" ");
  const { requestId } = words;
  tell({
    title,
    text,
    tone: "bad",
    ...(requestId
      ? { action: { label: t("Copy request id"), run: () => void navigator.clipboard?.writeText(requestId) } }
      : {}),
  });
}

function List() {
  const { toasts: shown } = Toast.useToastManager();
  return shown.map((toast) => (
    <Toast.Root
      key={toast.id}
      toast={toast}
      swipeDirection={["right", "down"]}
      className="pop mb-2 flex items-start gap-3 rounded-xl border border-line-strong bg-raised p-3 shadow-float"
    >
      <span className={cx("mt-0.5 shrink-0 [&_svg]:size-4.5", toast.type === "bad" ? "text-bad" : "text-good")}>
        {toast.type === "bad" ? <CircleAlert aria-hidden /> : <CircleCheck aria-hidden />}
      </span>
      <Toast.Content className="min-w-0 flex-1">
        <Toast.Title className="font-medium" />
        <Toast.Description className="mt-0.5 text-sm break-words text-text-2" />
        {toast.actionProps && (
          <Toast.Action className="mt-1.5 rounded text-sm font-medium text-accent-text hover:underline" />
        )}
      </Toast.Content>
      <Toast.Close aria-label={t("Dismiss")} className="rounded-md p-0.5 text-text-3 hover:text-text">
        <X aria-hidden className="size-4" />
      </Toast.Close>
    </Toast.Root>
  ));
}

export function Toasts() {
  return (
    <Toast.Portal>
      <Toast.Viewport className="fixed top-3 right-3 z-70 w-[min(380px,calc(100vw-24px))] outline-none">
        <List />
      </Toast.Viewport>
    </Toast.Portal>
  );
}
