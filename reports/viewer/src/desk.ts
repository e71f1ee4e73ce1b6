import type { Help } from './help.ts';
import type { Panel } from './panel.ts';

/** A page, as keys see it. */
export interface Desk {
  readonly help: Help;
  /** The run that keys act on. */
  readonly panel: Panel;
  /** The event after or before this one in what the page tells. */
  neighbour: (selected: number | null, direction: 1 | -1) => number | null;
  /** Moves to what the page is about. */
  showPoint: () => void;
  copy: () => void;
  toggleStory: () => void;
  toggleTheme: () => void;
  /** Moves to the other run, if there are two. */
  turn?: () => void;
}
