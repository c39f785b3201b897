const PATHS = {
  arrow: 'M5 12h14M13 6l6 6-6 6',
  back: 'M19 12H5M11 18l-6-6 6-6',
  bell: 'M6 9a6 6 0 0 1 12 0c0 6 2 7 2 7H4s2-1 2-7M10 20a2 2 0 0 0 4 0',
  bolt: 'M13 2 4 14h7l-1 8 9-12h-7z',
  check: 'm5 12.5 4.5 4.5L19 7.5',
  chevron: 'm9 6 6 6-6 6',
  cross: 'M6 6l12 12M18 6 6 18',
  document: 'M14 3H6v18h12V7zM14 3v4h4M9 12h6M9 16h6',
  layers: 'm12 3 9 5-9 5-9-5zM3 13l9 5 9-5',
  restart: 'M4 12a8 8 0 1 0 3-6.2M4 4v5h5',
  tabs: 'M3 8h13v12H3zM8 8V4h13v12h-5',
  alert: 'M12 3 2 20h20zM12 10v4M12 17v.5',
} as const;

/** An icon that is hidden from screen readers, as the text beside it has its meaning. */
export function icon(name: keyof typeof PATHS, size = 20): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  const attributes = { viewBox: '0 0 24 24', width: size, height: size, fill: 'none', stroke: 'currentColor', 'stroke-width': 2 };
  for (const [key, value] of Object.entries(attributes)) svg.setAttribute(key, String(value));
  svg.setAttribute('stroke-linecap', 'round');
  svg.setAttribute('stroke-linejoin', 'round');
  svg.setAttribute('aria-hidden', 'true');
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', PATHS[name]);
  svg.append(path);
  return svg;
}
