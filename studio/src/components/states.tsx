import { Check, Copy, TriangleAlert } from "lucide-react";
import { type ReactNode, useState } from "react";
import { Button, cx, Tip } from "@/components/controls";
import { said } from "@/lib/failures";
import { t } from "@/lib/i18n";

export function Copyable({ text, label, className }: { text: string; label?: string; className?: string }) {
  const [copied, setCopied] = useState(false);
  return (
    <Tip label={copied ? t("Copied") : t("Copy")}>
      <button
        type="button"
        className={cx(
          "inline-flex max-w-full min-w-0 items-center gap-1.5 rounded text-left hover:text-text",
          className,
        )}
        onClick={async () => {
          await navigator.clipboard?.writeText(text);
          setCopied(true);
          setTimeout(() => setCopied(false), 1500);
        }}
      >
        <span className="truncate">{label ?? text}</span>
        {copied ? (
          <Check aria-hidden className="size-3.5 shrink-0 text-good" />
        ) : (
          <Copy aria-hidden className="size-3.5 shrink-0 text-text-3" />
        )}
      </button>
    </Tip>
  );
}

/** A failure where the content would be: words, next step, request id, and a way to try again. */
export function Failure({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const words = said(error);
  return (
    <div
      role="alert"
      className="mx-auto flex max-w-lg flex-col items-start gap-2 rounded-xl border border-line bg-bad-soft p-4"
    >
      <p className="flex items-center gap-2 font-medium text-bad">
        <TriangleAlert aria-hidden className="size-4.5 shrink-0" />
        {title ?? t("That did not work")}
      </p>
      <p className="break-words text-text-2">{words.text}</p>
      {words.next && <p className="text-sm text-text-2">{words.next}</p>}
      <div className="mt-1 flex flex-wrap items-center gap-4">
        {retry && (
          <Button small onClick={retry}>
            {t("Try again")}
          </Button>
        )}
        {words.requestId && (
          <Copyable
            text={words.requestId}
            label={t("Request {id}", { id: words.requestId })}
            className="font-mono text-xs text-text-3"
          />
        )}
      </div>
    </div>
  );
}

export function Empty({
  icon,
  title,
  children,
  action,
}: {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="mx-auto flex max-w-md flex-col items-center gap-3 px-6 py-16 text-center">
      <div className="grid size-12 place-items-center rounded-2xl border border-line bg-raised text-text-3 [&_svg]:size-5.5">
        {icon}
      </div>
      <h2 className="text-lg font-semibold">{title}</h2>
      {children && <div className="text-text-2">{children}</div>}
      {action && <div className="mt-2 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
