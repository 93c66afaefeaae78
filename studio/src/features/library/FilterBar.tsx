import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import type { Facets } from "@/api/types";
import { Button, type Choice, cx, Select } from "@/components/controls";
import { MAX_STARS, starNames } from "@/components/Stars";
import { MadeFilter } from "@/features/library/MadeFilter";
import { plural, t } from "@/lib/i18n";
import { kindName } from "@/lib/kinds";
import { type LibrarySearch, router } from "@/router";

export function SearchBox({ value, onChange }: { value: string; onChange: (value: string) => void }) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <div className="relative w-full max-w-xl">
      <Search aria-hidden className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-text-3" />
      <input
        data-search
        type="search"
        aria-label={t("Search in prompts")}
        placeholder={t("Search in prompts, titles and tags")}
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          clearTimeout(timer.current);
          const from = router.latestLocation.pathname;
          // Who has left meanwhile is not called back, though the next page may still be loading and this one be shown.
          timer.current = setTimeout(() => router.latestLocation.pathname === from && onChange(next), 180);
        }}
        onKeyDown={(event) => {
          if (event.key === "ArrowDown") {
            event.preventDefault();
            document.querySelector<HTMLElement>('[data-grid] a[tabindex="0"]')?.focus();
          }
        }}
        className="h-9 w-full rounded-lg border border-line-strong bg-panel pr-3 pl-9 transition-colors hover:border-control focus-visible:outline-offset-0"
      />
    </div>
  );
}

/** What the bar filters by; places and words are chosen elsewhere. */
const NONE = {
  status: undefined,
  model: undefined,
  kind: undefined,
  size: undefined,
  tag: undefined,
  favourite: undefined,
  rating: undefined,
  made: undefined,
  from: undefined,
  to: undefined,
} satisfies LibrarySearch;

interface FilterProps {
  search: LibrarySearch;
  set: (change: Partial<LibrarySearch>) => void;
  facets: Facets | undefined;
}

export function FilterBar({ search, set, facets }: FilterProps) {
  const any: Choice<string> = { value: "", label: t("Any") };
  const counted = (list: { name: string; count: number }[] = [], name = (value: string) => value): Choice<string>[] =>
    list.map((one) => ({
      value: one.name,
      label: name(one.name),
      hint: plural(one.count, "{count} clip", "{count} clips"),
    }));
  const filter = (
    label: string,
    value: string | undefined,
    choices: Choice<string>[],
    change: (value: string | undefined) => void,
  ) => (
    <Select
      quiet
      label={label}
      value={value ?? ""}
      choices={[{ ...any, label: label }, ...choices]}
      onChange={(next) => change(next || undefined)}
      className={cx("h-7! text-xs!", value && "bg-accent-soft! text-accent-text! max-sm:-order-1")}
    />
  );
  const stars: Choice<string>[] = [
    ...Array.from({ length: MAX_STARS }, (_, index) => MAX_STARS - index).map((rating) => ({
      value: String(rating),
      label: rating === MAX_STARS ? starNames(rating) : t("{stars} or more", { stars: starNames(rating) }),
    })),
    { value: "0", label: t("No stars") },
  ];
  const active = Object.keys(NONE).some((name) => search[name as keyof typeof NONE] !== undefined);
  return (
    <div className="bare-scroll -mx-4 flex items-center gap-1 px-4 max-sm:overflow-x-auto sm:mx-0 sm:flex-wrap sm:px-0">
      {filter(
        t("State"),
        search.status,
        [
          { value: "completed", label: t("Done") },
          { value: "unfinished", label: t("In the queue") },
          { value: "failed", label: t("Failed or cancelled") },
        ],
        (status) => set({ status: status as LibrarySearch["status"] }),
      )}
      {filter(t("Made by"), search.kind, counted(facets?.kinds, kindName), (kind) => set({ kind }))}
      {filter(t("Model"), search.model, counted(facets?.models), (model) => set({ model }))}
      {filter(
        t("Size"),
        search.size,
        counted(facets?.sizes, (size) => size.replace("x", "×")),
        (size) => set({ size }),
      )}
      {filter(t("Tag"), search.tag, counted(facets?.tags), (tag) => set({ tag }))}
      {filter(t("Stars"), search.rating?.toString(), stars, (rating) =>
        set({ rating: rating === undefined ? undefined : Number(rating) }),
      )}
      <MadeFilter made={search.made} from={search.from} to={search.to} set={set} />
      {active && (
        <Button small look="ghost" className="h-7 text-xs max-sm:-order-2" onClick={() => set(NONE)}>
          <X aria-hidden className="size-3.5" /> {t("Clear")}
        </Button>
      )}
      <div className="ml-auto">
        <Select
          quiet
          label={t("Order")}
          value={search.order ?? "newest"}
          choices={[
            { value: "newest", label: t("Newest first") },
            { value: "oldest", label: t("Oldest first") },
            { value: "best", label: t("Most stars first") },
            { value: "longest", label: t("Longest first") },
            { value: "title", label: t("By title") },
          ]}
          onChange={(order) => set({ order: order === "newest" ? undefined : (order as LibrarySearch["order"]) })}
          className="h-7! text-xs!"
        />
      </div>
    </div>
  );
}
