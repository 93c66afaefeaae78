import { ArrowLeftToLine, ArrowRightToLine, Scissors, Trash2 } from "lucide-react";
import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { sendTool } from "@/api/videos";
import { Button, cx, Field, IconButton, Range } from "@/components/controls";
import type { ToolProps } from "@/features/clip/ClipPage";
import { localId } from "@/features/compose/references";
import { sourceOf, ToolForm } from "@/features/tools/ToolForm";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { gaps, type Kept, MAX_SECONDS, onFrame, recut } from "@/lib/timeline";

/** Keeps the best parts at any place of a new clip; whatever lies between them is made anew. */
export function RecutTool({ item, player }: ToolProps) {
  const source = sourceOf(item);
  const [prompt, setPrompt] = useState(item.prompt ?? "");
  const [seconds, setSeconds] = useState(source.seconds);
  const [kept, setKept] = useState<Kept[]>([{ id: "first", from: 0, to: source.seconds, at: 0 }]);
  const [chosen, setChosen] = useState("first");
  const part = kept.find((one) => one.id === chosen);
  const holes = gaps(
    kept.map((one) => ({ start: one.at, end: one.at + one.to - one.from })),
    seconds,
  );
  const change = (id: string, next: Partial<Kept>) => setKept((now) => settle(now, id, next, seconds, source.fps));
  const cut = () => {
    const at = onFrame(player.current?.time() ?? 0, source.fps);
    const found = kept.find((one) => at > one.from + 1e-3 && at < one.to - 1e-3);
    if (!found) return;
    const second = { ...found, id: localId("k"), from: at, at: found.at + at - found.from };
    setKept((now) => now.flatMap((one) => (one.id === found.id ? [{ ...found, to: at }, second] : [one])));
    setChosen(second.id);
  };
  const seek = (to: number) => player.current?.seek(to);

  return (
    <ToolForm
      item={item}
      about={t(
        "Cut at the playhead, drop what you do not want, move and trim what you keep. The gaps are generated anew.",
      )}
      needs={holes.some((hole) => hole.start === 0) || kept.length > 1 ? ["video_pin", "later_pin"] : ["video_pin"]}
      prompt={prompt}
      onPrompt={setPrompt}
      promptLabel={t("What fills the gaps")}
      action={t("Generate the gaps")}
      seconds={seconds}
      problem={
        !kept.length
          ? t("Keep at least one part, or begin from a prompt.")
          : holes.length
            ? null
            : t("There is no gap yet: cut, trim or lengthen.")
      }
      send={(model) => sendTool("recut", recut(source, prompt.trim(), kept, seconds), model)}
    >
      <div className="flex flex-col gap-3">
        <div className="flex flex-wrap gap-1.5">
          <Button small onClick={cut}>
            <Scissors aria-hidden className="size-4" /> {t("Cut here")}
          </Button>
          <IconButton
            label={t("Begin the part here")}
            small
            disabled={!part}
            onClick={() =>
              part && change(part.id, trimmed(part, player.current?.time() ?? part.from, "from", source.fps))
            }
          >
            <ArrowLeftToLine aria-hidden />
          </IconButton>
          <IconButton
            label={t("End the part here")}
            small
            disabled={!part}
            onClick={() => part && change(part.id, trimmed(part, player.current?.time() ?? part.to, "to", source.fps))}
          >
            <ArrowRightToLine aria-hidden />
          </IconButton>
          <IconButton
            label={t("Drop the part")}
            small
            disabled={!part}
            onClick={() => setKept((now) => now.filter((one) => one.id !== chosen))}
          >
            <Trash2 aria-hidden />
          </IconButton>
        </div>
        <Lane
          seconds={seconds}
          fps={source.fps}
          kept={kept}
          holes={holes}
          chosen={chosen}
          choose={(id, from) => {
            setChosen(id);
            seek(from);
          }}
          move={(id, at) => change(id, { at })}
        />
        <Field label={t("Length of the new clip")} trailing={duration(seconds)}>
          {() => (
            <Range
              label={t("Length of the new clip")}
              min={Math.max(1, Math.ceil(Math.max(0, ...kept.map((one) => one.at + one.to - one.from))))}
              max={Math.min(MAX_SECONDS, Math.ceil(source.seconds) + 12)}
              step={0.25}
              value={seconds}
              onChange={setSeconds}
              shown={duration(seconds)}
            />
          )}
        </Field>
      </div>
    </ToolForm>
  );
}

