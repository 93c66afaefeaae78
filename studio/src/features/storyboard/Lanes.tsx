import { ImagePlus, Magnet, Plus, ZoomIn, ZoomOut } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, type ReactNode, useEffect, useRef, useState } from "react";
import { Button, cx, IconButton } from "@/components/controls";
import { AddMedia } from "@/features/storyboard/AddMedia";
import { useBoard } from "@/features/storyboard/board";
import { followPointer } from "@/features/storyboard/drag";
import { pictureOf } from "@/features/storyboard/picture";
import { toWords } from "@/features/storyboard/StoryboardPage";
import { duration, timecode } from "@/lib/format";
import { t } from "@/lib/i18n";
import * as sb from "@/lib/storyboard";
import { MAX_SECONDS } from "@/lib/timeline";

/** The time axis: shots above, held media below. Cards are dragged, resized at both edges, and walked by keyboard. */
export function Lanes({ add }: { add: () => void }) {
  const { history, chosen, playhead, edit, choose, setPlayhead } = useBoard();
  const board = history.present;
  const scroller = useRef<HTMLDivElement>(null);
  const [room, setRoom] = useState(900);
  const [zoom, setZoom] = useState(1);
  const [snapping, setSnapping] = useState(true);
  const [adding, setAdding] = useState(false);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setRoom(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  // Some room after the end, so that the clip can be made longer by dragging.
  const shown = board.seconds + Math.max(1, board.seconds * 0.08);
  const fitted = ((room - 32) / shown) * zoom;
  // While something is dragged the axis keeps its scale, or what is dragged would not stay under the pointer.
  const [held, setHeld] = useState<number | null>(null);
  const scale = held ?? fitted;
  const drags = useRef(0);
  const onDrag = (on: boolean) => {
    drags.current += 1; // each drag is a step of its own to undo
    setHeld(on ? scale : null);
  };
  const step = (what: string, id = "") => `${what} ${id} ${drags.current}`;
  const snapped = (time: number, id: string) => (snapping ? sb.snap(time, board, id, 7 / scale, [playhead]) : time);

  return (
    <section aria-label={t("Time axis")} className="shrink-0 border-t border-line bg-panel">
      <div className="flex items-center gap-1 px-3 pt-2">
        <Button small onClick={add}>
          <Plus aria-hidden className="size-4" /> {t("Shot")}
        </Button>
        <Button small onClick={() => setAdding(true)}>
          <ImagePlus aria-hidden className="size-4" /> {t("Picture or clip")}
        </Button>
        <output
          aria-label={t("Playhead")}
          className="ml-2 hidden font-mono text-xs whitespace-nowrap text-text-3 tabular sm:block"
        >
          {timecode(playhead, board.fps)} / {timecode(board.seconds, board.fps)}
        </output>
        <div className="ml-auto flex gap-0.5">
          <IconButton label={t("Snap")} active={snapping} small onClick={() => setSnapping(!snapping)}>
            <Magnet aria-hidden />
          </IconButton>
          <IconButton label={t("Zoom out")} small disabled={zoom <= 1} onClick={() => setZoom(Math.max(1, zoom / 1.5))}>
            <ZoomOut aria-hidden />
          </IconButton>
          <IconButton label={t("Zoom in")} small disabled={zoom > 10} onClick={() => setZoom(zoom * 1.5)}>
            <ZoomIn aria-hidden />
          </IconButton>
        </div>
      </div>
      <div ref={scroller} className="overflow-x-auto overflow-y-hidden px-4 pb-3">
        <div className="relative select-none" style={{ width: shown * scale }}>
          <Ruler
            seconds={shown}
            scale={scale}
            onSeek={(time) => setPlayhead(Math.min(board.seconds, Math.max(0, time)))}
          />
          <div role="listbox" aria-label={t("Shots")} className="relative h-16 rounded-lg bg-ground">
            <Rest board={board} scale={scale} />
            {board.shots.map((shot, index) => (
              <Card
                key={shot.id}
                card={shot}
                scale={scale}
                chosen={chosen === shot.id}
                label={t("Shot {number}, {from} to {to}:", {
                  number: index + 1,
                  from: duration(shot.start),
                  to: duration(sb.end(shot)),
                })}
                onChoose={() => choose(shot.id)}
                onMove={(start) =>
                  edit((now) => sb.moveShot(now, shot.id, snapped(start, shot.id)), step("move", shot.id))
                }
                onResize={(edge, time, push) =>
                  edit((now) => sb.resizeShot(now, shot.id, edge, snapped(time, shot.id), push), step("size", shot.id))
                }
                onReorder={(by) => edit((now) => sb.reorder(now, shot.id, by))}
                onDrag={onDrag}
                fps={board.fps}
              >
                <span className="flex items-baseline gap-1.5">
                  <span className="text-2xs font-semibold text-accent-text">{index + 1}</span>
                  <span className="truncate text-xs">
                    {shot.prompt || <span className="text-text-3">{t("no words yet")}</span>}
                  </span>
                </span>
                <span className="text-2xs text-text-3 tabular">{duration(Number(shot.length.toFixed(2)))}</span>
              </Card>
            ))}
          </div>
          <div className="relative mt-1.5 h-12 rounded-lg bg-ground">
            {board.media.length === 0 ? (
              <span className="absolute inset-0 grid place-items-center text-xs text-text-3">
                {t("Pictures and clips that hold at a time lie here")}
              </span>
            ) : (
              <div role="listbox" aria-label={t("Pictures and clips")}>
                {board.media.map((card) => (
                  <Card
                    key={card.id}
                    card={card}
                    scale={scale}
                    chosen={chosen === card.id}
                    label={t("From {from} to {to}:", { from: duration(card.start), to: duration(sb.end(card)) })}
                    onChoose={() => choose(card.id)}
                    onMove={(start) =>
                      edit(
                        (now) => sb.changeMedia(now, card.id, { start: snapped(start, card.id) }),
                        step("move", card.id),
                      )
                    }
                    onResize={(edge, time) =>
                      edit((now) => sb.resizeMedia(now, card.id, edge, snapped(time, card.id)), step("size", card.id))
                    }
                    onDrag={onDrag}
                    fps={board.fps}
                  >
                    <span className="flex h-full items-center gap-2">
                      {pictureOf(card) && (
                        <img
                          src={pictureOf(card) ?? undefined}
                          alt=""
                          draggable={false}
                          className="-my-1 -ml-1.5 h-10 w-14 shrink-0 object-cover"
                        />
                      )}
                      <span className="truncate text-2xs">{card.name}</span>
                    </span>
                  </Card>
                ))}
              </div>
            )}
          </div>
          <div
            aria-hidden
            className="pointer-events-none absolute top-0 bottom-0 w-px bg-accent"
            style={{ left: playhead * scale }}
          />
          <EndHandle
            seconds={board.seconds}
            scale={scale}
            onMove={(seconds) => edit((now) => sb.setSeconds(now, snapped(seconds, "")), step("length"))}
            onDrag={onDrag}
          />
        </div>
      </div>
      <AddMedia open={adding} onClose={() => setAdding(false)} at={playhead} />
    </section>
  );
}

function Rest({ board, scale }: { board: sb.Board; scale: number }) {
  let reached = 0;
  const holes: { from: number; to: number }[] = [];
  for (const shot of board.shots) {
    if (shot.start - reached > 1e-3) holes.push({ from: reached, to: shot.start });
    reached = sb.end(shot);
  }
  if (board.seconds - reached > 1e-3) holes.push({ from: reached, to: board.seconds });
  return holes.map((hole) => (
    <div
      key={hole.from}
      aria-hidden
      className="checker absolute inset-y-1 grid place-items-center overflow-hidden rounded-md border border-dashed border-line-strong text-2xs text-text-3"
      style={{ left: hole.from * scale, width: (hole.to - hole.from) * scale }}
    >
      {(hole.to - hole.from) * scale > 60 && t("free")}
    </div>
  ));
}

function Ruler({ seconds, scale, onSeek }: { seconds: number; scale: number; onSeek: (time: number) => void }) {
  const step = [0.25, 0.5, 1, 2, 5, 10].find((one) => one * scale >= 56) ?? 10;
  const marks = Array.from({ length: Math.floor((seconds - step / 2) / step) + 1 }, (_, index) => index * step);
  const seek = (event: PointerEvent<HTMLDivElement>) =>
    onSeek((event.clientX - event.currentTarget.getBoundingClientRect().left) / scale);
  return (
    <div
      className="relative h-7 cursor-text touch-none text-2xs text-text-3"
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        seek(event);
      }}
      onPointerMove={(event) => event.buttons === 1 && seek(event)}
    >
      {marks.map((mark) => (
        <span
          key={mark}
          className="absolute bottom-1 border-l border-line-strong pl-1 leading-3 whitespace-nowrap tabular"
          style={{ left: mark * scale }}
        >
          {duration(mark)}
        </span>
      ))}
    </div>
  );
}

