import { crosses, type Segment } from './arrows.ts';

interface Box {
  left: number;
  top: number;
  right: number;
  bottom: number;
}

export const WORDS = '12px system-ui, "Segoe UI", Roboto, Helvetica, Arial, sans-serif';
export const MONO = '12px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';
const HEIGHT = 14;

/** Above this number of lines, looking for crossings would cost more than it gives. */
const LINES_MAX = 700;

export interface LabelPlace {
  /** The left edge, and the middle of the line. */
  x: number;
  y: number;
}

/** Puts labels where there is room: never over another label, and not over a line if that can be. */
export class Labels {
  private readonly boxes: Box[] = [];
  private readonly lines: readonly Segment[];

  constructor(
    private readonly context: CanvasRenderingContext2D,
    lines: readonly Segment[],
    private readonly bounds: Box,
  ) {
    this.lines = lines;
  }

  /** Keeps a place free of labels. */
  block(left: number, top: number, right: number, bottom: number): void {
    this.boxes.push({ left, top, right, bottom });
  }

  /**
   * The first of these places that is free, preferring one that no line crosses; that is a must
   * unless `mayCross`. The place is taken.
   */
  find(width: number, places: readonly LabelPlace[], mayCross: boolean): LabelPlace | null {
    const free = places.filter((at) => this.isFree(this.box(width, at)));
    const clear = free.find((at) => !this.isCrossed(this.box(width, at)));
    const found = clear ?? (mayCross ? free[0] : undefined);
    if (!found) return null;
    this.boxes.push(this.box(width, found));
    return found;
  }

  width(text: string, font: string): number {
    const known = widths.get(font + text);
    if (known !== undefined) return known;
    this.context.font = font;
    const { width } = this.context.measureText(text);
    if (widths.size > 20_000) widths.clear();
    widths.set(font + text, width);
    return width;
  }

  private box(width: number, { x, y }: LabelPlace): Box {
    return { left: x - 2, top: y - HEIGHT / 2, right: x + width + 2, bottom: y + HEIGHT / 2 };
  }

  private isFree(box: Box): boolean {
    const { bounds } = this;
    if (box.left < bounds.left || box.right > bounds.right || box.top < bounds.top || box.bottom > bounds.bottom) return false;
    return !this.boxes.some((other) => box.left < other.right && other.left < box.right && box.top < other.bottom && other.top < box.bottom);
  }

  private isCrossed({ left, top, right, bottom }: Box): boolean {
    if (this.lines.length > LINES_MAX) return true;
    return this.lines.some((line) => crosses(line, left, top + 1, right, bottom - 1));
  }
}

const widths = new Map<string, number>();

/** Writes a text with a halo, so that it can be read over lines. */
export function write(context: CanvasRenderingContext2D, text: string, { x, y }: LabelPlace, font: string, colour: string, halo: string): void {
  context.font = font;
  context.textAlign = 'left';
  context.textBaseline = 'middle';
  context.lineJoin = 'round';
  context.lineWidth = 3.5;
  context.strokeStyle = halo;
  context.strokeText(text, x, y);
  context.fillStyle = colour;
  context.fillText(text, x, y);
}