function trimmed(part: Kept, time: number, edge: "from" | "to", fps: number): Partial<Kept> {
  const at = onFrame(time, fps);
  if (edge === "from") return at < part.to ? { from: Math.max(0, at), at: part.at + at - part.from } : {};
  return at > part.from ? { to: at } : {};
}

/** A part where it is wanted, pushed off its neighbours and kept inside the clip. */
function settle(kept: Kept[], id: string, change: Partial<Kept>, seconds: number, fps: number): Kept[] {
  const part = kept.find((one) => one.id === id);
  if (!part) return kept;
  const next = { ...part, ...change };
  const length = next.to - next.from;
  const others = kept.filter((one) => one.id !== id).sort((a, b) => a.at - b.at);
  const before = others.filter((one) => one.at + (one.to - one.from) / 2 <= next.at + length / 2).at(-1);
  const after = others.find((one) => one.at + (one.to - one.from) / 2 > next.at + length / 2);
  const low = before ? before.at + before.to - before.from : 0;
  const high = (after ? after.at : seconds) - length;
  if (high < low - 1e-6) return kept;
  return [...others, { ...next, at: onFrame(Math.min(Math.max(next.at, low), high), fps) }].sort((a, b) => a.at - b.at);
}

interface LaneProps {
  seconds: number;
  fps: number;
  kept: Kept[];
  holes: { start: number; end: number }[];
  chosen: string;
  choose: (id: string, from: number) => void;
  move: (id: string, at: number) => void;
}

function Lane({ seconds, fps, kept, holes, chosen, choose, move }: LaneProps) {
  const lane = useRef<HTMLDivElement>(null);
  const drag = useRef<{ id: string; x: number; at: number } | null>(null);
  const percent = (value: number) => `${(100 * value) / seconds}%`;
  const onPointerMove = (event: PointerEvent) => {
    if (!drag.current || !lane.current) return;
    move(drag.current.id, drag.current.at + ((event.clientX - drag.current.x) / lane.current.clientWidth) * seconds);
  };
  const onKeyDown = (event: KeyboardEvent, part: Kept) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    move(part.id, part.at + step * (event.shiftKey ? 0.5 : 1 / fps));
  };
  return (
    <div
      ref={lane}
      role="listbox"
      aria-label={t("Parts of the new clip")}
      className="relative h-14 overflow-hidden rounded-lg border border-line-strong bg-ground"
    >
      {holes.map((hole) => (
        <div
          key={hole.start}
          className="checker absolute inset-y-0 grid place-items-center overflow-hidden bg-accent-soft text-2xs text-accent-text"
          style={{ left: percent(hole.start), width: percent(hole.end - hole.start) }}
        >
          {t("new")}
        </div>
      ))}
      {kept.map((part) => (
        <div
          key={part.id}
          role="option"
          tabIndex={0}
          aria-selected={part.id === chosen}
          onFocus={() => choose(part.id, part.from)}
          onKeyDown={(event) => onKeyDown(event, part)}
          onPointerDown={(event) => {
            event.currentTarget.setPointerCapture(event.pointerId);
            drag.current = { id: part.id, x: event.clientX, at: part.at };
          }}
          onPointerMove={onPointerMove}
          onPointerUp={() => {
            drag.current = null;
          }}
          className={cx(
            "focus-inset absolute inset-y-1 grid cursor-grab touch-none place-items-center overflow-hidden rounded-md border text-2xs tabular active:cursor-grabbing",
            part.id === chosen ? "border-accent bg-hover" : "border-line-strong bg-raised",
          )}
          style={{ left: percent(part.at), width: percent(part.to - part.from) }}
        >
          <span>
            {part.from.toFixed(1)}–{part.to.toFixed(1)}
            <span className="sr-only">{t("seconds of the clip, at {at}", { at: duration(part.at) })}</span>
          </span>
        </div>
      ))}
    </div>
  );
}
