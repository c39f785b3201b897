/** The view of the canvas that shows the whole model. */
import type { Model } from './model.js';
import type { Canvas, ZoomScroll } from './types.js';

/** Widths on the canvas, in pixels: of the palette, which covers it, and around the model. */
export const PALETTE = 130;
export const MARGIN = 30;

/** The scale below which names cannot be read. */
export const LEGIBLE = 0.3;

/** Shows the whole model to the right of `left` pixels, or its beginning if that would take a smaller scale than `smallest`. */
export function fit(canvas: Canvas, left: number, smallest = 0): void {
  canvas.resized();
  const { inner, outer } = canvas.viewbox();
  if (inner.width === 0 || outer.width === 0) return;
  const room = { width: Math.max(outer.width - left - MARGIN, 80), height: outer.height - 2 * MARGIN };
  const scale = Math.max(Math.min(room.width / inner.width, room.height / inner.height, 1.2), smallest);
  const x = inner.x - (left + Math.max((room.width - inner.width * scale) / 2, 0)) / scale;
  const y = inner.y - (MARGIN + Math.max((room.height - inner.height * scale) / 2, 0)) / scale;
  canvas.viewbox({ x, y, width: outer.width / scale, height: outer.height / scale });
}

/** Zooms in or out by one step. */
export function zoom(model: Model, steps: 1 | -1): void {
  model.service<ZoomScroll>('zoomScroll').stepZoom(steps);
}
