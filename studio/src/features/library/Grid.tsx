import { Link } from "@tanstack/react-router";
import { useVirtualizer } from "@tanstack/react-virtual";
import { Check, Heart } from "lucide-react";
import {
  type KeyboardEvent,
  type MouseEvent,
  memo,
  type ReactNode,
  useEffect,
  useLayoutEffect,
  useMemo,
  useRef,
  useState,
} from "react";
import type { Filters, Item } from "@/api/types";
import { ClipPicture, finished, TileMarks, useItemLive } from "@/components/ClipTile";
import { cx } from "@/components/controls";
import { StarMarks, starNames } from "@/components/Stars";
import { Failure } from "@/components/states";
import { useWindow } from "@/features/library/window";
import { t } from "@/lib/i18n";

const GAP = 12;
const CAPTION = 30; // pixels under a picture

interface GridProps {
  filters: Filters;
  width: number;
  selected: ReadonlySet<string>;
  onSelect: (ids: string[], how: "only" | "toggle" | "add") => void;
  onKey?: (event: KeyboardEvent, item: Item) => void;
  onPick?: (item: Item) => void;
  empty: ReactNode;
  label: string;
}

/** A grid of any number of clips: only the rows in sight exist. One tab stop; arrows walk it. */
export function Grid({ filters, width, selected, onSelect, onKey, onPick, empty, label }: GridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const room = useWidth(scroller);
  const columns = Math.max(room < 420 ? 2 : 1, Math.floor((room + GAP) / (width + GAP)));
  const tile = Math.max(80, (room - GAP * (columns - 1)) / columns);
  const height = Math.round((tile * 9) / 16) + CAPTION + GAP;
  const [total, setTotal] = useState(0);
  const [at, setAt] = useState(0);
  const anchor = useRef(0);

  const rows = useVirtualizer({
    count: Math.ceil(total / columns),
    getScrollElement: () => scroller.current,
    estimateSize: () => height,
    overscan: 3,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: rows have another height when the columns change
  useLayoutEffect(() => rows.measure(), [height, columns]);
  const shown = rows.getVirtualItems();
  const first = (shown[0]?.index ?? 0) * columns;
  const last = ((shown.at(-1)?.index ?? 0) + 1) * columns - 1;
  const clips = useWindow(filters, first, Math.min(Math.max(total - 1, 0), last));
  useEffect(() => {
    if (clips.total !== undefined) setTotal(clips.total);
  }, [clips.total]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another list begins at its top
  useEffect(() => {
    scroller.current?.scrollTo({ top: 0 });
    setAt(0);
  }, [JSON.stringify(filters)]);

  const focus = (index: number) => {
    const next = Math.min(Math.max(0, index), total - 1);
    setAt(next);
    rows.scrollToIndex(Math.floor(next / columns), { align: "auto" });
    requestAnimationFrame(() =>
      requestAnimationFrame(() =>
        scroller.current?.querySelector<HTMLElement>(`[data-index="${next}"] a`)?.focus({ preventScroll: true }),
      ),
    );
  };
  const range = (to: number): string[] => {
    const [low, high] = [Math.min(anchor.current, to), Math.max(anchor.current, to)];
    return Array.from({ length: high - low + 1 }, (_, index) => clips.item(low + index)?.id).filter(
      (id) => id !== undefined,
    );
  };
  const check = (item: Item, index: number) => {
    anchor.current = index;
    onSelect([item.id], "toggle");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const place = (event.target as HTMLElement).closest<HTMLElement>("[data-index]");
    if (!place) return;
    const index = Number(place.dataset.index);
    const step = {
      ArrowRight: 1,
      ArrowLeft: -1,
      ArrowDown: columns,
      ArrowUp: -columns,
      Home: -total,
      End: total,
      PageDown: columns * 3,
      PageUp: -columns * 3,
    }[event.key];
    const item = clips.item(index);
    if (step) {
      event.preventDefault();
      focus(index + step);
    } else if ((event.key === " " || event.key === "x") && item && !onPick) {
      event.preventDefault();
      check(item, index);
    } else if (item) onKey?.(event, item);
  };
  const onClick = (event: MouseEvent, item: Item, index: number) => {
    if (onPick) {
      event.preventDefault();
      onPick(item);
    } else if (event.shiftKey) {
      event.preventDefault();
      onSelect(range(index), "add");
    } else if (event.metaKey || event.ctrlKey || selected.size > 0) {
      event.preventDefault();
      check(item, index);
    }
  };

  const hands = useSteady({ focus: setAt, click: onClick, check });

  if (clips.error && clips.total === undefined) {
    return (
      <div ref={scroller} className="h-full p-6">
        <Failure error={clips.error} retry={clips.retry} title={t("The library could not be read")} />
      </div>
    );
  }
  return (
    <div ref={scroller} data-grid className="h-full overflow-y-auto bg-ground px-4 pb-6 md:px-6" onKeyDown={onKeyDown}>
      {clips.total === 0 ? (
        empty
      ) : (
        <div
          role="grid"
          aria-label={label}
          aria-rowcount={Math.ceil(total / columns)}
          aria-colcount={columns}
          // While it moves, what passes under the pointer is not hovered over: that would cost more than the moving.
          className={cx("relative mt-1", rows.isScrolling && "pointer-events-none")}
          style={{ height: rows.getTotalSize() }}
        >
          {shown.map((row) => (
            <div
              key={row.key}
              role="row"
              aria-rowindex={row.index + 1}
              className="absolute inset-x-0 grid contain-layout"
              style={{
                top: row.start,
                height: row.size,
                gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
                columnGap: GAP,
              }}
            >
              {Array.from({ length: columns }, (_, column) => {
                const index = row.index * columns + column;
                if (index >= total) return null;
                const item = clips.item(index);
                return (
                  <div key={index} role="gridcell" data-index={index} aria-colindex={column + 1} className="min-w-0">
                    {item ? (
                      <Tile
                        item={item}
                        picking={Boolean(onPick)}
                        focusable={index === at}
                        selected={selected.has(item.id)}
                        selecting={selected.size > 0}
                        index={index}
                        hands={hands}
                      />
                    ) : (
                      <div className="aspect-video rounded-lg bg-raised" />
                    )}
                  </div>
                );
              })}
            </div>
          ))}
        </div>
      )}
    </div>
  );
}

/** What a tile does: the same functions however often the grid is drawn, so that only tiles that change are drawn. */
interface Hands {
  focus: (index: number) => void;
  click: (event: MouseEvent, item: Item, index: number) => void;
  check: (item: Item, index: number) => void;
}

function useSteady(hands: Hands): Hands {
  const now = useRef(hands);
  now.current = hands;
  return useMemo(
    () => ({
      focus: (...said) => now.current.focus(...said),
      click: (...said) => now.current.click(...said),
      check: (...said) => now.current.check(...said),
    }),
    [],
  );
}

interface TileProps {
  item: Item;
  index: number;
  picking: boolean;
  focusable: boolean;
  selected: boolean;
  selecting: boolean;
  hands: Hands;
}

const Tile = memo(function Tile({ item, index, picking, focusable, selected, selecting, hands }: TileProps) {
  const live = useItemLive(item);
  const name = item.title || item.prompt || item.id;
  const label = [name, item.rating > 0 && starNames(item.rating), selected && t("selected")].filter(Boolean).join(", ");
  return (
    <div className="group relative">
      <Link
        to="/clip/$id"
        params={{ id: item.id }}
        preload={false}
        tabIndex={focusable ? 0 : -1}
        aria-label={finished(item) ? label : undefined}
        onFocus={() => hands.focus(index)}
        onClick={(event) => hands.click(event, item, index)}
        draggable={false}
        className={cx(
          "relative block aspect-video overflow-hidden rounded-lg",
          selected && "ring-2 ring-accent ring-offset-2 ring-offset-ground",
        )}
      >
        {!finished(item) && <span className="sr-only">{label}</span>}
        <ClipPicture item={item} live={live} />
        {finished(item) && <TileMarks item={item} />}
        {(item.favourite || item.rating > 0) && (
          <span className="absolute right-1.5 bottom-1.5 flex h-5 items-center gap-1.5 rounded-full bg-black/60 px-1.5 text-[#ffb35c] group-hover:opacity-0">
            <StarMarks rating={item.rating} />
            {item.favourite && <Heart aria-hidden className="size-3 fill-current" />}
          </span>
        )}
      </Link>
      {!picking && (
        <button
          type="button"
          tabIndex={-1}
          role="checkbox"
          aria-checked={selected}
          aria-label={t("Select {name}", { name })}
          onClick={() => hands.check(item, index)}
          className={cx(
            "absolute top-1.5 left-1.5 grid size-6 place-items-center rounded-md border transition-opacity",
            selected ? "border-transparent bg-accent text-on-accent" : "border-white/70 bg-black/50 text-transparent",
            selected || selecting
              ? "opacity-100"
              : "opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100",
          )}
        >
          <Check aria-hidden className="size-4" strokeWidth={2.5} />
        </button>
      )}
      <p className="truncate px-0.5 pt-1.5 text-xs text-text-3" title={item.prompt ?? undefined}>
        {name}
      </p>
    </div>
  );
});

function useWidth(element: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(800);
  useLayoutEffect(() => {
    const target = element.current;
    if (!target) return;
    const measure = () => {
      const style = getComputedStyle(target);
      setWidth(target.clientWidth - Number.parseFloat(style.paddingLeft) - Number.parseFloat(style.paddingRight));
    };
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(target);
    return () => observer.disconnect();
  }, [element]);
  return width;
}
