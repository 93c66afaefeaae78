import { useQuery } from "@tanstack/react-query";
import { modelsQuery } from "@/api/library";
import { ableModel } from "@/features/compose/models";
import { t } from "@/lib/i18n";

/** What the chosen model cannot do, and the way out: another one that can. */
export function CannotUse({
  words,
  needs,
  onUse,
}: {
  words: string;
  needs: readonly string[];
  onUse: (model: string) => void;
}) {
  const models = useQuery(modelsQuery);
  const able = ableModel(models.data ?? [], needs);
  return (
    <>
      {words}{" "}
      {able && (
        <button type="button" className="font-medium text-accent-text underline" onClick={() => onUse(able.id)}>
          {t("Use {model}", { model: able.id })}
        </button>
      )}
    </>
  );
}
