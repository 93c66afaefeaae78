import { Star } from "lucide-react";
import { cx } from "@/components/controls";
import { plural, t } from "@/lib/i18n";

const ALL = [1, 2, 3, 4, 5] as const;
export const MAX_STARS = ALL.length;

/** The stars of a clip, to look at: whoever listens hears them in the name of the clip. */
export function StarMarks({ rating, className }: { rating: number; className?: string }) {
  if (!rating) return null;
  return (
    <span aria-hidden className={cx("inline-flex items-center gap-px", className)}>
      {ALL.slice(0, rating).map((star) => (
        <Star key={star} className="size-2.5 fill-current" />
      ))}
    </span>
  );
}

/** The stars of a clip, to give: the one that is given already takes them all away. */
export function StarButtons({ rating, onChange }: { rating: number; onChange: (rating: number) => void }) {
  return (
    <div role="group" aria-label={t("Stars")} className="group/stars -ml-1.5 flex">
      {ALL.map((star) => (
        <button
          key={star}
          type="button"
          aria-label={starNames(star)}
          aria-pressed={rating === star}
          title={rating === star ? t("Take the stars away") : undefined}
          onClick={() => onChange(rating === star ? 0 : star)}
          className="grid size-8 place-items-center rounded-lg text-text-3 transition-colors hover:bg-hover hover:text-accent-text"
        >
          <Star
            aria-hidden
            className={cx("size-4.5", star <= rating && "fill-accent text-accent-text")}
            strokeWidth={1.75}
          />
        </button>
      ))}
    </div>
  );
}

export function starNames(rating: number): string {
  return plural(rating, "{count} star", "{count} stars");
}

/** Keys 1 to 5 give stars, 0 takes them away. */
export function starKeys<T>(give: (rating: number) => T): Record<string, () => T> {
  return Object.fromEntries([0, ...ALL].map((star) => [String(star), () => give(star)]));
}
