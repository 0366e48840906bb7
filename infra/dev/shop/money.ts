/** Digits after the point of a currency that has other than two. */
const digits: Readonly<Record<string, number>> = {
  JPY: 0,
  KRW: 0,
  VND: 0,
  CLP: 0,
  ISK: 0,
  BHD: 3,
  KWD: 3,
  OMR: 3,
  TND: 3,
  JOD: 3,
};

/** How many digits the currency's minor unit stands after the point. */
export const fractionDigits = (currency: string): number => digits[currency] ?? 2;

/** A `Money` value; `amount` is a float as in Saleor, `fractionalAmount` the exact minor units. */
export interface Money {
  readonly currency: string;
  readonly amount: number;
  readonly fractionalAmount: number;
  readonly fractionDigits: number;
}

export function money(minor: number, currency: string): Money {
  const places = fractionDigits(currency);
  return { currency, amount: minor / 10 ** places, fractionalAmount: minor, fractionDigits: places };
}

/** Flat rates of zero: gross equals net. */
export const taxed = (minor: number, currency: string) => ({
  currency,
  gross: money(minor, currency),
  net: money(minor, currency),
  tax: money(0, currency),
});

/** A decimal (number or text, not negative) in minor units, rounded half away from zero; undefined when it is no such number. */
export function toMinor(decimal: string | number, currency: string): number | undefined {
  const text = String(decimal);
  const parts = /^(\d{1,12})(?:\.(\d*))?$/.exec(text);
  if (!parts) return undefined;
  const places = fractionDigits(currency);
  const fraction = (parts[2] ?? '').padEnd(places + 1, '0');
  const whole = Number(parts[1]) * 10 ** places + Number(fraction.slice(0, places) || '0');
  return whole + (Number(fraction[places]) >= 5 ? 1 : 0);
}