function EndHandle({
  seconds,
  scale,
  onMove,
  onDrag,
}: {
  seconds: number;
  scale: number;
  onMove: (seconds: number) => void;
  onDrag: (on: boolean) => void;
}) {
  const now = useRef(onMove);
  now.current = onMove;
  return (
    <div
      role="slider"
      tabIndex={0}
      aria-label={t("Length of the clip")}
      aria-valuemin={0}
      aria-valuemax={MAX_SECONDS}
      aria-valuenow={seconds}
      aria-valuetext={duration(seconds)}
      className="absolute top-6 bottom-0 w-3 -translate-x-1/2 cursor-ew-resize touch-none after:absolute after:inset-y-0 after:left-1/2 after:w-0.5 after:rounded-full after:bg-control hover:after:bg-accent"
      style={{ left: seconds * scale }}
      onKeyDown={(event) => {
        const step = { ArrowLeft: -0.25, ArrowRight: 0.25 }[event.key];
        if (!step) return;
        event.preventDefault();
        onMove(seconds + step);
      }}
      onPointerDown={(event) => {
        if (event.button !== 0) return;
        onDrag(true);
        followPointer(
          event,
          (pixels) => now.current(seconds + pixels / scale),
          () => onDrag(false),
        );
      }}
    />
  );
}

