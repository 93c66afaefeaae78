import { useEffect } from "react";
import { type Ended, onEnded, useLive } from "@/api/live";
import { tell } from "@/components/toasts";
import { clip } from "@/lib/format";
import { t } from "@/lib/i18n";
import { usePreferences } from "@/lib/preferences";
import { router } from "@/router";

/** What happens when jobs end: a word here, a notification where nobody looks, the tab's title in between. */
export function useEndings(): void {
  useEffect(() => onEnded(announce), []);
  useEffect(
    () =>
      useLive.subscribe(({ jobs, online, pausedAt }) => {
        const running = jobs.find((job) => job.status === "in_progress");
        const percent = running?.steps_total ? `${Math.floor((100 * running.steps_done) / running.steps_total)} %` : "";
        const said =
          online === false
            ? t("offline")
            : running
              ? percent || "…"
              : jobs.length
                ? pausedAt === null
                  ? t("queued")
                  : t("paused")
                : "";
        document.title = said ? `${said} · Daybreak` : "Daybreak";
      }),
    [],
  );
}

function announce(ended: Ended): void {
  const prompt = clip(ended.prompt, 90);
  const open = (): void => void router.navigate({ to: "/clip/$id", params: { id: ended.id } });
  if (ended.error?.code === "cancelled") return;
  const failed = ended.status === "failed";
  const title = failed ? t("A clip failed") : t("A clip is done");
  const text = failed ? (ended.error?.message ?? prompt) : prompt;
  tell({
    title,
    text,
    tone: failed ? "bad" : "good",
    action: { label: failed ? t("See why") : t("Watch"), run: open },
  });
  const { notify, sound } = usePreferences.getState();
  if (document.hidden && notify && "Notification" in window && Notification.permission === "granted") {
    const note = new Notification(title, { body: text, tag: ended.id });
    note.onclick = () => {
      window.focus();
      open();
      note.close();
    };
  }
  if (sound) chime(failed);
}

function chime(low: boolean): void {
  const audio = new AudioContext();
  const gain = audio.createGain();
  gain.connect(audio.destination);
  gain.gain.setValueAtTime(0.06, audio.currentTime);
  gain.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + 0.7);
  for (const [index, pitch] of (low ? [330, 247] : [523, 784]).entries()) {
    const tone = audio.createOscillator();
    tone.frequency.value = pitch;
    tone.connect(gain);
    tone.start(audio.currentTime + index * 0.12);
    tone.stop(audio.currentTime + 0.7);
  }
  setTimeout(() => void audio.close(), 1000);
}
