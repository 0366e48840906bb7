/** Every permission of Saleor 3.22; a superuser holds all of them. */
export const allPermissions = [
  'MANAGE_USERS',
  'MANAGE_STAFF',
  'IMPERSONATE_USER',
  'MANAGE_APPS',
  'MANAGE_OBSERVABILITY',
  'MANAGE_CHECKOUTS',
  'HANDLE_CHECKOUTS',
  'HANDLE_TAXES',
  'MANAGE_TAXES',
  'MANAGE_CHANNELS',
  'MANAGE_DISCOUNTS',
  'MANAGE_GIFT_CARD',
  'MANAGE_MENUS',
  'MANAGE_ORDERS',
  'MANAGE_ORDERS_IMPORT',
  'MANAGE_PAGES',
  'MANAGE_PAGE_TYPES_AND_ATTRIBUTES',
  'HANDLE_PAYMENTS',
  'MANAGE_PLUGINS',
  'MANAGE_PRODUCTS',
  'MANAGE_PRODUCT_TYPES_AND_ATTRIBUTES',
  'MANAGE_SHIPPING',
  'MANAGE_SETTINGS',
  'MANAGE_TRANSLATIONS',
] as const;
export type Permission = (typeof allPermissions)[number];

export const isPermission = (text: string): text is Permission =>
  (allPermissions as readonly string[]).includes(text);

/** A permission's English name, e.g. `Manage orders.` */
export const permissionName = (code: Permission): string => {
  const words = code.toLowerCase().replaceAll('_', ' ');
  return `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
};
