/** A colour by how it is seen: lightness 0 to 1, chroma from 0, hue in radians (Björn Ottosson's OKLCH). */
export type Oklch = readonly [lightness: number, chroma: number, hue: number];

/** Red, green and blue of sRGB without its gamma, 0 to 1. */
type Linear = readonly [red: number, green: number, blue: number];

/** Of `#rgb` or `#rrggbb`. Throws RangeError for anything else. */
export function parseHex(text: string): Linear {
  const long = text.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  if (!/^#[\da-f]{6}$/i.test(long)) throw new RangeError(`no colour: ${text}`);
  const channel = (at: number): number => {
    const value = parseInt(long.slice(at, at + 2), 16) / 255;
    return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
  };
  return [channel(1), channel(3), channel(5)];
}

export const toHex = (colour: Linear): string =>
  '#' +
  colour
    .map((value) =>
      Math.round((value > 0.0031308 ? 1.055 * value ** (1 / 2.4) - 0.055 : value * 12.92) * 255)
        .toString(16)
        .padStart(2, '0'),
    )
    .join('');

const mix = (rows: readonly Linear[], [a, b, c]: Linear): Linear =>
  rows.map(([x, y, z]) => x * a + y * b + z * c) as unknown as Linear;

export function toOklch(colour: Linear): Oklch {
  const cones = mix(
    [
      [0.4122215, 0.5363325, 0.051446],
      [0.2119035, 0.6806995, 0.107397],
      [0.0883025, 0.2817188, 0.6299787],
    ],
    colour,
  ).map(Math.cbrt) as unknown as Linear;
  const [lightness, a, b] = mix(
    [
      [0.2104543, 0.7936178, -0.004072],
      [1.9779985, -2.4285922, 0.4505937],
      [0.025904, 0.7827718, -0.8086758],
    ],
    cones,
  );
  return [lightness, Math.hypot(a, b), Math.atan2(b, a)];
}

/** The colour of this lightness and hue with as much of the chroma as sRGB has. */
export function fromOklch([lightness, chroma, hue]: Oklch): Linear {
  const a = chroma * Math.cos(hue);
  const b = chroma * Math.sin(hue);
  const cones = mix(
    [
      [1, 0.3963378, 0.2158038],
      [1, -0.1055613, -0.0638542],
      [1, -0.0894842, -1.2914855],
    ],
    [lightness, a, b],
  ).map((value) => value ** 3) as unknown as Linear;
  const colour = mix(
    [
      [4.0767417, -3.3077116, 0.2309699],
      [-1.268438, 2.6097574, -0.3413194],
      [-0.0041961, -0.7034186, 1.7076147],
    ],
    cones,
  );
  return chroma > 0.001 && colour.some((value) => value < -0.0005 || value > 1.0005)
    ? fromOklch([lightness, chroma * 0.97, hue])
    : (colour.map((value) => Math.min(1, Math.max(0, value))) as unknown as Linear);
}
