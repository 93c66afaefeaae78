import { t } from "@/lib/i18n";

/** How a clip came to be, in words. */
export function kindName(kind: string): string {
  const names: Record<string, string> = {
    create: t("Prompt"),
    remix: t("Remix"),
    edit: t("Edit"),
    extend: t("Extension"),
    recut: t("Re-cut"),
    loop: t("Loop"),
    blend: t("Blend"),
    stitch: t("Stitch"),
    storyboard: t("Storyboard"),
    reference: t("Reference"),
  };
  return names[kind] ?? kind;
}
