import { Download } from "lucide-react";
import { useState } from "react";
import { request, saveBlob } from "@/api/client";
import { facts } from "@/api/library";
import { Button, Field, Segmented, Switch } from "@/components/controls";
import { tell, tellFailure } from "@/components/toasts";
import type { ToolProps } from "@/features/clip/ClipPage";
import { SpanFields } from "@/features/tools/SpanFields";
import { bytes } from "@/lib/format";
import { t } from "@/lib/i18n";

type Format = "mp4" | "webm" | "gif" | "webp" | "png";
const SCALES = ["0.5", "1", "2", "4"] as const;

/** The clip as another file: format, size, part, with or without what says how it was made. */
export function ExportTool({ item, span, setSpan, player }: ToolProps) {
  const known = facts(item);
  const [format, setFormat] = useState<Format>("mp4");
  const [scale, setScale] = useState<(typeof SCALES)[number]>("1");
  const [keep, setKeep] = useState(true);
  const [sound, setSound] = useState(true);
  const [busy, setBusy] = useState(false);
  const size = (value: number) => Math.min(4096, 2 * Math.round((value * Number(scale)) / 2));
  const whole = span.from === 0 && span.to >= known.seconds - 1e-6;
  const untouched = format === "mp4" && scale === "1" && keep && sound && whole;

  const save = async () => {
    setBusy(true);
    try {
      const query = untouched
        ? undefined
        : {
            format,
            scale,
            settings: keep,
            sound,
            start: whole ? undefined : span.from,
            end: whole ? undefined : span.to,
          };
      const response = await request(
        untouched ? `v1/videos/${item.id}/content` : `v1/library/items/${item.id}/export`,
        { query },
      );
      const blob = await response.blob();
      const name =
        /filename="([^"]+)"/.exec(response.headers.get("content-disposition") ?? "")?.[1] ?? `clip.${format}`;
      saveBlob(blob, name);
      tell({ title: t("Saved {name}", { name }), text: bytes(blob.size) });
    } catch (error) {
      tellFailure(t("Not exported"), error);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form
      className="flex flex-col gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <Field label={t("Format")}>
        {() => (
          <Segmented
            label={t("Format")}
            value={format}
            onChange={setFormat}
            choices={[
              { value: "mp4", label: "MP4" },
              { value: "webm", label: "WebM" },
              { value: "gif", label: "GIF" },
              { value: "webp", label: "WebP" },
              { value: "png", label: t("PNG frames") },
            ]}
          />
        )}
      </Field>
      <Field
        label={t("Size")}
        trailing={`${size(known.width)} × ${size(known.height)}`}
        hint={Number(scale) > 1 ? t("Larger by interpolation: sharper players, no new detail.") : undefined}
      >
        {() => (
          <Segmented
            label={t("Size")}
            value={scale}
            onChange={setScale}
            choices={SCALES.map((value) => ({ value, label: `${value}×` }))}
          />
        )}
      </Field>
      <SpanFields span={span} setSpan={setSpan} seconds={known.seconds} fps={known.fps} player={player} />
      <div className="flex flex-col gap-2">
        <Switch
          label={t("Settings inside the file")}
          hint={t("Prompt, seed and settings travel along; drop the file here to get them back.")}
          checked={keep}
          onChange={setKeep}
        />
        {(format === "mp4" || format === "webm") && <Switch label={t("Sound")} checked={sound} onChange={setSound} />}
      </div>
      {untouched && <p className="text-sm text-text-3">{t("This is the stored file itself, byte for byte.")}</p>}
      <Button look="primary" type="submit" busy={busy}>
        {!busy && <Download aria-hidden className="size-4" />} {busy ? t("Working…") : t("Export")}
      </Button>
    </form>
  );
}
