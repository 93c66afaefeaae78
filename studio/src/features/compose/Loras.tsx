import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "@/api/library";
import { Range, Switch } from "@/components/controls";
import { useDraft } from "@/features/compose/draft";
import { findModel } from "@/features/compose/models";
import { t } from "@/lib/i18n";

const MOST = 2;

/** The LoRAs that are installed for the chosen model, each with a strength; nothing where there are none. */
export function Loras() {
  const { model: chosen, loras, set } = useDraft();
  const models = useQuery(modelsQuery);
  const model = findModel(models.data ?? [], chosen);
  const offered = model?.daybreak?.loras ?? [];
  if (!model || !offered.length) return null;
  const change = (name: string, strength: number | null) => {
    const rest = loras.filter((one) => one.model !== model.id || one.name !== name);
    set({ loras: strength === null ? rest : [...rest, { model: model.id, name, strength }] });
  };
  return (
    <div className="flex flex-col gap-1.5">
      <span className="text-sm font-medium text-text-2">{t("LoRAs")}</span>
      {offered.map(({ name, description, trigger_words }) => {
        const used = loras.find((one) => one.model === model.id && one.name === name);
        const words = trigger_words.length ? t("Say {words}.", { words: trigger_words.join(", ") }) : "";
        return (
          <div key={name}>
            <Switch
              label={name}
              hint={[description, words].filter(Boolean).join(" ") || undefined}
              checked={used !== undefined}
              onChange={(on) => change(name, on ? 1 : null)}
            />
            {used && (
              <div className="flex items-center gap-3">
                <Range
                  label={t("Strength of {name}", { name })}
                  value={used.strength}
                  min={-1}
                  max={MOST}
                  step={0.05}
                  onChange={(strength) => change(name, strength)}
                  shown={used.strength.toFixed(2)}
                  className="grow"
                />
                <span className="w-10 text-right text-sm text-text-2 tabular">{used.strength.toFixed(2)}</span>
              </div>
            )}
          </div>
        );
      })}
    </div>
  );
}
