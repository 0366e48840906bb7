import { percentile, rounded } from './percentiles.ts';

/** One line of a plot: [x, y] pairs in order of x. */
export type Curve = readonly (readonly [number, number])[];

/** One plot: percentiles (0–100) to the right, milliseconds upwards. */
export interface Panel {
  readonly title: string;
  readonly yLabel: string;
  readonly curve: Curve;
}

const width = 720;
const panelHeight = 300;
const frame = { left: 84, right: 28, top: 52, bottom: 56 };
// Greys and one blue of middle lightness: readable on a white page and on a dark one.
const text = '#767676';
const line = '#3d86c6';
const marked = [100, 95, 50]; // from the top down: a label moves below the one before it

/** Draws panels one below the other as an SVG document without a background of its own. */
export function drawPercentiles(title: string, panels: readonly Panel[]): string {
  const height = 44 + panels.length * panelHeight;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="12" fill="${text}">`,
    `<title>${escape(title)}</title>`,
    `<text x="${frame.left}" y="28" font-size="16" font-weight="600">${escape(title)}</text>`,
    ...panels.map((panel, index) => draw(panel, 44 + index * panelHeight)),
    '</svg>',
    '',
  ].join('\n');
}

function draw({ title, yLabel, curve }: Panel, offset: number): string {
  const values = curve.map(([, y]) => y);
  const step = niceStep(Math.max(...values) / 5);
  const top = Math.max(step, Math.ceil(Math.max(...values) / step) * step);
  const plotWidth = width - frame.left - frame.right;
  const plotHeight = panelHeight - frame.top - frame.bottom;
  const x = (percent: number): number => Number((frame.left + (percent / 100) * plotWidth).toFixed(1));
  const y = (value: number): number => Number((frame.top + (1 - value / top) * plotHeight).toFixed(1));
  const out = [`<g transform="translate(0 ${offset})">`, label(frame.left, 24, title, 'font-weight="600"')];
  for (let tick = 0; tick <= top + step / 2; tick += step)
    out.push(
      `<line x1="${frame.left}" x2="${width - frame.right}" y1="${y(tick)}" y2="${y(tick)}" stroke="${text}" stroke-opacity="0.3"/>`,
      label(frame.left - 8, y(tick) + 4, String(rounded(tick)), 'text-anchor="end"'),
    );
  for (const percent of [0, 25, 50, 75, 90, 95, 100])
    out.push(label(x(percent), panelHeight - frame.bottom + 18, String(percent), 'text-anchor="middle"'));
  out.push(
    label(
      frame.left + plotWidth / 2,
      panelHeight - frame.bottom + 38,
      'percentile (%)',
      'text-anchor="middle"',
    ),
    label(
      20,
      frame.top + plotHeight / 2,
      yLabel,
      `text-anchor="middle" transform="rotate(-90 20 ${frame.top + plotHeight / 2})"`,
    ),
    `<polyline fill="none" stroke="${line}" stroke-width="2" points="${curve.map(([px, py]) => `${x(px)},${y(py)}`).join(' ')}"/>`,
  );
  let lowest = 0;
  for (const percent of marked) {
    const value = curve.find(([px]) => px === percent)?.[1] ?? percentile(values, percent);
    lowest = Math.max(y(value) - 8, frame.top - 8, lowest + 15);
    out.push(
      `<circle cx="${x(percent)}" cy="${y(value)}" r="3.5" fill="${line}"/>`,
      label(
        x(percent) - 6,
        lowest,
        `${percent === 100 ? 'max' : `p${percent}`} ${rounded(value)} ms`,
        `text-anchor="end" fill="${line}"`,
      ),
    );
  }
  return [...out, '</g>'].join('\n');
}

const label = (x: number, y: number, words: string, attributes: string): string =>
  `<text x="${x}" y="${y}" ${attributes}>${escape(words)}</text>`;

const escape = (words: string): string =>
  words.replace(/[&<>]/g, (sign) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[sign]!);

/** 1, 2 or 5 times a power of ten, at least `least`. */
function niceStep(least: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1e-6)));
  return power * ([1, 2, 5, 10].find((factor) => factor * power >= least) ?? 10);
}
