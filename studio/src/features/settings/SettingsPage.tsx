import { getRouteApi } from "@tanstack/react-router";
import { Boxes, Database, Info, Keyboard, KeyRound, Link2, Palette, Webhook } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "@/components/controls";
import { KeyList } from "@/features/palette/Shortcuts";
import { About, Connect } from "@/features/settings/Connect";
import { Keys } from "@/features/settings/Keys";
import { Look } from "@/features/settings/Look";
import { Models } from "@/features/settings/Models";
import { Storage } from "@/features/settings/Storage";
import { Webhooks } from "@/features/settings/Webhooks";
import { t } from "@/lib/i18n";
import type { Section } from "@/router";

const route = getRouteApi("/settings");

const SECTIONS: { id: Section; icon: ReactNode; name: () => string; body: () => ReactNode }[] = [
  { id: "look", icon: <Palette aria-hidden />, name: () => t("Look and feel"), body: () => <Look /> },
  { id: "models", icon: <Boxes aria-hidden />, name: () => t("Models"), body: () => <Models /> },
  { id: "connect", icon: <Link2 aria-hidden />, name: () => t("Connect a program"), body: () => <Connect /> },
  { id: "keys", icon: <KeyRound aria-hidden />, name: () => t("API keys"), body: () => <Keys /> },
  { id: "webhooks", icon: <Webhook aria-hidden />, name: () => t("Webhooks"), body: () => <Webhooks /> },
  { id: "storage", icon: <Database aria-hidden />, name: () => t("Storage"), body: () => <Storage /> },
  { id: "shortcuts", icon: <Keyboard aria-hidden />, name: () => t("Keyboard"), body: () => <KeyList /> },
  { id: "about", icon: <Info aria-hidden />, name: () => t("About"), body: () => <About /> },
];

export function SettingsPage() {
  const { section = "look" } = route.useSearch();
  const navigate = route.useNavigate();
  const shown = SECTIONS.find((one) => one.id === section) ?? SECTIONS[0];
  return (
    <div className="flex h-full min-h-0 flex-col lg:flex-row">
      <nav
        aria-label={t("Settings")}
        className="flex shrink-0 gap-0.5 overflow-x-auto border-line p-3 max-lg:border-b lg:w-60 lg:flex-col lg:border-r lg:py-6"
      >
        <h1 className="mb-3 hidden px-3 text-xl font-semibold lg:block">{t("Settings")}</h1>
        {SECTIONS.map((one) => (
          <button
            key={one.id}
            type="button"
            aria-current={one.id === section ? "page" : undefined}
            onClick={() => void navigate({ search: { section: one.id }, replace: true })}
            className={cx(
              "focus-inset flex h-9 shrink-0 items-center gap-2.5 rounded-lg px-3 text-left text-sm whitespace-nowrap transition-colors [&_svg]:size-4",
              one.id === section ? "bg-hover text-text" : "text-text-2 hover:bg-hover hover:text-text",
            )}
          >
            {one.icon}
            {one.name()}
          </button>
        ))}
      </nav>
      <div className="min-h-0 min-w-0 flex-1 overflow-y-auto p-4 md:p-8">
        <section aria-labelledby="section-title" className="mx-auto flex max-w-2xl flex-col gap-6">
          <h2 id="section-title" className="text-xl font-semibold">
            {shown?.name()}
          </h2>
          {shown?.body()}
        </section>
      </div>
    </div>
  );
}
