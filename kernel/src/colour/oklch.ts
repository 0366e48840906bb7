type Three<T> = readonly [T, T, T];

/** Red, green and blue of sRGB without its gamma, 0 to 1. */
type Linear = Three<number>;

/** A colour by how it is seen: lightness 0 to 1, chroma from 0, hue in radians (Björn Ottosson's OKLCH). */
type Oklch = readonly [lightness: number, chroma: number, hue: number];

const each = <T, U>([a, b, c]: Three<T>, change: (one: T) => U): Three<U> => [
  change(a),
  change(b),
  change(c),
];
const mix = (rows: Three<Linear>, [a, b, c]: Linear): Linear =>
  each(rows, ([x, y, z]) => x * a + y * b + z * c);

/** Of `#rgb` or `#rrggbb`. Throws RangeError for anything else. */
export function parseHex(text: string): Linear {
  const long = text.replace(/^#(.)(.)(.)$/, '#$1$1$2$2$3$3');
  if (!/^#[\da-f]{6}$/i.test(long)) throw new RangeError(`no colour: ${text}`);
  return each([1, 3, 5], (at) => {
    const value = parseInt(long.slice(at, at + 2), 16) / 255;
    return value > 0.04045 ? ((value + 0.055) / 1.055) ** 2.4 : value / 12.92;
  });
}

/** `#rrggbb`, of a colour within 0 to 1. */
export const toHex = (colour: Linear): string =>
  '#' +
  each(colour, (value) =>
    Math.round((value > 0.0031308 ? 1.055 * value ** (1 / 2.4) - 0.055 : value * 12.92) * 255)
      .toString(16)
      .padStart(2, '0'),
  ).join('');

export function toOklch(colour: Linear): Oklch {
  const cones = mix(
    [
      [0.4122215, 0.5363325, 0.051446],
      [0.2119035, 0.6806995, 0.107397],
      [0.0883025, 0.2817188, 0.6299787],
    ],
    colour,
  );
  const [lightness, a, b] = mix(
    [
      [0.2104543, 0.7936178, -0.0040721],
      [1.9779985, -2.4285922, 0.4505937],
      [0.025904, 0.7827718, -0.8086758],
    ],
    each(cones, Math.cbrt),
  );
  return [lightness, Math.hypot(a, b), Math.atan2(b, a)];
}

/** The colour of this lightness and hue with as much of the chroma as sRGB has. */
export function fromOklch([lightness, chroma, hue]: Oklch): Linear {
  const cones = mix(
    [
      [1, 0.3963378, 0.2158038],
      [1, -0.1055613, -0.0638542],
      [1, -0.0894842, -1.2914855],
    ],
    [lightness, chroma * Math.cos(hue), chroma * Math.sin(hue)],
  );
  const colour = mix(
    [
      [4.0767417, -3.3077116, 0.2309699],
      [-1.268438, 2.6097574, -0.3413194],
      [-0.0041961, -0.7034186, 1.7076147],
    ],
    each(cones, (value) => value ** 3),
  );
  return chroma > 0.001 && colour.some((value) => value < -0.0005 || value > 1.0005)
    ? fromOklch([lightness, chroma * 0.97, hue])
    : each(colour, (value) => Math.min(1, Math.max(0, value)));
}
