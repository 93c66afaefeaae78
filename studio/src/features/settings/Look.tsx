import { Segmented, Select, Switch } from "@/components/controls";
import { tell } from "@/components/toasts";
import { languages, loadLanguage, t } from "@/lib/i18n";
import { setPreferences, usePreferences } from "@/lib/preferences";

export function Row({ name, hint, children }: { name: string; hint?: string; children: React.ReactNode }) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2">
      <div className="min-w-0">
        {name}
        {hint && <p className="text-sm text-text-3">{hint}</p>}
      </div>
      {children}
    </div>
  );
}

export function Look() {
  const { theme, motion, language, notify, sound } = usePreferences();
  const known = [...new Set(["en", ...languages()])];
  const names = new Intl.DisplayNames([language], { type: "language" });
  const setNotify = async (on: boolean) => {
    if (on && "Notification" in window && (await Notification.requestPermission()) !== "granted") {
      tell({
        title: t("The browser does not allow notifications"),
        text: t("Allow them for this address in the browser's settings."),
        tone: "bad",
      });
      return;
    }
    setPreferences({ notify: on });
  };
  return (
    <div className="flex flex-col gap-5">
      <Row name={t("Theme")} hint={t("Dark is the room that video is judged in.")}>
        <Segmented
          label={t("Theme")}
          value={theme}
          onChange={(next) => setPreferences({ theme: next })}
          choices={[
            { value: "dark", label: t("Dark") },
            { value: "light", label: t("Light") },
            { value: "system", label: t("As the system") },
          ]}
        />
      </Row>
      <Row name={t("Motion")} hint={t("Reduced: no playing on hover, no transitions.")}>
        <Segmented
          label={t("Motion")}
          value={motion}
          onChange={(next) => setPreferences({ motion: next })}
          choices={[
            { value: "system", label: t("As the system") },
            { value: "reduced", label: t("Reduced") },
            { value: "full", label: t("Full") },
          ]}
        />
      </Row>
      <Row name={t("Language")} hint={t("Translations are files in studio/src/locales.")}>
        <Select
          label={t("Language")}
          value={language}
          choices={known.map((code) => ({ value: code, label: names.of(code) ?? code }))}
          onChange={(code) => void loadLanguage(code).then(() => setPreferences({ language: code }))}
        />
      </Row>
      <div className="flex flex-col gap-3 border-t border-line pt-5">
        <Switch
          label={t("Notify when a clip is done")}
          hint={t("While another window or tab is in front.")}
          checked={notify}
          onChange={(on) => void setNotify(on)}
        />
        <Switch
          label={t("Sound when a clip is done")}
          checked={sound}
          onChange={(on) => setPreferences({ sound: on })}
        />
      </div>
    </div>
  );
}
