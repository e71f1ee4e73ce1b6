/** What the reader has chosen to see. */

export type Selection = { what: 'step' | 'message'; index: number };

export interface View {
  selected: Selection | null;
  /** The other end of a measurement that begins at the selected step. */
  measured: number | null;
  /** The step at which the slider stands. */
  position: number;
  /** Only the past of this step is shown. */
  isolated: number | null;
  axis: 'step' | 'time';
  folded: boolean;
  hiddenLanes: ReadonlySet<number>;
  hiddenKinds: ReadonlySet<number>;
  query: string;
  /** Whether steps that the query does not match are left out. */
  onlyMatches: boolean;
  /** Whether the past of the violation stands out. */
  onStory: boolean;
}

type Listener = (view: View, before: View) => void;

/** The view, and those who follow it. */
export class ViewStore {
  private listeners: Listener[] = [];

  constructor(private view: View) {}

  get now(): View {
    return this.view;
  }

  update(change: Partial<View>): void {
    const before = this.view;
    this.view = { ...before, ...change };
    for (const listener of this.listeners) listener(this.view, before);
  }

  follow(listener: Listener): void {
    this.listeners.push(listener);
  }
}

/** Whether a change of the view moves, adds or removes steps. */
export function changesLayout(a: View, b: View): boolean {
  return (
    a.isolated !== b.isolated ||
    a.folded !== b.folded ||
    a.hiddenLanes !== b.hiddenLanes ||
    a.hiddenKinds !== b.hiddenKinds ||
    a.onlyMatches !== b.onlyMatches ||
    (b.onlyMatches && a.query !== b.query)
  );
}

/** A set with this member added, or removed if it was in it. */
export function toggled(set: ReadonlySet<number>, member: number): ReadonlySet<number> {
  const copy = new Set(set);
  if (!copy.delete(member)) copy.add(member);
  return copy;
}
