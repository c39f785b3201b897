/** The view of the canvas that shows the whole model. */
import type { Canvas } from './types.js';

/** Widths on the canvas, in pixels: of the palette, which covers it, and around the model. */
export const PALETTE = 130;
export const MARGIN = 30;

/** Shows the whole model to the right of `left` pixels. */
export function fit(canvas: Canvas, left: number): void {
  canvas.resized();
  const { inner, outer } = canvas.viewbox();
  if (inner.width === 0 || outer.width === 0) return;
  const room = { width: Math.max(outer.width - left - MARGIN, 80), height: outer.height - 2 * MARGIN };
  const scale = Math.min(room.width / inner.width, room.height / inner.height, 1.2);
  const x = inner.x - (left + (room.width - inner.width * scale) / 2) / scale;
  const y = inner.y - (MARGIN + (room.height - inner.height * scale) / 2) / scale;
  canvas.viewbox({ x, y, width: outer.width / scale, height: outer.height / scale });
}
