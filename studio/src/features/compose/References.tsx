import { X } from "lucide-react";
import { cx, IconButton, Range, Segmented } from "@/components/controls";
import { type Reference, type Use, useDraft } from "@/features/compose/draft";
import { duration, parseSize } from "@/lib/format";
import { t } from "@/lib/i18n";

/** What the next clip builds on, and how: which frame, how it fits the size, how much of it changes. */
export function References() {
  const { references, size, change, set } = useDraft();
  if (!references.length) return null;
  return (
    <ul className="flex flex-wrap gap-2 border-b border-line p-2.5" aria-label={t("References")}>
      {references.map((one) => (
        <ReferenceCard
          key={one.id}
          reference={one}
          size={size || "448x256"}
          change={change}
          onChange={(next) => set({ change: next })}
        />
      ))}
    </ul>
  );
}

function ReferenceCard({
  reference,
  size,
  change,
  onChange,
}: {
  reference: Reference;
  size: string;
  change: number;
  onChange: (change: number) => void;
}) {
  const { changeReference, removeReference } = useDraft();
  const target = parseSize(size);
  const differs = target !== null && Math.abs(target.width / target.height - reference.width / reference.height) > 0.01;
  const uses: { value: Use; label: string }[] =
    reference.kind === "image"
      ? [
          { value: "first", label: t("First frame") },
          { value: "last", label: t("Last frame") },
        ]
      : [
          { value: "restyle", label: t("Restyle") },
          { value: "continue", label: t("Continue") },
        ];
  return (
    <li className="flex min-w-0 items-center gap-3 rounded-xl border border-line bg-raised p-2 pr-1.5">
      <FitPicture reference={reference} aspect={target ? target.width / target.height : 16 / 9} />
      <div className="flex min-w-0 flex-col gap-1.5">
        <p className="max-w-56 truncate text-xs text-text-3" title={reference.name}>
          {reference.name}
          {reference.seconds ? ` · ${duration(reference.seconds)}` : ""}
        </p>
        <div className="flex flex-wrap items-center gap-1.5">
          <Segmented
            small
            label={t("Use as")}
            value={reference.use}
            choices={uses}
            onChange={(use) => changeReference(reference.id, { use })}
          />
          {differs && reference.kind === "image" && (
            <Segmented
              small
              label={t("Fit")}
              value={reference.fit}
              choices={[
                { value: "cover", label: t("Crop"), hint: t("Fills the frame; what sticks out is cut off") },
                { value: "contain", label: t("Fit"), hint: t("All of it is seen, before a blurred copy of itself") },
              ]}
              onChange={(fit) => changeReference(reference.id, { fit })}
            />
          )}
        </div>
        {reference.use === "restyle" && (
          <div className="flex items-center gap-2 text-xs text-text-3">
            <span>{t("Change")}</span>
            <Range
              label={t("How much to change")}
              min={0.05}
              max={0.95}
              step={0.05}
              value={change}
              onChange={onChange}
              shown={`${Math.round(change * 100)} %`}
              className="w-28"
            />
            <span className="w-9 tabular">{Math.round(change * 100)} %</span>
          </div>
        )}
      </div>
      <IconButton label={t("Remove")} small onClick={() => removeReference(reference.id)} className="self-start">
        <X aria-hidden />
      </IconButton>
    </li>
  );
}

/** The picture within the frame of the clip to be, as it will be fitted. */
function FitPicture({ reference, aspect }: { reference: Reference; aspect: number }) {
  const height = 56;
  const whole = reference.fit === "contain";
  return (
    <div
      className="relative shrink-0 overflow-hidden rounded-md bg-black"
      style={{ height, width: Math.min(110, Math.max(32, height * aspect)) }}
    >
      {reference.kind === "image" ? (
        <>
          {whole && <img src={reference.url} alt="" className="absolute size-full object-cover blur-xs" />}
          <img
            src={reference.url}
            alt={reference.name}
            className={cx("relative size-full", whole ? "object-contain" : "object-cover")}
          />
        </>
      ) : (
        <video
          src={reference.url}
          muted
          playsInline
          preload="metadata"
          aria-label={reference.name}
          className="size-full object-cover"
        />
      )}
    </div>
  );
}
