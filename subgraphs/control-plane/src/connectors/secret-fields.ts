import { z } from 'zod';

/** A secret as it is given; what does not fit is refused without a word about what it was. */
export const secretFields = z.array(z.object({ name: z.string(), value: z.string() })).max(8);
