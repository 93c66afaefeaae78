import { charactersQuery, fullDocumentsQuery, modelsQuery } from "@/api/library";
import { client } from "@/api/query";
import { tell, tellFailure } from "@/components/toasts";
import { useDraft } from "@/features/compose/draft";
import { STYLES, type Style } from "@/features/compose/library";
import { defaultModel } from "@/features/compose/models";
import { obstacle, submit } from "@/features/compose/submit";
import { t } from "@/lib/i18n";
import { router } from "@/router";

/** Queues what is in the box. The box stays as it is, ready for the next change. Resolves to whether it was queued. */
export async function send(): Promise<boolean> {
  const { references, ...draft } = useDraft.getState();
  const [characters, styles, models] = await Promise.all([
    client.ensureQueryData(charactersQuery).catch(() => []),
    client.ensureQueryData(fullDocumentsQuery<Style>("style")).catch(() => []),
    client.ensureQueryData(modelsQuery).catch(() => []),
  ]);
  const style = [...STYLES, ...styles.map((one) => ({ ...one.content, id: one.id }))].find(
    (one) => one.id === draft.style,
  );
  const filled = {
    ...draft,
    model: draft.model || (defaultModel(models)?.id ?? "sora-2"),
    size: draft.size || "448x256",
  };
  const problem = obstacle(filled, characters);
  if (problem) {
    tell({ title: t("Not sent yet"), text: problem, tone: "bad" });
    return false;
  }
  try {
    const sent = await submit(filled, references, characters, style?.text ?? "");
    await client.invalidateQueries({ queryKey: ["library"] });
    const [first] = sent;
    if (router.state.location.pathname !== "/" && first) {
      tell({
        title: t("Queued"),
        action: {
          label: t("Follow it"),
          run: () => void router.navigate({ to: "/clip/$id", params: { id: first.id } }),
        },
      });
    }
    return true;
  } catch (error) {
    tellFailure(t("Not queued"), error);
    return false;
  }
}
