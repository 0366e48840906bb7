import { z } from 'zod';
import { isPermission, type Permission } from './permissions.ts';
import { subscriptionEvents } from './webhook-query.ts';

const url = z
  .string()
  .refine((text) => URL.canParse(text) && /^https?:$/.test(new URL(text).protocol), 'Incorrect format.');
const webhook = z.object({
  name: z.string(),
  targetUrl: url,
  query: z.string(),
  asyncEvents: z.array(z.string()).optional(),
  syncEvents: z.array(z.string()).optional(),
  isActive: z.boolean().optional(),
  customHeaders: z.record(z.string(), z.string()).nullish(),
});
const manifest = z.object({
  id: z.string().min(1),
  version: z.string().min(1),
  name: z.string().min(1),
  tokenTargetUrl: url,
  permissions: z.array(z.string()).default([]),
  appUrl: z.string().nullish(),
  about: z.string().nullish(),
  author: z.string().nullish(),
  dataPrivacyUrl: z.string().nullish(),
  homepageUrl: z.string().nullish(),
  supportUrl: z.string().nullish(),
  configurationUrl: z.string().nullish(),
  webhooks: z.array(webhook).default([]),
});

/** A manifest that may be installed. */
export interface Manifest extends Omit<z.infer<typeof manifest>, 'permissions' | 'webhooks'> {
  readonly permissions: Permission[];
  readonly webhooks: {
    name: string;
    targetUrl: string;
    query: string;
    events: string[];
    isActive: boolean;
    customHeaders: Record<string, string>;
  }[];
}

/** Reads a manifest; what is wrong with it comes back as one sentence per fault. Events left out are taken from the query. */
export function readManifest(
  value: unknown,
): { ok: true; manifest: Manifest } | { ok: false; faults: string[] } {
  const parsed = manifest.safeParse(value);
  if (!parsed.success)
    return {
      ok: false,
      faults: parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`),
    };
  const faults: string[] = [];
  const permissions = parsed.data.permissions.filter((name): name is Permission => {
    if (!isPermission(name)) faults.push(`permissions: Given permissions don't exist: ${name}.`);
    return isPermission(name);
  });
  const webhooks = parsed.data.webhooks.map((hook) => {
    const query = subscriptionEvents(hook.query);
    if (!query.ok) faults.push(`webhooks: ${query.message}`);
    const stated = hook.asyncEvents ?? [];
    return {
      name: hook.name,
      targetUrl: hook.targetUrl,
      query: hook.query,
      events: stated.length || !query.ok ? stated : [...query.events],
      isActive: hook.isActive ?? true,
      customHeaders: hook.customHeaders ?? {},
    };
  });
  return faults.length
    ? { ok: false, faults }
    : { ok: true, manifest: { ...parsed.data, permissions, webhooks } };
}
