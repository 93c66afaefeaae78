import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { t } from "@/lib/i18n";
import type { CurvePoint } from "@/lib/timeline";

const WIDTH = 320;
const HEIGHT = 120;
const PAD = 10;

/** Keeps points in order and inside; the first and last one stay at their ends. */
export function movePoint(curve: readonly CurvePoint[], index: number, to: CurvePoint): CurvePoint[] {
  const before = curve[index - 1];
  const after = curve[index + 1];
  const at = !before ? 0 : !after ? 1 : Math.min(after.at - 0.02, Math.max(before.at + 0.02, to.at));
  const share = Math.min(1, Math.max(0, to.share));
  return curve.map((point, place) => (place === index ? { at, share } : point));
}

export function addPoint(curve: readonly CurvePoint[], point: CurvePoint): CurvePoint[] {
  if (curve.length >= 9 || curve.some((one) => Math.abs(one.at - point.at) < 0.03)) return [...curve];
  return [...curve, point].sort((a, b) => a.at - b.at);
}

/** The influence of the second clip over the crossing, drawn by hand: drag points, click to add, Delete to remove. */
export function CurveEditor({
  curve,
  onChange,
}: {
  curve: readonly CurvePoint[];
  onChange: (curve: CurvePoint[]) => void;
}) {
  const svg = useRef<SVGSVGElement>(null);
  const [held, setHeld] = useState<number | null>(null);
  const x = (point: CurvePoint) => PAD + point.at * (WIDTH - 2 * PAD);
  const y = (point: CurvePoint) => HEIGHT - PAD - point.share * (HEIGHT - 2 * PAD);
  const pointOf = (event: PointerEvent): CurvePoint => {
    const box = (svg.current as SVGSVGElement).getBoundingClientRect();
    const left = ((event.clientX - box.left) / box.width) * WIDTH;
    const top = ((event.clientY - box.top) / box.height) * HEIGHT;
    return {
      at: (left - PAD) / (WIDTH - 2 * PAD),
      share: Math.min(1, Math.max(0, (HEIGHT - PAD - top) / (HEIGHT - 2 * PAD))),
    };
  };
  const onKeyDown = (event: KeyboardEvent, index: number) => {
    const point = curve[index] as CurvePoint;
    const step = event.shiftKey ? 0.1 : 0.02;
    const moved: Record<string, CurvePoint> = {
      ArrowLeft: { ...point, at: point.at - step },
      ArrowRight: { ...point, at: point.at + step },
      ArrowUp: { ...point, share: point.share + step },
      ArrowDown: { ...point, share: point.share - step },
    };
    const next = moved[event.key];
    if (next) onChange(movePoint(curve, index, next));
    else if ((event.key === "Delete" || event.key === "Backspace") && index > 0 && index < curve.length - 1)
      onChange(curve.filter((_, place) => place !== index));
    else if (event.key === "Enter" || event.key === "+") {
      const after = curve[index + 1];
      if (after) onChange(addPoint(curve, { at: (point.at + after.at) / 2, share: (point.share + after.share) / 2 }));
    } else return;
    event.preventDefault();
    event.stopPropagation();
  };
  const line = curve.map((point) => `${x(point)},${y(point)}`).join(" ");
  return (
    <div className="rounded-lg border border-line-strong bg-ground">
      <svg
        ref={svg}
        viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
        role="group"
        aria-label={t("Influence of the second clip over the crossing")}
        className="w-full touch-none"
        onPointerDown={(event) => {
          const point = pointOf(event);
          const near = curve.findIndex(
            (one) => Math.hypot((one.at - point.at) * WIDTH, (one.share - point.share) * HEIGHT) < 14,
          );
          event.currentTarget.setPointerCapture(event.pointerId);
          if (near >= 0) return setHeld(near);
          const next = addPoint(curve, point);
          onChange(next);
          setHeld(next.findIndex((one) => one.at === point.at));
        }}
        onPointerMove={(event) => held !== null && held >= 0 && onChange(movePoint(curve, held, pointOf(event)))}
        onPointerUp={() => setHeld(null)}
      >
        {[0.25, 0.5, 0.75].map((part) => (
          <g key={part} stroke="var(--line)" strokeWidth="1">
            <line x1={PAD + part * (WIDTH - 2 * PAD)} x2={PAD + part * (WIDTH - 2 * PAD)} y1={PAD} y2={HEIGHT - PAD} />
            <line y1={PAD + part * (HEIGHT - 2 * PAD)} y2={PAD + part * (HEIGHT - 2 * PAD)} x1={PAD} x2={WIDTH - PAD} />
          </g>
        ))}
        <polygon points={`${PAD},${HEIGHT - PAD} ${line} ${WIDTH - PAD},${HEIGHT - PAD}`} fill="var(--accent-soft)" />
        <polyline points={line} fill="none" stroke="var(--accent)" strokeWidth="2" strokeLinejoin="round" />
        {curve.map((point, index) => (
          <circle
            key={index}
            cx={x(point)}
            cy={y(point)}
            r="6"
            fill="var(--text)"
            stroke="var(--ground)"
            strokeWidth="2"
            role="slider"
            tabIndex={0}
            aria-label={t("Point {number} of {count}", { number: index + 1, count: curve.length })}
            aria-valuemin={0}
            aria-valuemax={100}
            aria-valuenow={Math.round(point.share * 100)}
            aria-valuetext={t("{share} % of the second clip at {at} %", {
              share: Math.round(point.share * 100),
              at: Math.round(point.at * 100),
            })}
            onKeyDown={(event) => onKeyDown(event, index)}
            className="cursor-grab"
          />
        ))}
      </svg>
      <p className="border-t border-line px-3 py-1.5 text-xs text-text-3">
        {t("Up: more of the second clip. Click to add a point, Delete takes one away.")}
      </p>
    </div>
  );
}
