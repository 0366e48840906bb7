const regions = new Intl.DisplayNames('en', { type: 'region' });

/** A country with its English name. */
export const countryOf = (code: string) => ({ code, country: regions.of(code) ?? code });
