import { Keys } from "@/components/controls";
import { Dialog } from "@/components/overlays";
import { useUi } from "@/features/shell/ui";
import { t } from "@/lib/i18n";

const GROUPS: [() => string, [string, () => string][]][] = [
  [
    () => t("Everywhere"),
    [
      ["mod+k", () => t("Find anything")],
      ["n", () => t("To the prompt")],
      ["/", () => t("Search the library")],
      ["q", () => t("Queue")],
      ["shift+q", () => t("Pause the queue, or let it go on")],
      ["alt+1", () => t("Create; Alt 2 to 4 the other pages")],
      ["?", () => t("These keys")],
    ],
  ],
  [
    () => t("Composing"),
    [
      ["mod+enter", () => t("Generate")],
      ["@", () => t("Name a character")],
    ],
  ],
  [
    () => t("Library"),
    [
      ["arrowright", () => t("Walk through the clips")],
      ["enter", () => t("Open")],
      ["space", () => t("Select")],
      ["f", () => t("Favourite")],
      ["1", () => t("Stars; 2 to 5 more of them, 0 none")],
      ["c", () => t("Compare")],
      ["d", () => t("Download")],
      ["delete", () => t("Into the trash")],
      ["escape", () => t("Select nothing")],
    ],
  ],
  [
    () => t("Playing"),
    [
      ["space", () => t("Play or pause")],
      ["j", () => t("Backwards; K stops, L plays, L again faster")],
      ["arrowright", () => t("One frame on; with Shift a second")],
      ["i", () => t("In point; O the out point")],
      ["m", () => t("Sound")],
      ["r", () => t("Remix")],
      ["e", () => t("Extend")],
    ],
  ],
  [
    () => t("Storyboard"),
    [
      ["a", () => t("Add a shot")],
      ["s", () => t("Split at the playhead")],
      ["d", () => t("Duplicate")],
      ["arrowright", () => t("Move the card; with Shift by a frame, with Alt its end")],
      ["mod+arrowright", () => t("Change places with the next")],
      ["mod+z", () => t("Undo; with Shift redo")],
      ["mod+enter", () => t("Generate")],
    ],
  ],
];

export function KeyList() {
  return (
    <div className="grid gap-x-10 gap-y-6 sm:grid-cols-2">
      {GROUPS.map(([name, keys]) => (
        <section key={name()}>
          <h3 className="mb-2 text-sm font-semibold">{name()}</h3>
          <dl className="flex flex-col gap-1.5 text-sm">
            {keys.map(([combination, words]) => (
              <div key={combination} className="flex items-baseline justify-between gap-4">
                <dt className="text-text-2">{words()}</dt>
                <dd className="shrink-0">
                  <Keys combination={combination} />
                </dd>
              </div>
            ))}
          </dl>
        </section>
      ))}
    </div>
  );
}

export default function Shortcuts() {
  const set = useUi((ui) => ui.set);
  return (
    <Dialog open onClose={() => set({ shortcutsOpen: false })} title={t("Keyboard")} wide>
      <KeyList />
    </Dialog>
  );
}
