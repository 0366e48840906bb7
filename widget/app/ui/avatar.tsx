import type { VNode } from 'preact';
import { useState } from 'preact/hooks';

/** A picture of the branding, or the first letter of the name where there is none, or where the page's policy refuses it. */
export function Avatar({ url, name }: { readonly url: string | null; readonly name: string }): VNode {
  const [refused, setRefused] = useState<string | null>(null);
  if (url && url !== refused)
    return (
      <img
        class="avatar"
        src={url}
        alt=""
        referrerpolicy="no-referrer"
        decoding="async"
        onError={() => setRefused(url)}
      />
    );
  return (
    <span class="avatar" aria-hidden="true">
      {/^./u.exec(name)?.[0]}
    </span>
  );
}
