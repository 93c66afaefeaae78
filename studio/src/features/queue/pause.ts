import { send } from "@/api/client";
import { useLive } from "@/api/live";
import { tellFailure } from "@/components/toasts";
import { t } from "@/lib/i18n";

/** Stops the queue or lets it go on; what runs is finished. Shown at once, and to the other windows by the stream. */
export async function pauseQueue(paused: boolean): Promise<void> {
  try {
    const { paused_at } = await send<{ paused_at: number | null }>("POST", `v1/queue/${paused ? "pause" : "resume"}`);
    useLive.setState({ pausedAt: paused_at });
  } catch (error) {
    tellFailure(paused ? t("Not paused") : t("The queue does not go on"), error);
  }
}

export const togglePause = (): Promise<void> => pauseQueue(useLive.getState().pausedAt === null);
