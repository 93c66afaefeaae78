import { create } from "zustand";
import type { Board } from "@/lib/storyboard";
import { begin, change, type History, redo, undo } from "@/lib/undo";

interface BoardState {
  id: string | null;
  name: string;
  history: History<Board>;
  chosen: string | null;
  playhead: number;
  /** Rises with every change that has to be saved. */
  edits: number;
  open: (id: string, name: string, board: Board) => void;
  edit: (make: (board: Board) => Board, group?: string) => void;
  rename: (name: string) => void;
  choose: (id: string | null) => void;
  setPlayhead: (seconds: number) => void;
  undo: () => void;
  redo: () => void;
}

const NOTHING = {
  model: "",
  width: 1280,
  height: 720,
  fps: 24,
  seconds: 4,
  loop: false,
  negativePrompt: "",
  seed: "",
  shots: [],
  media: [],
};

/** The storyboard on the table, with its whole history of changes. */
export const useBoard = create<BoardState>((set) => ({
  id: null,
  name: "",
  history: begin<Board>(NOTHING),
  chosen: null,
  playhead: 0,
  edits: 0,
  open: (id, name, board) =>
    set({ id, name, history: begin(board), chosen: board.shots[0]?.id ?? null, playhead: 0, edits: 0 }),
  edit: (make, group) =>
    set((state) => {
      const history = change(state.history, make(state.history.present), group ?? null);
      return history === state.history ? state : { history, edits: state.edits + 1 };
    }),
  rename: (name) => set((state) => ({ name, edits: state.edits + 1 })),
  choose: (chosen) => set({ chosen }),
  setPlayhead: (playhead) => set({ playhead }),
  undo: () => set((state) => ({ history: undo(state.history), edits: state.edits + 1 })),
  redo: () => set((state) => ({ history: redo(state.history), edits: state.edits + 1 })),
}));