interface CardProps {
  card: { id: string; start: number; length: number };
  scale: number;
  chosen: boolean;
  label: string;
  fps: number;
  onChoose: () => void;
  onMove: (start: number) => void;
  onResize: (edge: "start" | "end", time: number, push: boolean) => void;
  onReorder?: (by: -1 | 1) => void;
  onDrag: (on: boolean) => void;
  children: ReactNode;
}

/** A card on a lane. Arrows move it, with Alt its end; with Control it changes places with its neighbour. */
function Card(props: CardProps) {
  const { card, scale, chosen, label, fps, onChoose, onMove, onResize, onReorder, onDrag, children } = props;
  const now = useRef(props);
  now.current = props;
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "Enter") {
      event.preventDefault();
      toWords();
      return;
    }
    const sign = { ArrowLeft: -1, ArrowRight: 1 }[event.key] as -1 | 1 | undefined;
    if (!sign) return;
    const step = sign * (event.shiftKey ? 1 / fps : 0.25);
    if ((event.ctrlKey || event.metaKey) && onReorder) onReorder(sign);
    else if (event.altKey) onResize("end", card.start + card.length + step, true);
    else onMove(card.start + step);
    event.preventDefault();
    event.stopPropagation();
  };
  const begin = (edge: "start" | "end" | null) => (event: PointerEvent) => {
    event.stopPropagation();
    if (event.button !== 0) return;
    onChoose();
    onDrag(true);
    const from = edge === "end" ? card.start + card.length : card.start;
    let moved = false;
    followPointer(
      event,
      (pixels, { altKey }) => {
        moved ||= Math.abs(pixels) > 2; // a press that trembles moves nothing
        const to = from + pixels / scale;
        if (moved && edge) now.current.onResize(edge, to, !altKey);
        else if (moved) now.current.onMove(to);
      },
      () => now.current.onDrag(false),
    );
  };
  const handle = (edge: "start" | "end") => (
    <span
      aria-hidden
      data-edge={edge}
      onPointerDown={begin(edge)}
      className={cx(
        "absolute inset-y-0 w-2.5 cursor-ew-resize touch-none after:absolute after:inset-y-3 after:w-0.5 after:rounded-full after:bg-control group-hover:after:bg-accent",
        edge === "start" ? "left-0 after:left-1" : "right-0 after:right-1",
      )}
    />
  );
  return (
    <div
      role="option"
      tabIndex={0}
      aria-selected={chosen}
      onFocus={onChoose}
      onKeyDown={onKeyDown}
      onPointerDown={begin(null)}
      onDoubleClick={toWords}
      className={cx(
        "focus-inset group absolute inset-y-1 flex cursor-grab touch-none flex-col justify-between overflow-hidden rounded-md border py-1 pr-3 pl-3.5 active:cursor-grabbing",
        chosen ? "z-10 border-accent bg-hover" : "border-line-strong bg-raised hover:border-control",
      )}
      style={{ left: card.start * scale, width: Math.max(10, card.length * scale - 2) }}
    >
      <span className="sr-only">{label}</span>
      {children}
      {handle("start")}
      {handle("end")}
    </div>
  );
}
