import { useQuery } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { modelsQuery } from "@/api/library";
import { Badge } from "@/components/controls";
import { Failure } from "@/components/states";
import { Catalogue } from "@/features/settings/Catalogue";
import { t } from "@/lib/i18n";

const ABILITIES: Record<string, () => string> = {
  shots: () => t("several shots"),
  image_pin: () => t("pictures"),
  video_pin: () => t("clips"),
  later_pin: () => t("media at any time"),
  partial_strength: () => t("strength"),
  loop: () => t("loops"),
  negative_prompt: () => t("negative prompt"),
  steps: () => t("steps"),
  lora: () => t("LoRAs"),
  guidance: () => t("guidance"),
  enhance_prompt: () => t("prompts in its own words"),
  audio: () => t("sound"),
};

/** What can generate here. A model that cannot be used is shown with the reason. */
export function Models() {
  const models = useQuery(modelsQuery);
  if (models.isError) return <Failure error={models.error} retry={() => void models.refetch()} />;
  const own = (models.data ?? []).filter((model) => !model.daybreak?.alias);
  const names = (models.data ?? []).filter((model) => model.daybreak?.alias);
  return (
    <div className="flex flex-col gap-6">
      <ul className="flex flex-col gap-3">
        {own.map((model) => (
          <li key={model.id} className="rounded-xl border border-line bg-panel p-4">
            <div className="flex flex-wrap items-center gap-2">
              {model.daybreak?.problem ? (
                <TriangleAlert aria-hidden className="size-4.5 text-warn" />
              ) : (
                <CircleCheck aria-hidden className="size-4.5 text-good" />
              )}
              <h3 className="font-semibold">{model.id}</h3>
              {model.daybreak?.default && <Badge tone="accent">{t("default")}</Badge>}
              {model.daybreak?.procedural && <Badge>{t("procedural")}</Badge>}
              {model.daybreak?.licence && <Badge>{model.daybreak.licence}</Badge>}
            </div>
            {model.daybreak?.description && <p className="mt-1.5 text-text-2">{model.daybreak.description}</p>}
            {model.daybreak?.problem && <p className="mt-1.5 text-warn">{model.daybreak.problem}</p>}
            <p className="mt-2 text-sm text-text-3">
              {model.daybreak?.abilities?.length
                ? `${t("Takes")}: ${model.daybreak.abilities.map((name) => ABILITIES[name]?.() ?? name).join(", ")}`
                : t("Takes one prompt for the whole clip.")}
              {Boolean(model.daybreak?.native_sizes?.length) &&
                ` · ${t("at home at {sizes}", { sizes: (model.daybreak?.native_sizes ?? []).join(", ") })}`}
            </p>
          </li>
        ))}
      </ul>
      {names.length > 0 && (
        <div>
          <h3 className="mb-2 font-medium">{t("Other names that programs may use")}</h3>
          <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-1 text-sm">
            {names.map((model) => (
              <div key={model.id} className="contents">
                <dt className="font-mono">{model.id}</dt>
                <dd className="text-text-3">→ {model.daybreak?.model}</dd>
              </div>
            ))}
          </dl>
        </div>
      )}
      <p className="text-sm text-text-3">
        {t(
          "A model is a folder with a model.json under models in the data folder; it is seen here as soon as it lies there.",
        )}
      </p>
      <Catalogue />
    </div>
  );
}
