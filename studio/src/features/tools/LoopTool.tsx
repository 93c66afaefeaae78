import { useState } from "react";
import { sendTool } from "@/api/videos";
import { Segmented } from "@/components/controls";
import type { ToolProps } from "@/features/clip/ClipPage";
import { SpanFields } from "@/features/tools/SpanFields";
import { sourceOf, ToolForm } from "@/features/tools/ToolForm";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { loop, MAX_SECONDS } from "@/lib/timeline";

const CROSSINGS = { short: 2, normal: 4, long: 6 } as const;

export function LoopTool({ item, span, setSpan, player }: ToolProps) {
  const source = sourceOf(item);
  const [prompt, setPrompt] = useState(item.prompt ?? "");
  const [crossing, setCrossing] = useState<keyof typeof CROSSINGS>("short");
  const total = span.to - span.from + CROSSINGS[crossing];
  return (
    <ToolForm
      item={item}
      about={t(
        "The part between the in and out points, then a crossing that leads from its last frame back to its first: a clip that repeats without a seam.",
      )}
      needs={["video_pin", "loop"]}
      prompt={prompt}
      onPrompt={setPrompt}
      action={t("Make it loop")}
      seconds={total}
      problem={total > MAX_SECONDS ? t("A clip is at most {seconds} seconds long.", { seconds: MAX_SECONDS }) : null}
      send={(model) => sendTool("loop", loop(source, prompt.trim(), span.from, span.to, CROSSINGS[crossing]), model)}
    >
      <SpanFields span={span} setSpan={setSpan} seconds={source.seconds} fps={source.fps} player={player} />
      <div className="flex items-center justify-between gap-3">
        <span className="text-sm text-text-2">{t("Crossing")}</span>
        <Segmented
          label={t("Crossing")}
          value={crossing}
          onChange={setCrossing}
          choices={[
            { value: "short", label: `${t("Short")} · ${duration(2)}` },
            { value: "normal", label: duration(4) },
            { value: "long", label: duration(6) },
          ]}
        />
      </div>
    </ToolForm>
  );
}
