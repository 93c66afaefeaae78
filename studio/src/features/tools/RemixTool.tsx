import { useState } from "react";
import { remixVideo } from "@/api/videos";
import { Range, Segmented } from "@/components/controls";
import type { ToolProps } from "@/features/clip/ClipPage";
import { sourceOf, ToolForm } from "@/features/tools/ToolForm";
import { t } from "@/lib/i18n";

/** How much each strength changes; the server's own words for the same are subtle, mild and strong. */
const STRENGTHS = { subtle: 0.3, mild: 0.5, strong: 0.7 } as const;
type Strength = keyof typeof STRENGTHS | "custom";

export function RemixTool({ item }: ToolProps) {
  const source = sourceOf(item);
  const [prompt, setPrompt] = useState(item.prompt ?? "");
  const [strength, setStrength] = useState<Strength>("mild");
  const [own, setOwn] = useState(0.5);
  const change = strength === "custom" ? own : STRENGTHS[strength];
  return (
    <ToolForm
      item={item}
      about={t(
        "The clip again under other words: replace, remove or re-imagine what is in it. Its movement and composition stay as far as the strength leaves them.",
      )}
      needs={["video_pin", "partial_strength"]}
      prompt={prompt}
      onPrompt={setPrompt}
      promptLabel={t("What should be seen instead")}
      action={t("Remix")}
      seconds={source.seconds}
      send={(model) => remixVideo(item.id, prompt.trim(), model, change)}
    >
      <div className="flex flex-col gap-3">
        <Segmented
          label={t("Strength")}
          value={strength}
          onChange={setStrength}
          choices={[
            { value: "subtle", label: t("Subtle") },
            { value: "mild", label: t("Mild") },
            { value: "strong", label: t("Strong") },
            { value: "custom", label: t("Custom") },
          ]}
        />
        <div className="flex items-center gap-3">
          <Range
            label={t("How much to change")}
            min={0.05}
            max={0.95}
            step={0.05}
            value={change}
            shown={`${Math.round(change * 100)} %`}
            onChange={(value) => {
              setStrength("custom");
              setOwn(value);
            }}
          />
          <span className="w-28 shrink-0 text-right text-sm whitespace-nowrap text-text-3 tabular">
            {t("changes {part} %", { part: Math.round(change * 100) })}
          </span>
        </div>
      </div>
    </ToolForm>
  );
}
