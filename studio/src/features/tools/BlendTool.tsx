import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useState } from "react";
import { itemQuery, media } from "@/api/library";
import { sendTool } from "@/api/videos";
import { Button, Range, Segmented } from "@/components/controls";
import type { ToolProps } from "@/features/clip/ClipPage";
import { ClipPicker } from "@/features/library/ClipPicker";
import { CurveEditor } from "@/features/tools/CurveEditor";
import { sourceOf, ToolForm } from "@/features/tools/ToolForm";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { BLEND_CURVES, blend, type CurvePoint } from "@/lib/timeline";

export function BlendTool({ item }: ToolProps) {
  const source = sourceOf(item);
  const [prompt, setPrompt] = useState(item.prompt ?? "");
  const [otherId, setOtherId] = useState<string | null>(null);
  const [picking, setPicking] = useState(false);
  const [overlap, setOverlap] = useState(1);
  const [mode, setMode] = useState<keyof typeof BLEND_CURVES | "own">("transition");
  const [curve, setCurve] = useState<CurvePoint[]>(BLEND_CURVES.transition);
  const other = useQuery({ ...itemQuery(otherId ?? ""), enabled: otherId !== null });
  const second = other.data ? sourceOf(other.data) : null;
  const longest = Math.max(0.25, Math.min(source.seconds, second?.seconds ?? source.seconds));
  const crossing = Math.min(overlap, longest);
  return (
    <ToolForm
      item={item}
      about={t("Two clips into one. Where they overlap, the curve says how much each of them shapes the picture.")}
      needs={["video_pin", "later_pin", "partial_strength"]}
      prompt={prompt}
      onPrompt={setPrompt}
      promptLabel={t("What the whole shows")}
      action={t("Blend")}
      seconds={source.seconds + (second?.seconds ?? 0) - (second ? crossing : 0)}
      problem={second ? null : t("Choose the second clip.")}
      send={(model) =>
        sendTool("blend", blend(source, second as NonNullable<typeof second>, prompt.trim(), crossing, curve), model)
      }
    >
      <div className="flex flex-col gap-3">
        <div className="flex items-center gap-2">
          <img
            src={media.thumbnail(item.id)}
            alt={t("This clip")}
            className="h-14 flex-1 rounded-lg bg-ground object-cover"
          />
          <span aria-hidden className="text-text-3">
            →
          </span>
          {otherId ? (
            <button
              type="button"
              onClick={() => setPicking(true)}
              className="h-14 flex-1 overflow-hidden rounded-lg"
              aria-label={t("Choose another second clip")}
            >
              <img src={media.thumbnail(otherId)} alt="" className="size-full object-cover" />
            </button>
          ) : (
            <Button className="h-14! flex-1 border-dashed" onClick={() => setPicking(true)}>
              <Plus aria-hidden className="size-4" /> {t("Second clip")}
            </Button>
          )}
        </div>
        <Segmented
          label={t("Way of blending")}
          value={mode}
          onChange={(next) => {
            setMode(next);
            if (next !== "own") setCurve(BLEND_CURVES[next]);
          }}
          choices={[
            { value: "transition", label: t("Transition") },
            { value: "mix", label: t("Mix") },
            { value: "sample", label: t("Sample") },
            { value: "own", label: t("Own") },
          ]}
        />
        <CurveEditor
          curve={curve}
          onChange={(next) => {
            setMode("own");
            setCurve(next);
          }}
        />
        <div className="flex items-center gap-3 text-sm">
          <span className="text-text-2">{t("Overlap")}</span>
          <Range
            label={t("Overlap")}
            min={0.25}
            max={longest}
            step={0.25}
            value={crossing}
            onChange={setOverlap}
            shown={duration(crossing)}
          />
          <span className="w-12 text-right text-text-3 tabular">{duration(crossing)}</span>
        </div>
      </div>
      <ClipPicker
        open={picking}
        onClose={() => setPicking(false)}
        title={t("Blend with")}
        onPick={(picked) => setOtherId(picked.id)}
      />
    </ToolForm>
  );
}
