import { CalendarDays, ChevronDown } from "lucide-react";
import { useState } from "react";
import { Button, cx, Field, inputLook } from "@/components/controls";
import { Popover } from "@/components/overlays";
import { locale, t } from "@/lib/i18n";
import { dateOf, LAPSES, type Lapse, type Made, written } from "@/lib/made";

const NAMES: Record<Lapse, () => string> = {
  today: () => t("Today"),
  week: () => t("Last 7 days"),
  month: () => t("Last 30 days"),
  year: () => t("Last 365 days"),
};
const NOTHING: Made = { made: undefined, from: undefined, to: undefined };

/** Clips by when they were made: a lapse, or from and to. */
export function MadeFilter({ made, from, to, set }: Made & { set: (change: Made) => void }) {
  const [open, setOpen] = useState(false);
  const chosen = made ? NAMES[made]() : between(from, to);
  const take = (lapse: Lapse) => {
    set({ ...NOTHING, made: made === lapse ? undefined : lapse });
    setOpen(false);
  };
  const field = (label: string, value: string | undefined, key: "from" | "to") => (
    <Field label={label}>
      {(id) => (
        <input
          id={id}
          type="date"
          max={written(new Date())}
          value={value ?? ""}
          onChange={(event) => set({ made: undefined, from, to, [key]: event.target.value || undefined })}
          className={cx(inputLook, "tabular px-2.5!")}
        />
      )}
    </Field>
  );
  return (
    <Popover
      title={t("Made")}
      open={open}
      onOpenChange={setOpen}
      trigger={
        <button
          type="button"
          aria-label={chosen ? t("Date: {when}", { when: chosen }) : t("Date")}
          className={cx(
            "inline-flex h-7 shrink-0 items-center gap-1.5 rounded-lg px-2.5 text-xs transition-colors",
            chosen ? "bg-accent-soft text-accent-text max-sm:-order-1" : "text-text-2 hover:bg-hover hover:text-text",
          )}
        >
          {chosen && <CalendarDays aria-hidden className="size-3.5" />}
          {chosen || t("Date")}
          <ChevronDown aria-hidden className="size-3.5 text-text-3" />
        </button>
      }
    >
      <div className="grid grid-cols-2 gap-2">
        {(Object.keys(LAPSES) as Lapse[]).map((lapse) => (
          <Button
            key={lapse}
            small
            aria-pressed={made === lapse}
            className={made === lapse ? "bg-accent-soft! text-accent-text!" : ""}
            onClick={() => take(lapse)}
          >
            {NAMES[lapse]()}
          </Button>
        ))}
      </div>
      <div className="mt-4 grid grid-cols-2 gap-2">
        {field(t("From"), from, "from")}
        {field(t("To"), to, "to")}
      </div>
      {chosen && (
        <div className="mt-3 flex justify-end">
          <Button
            small
            look="ghost"
            onClick={() => {
              set(NOTHING);
              setOpen(false);
            }}
          >
            {t("Any date")}
          </Button>
        </div>
      )}
    </Popover>
  );
}

function between(from: string | undefined, to: string | undefined): string {
  const [first, last] = [dateOf(from), dateOf(to)];
  const format = new Intl.DateTimeFormat(locale(), { day: "numeric", month: "short", year: "numeric" });
  if (first && last) return first <= last ? format.formatRange(first, last) : `${format.format(first)} – ?`;
  if (first) return t("From {date}", { date: format.format(first) });
  if (last) return t("Until {date}", { date: format.format(last) });
  return "";
}
