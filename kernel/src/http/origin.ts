import { z } from 'zod';

/** An origin of HTTP as `URL.origin` writes it, e.g. `http://127.0.0.1:4000`: with no path, not even a slash. */
export const originSchema = z.url({ protocol: /^https?$/ }).refine((url) => URL.parse(url)?.origin === url, {
  message: 'must be an origin: no path, no slash at its end',
});
