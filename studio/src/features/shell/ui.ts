import { create } from "zustand";

interface Ui {
  queueOpen: boolean;
  paletteOpen: boolean;
  shortcutsOpen: boolean;
  set: (change: Partial<Ui>) => void;
}

export const useUi = create<Ui>((set) => ({
  queueOpen: false,
  paletteOpen: false,
  shortcutsOpen: false,
  set: (change) => set(change),
}));
