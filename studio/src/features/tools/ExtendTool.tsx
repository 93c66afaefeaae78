import { useState } from "react";
import { extendVideo } from "@/api/videos";
import { Range, Segmented } from "@/components/controls";
import type { ToolProps } from "@/features/clip/ClipPage";
import { sourceOf, ToolForm } from "@/features/tools/ToolForm";
import { duration } from "@/lib/format";
import { t } from "@/lib/i18n";
import { MAX_SECONDS } from "@/lib/timeline";

export function ExtendTool({ item }: ToolProps) {
  const source = sourceOf(item);
  const [prompt, setPrompt] = useState(item.prompt ?? "");
  const [direction, setDirection] = useState<"forward" | "backward">("forward");
  const [seconds, setSeconds] = useState(4);
  const room = MAX_SECONDS - source.seconds;
  const more = Math.min(seconds, room);
  const newPart = (100 * more) / (source.seconds + more);
  return (
    <ToolForm
      item={item}
      about={t("More before or after. The clip itself stays frame by frame; the new part takes up its movement.")}
      needs={direction === "forward" ? ["video_pin"] : ["video_pin", "later_pin"]}
      prompt={prompt}
      onPrompt={setPrompt}
      promptLabel={t("What happens in the new part")}
      action={direction === "forward" ? t("Extend the end") : t("Extend the beginning")}
      seconds={source.seconds + more}
      problem={room < 1 ? t("A clip is at most {seconds} seconds long.", { seconds: MAX_SECONDS }) : null}
      send={(model) => extendVideo(item.id, prompt.trim(), model, more, direction)}
    >
      <div className="flex flex-col gap-3">
        <Segmented
          label={t("Direction")}
          value={direction}
          onChange={setDirection}
          choices={[
            { value: "backward", label: t("Before") },
            { value: "forward", label: t("After") },
          ]}
        />
        <div className="flex items-center gap-3">
          <Range
            label={t("How much more")}
            min={1}
            max={Math.max(1, Math.min(20, Math.floor(room)))}
            step={0.5}
            value={more}
            onChange={setSeconds}
            shown={duration(more)}
          />
          <span className="w-14 text-right text-sm text-text-3 tabular">+ {duration(more)}</span>
        </div>
        <div aria-hidden className="flex h-7 overflow-hidden rounded-lg text-2xs">
          {direction === "backward" && <NewPart width={newPart} />}
          <div className="grid flex-1 place-items-center bg-hover text-text-2">{t("the clip")}</div>
          {direction === "forward" && <NewPart width={newPart} />}
        </div>
      </div>
    </ToolForm>
  );
}

function NewPart({ width }: { width: number }) {
  return (
    <div className="checker grid place-items-center bg-accent-soft text-accent-text" style={{ width: `${width}%` }}>
      {t("new")}
    </div>
  );
}
