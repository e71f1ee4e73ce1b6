/** How much an axis must hold: a number of steps, and a stretch of time. */
export interface Extent {
  count: number;
  start: number;
  end: number;
}

/** What several diagrams share, so that one place on the axis means the same in each of them. */
export class Frame<Member extends { relay: () => void }> {
  /** The member that decides which part of the axis is seen; the others follow. */
  leader: Member | null = null;
  private readonly extents = new Map<Member, Extent>();

  /** Notes how much the axis of a member must hold, and returns how much all of them must. */
  join(member: Member, own: Extent): Extent {
    const before = this.whole();
    this.extents.set(member, own);
    const whole = this.whole();
    const isSame = before.count === whole.count && before.start === whole.start && before.end === whole.end;
    if (!isSame) for (const other of this.extents.keys()) if (other !== member) other.relay();
    return whole;
  }

  private whole(): Extent {
    const all = [...this.extents.values()];
    return {
      count: Math.max(0, ...all.map((one) => one.count)),
      start: Math.min(...all.map((one) => one.start)),
      end: Math.max(...all.map((one) => one.end)),
    };
  }
}
