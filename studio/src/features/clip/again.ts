import { send } from "@/api/client";
import { itemQuery } from "@/api/library";
import { client } from "@/api/query";
import type { Item } from "@/api/types";
import { tell, tellFailure } from "@/components/toasts";
import { reuse } from "@/features/compose/draft";
import { t } from "@/lib/i18n";
import { router } from "@/router";

/** Queues what a clip was made of once more: with the same seed, or with a new one. */
export async function again(id: string, seed: "same" | "new"): Promise<void> {
  await send("POST", `v1/library/items/${id}/again`, { seed });
  tell({ title: t("Queued again") });
}

export async function reuseById(item: Pick<Item, "id">, keepSeed: boolean): Promise<void> {
  try {
    reuse(await client.fetchQuery(itemQuery(item.id)), keepSeed);
    await router.navigate({ to: "/" });
    document.querySelector<HTMLTextAreaElement>("[data-compose] textarea")?.focus();
  } catch (error) {
    tellFailure(t("The settings could not be read"), error);
  }
}

export async function againById(id: string, seed: "same" | "new"): Promise<void> {
  try {
    await again(id, seed);
  } catch (error) {
    tellFailure(t("Not queued"), error);
  }
}
