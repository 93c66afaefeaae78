import { Button, Field, inputLook, Keys } from "@/components/controls";
import type { PlayerHandle, Span } from "@/features/clip/Player";
import { t } from "@/lib/i18n";

/** In and out points: by number, from the player, or with I and O. */
export function SpanFields({
  span,
  setSpan,
  seconds,
  fps,
  player,
}: {
  span: Span;
  setSpan: (span: Span) => void;
  seconds: number;
  fps: number;
  player: React.RefObject<PlayerHandle | null>;
}) {
  const frame = 1 / fps;
  const round = (value: number) => Math.round(value * fps) / fps;
  const setFrom = (from: number) => setSpan({ from: Math.max(0, Math.min(round(from), span.to - frame)), to: span.to });
  const setTo = (to: number) =>
    setSpan({ from: span.from, to: Math.min(seconds, Math.max(round(to), span.from + frame)) });
  const box = (label: string, keys: string, value: number, change: (value: number) => void, fromPlayer: () => void) => (
    <Field label={label} trailing={<Keys combination={keys} />}>
      {(id) => (
        <div className="flex gap-1.5">
          <input
            id={id}
            type="number"
            step={frame}
            min={0}
            max={seconds}
            value={Number(value.toFixed(3))}
            onChange={(event) => Number.isFinite(event.target.valueAsNumber) && change(event.target.valueAsNumber)}
            className={`${inputLook} tabular`}
          />
          <Button small look="ghost" className="h-9" onClick={fromPlayer}>
            {t("Here")}
          </Button>
        </div>
      )}
    </Field>
  );
  return (
    <div className="grid grid-cols-2 gap-3">
      {box(t("In, seconds"), "i", span.from, setFrom, () => setFrom(player.current?.time() ?? 0))}
      {box(t("Out, seconds"), "o", span.to, setTo, () => setTo((player.current?.time() ?? seconds) + frame))}
    </div>
  );
}
